"""Loads objects.

Bytes -> rows -> batches -> MongoDB, with reading, transforming and writing overlapped, in bounded memory.
Rows of small objects share a batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from threading import Semaphore

from pipeline.columns import Converter
from pipeline.errors import BrokenObject, Interrupted, PipelineError, SourceError, UnreadableObject
from pipeline.measurement import Measurement, Row
from pipeline.model import Document, Earlier, ObjectRef, ObjectReport, Rejection, Tally
from pipeline.parsers.reading import rows
from pipeline.ports import Measurements, RunStore, Source
from pipeline.prefetch import Fetched, Prefetch
from pipeline.stations import Catalog
from pipeline.transform import ObjectContext
from pipeline.upsert import Upserter
from pipeline.withdraw import Withdrawal

BATCH = 4000
WRITERS = 4
OPEN = 3
"""Rows a batch, threads that write them, and groups of objects that may be on their way at once."""
KEPT_REJECTIONS = 100
"""Refused rows of one object that are stored; the rest is counted."""
_SILENT = 5
"""Objects in a row that the source does not deliver, after which no other is tried."""
_NOTHING_READABLE = frozenset({"not_json", "not_a_record", "unknown_record", "error_answer"})


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What every object of a run shares. Readings after `not_after` (naive UTC) are refused.

    `attempt` tells apart the processes that ran under one id.
    """

    run_id: str
    not_after: datetime
    attempt: str = ""


@dataclass(slots=True)
class _Batch:
    """Rows that wait to be written together: of one object, or of several that share no reading."""

    parts: list[list[Measurement]] = field(default_factory=list)
    reports: list[ObjectReport] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    rows: int = 0

    def takes(self, report: ObjectReport, rows: list[Measurement]) -> bool:
        if not self.rows:
            return True
        fits = self.rows + len(rows) <= BATCH
        return fits and (report is self.reports[-1] or self.ids.isdisjoint(row.id for row in rows))

    def add(self, report: ObjectReport, rows: list[Measurement]) -> None:
        if self.reports and self.reports[-1] is report:
            self.parts[-1].extend(rows)
        else:
            self.parts.append(rows)
            self.reports.append(report)
        self.rows += len(rows)
        if self.rows < BATCH:
            self.ids.update(row.id for row in rows)


@dataclass(slots=True)
class _Opened:
    """A group of objects whose rows are read and whose batches are on their way."""

    reports: list[ObjectReport] = field(default_factory=list)
    earlier: dict[str, Earlier] = field(default_factory=dict)
    stations: dict[str, Document] = field(default_factory=dict)
    refused: list[tuple[ObjectRef, Rejection]] = field(default_factory=list)
    waiting: _Batch = field(default_factory=_Batch)
    batches: list[tuple[Future[list[Tally]], list[ObjectReport]]] = field(default_factory=list)

    def collect(self, *, wait: bool) -> None:
        """Count what is written; raises what a writer raised."""
        rest = []
        for batch, reports in self.batches:
            if not wait and not batch.done():
                rest.append((batch, reports))
                continue
            for report, tally in zip(reports, batch.result(), strict=True):
                report.tally.add(tally)
        self.batches = rest


