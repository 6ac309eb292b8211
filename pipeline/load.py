"""Loads one object.

Bytes -> rows -> batches -> MongoDB, with parsing and writing overlapped, in bounded memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from threading import Semaphore

from pipeline.errors import BrokenObject
from pipeline.measurement import Measurement, Row
from pipeline.model import Document, ObjectRef, ObjectReport, Rejection, Tally
from pipeline.parsers.reading import rows
from pipeline.ports import RunStore, Source
from pipeline.stations import Catalog
from pipeline.transform import Converter, ObjectContext
from pipeline.upsert import Upserter

BATCH = 4000
WRITERS = 4
OPEN = 3
"""Rows a batch, threads that write them, and objects that may be on their way at once."""
_NOTHING_READABLE = frozenset({"not_json", "not_an_envelope", "not_a_record", "unknown_record"})


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What every object of a run shares. Readings after `not_after` (naive UTC) are refused."""

    run_id: str
    not_after: datetime


@dataclass(slots=True)
class _Opened:
    """An object whose rows are read and whose batches are on their way."""

    ref: ObjectRef
    report: ObjectReport
    stations: list[Document]
    batches: list[Future[Tally]]


class Loader:
    """Loads objects one after the other; while one is read the batches of those before are written.

    Owns the threads that write. Close it when done.
    """

    def __init__(
        self,
        run: RunIdentity,
        source: Source,
        upserter: Upserter,
        run_store: RunStore,
        catalog: Catalog,
        on_close: Callable[[], None],
    ) -> None:
        self._run = run
        self._source = source
        self._upserter = upserter
        self._run_store = run_store
        self._catalog = catalog
        self._on_close = on_close
        self._converter = Converter()
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")
        self._closers = ThreadPoolExecutor(OPEN, thread_name_prefix="closer")
        self._room = Semaphore(WRITERS + 1)

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        """Load objects and remember what became of each. Loading one again changes nothing.

        Raises SourceError and MongoError; content that cannot be used is a report, not an error.
        """
        closing: deque[Future[ObjectReport]] = deque()
        for ref in refs:
            closing.append(self._closers.submit(self._close, self._read(ref)))
            while len(closing) >= OPEN or (closing and closing[0].done()):
                yield closing.popleft().result()
        while closing:
            yield closing.popleft().result()

    def close(self) -> None:
        self._writers.shutdown(cancel_futures=True)
        self._closers.shutdown(cancel_futures=True)
        self._on_close()

    def _read(self, ref: ObjectRef) -> _Opened:
        """Read all rows, and hand their batches to the writers as there is room."""
        report = ObjectReport(ref.key, ref.etag, "loaded")
        context = ObjectContext(ref, self._run.run_id, self._run.not_after, self._converter)
        batches: list[Future[Tally]] = []
        try:
            with self._source.open(ref) as stream:
                stream_of_rows = _until_broken(rows(stream, context, self._catalog), report)
                while batch := list(islice(stream_of_rows, BATCH)):
                    measurements = self._take_measurements(batch, ref, report)
                    batches = _collected(batches, report.tally)
                    batches.append(self._submit(measurements))
        finally:
            report.dropped = self._converter.take_dropped()
        report.blank = context.blank
        return _Opened(ref, report, list(context.stations.values()), batches)

    def _submit(self, measurements: list[Measurement]) -> Future[Tally]:
        self._room.acquire()
        future = self._writers.submit(self._upserter.write, measurements)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _close(self, opened: _Opened) -> ObjectReport:
        """When all batches of an object are written: its stations, its verdict and its entry."""
        report = opened.report
        for batch in opened.batches:
            report.tally.add(batch.result())
        report.degraded = self._upserter.degraded
        self._run_store.add_stations(opened.stations)
        _quarantine_if_unreadable(report)
        self._run_store.close_object(report, self._run.run_id)
        return report

    def _take_measurements(self, batch: list[Row], ref: ObjectRef, report: ObjectReport) -> list[Measurement]:
        """Count a batch of rows, keep the refused ones, and hand on the others."""
        measurements = [row for row in batch if type(row) is Measurement]
        report.tally.read += len(batch)
        if len(measurements) < len(batch):
            refused = [row for row in batch if isinstance(row, Rejection)]
            report.tally.rejected += len(refused)
            report.reasons.update(row.reason for row in refused)
            self._run_store.add_rejections(ref, self._run.run_id, refused)
        if measurements:
            report.stations.update({measurement.station for measurement in measurements})
            moments = [measurement.moment for measurement in measurements]
            report.saw(min(moments), max(moments))
        return measurements


def _collected(batches: list[Future[Tally]], into: Tally) -> list[Future[Tally]]:
    """Add what is written to the counts; what is still on its way. Raises what a writer raised."""
    rest = [batch for batch in batches if not batch.done()]
    for batch in batches:
        if batch not in rest:
            into.add(batch.result())
    return rest


def _until_broken(stream: Iterator[Row], report: ObjectReport) -> Iterator[Row]:
    """The rows up to where the content becomes unusable; the report then says what and where."""
    try:
        yield from stream
    except BrokenObject as error:
        report.status = "quarantined"
        report.error = f"{error}"


def _quarantine_if_unreadable(report: ObjectReport) -> None:
    """An object whose every row was refused as no record at all is of another format than its name says."""
    tally = report.tally
    if (
        report.status == "loaded"
        and tally.read
        and tally.read == tally.rejected
        and report.reasons.keys() <= _NOTHING_READABLE
    ):
        report.status = "quarantined"
        report.error = f"unknown_format: none of its {tally.read} rows is a record"
