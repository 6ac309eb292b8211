"""What goes into a real mongod: first load, full load, corrections, unchanged objects, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymongo import MongoClient, WriteConcern

from bench.pipeline.data import write_days, write_one
from bench.pipeline.ratio import Ratio, seconds
from bench.pipeline.transforming import LATER
from pipeline.app import Options, perform_run
from pipeline.columns import Converter
from pipeline.config import MongoSettings, Settings
from pipeline.gateways.schema import INDEXES
from pipeline.measurement import Measurement
from pipeline.model import Document, ObjectRef
from pipeline.parsers.reading import rows
from pipeline.report import RunReport
from pipeline.stations import load_catalog
from pipeline.transform import ObjectContext
from tests.pipeline.mongod import Mongod, initiate

READINGS = 200_000
KEY = "station_ichtegem_BE.jsonl"
_CHUNK = 2000
_ROUNDS = 3


@contextmanager
def mongod(folder: Path) -> Iterator[str]:
    """A real mongod of its own, a replica set of one; yields its URI."""
    server = Mongod(folder)
    server.start()
    try:
        initiate([server])
        yield f"mongodb://127.0.0.1:{server.port}/?replicaSet=rs0"
    finally:
        server.stop()


def run(uri: str, database: str, source: Path, *, full: bool = False) -> RunReport:
    """One run in this process, which must succeed."""
    report = perform_run(Settings(MongoSettings(uri, database), str(source)), Options(full=full), _silent)
    assert report.verdict() is None, report.verdict()
    return report


def _silent(event: str, **facts: object) -> None:
    pass


def documents(path: Path) -> list[Document]:
    """The documents of one object, ready to send."""
    context = ObjectContext(ObjectRef(path.name, "etag", 1, LATER), "run", LATER, Converter())
    with path.open("rb") as file:
        return [row.document() for row in rows(file, context, load_catalog()) if isinstance(row, Measurement)]


def bare_insert(uri: str, ready: list[Document], *, indexed: bool) -> float:
    """Seconds of an unordered `insert_many` of ready-made documents into an empty collection."""
    with MongoClient(uri) as client:
        database = client[f"bare_{uuid.uuid4().hex[:8]}"]
        collection = database.get_collection("measurements", write_concern=WriteConcern("majority"))
        if indexed:
            for keys in INDEXES["measurements"]:
                collection.create_index(list(keys))
        taken = seconds(
            lambda: [
                collection.insert_many(ready[n : n + _CHUNK], ordered=False)
                for n in range(0, len(ready), _CHUNK)
            ]
        )
        client.drop_database(database)
        return taken


def load(uri: str, folder: Path) -> Iterator[Ratio]:
    """First, full and corrected loads of one object, and the bare insert, in turn."""
    path = folder / KEY
    first, full, corrected, bare, plain = [], [], [], [], []
    for _ in range(_ROUNDS):
        database = f"load_{uuid.uuid4().hex[:8]}"
        write_one(path, READINGS)
        ready = documents(path)
        bare.append(bare_insert(uri, ready, indexed=True))
        plain.append(bare_insert(uri, ready, indexed=False))
        del ready
        first.append(seconds(lambda name=database: run(uri, name, folder)))  # type: ignore[misc]
        full.append(seconds(lambda name=database: run(uri, name, folder, full=True)))  # type: ignore[misc]
        write_one(path, READINGS, correction=0.5)
        corrected.append(seconds(lambda name=database: run(uri, name, folder)))  # type: ignore[misc]
    rate = [READINGS / min(times) for times in (first, full, corrected, bare, plain)]
    yield Ratio("first load", rate[0], rate[3], "readings/s", 0.8, "insert_many, same indexes")
    yield Ratio("first load", rate[0], rate[4], "readings/s", 0.8, "insert_many, no index but _id")
    yield Ratio("full load of the same data", rate[1], rate[0], "readings/s", 1.0, "first load")
    yield Ratio("a corrected tenth", min(corrected), min(first), "s", 2.0, "first load", at_most=True)


def rerun(uri: str, folder: Path) -> Iterator[Ratio]:
    """A second run over 1,000 unchanged objects."""
    write_days(folder, 1000)
    database = f"rerun_{uuid.uuid4().hex[:8]}"
    first = seconds(lambda: run(uri, database, folder))
    again = min(seconds(lambda: run(uri, database, folder)) for _ in range(3))
    yield Ratio("1,000 unchanged objects", 1000 / again, 1000 / first, "objects/s", 50, "their first load")


def memory(uri: str, folder: Path, readings: int) -> Iterator[Ratio]:
    """Peak memory of the command with one object of 100,000 readings, and of very many."""
    peaks = []
    for count in (100_000, readings):
        size = write_one(folder / KEY, count)
        peaks.append(_peak_mb(uri, folder))
        print(
            f"     one object of {count:,} readings, {size / 2**20:,.0f} MB: peak {peaks[-1]:.0f} MB",
            flush=True,
        )
    yield Ratio("peak memory, many readings", peaks[1], peaks[0], "MB", 1.3, "100,000 readings", at_most=True)
    yield Ratio("peak memory, absolute", peaks[1], 200, "MB", 1.0, "the limit", at_most=True)


def _peak_mb(uri: str, folder: Path) -> float:
    environment = {**os.environ, "MONGO_URI": uri, "MONGO_DB_NAME": f"memory_{uuid.uuid4().hex[:8]}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "--source", folder],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _high_water_mb(process.pid))
        time.sleep(0.02)
    assert process.returncode == 0
    return peak


def _high_water_mb(pid: int) -> float:
    """VmHWM: of this program alone, where wait4(2) counts the memory of the process that started it too."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