class Loader:
    """Loads objects one after the other; while one is read the batches of those before are written.

    Owns the threads that read and write. Close it when done.
    """

    def __init__(
        self,
        run: RunIdentity,
        source: Source,
        measurements: Measurements,
        upserter: Upserter,
        run_store: RunStore,
        catalog: Catalog,
        on_close: Callable[[], None],
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._run = run
        self._source = source
        self._upserter = upserter
        self._run_store = run_store
        self._catalog = catalog
        self._on_close, self._on_rows = on_close, on_rows
        self._withdrawal = Withdrawal(measurements, run.run_id)
        self._converter = Converter()
        self._prefetch = Prefetch(source)
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")
        self._closers = ThreadPoolExecutor(OPEN, thread_name_prefix="closer")
        self._room = Semaphore(WRITERS + 1)
        self._silent = 0

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        """Load objects and remember what became of each. Loading one again changes nothing.

        Raises SourceError and MongoError; an object that cannot be used or read is a report, not an error.
        """
        closing: deque[Future[list[ObjectReport]]] = deque()
        for group in self._prefetch.groups(refs):
            alone = group[0].ref.suspect
            while closing and (alone or len(closing) >= OPEN or closing[0].done()):
                yield from closing.popleft().result()
            closing.append(self._closers.submit(self._close, self._read(group)))
            if alone:
                yield from closing.popleft().result()
        while closing:
            yield from closing.popleft().result()

    def close(self) -> None:
        self._prefetch.close()
        self._writers.shutdown(cancel_futures=True)
        self._closers.shutdown(cancel_futures=True)
        self._on_close()

    def _read(self, group: list[Fetched]) -> _Opened:
        """Read all rows of a group, and hand their batches to the writers as there is room."""
        opened = _Opened()
        opened.earlier = self._run_store.open_objects([item.ref for item in group], self._run.run_id)
        for item in group:
            report = ObjectReport(item.ref.key, item.ref.etag, "loaded")
            opened.reports.append(report)
            try:
                self._read_object(item, report, opened)
                self._silent = 0
            except UnreadableObject as error:
                self._leave(report, error)
        self._submit(opened)
        self._keep_refused(opened)
        return opened

    def _read_object(self, item: Fetched, report: ObjectReport, opened: _Opened) -> None:
        earlier = opened.earlier.get(item.ref.key)
        if earlier is not None and earlier.other_rules:
            self._withdraw_moved(item, report, earlier)
        context = self._context(item.ref)
        try:
            for measurements in self._measurements(item, context, report, opened):
                if not opened.waiting.takes(report, measurements):
                    self._submit(opened)
                opened.waiting.add(report, measurements)
        finally:
            report.dropped = self._converter.take_dropped()
            report.columns = context.columns
        report.blank, report.described = context.blank, len(context.stations)
        opened.stations |= context.stations

    def _context(self, ref: ObjectRef) -> ObjectContext:
        return ObjectContext(ref, self._run.run_id, self._run.not_after, self._converter)

    def _measurements(
        self, item: Fetched, context: ObjectContext, report: ObjectReport, opened: _Opened
    ) -> Iterator[list[Measurement]]:
        """The readings of an object, up to `BATCH` at a time; refused rows are counted and kept."""
        stream_of_rows = _until_broken(self._rows(item, context), report)
        while batch := list(islice(stream_of_rows, BATCH)):
            measurements = [row for row in batch if type(row) is Measurement]
            report.tally.read += len(batch)
            self._on_rows(len(batch))
            if len(measurements) < len(batch):
                self._refuse(item.ref, batch, report, opened)
            if measurements:
                report.stations.update({measurement.station for measurement in measurements})
                moments = [measurement.moment for measurement in measurements]
                report.saw(min(moments), max(moments))
                yield measurements

    def _rows(self, item: Fetched, context: ObjectContext) -> Iterator[Row]:
        with item.open(self._source) as stream:
            yield from rows(stream, context, self._catalog)

    def _withdraw_moved(self, item: Fetched, report: ObjectReport, earlier: Earlier) -> None:
        """Read once only to see which documents of this version the rules of today would not make."""
        scratch = ObjectReport(item.ref.key, item.ref.etag, "loaded")
        read = _until_broken(self._rows(item, self._context(item.ref)), scratch)
        try:
            self._withdrawal.moved(report, earlier, (row for row in read if type(row) is Measurement))
        finally:
            self._converter.take_dropped()

    def _refuse(self, ref: ObjectRef, batch: list[Row], report: ObjectReport, opened: _Opened) -> None:
        refused = [row for row in batch if isinstance(row, Rejection)]
        report.tally.rejected += len(refused)
        report.first_detail = report.first_detail or refused[0].detail[:300]
        report.reasons.update(row.reason for row in refused)
        kept = refused[: KEPT_REJECTIONS - report.kept_rejections]
        report.kept_rejections += len(kept)
        opened.refused += [(ref, row) for row in kept]
        if len(opened.refused) >= BATCH // 4:
            self._keep_refused(opened)

    def _keep_refused(self, opened: _Opened) -> None:
        refused, opened.refused = opened.refused, []
        if refused:
            opened.batches.append((self._write(lambda: self._store_refused(refused)), []))

    def _store_refused(self, refused: list[tuple[ObjectRef, Rejection]]) -> list[Tally]:
        self._run_store.add_rejections(refused, self._run.run_id)
        return []

    def _leave(self, report: ObjectReport, error: UnreadableObject) -> None:
        """Leave an object for the next run. A source that delivers none of several is what fails."""
        report.status, report.error = "unread", error.message
        self._silent = self._silent + 1 if isinstance(error, Interrupted) else 0
        if self._silent == _SILENT:
            raise SourceError(error.message, error.hint) from error

    def _submit(self, opened: _Opened) -> None:
        batch, opened.waiting = opened.waiting, _Batch()
        if not batch.rows:
            return
        future = self._write(lambda: self._upserter.write(batch.parts))
        opened.collect(wait=False)
        opened.batches.append((future, batch.reports))

    def _write(self, work: Callable[[], list[Tally]]) -> Future[list[Tally]]:
        """Have a thread do it, when there is room."""
        self._room.acquire()
        future = self._writers.submit(work)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _close(self, opened: _Opened) -> list[ObjectReport]:
        """When all batches of a group are written: stations, what the objects no longer have, entries."""
        opened.collect(wait=True)
        self._run_store.add_stations(list(opened.stations.values()))
        for report in opened.reports:
            report.degraded = self._upserter.degraded
            _judge(report)
            if earlier := opened.earlier.get(report.key):
                self._withdrawal.left_over(report, earlier)
        self._run_store.close_objects(opened.reports, opened.earlier, self._run.run_id)
        return opened.reports


def _until_broken(stream: Iterator[Row], report: ObjectReport) -> Iterator[Row]:
    """The rows up to where the content becomes unusable; the report then says what and where."""
    try:
        yield from _without_defects(stream)
    except BrokenObject as error:
        report.status = "quarantined"
        report.error = f"{error}"


def _without_defects(stream: Iterator[Row]) -> Iterator[Row]:
    """What this package cannot cope with is the fault of one object at most: the others are loaded."""
    try:
        yield from stream
    except (BrokenObject, PipelineError):
        raise
    except Exception as error:
        raise BrokenObject("defect", f"{_place(error)}: {type(error).__name__}: {error}"[:300]) from error


def _place(error: Exception) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno}" if at else "?"


def _judge(report: ObjectReport) -> None:
    """What the counts say of an object that was read to its end."""
    tally = report.tally
    if report.status != "loaded":
        return
    if not tally.read:
        report.status = "empty"
    elif tally.read == tally.rejected and report.reasons.keys() <= _NOTHING_READABLE:
        report.status = "quarantined"
        reason = "error_answer" if report.reasons.keys() == {"error_answer"} else "unknown_format"
        report.error = f"{reason}: none of its {tally.read} rows is a record: {report.first_detail}"
    elif tally.read == tally.rejected:
        report.status = "refused"
