"""A run: list the source, leave out what is loaded, load the rest, account for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice

from pipeline.dates import cell_days
from pipeline.errors import PipelineError, Stopped, UnreadableObject, WorkerDied
from pipeline.model import Extent, ObjectRef, ObjectReport
from pipeline.parsers.reading import format_of
from pipeline.ports import Executor, RunStore, Source
from pipeline.progress import Progress
from pipeline.report import RunReport

_PAGE = 1000
_DEADLY = 2
"""Runs that died while they read an object, after which it is not read again."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a source a run reads.

    `only` limits it to these keys, which are then read even if loaded before; `exclude` are patterns of keys;
    `of_a_station` says of a name whether a station's files are called so.
    """

    of_a_station: Callable[[str], bool]
    only: frozenset[str] | None = None
    exclude: tuple[str, ...] = ()

    def is_archive(self, key: str) -> bool:
        """A ZIP that is called like a station; which files it holds is seen when it is read."""
        return key.lower().endswith(".zip") and self.of_a_station(key)

    def excludes(self, key: str) -> bool:
        name = key.rpartition("/")[2]
        return any(fnmatchcase(key, pattern) or fnmatchcase(name, pattern) for pattern in self.exclude)


class Run:
    """One pass over a source."""

    def __init__(
        self,
        report: RunReport,
        source: Source,
        run_store: RunStore,
        executor: Executor,
        now: Callable[[], datetime],
        progress: Progress,
        selection: Selection,
    ) -> None:
        self._report = report
        self._source = source
        self._run_store = run_store
        self._executor = executor
        self._now = now
        self._progress = progress
        self._selection = selection
        self._doubted = False
        self._seen: set[int] = set()
        self._hidden: list[str] = []
        self._withdrawn: list[tuple[str, Extent]] = []

    def perform(self) -> RunReport:
        """Load, and close the `load_runs` entry whatever happens.

        An expected failure and a signal to stop are in the report. A defect is as well, and is raised.
        """
        self._doubted = self._run_store.begin_run(self._report.as_document())
        try:
            self._load()
            self._report.measurements = self._run_store.count_measurements()
        except (PipelineError, Stopped) as error:
            self._report.error = error
        except Exception as error:
            self._report.error = PipelineError(f"{type(error).__name__}: {error}", "A defect: see the log.")
            raise
        finally:
            self._finish()
        return self._report

    def _load(self) -> None:
        for done in self._executor.load(self._to_load()):
            self._report.add(done)
            self._note(done)
        if self._withdrawn:
            self._load_overlapping()
        if self._selection.only is None:
            self._name_missing()
        self._progress.end(self._report.statuses)

    def _note(self, done: ObjectReport) -> None:
        self._progress.object(done)
        self._withdrawn += [(done.key, extent) for extent in done.withdrawn]

    def _load_overlapping(self) -> None:
        """Read objects once more that may hold what another one has withdrawn."""
        keys = self._run_store.overlapping(self._withdrawn)
        refs = [ref for ref in self._listed() if ref.key in keys]
        before: dict[str, ObjectReport] = {}
        for page in _pages(refs, _PAGE):
            before |= self._run_store.loaded(page)
        for done in self._executor.load(ref for ref in refs if ref.key in before):
            self._report.replace(before[done.key], done)

    def _name_missing(self) -> None:
        for key in self._run_store.keys(self._report.source):
            if hash(key) not in self._seen and not key.startswith(tuple(self._hidden)):
                self._report.add_missing(key)
                self._progress.missing(key)

    def _to_load(self) -> Iterator[ObjectRef]:
        """What has to be read; skipped and ignored objects go straight into the report.

        A run that had succeeded and is asked for again is doubted by somebody: it reads everything.
        What an earlier attempt of this very run has closed is this run's own work: its documents carry this
        run's id. What was being read when a run died comes last; when two died it is not read.
        """
        deaths = self._run_store.deaths()
        suspects: list[ObjectRef] = []
        for page in _pages(self._wanted(), _PAGE):
            anew = self._report.full or self._selection.only or self._doubted
            known = {} if anew else self._run_store.loaded(page)
            for ref in page:
                before = known.get(ref.key)
                died = deaths.get((ref.key, ref.etag), 0)
                if before is not None and before.run_id == self._report.run_id:
                    self._report.add(before)
                elif before is not None:
                    self._report.add_skipped(before)
                elif died >= _DEADLY:
                    self._leave_out(ref, "quarantined", f"deadly: {died} runs died while it was being read")
                elif died:
                    suspects.append(_suspect(ref))
                else:
                    yield ref
        yield from suspects

    def _listed(self) -> Iterator[ObjectRef]:
        """The objects of the source, each with the first day that stands in the object beside it.

        `x.csv.first-day` comes after `x.csv`, and between them only keys that begin like it.
        """
        held: list[ObjectRef] = []
        for ref in self._source.list():
            if held and not ref.key.startswith(held[0].key):
                yield from held
                held = []
            if held and ref.key.endswith(FIRST_DAY):
                of = ref.key.removesuffix(FIRST_DAY)
                held = [self._dated(other, ref) if other.key == of else other for other in held]
            elif held or format_of(ref.key):
                held.append(ref)
            else:
                yield ref
        yield from held

    def _dated(self, ref: ObjectRef, sidecar: ObjectRef) -> ObjectRef:
        """The object with this first day; when that changes, it is another version of the object."""
        try:
            text = b"" if sidecar.error or sidecar.size > _DATE_BYTES else self._source.fetch(sidecar)
        except UnreadableObject as error:
            return replace(ref, error=error.message)
        days = cell_days(text.decode("utf-8-sig", "replace").strip())
        if len(days) != 1:
            why = sidecar.error or "it is no date such as 2024-10-01"
            return replace(ref, error=f"{sidecar.key}: {why}")
        return replace(ref, etag=f"{ref.etag}+{sidecar.etag}", first_day=days[0])

    def _wanted(self) -> Iterator[ObjectRef]:
        for ref in self._listed():
            if self._selection.only is not None and ref.key not in self._selection.only:
                continue
            self._seen.add(hash(ref.key))
            if self._selection.excludes(ref.key):
                self._report.statuses["excluded"] += 1
            elif ref.key.endswith("/"):
                self._hidden.append(ref.key)
                self._leave_out(ref, "unread", ref.error)
            elif ref.error and format_of(ref.key):
                self._leave_out(ref, "unread", ref.error)
            elif format_of(ref.key) or self._selection.is_archive(ref.key):
                self._progress.listed()
                yield ref
            elif self._selection.of_a_station(ref.key):
                self._leave_out(ref, "quarantined", _UNREADABLE_FORMAT)
            else:
                self._report.add(ObjectReport(ref.key, ref.etag, "ignored"))

    def _leave_out(self, ref: ObjectRef, status: str, error: str) -> None:
        """What becomes of an object that is not read."""
        done = ObjectReport(ref.key, ref.etag, status, error=error)
        self._report.add(done)
        self._progress.object(done)

    def _finish(self) -> None:
        self._report.finished_at = self._now()
        orderly = not isinstance(self._report.error, WorkerDied)
        with suppress(PipelineError):  # MongoDB may be what failed; the report is printed all the same
            self._run_store.end_run(self._report.as_document(), orderly=orderly)


FIRST_DAY = ".first-day"
"""Ends the key of an object that holds the first day of the one beside it."""
_DATE_BYTES = 100
_UNREADABLE_FORMAT = "unknown_format: named like a station's file, but its ending is none that is read"


def _suspect(ref: ObjectRef) -> ObjectRef:
    return replace(ref, suspect=True)


def _pages(refs: Iterable[ObjectRef], size: int) -> Iterator[list[ObjectRef]]:
    iterator = iter(refs)
    while page := list(islice(iterator, size)):
        yield page
