"""Loads one object.

Bytes -> rows -> batches -> MongoDB, with parsing and writing overlapped, in bounded memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pipeline.errors import BrokenObject
from pipeline.model import Document, ObjectRef, ObjectReport, Rejection, Row, Tally
from pipeline.parsers.reading import rows
from pipeline.ports import Register, Source
from pipeline.settle import Settler
from pipeline.stations import Catalog
from pipeline.transform import Converter, ObjectContext

BATCH = 2000
WRITERS = 3
_NOTHING_READABLE = frozenset({"not_json", "not_an_envelope", "not_a_record", "unknown_record"})


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What every object of a run shares. Readings after `not_after` (naive UTC) are refused."""

    run_id: str
    not_after: datetime


class Loader:
    """Loads objects one after the other; owns the threads that write. Close it when done."""

    def __init__(
        self,
        run: RunIdentity,
        source: Source,
        settler: Settler,
        register: Register,
        catalog: Catalog,
        on_close: Callable[[], None],
    ) -> None:
        self._run = run
        self._source = source
        self._settler = settler
        self._register = register
        self._catalog = catalog
        self._on_close = on_close
        self._converter = Converter()
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")

    def load(self, ref: ObjectRef) -> ObjectReport:
        """Load an object and remember what became of it. Loading it again changes nothing.

        Raises SourceError and MongoError; content that cannot be used is a report, not an error.
        """
        report = ObjectReport(ref.key, ref.etag, "loaded")
        context = ObjectContext(ref, self._run.run_id, self._run.not_after, self._converter)
        try:
            with self._source.open(ref) as stream:
                self._store(_until_broken(rows(stream, context, self._catalog), report), context, report)
        finally:
            report.dropped = self._converter.take_dropped()
        report.blank = context.blank
        self._register.add_stations(context.stations.values())
        _quarantine_if_unreadable(report)
        self._register.close_object(report, self._run.run_id)
        return report

    def close(self) -> None:
        self._writers.shutdown(cancel_futures=True)
        self._on_close()

    def _store(self, stream: Iterator[Row], context: ObjectContext, report: ObjectReport) -> None:
        pending: deque[Future[Tally]] = deque()
        try:
            while batch := list(islice(stream, BATCH)):
                documents = self._take_documents(batch, context.ref, report)
                pending.append(self._writers.submit(self._settler.settle, documents))
                if len(pending) > WRITERS:
                    report.tally.add(pending.popleft().result())
        finally:
            while pending:
                report.tally.add(pending.popleft().result())

    def _take_documents(self, batch: list[Row], ref: ObjectRef, report: ObjectReport) -> list[Document]:
        """Count a batch of rows, keep the refused ones, and hand on the documents."""
        documents = [row for row in batch if not isinstance(row, Rejection)]
        refused = [row for row in batch if isinstance(row, Rejection)]
        report.tally.read += len(batch)
        report.tally.rejected += len(refused)
        if refused:
            report.reasons.update(row.reason for row in refused)
            self._register.add_rejections(ref, self._run.run_id, refused)
        for document in documents:
            report.saw(document["station_id"], document["timestamp"])
        return documents


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
