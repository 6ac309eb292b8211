"""What needs no database: transform, XLSX, and two workers against one."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import orjson

from bench.pipeline.data import A_DAY, day_lines, day_name, write_one
from bench.pipeline.ratio import Ratio, best_of
from pipeline.columns import Converter
from pipeline.config import MongoSettings, Settings
from pipeline.executors import Dask, Inline, Job, Processes
from pipeline.gateways.folder import FolderSource
from pipeline.load import Loader, RunIdentity
from pipeline.measurement import Measurement
from pipeline.model import Document, Earlier, ObjectRef, ObjectReport, Rejection
from pipeline.parsers.reading import rows
from pipeline.ports import Executor
from pipeline.sample.formats import COLUMNS
from pipeline.stations import load_catalog
from pipeline.transform import ObjectContext
from pipeline.upsert import Upserter

LATER = datetime.fromisoformat("2100-01-01T00:00:00")
_CATALOG = load_catalog()
_OBJECTS, _READINGS_EACH = 60, 20_000


def read_all(converter: Converter, key: str, content: bytes) -> int:
    """Rows of one object to documents that are ready to send; how many."""
    context = ObjectContext(ObjectRef(key, "etag", len(content), LATER), "run", LATER, converter)
    return sum(1 for _ in rows(io.BytesIO(content), context, _CATALOG))


def transform() -> Iterator[Ratio]:
    """Airbyte JSONL of Weather Underground to documents, against a bare `orjson.loads` of the same lines."""
    days = [(day_name(number), b"\n".join(day_lines(number))) for number in range(300)]
    lines = [line for _, content in days for line in content.split(b"\n")]
    converter = Converter()

    def bare() -> None:
        for line in lines:
            orjson.loads(line)

    ours, limit = best_of(5, lambda: [read_all(converter, key, content) for key, content in days], bare)
    count = 300 * A_DAY
    yield Ratio("transform, one core", count / ours, count / limit, "readings/s", 0.15, "orjson.loads alone")


def workbook() -> Iterator[Ratio]:
    """XLSX to documents, against openpyxl's read-only mode that only reads the cells."""
    book = openpyxl.Workbook(write_only=True)
    for number in range(14):
        sheet = book.create_sheet(day_name(number)[20:26])
        sheet.append(list(COLUMNS))
        for line in day_lines(number):
            sheet.append(list(orjson.loads(line)["_airbyte_data"].values()))
    file = io.BytesIO()
    book.save(file)
    content = file.getvalue()
    converter = Converter()

    def with_openpyxl() -> None:
        opened = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        for name in opened.sheetnames:
            for _ in opened[name].iter_rows(values_only=True):
                pass

    ours, other = best_of(3, lambda: read_all(converter, "station_ichtegem_BE.xlsx", content), with_openpyxl)
    count = 14 * A_DAY
    yield Ratio("XLSX, to documents", count / ours, count / other, "rows/s", 5.0, "openpyxl reading only")


class Nowhere:
    """Measurements and run_store that keep nothing: what is left is the transform."""

    degraded = False

    def insert(self, measurements: Sequence[Measurement]) -> set[str]:
        return set()

    def find(self, ids: Sequence[str]) -> dict[str, bytes]:
        return {}

    def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
        return len(changes)

    def add_stations(self, stations: Iterable[Document]) -> None: ...

    def open_objects(self, refs: Sequence[ObjectRef], run_id: str) -> dict[str, Earlier]:
        return {}

    def add_rejections(self, rejections: Sequence[tuple[ObjectRef, Rejection]], run_id: str) -> None: ...

    def close_objects(
        self, reports: Sequence[ObjectReport], earlier: Mapping[str, Earlier], run_id: str
    ) -> None: ...


def open_nowhere(job: Job) -> Loader:
    """A loader that stores nothing; runs in the workers."""
    nowhere: Any = Nowhere()
    source = FolderSource(Path(job.settings.source))
    upserter = Upserter(nowhere, lambda _: None)
    return Loader(job.run, source, nowhere, upserter, nowhere, _CATALOG, lambda: None)


def workers(folder: Path) -> Iterator[Ratio]:
    """Two processes, and two Dask workers, against one process on transform-bound work."""
    for number in range(_OBJECTS):
        write_one(folder / f"station_ichtegem_BE_{number}.jsonl", _READINGS_EACH)
    job = Job(RunIdentity("run", LATER), Settings(MongoSettings(""), str(folder)))
    refs = list(FolderSource(folder).list())
    with dask_cluster() as address:
        executors = [
            Inline(job, open_nowhere),
            Processes(job, open_nowhere, 2),
            Dask(job, open_nowhere, address),
        ]
        one, two, dask = best_of(
            2, *(lambda executor=executor: _drain(executor, refs) for executor in executors)
        )
    count = _OBJECTS * _READINGS_EACH
    yield Ratio("--workers 2, transform-bound", count / two, count / one, "readings/s", 1.6, "one process")
    yield Ratio("--dask, two workers", count / dask, count / one, "readings/s", 1.6, "one process")


def _drain(executor: Executor, refs: list[ObjectRef]) -> None:
    assert sum(report.tally.inserted for report in executor.load(refs)) == _OBJECTS * _READINGS_EACH


@contextmanager
def dask_cluster() -> Iterator[str]:
    from distributed import LocalCluster

    make: Any = LocalCluster
    with make(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address
