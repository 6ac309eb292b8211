"""Runs the reads of all checks in parallel and judges the results."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, wait
from dataclasses import dataclass
from functools import partial
from threading import Event, Semaphore, Thread
from typing import Any, TypeVar

from deployer.config.durations import spelled
from deployer.model import CheckResult
from deployer.ports import Database, QueryRefused, TimeLimitReached
from deployer.verification.batching import batches
from deployer.verification.plan import PARALLEL, Answer, Read, Rows, failed
from deployer.verification.prefilter import Prefilter
from deployer.verification.prepare import Prepared

T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    """`refusal`: why there are no rows, "" where there might be."""

    rows: Rows
    seconds: float
    refusal: str = ""


class ReadScheduler:
    """Runs reads, a few at a time. Batched reads run as one; if that is refused, each runs by itself."""

    def __init__(self, database: Database, timer: Callable[[], float]) -> None:
        self._database, self._timer = database, timer
        self._slots, self._closed = Semaphore(PARALLEL), Event()
        self._joined: dict[str, tuple[Future[_Found], str]] = {}

    def join(self, limits: Mapping[str, float], reads: Sequence[Read]) -> None:
        """Starts the batches of these reads. `limits`: seconds by the read's `repr`."""
        for joint in batches(reads):
            limit = min(limits[repr(read)] for read in joint.answers.values())
            future = _in_background(partial(self._ask, joint.read, limit))
            self._joined |= {repr(read): (future, name) for name, read in joint.answers.items()}

    def find(self, read: Read, limit: float) -> _Found:
        """Failure: the database cannot be reached. CancelledError: the scheduler is closed."""
        if repr(read) in self._joined:
            future, name = self._joined[repr(read)]
            found = future.result()
            if not found.refusal:
                return _Found(found.rows[0][name] if found.rows else [], found.seconds)
        return self._ask(read, limit)

    def close(self) -> None:
        """Drops the reads that have not started."""
        self._closed.set()

    def _ask(self, read: Read, limit: float) -> _Found:
        with self._slots:
            if self._closed.is_set():
                raise CancelledError
            begun, rows, refusal = self._timer(), list[Mapping[str, Any]](), ""
            try:
                rows = self._database.aggregate(read.collection, read.pipeline, limit)
            except TimeLimitReached:
                refusal = f"not finished within {spelled(limit)}"
            except QueryRefused as refused:
                refusal = refused.message
            return _Found(rows, self._timer() - begun, refusal)


def run_checks(
    prepared: Sequence[Prepared],
    prefilters: Sequence[Prefilter],
    database: Database,
    timer: Callable[[], float],
) -> tuple[CheckResult, ...]:
    """The results in the order of the checks. Prefilters start first: they read the most documents.

    Failure: the database cannot be reached; reads that have not started are dropped, so no check passes
    without having run.
    """
    scheduler = ReadScheduler(database, timer)
    skipped = {number: prefilter for prefilter in prefilters for number in prefilter.skips}
    reads = [(read, prefilter.time_limit) for prefilter in prefilters for read in prefilter.reads]
    for number, item in enumerate(prepared):
        if number not in skipped and not item.refusal:
            reads += [(read, item.check.time_limit) for read in item.plan.reads]
    scheduler.join({repr(read): limit for read, limit in reads}, [read for read, _ in reads])
    found = {
        one.skips: [_in_background(partial(scheduler.find, read, one.time_limit)) for read in one.reads]
        for one in prefilters
    }
    futures = [
        _in_background(
            partial(_result, scheduler, item, found[skipped[number].skips] if number in skipped else [])
        )
        for number, item in enumerate(prepared)
    ]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
    finally:
        scheduler.close()
    return tuple(future.result() for future in futures)


def _in_background(task: Callable[[], T]) -> Future[T]:
    """In a daemon thread: after Ctrl-C a long read must not keep the process alive."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001  handed over to whoever asks for the result
            future.set_exception(error)

    Thread(target=work, name="check", daemon=True).start()
    return future


def _result(scheduler: ReadScheduler, item: Prepared, prefilters: Sequence[Future[_Found]]) -> CheckResult:
    if item.refusal:
        return CheckResult(item.check.name, ok=False, expected=item.plan.expected, found=item.refusal)
    seen = [future.result() for future in prefilters]
    if seen and not any(found.rows or found.refusal for found in seen):
        nothing = item.plan.judge([[] for _ in item.plan.reads])
        return _check_result(item, nothing, max(found.seconds for found in seen))
    found = [scheduler.find(read, item.check.time_limit) for read in item.plan.reads]
    refusal = next((one.refusal for one in found if one.refusal), "")
    answer = failed(refusal) if refusal else item.plan.judge([one.rows for one in found])
    return _check_result(item, answer, sum(one.seconds for one in found))


def _check_result(item: Prepared, answer: Answer, seconds: float) -> CheckResult:
    name, expected = item.check.name, item.plan.expected
    number = answer.number if item.bound else None
    return CheckResult(name, answer.ok, expected, answer.found, answer.offending, round(seconds, 3), number)
