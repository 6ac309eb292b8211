"""A run: list the source, leave out what is loaded, load the rest, account for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice

from pipeline.errors import PipelineError, Stopped
from pipeline.model import ObjectRef, ObjectReport
from pipeline.parsers.reading import format_of
from pipeline.ports import Executor, RunStore, Source
from pipeline.report import RunReport

_PAGE = 1000
Say = Callable[..., None]


class Run:
    """One pass over a source. `only` limits it to these keys, which are then read even if loaded before."""

    def __init__(
        self,
        report: RunReport,
        source: Source,
        run_store: RunStore,
        executor: Executor,
        now: Callable[[], datetime],
        say: Say,
        only: frozenset[str] | None = None,
    ) -> None:
        self._report = report
        self._source = source
        self._run_store = run_store
        self._executor = executor
        self._now = now
        self._say = say
        self._only = only
        self._doubted = False

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
            facts = {**done.tally.as_dict(), **({"error": done.error} if done.error else {})}
            self._say(done.status, key=done.key, **facts)

    def _to_load(self) -> Iterator[ObjectRef]:
        """What has to be read; skipped and ignored objects go straight into the report.

        A run that had succeeded and is asked for again is doubted by somebody: it reads everything.
        What an earlier attempt of this very run has closed is this run's own work: its documents carry this
        run's id.
        """
        for page in _pages(self._wanted(), _PAGE):
            anew = self._report.full or self._only or self._doubted
            known = {} if anew else self._run_store.loaded(page)
            for ref in page:
                before = known.get(ref.key)
                if before is None:
                    yield ref
                elif before.run_id == self._report.run_id:
                    self._report.add(before)
                else:
                    self._report.add_skipped(before)

    def _wanted(self) -> Iterator[ObjectRef]:
        for ref in self._source.list():
            if self._only is not None and ref.key not in self._only:
                continue
            if format_of(ref.key) is None:
                self._report.add(ObjectReport(ref.key, ref.etag, "ignored"))
            else:
                yield ref

    def _finish(self) -> None:
        self._report.finished_at = self._now()
        with suppress(PipelineError):  # MongoDB may be what failed; the report is printed all the same
            self._run_store.end_run(self._report.as_document())


def _pages(refs: Iterable[ObjectRef], size: int) -> Iterator[list[ObjectRef]]:
    iterator = iter(refs)
    while page := list(islice(iterator, size)):
        yield page
