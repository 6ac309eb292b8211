"""Builds what the tests of the pipeline need: small source files, readings, and whole runs over fakes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import bson
import orjson

from pipeline.columns import Converter
from pipeline.load import Loader, RunIdentity
from pipeline.measurement import Measurement, Row
from pipeline.model import Document, ObjectRef, ObjectReport, Rejection
from pipeline.parsers.reading import is_a_stations, rows
from pipeline.progress import Progress
from pipeline.report import Limits, RunReport
from pipeline.run import Run, Selection
from pipeline.sample.formats import COLUMNS, envelope
from pipeline.stations import load_catalog
from pipeline.transform import ObjectContext
from pipeline.upsert import Upserter
from tests.pipeline.fakes import NOON, FakeMeasurements, FakeRunStore, FakeSource

LIMITS = Limits()
IICHTE19 = "station_ichtegem_BE_011024"
ROW = ("00:04:00", "56.8\xa0°F", "53.1\xa0°F", "87\xa0%", "WSW", "8.2\xa0mph", "10.4\xa0mph", "29.48\xa0in",
       "0.12\xa0in", "0.01\xa0in", 2, "5.5\xa0w/m²")  # fmt: skip


def wu_row(time: Any = "00:04:00", **changes: Any) -> dict[str, Any]:
    """A record of Weather Underground; `changes` by the first letters of a column's name."""
    row = dict(zip(COLUMNS, ROW, strict=True)) | {"Time": time}
    for start, value in changes.items():
        (column,) = [name for name in COLUMNS if name.lower().replace(" ", "_").startswith(start)]
        row[column] = value
    return row


def jsonl(*records: Any) -> bytes:
    """Airbyte's lines; a record that is bytes already stands as it is."""
    lines = [
        record if isinstance(record, bytes) else orjson.dumps(envelope(f"{number}", 1, record))
        for number, record in enumerate(records)
    ]
    return b"\n".join(lines) + b"\n"


def csv(*records: dict[str, Any], delimiter: str = ",") -> bytes:
    lines = [COLUMNS, *(record.values() for record in records)]
    return "\n".join(delimiter.join(map(str, line)) for line in lines).encode()


def hour(station: str, moment: str, **values: Any) -> dict[str, Any]:
    """A record of InfoClimat."""
    return {"id_station": station, "dh_utc": moment, "temperature": "7.6", "pression": "1020.7", **values}


def answer(*hours: dict[str, Any]) -> dict[str, Any]:
    """An InfoClimat answer with these records."""
    hourly: dict[str, Any] = {}
    for item in hours:
        hourly.setdefault(item["id_station"], []).append(item)
    stations = [
        {"id": name, "name": name, "type": "static", "license": {"license": "CC BY"}} for name in hourly
    ]
    return {"status": "OK", "stations": stations, "hourly": {**hourly, "_params": ["temperature"]}}


def read(key: str, content: bytes) -> list[Row]:
    """All rows of one object."""
    return list(rows(io.BytesIO(content), context(key), load_catalog()))


def context(key: str) -> ObjectContext:
    ref = ObjectRef(key, "etag", 1, NOON)
    return ObjectContext(ref, "run", NOON + timedelta(days=1), Converter())


def documents(read_rows: Iterable[Row]) -> list[Document]:
    return [row.document() for row in read_rows if isinstance(row, Measurement)]


def measurement(document: Document) -> Measurement:
    """The row whose document this is; `run_id` and `source` stand last in it."""
    values = {name: value for name, value in document.items() if name not in ("run_id", "source")}
    return Measurement(
        document["_id"], document.get("station_id", "S"), document["timestamp"],
        document["source"]["position"], bson.encode(document), len(bson.encode(values)) - 1,
    )  # fmt: skip


def rejections(read_rows: Iterable[Row]) -> list[Rejection]:
    return [row for row in read_rows if isinstance(row, Rejection)]


class Workshop:
    """A source, a database and runs between them, all in memory."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.source = FakeSource(objects)
        self.measurements = FakeMeasurements()
        self.run_store = FakeRunStore(self.measurements)
        self.catalog = load_catalog()
        self.said: list[str] = []

    def run(
        self,
        run_id: str,
        *,
        full: bool = False,
        limits: Limits = LIMITS,
        only: frozenset[str] | None = None,
        exclude: tuple[str, ...] = (),
    ) -> RunReport:
        report = RunReport(run_id, "memory", NOON, "inline", full, limits)
        loader = self.loader(run_id)
        selection = Selection(partial(is_a_stations, catalog=self.catalog), only, exclude)
        progress = Progress(self._say)
        try:
            here = _Here(loader)
            run = Run(report, self.source, self.run_store, here, lambda: NOON, progress, selection)
            return run.perform()
        finally:
            loader.close()

    def loader(self, run_id: str) -> Loader:
        identity = RunIdentity(run_id, NOON + timedelta(days=1))
        upserter = Upserter(self.measurements, sleep=lambda _: None)
        store, made = self.measurements, self.run_store
        return Loader(identity, self.source, store, upserter, made, self.catalog, lambda: None)

    def values(self) -> dict[str, Any]:
        """The documents without where they come from."""
        return {
            id_: {name: value for name, value in document.items() if name not in ("run_id", "source")}
            for id_, document in self.measurements.documents.items()
        }

    def _say(self, event: str, **facts: Any) -> None:
        self.said.append(" ".join([event, *(f"{name}={value}" for name, value in facts.items())]))


class _Here:
    name = "inline"

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def load(self, refs: Iterable[ObjectRef]) -> Iterable[ObjectReport]:
        return self._loader.load(refs)


def utc(text: str) -> datetime:
    """Naive UTC, as in the documents."""
    return datetime.fromisoformat(text)
