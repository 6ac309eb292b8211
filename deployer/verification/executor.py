"""Asks the database, several reads side by side, and judges what it says."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, wait
from dataclasses import dataclass
from functools import partial
from threading import Event, Semaphore, Thread
from typing import Any, Final, TypeVar

from deployer.config.durations import spelled
from deployer.model import CheckResult
from deployer.ports import Database, QueryRefused, TimeLimitReached
from deployer.verification.batching import passes
from deployer.verification.plan import Answer, Read, Rows, wrong
from deployer.verification.prefilter import Prefilter
from deployer.verification.prepare import Prepared

PARALLEL: Final = 4

T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    """`refusal`: why there are no rows, "" where there might be."""

    rows: Rows
    seconds: float
    refusal: str = ""


class ReadScheduler:
    """Takes reads in turn. What can be joined is asked as one; should that be refused, each by itself."""

    def __init__(self, database: Database, timer: Callable[[], float]) -> None:
        self._database, self._timer = database, timer
        self._slots, self._closed = Semaphore(PARALLEL), Event()
        self._joined: dict[str, tuple[Future[_Found], str]] = {}

    def join(self, limits: Mapping[str, float], reads: Sequence[Read]) -> None:
        """Begins what stands for several of these. `limits`: seconds by the read's `repr`."""
        for joint in passes(reads):
            limit = min(limits[repr(read)] for read in joint.answers.values())
            future = _in_background(partial(self._ask, joint.read, limit))
            self._joined |= {repr(read): (future, name) for name, read in joint.answers.items()}

    def find(self, read: Read, limit: float) -> _Found:
        """Failure: it could not be asked, or the desk is closed."""
        if repr(read) in self._joined:
            future, name = self._joined[repr(read)]
            found = future.result()
            if not found.refusal:
                return _Found(found.rows[0][name] if found.rows else [], found.seconds)
        return self._ask(read, limit)

    def close(self) -> None:
        """What has not begun is dropped."""
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


def answer(
    prepared: Sequence[Prepared], proofs: Sequence[Prefilter], database: Database, timer: Callable[[], float]
) -> tuple[CheckResult, ...]:
    """The results in the order of the checks. The proofs begin first, for they read most.

    Failure: one of them could not be asked; those not yet begun are dropped, so none passes unasked.
    """
    desk = ReadScheduler(database, timer)
    spared = {number: proof for proof in proofs for number in proof.spares}
    begun = [(read, proof.time_limit) for proof in proofs for read in proof.reads]
    for number, item in enumerate(prepared):
        if number not in spared and not item.refusal:
            begun += [(read, item.check.time_limit) for read in item.plan.reads]
    desk.join({repr(read): limit for read, limit in begun}, [read for read, _ in begun])
    looks = {
        proof.spares: [_in_background(partial(desk.find, read, proof.time_limit)) for read in proof.reads]
        for proof in proofs
    }
    futures = [
        _in_background(partial(_result, desk, item, looks[spared[number].spares] if number in spared else []))
        for number, item in enumerate(prepared)
    ]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
    finally:
        desk.close()
    return tuple(future.result() for future in futures)


def _in_background(task: Callable[[], T]) -> Future[T]:
    """In a thread that nobody waits for at the end: after Ctrl-C a long read must not hold the process."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001  handed over to whoever asks for the result
            future.set_exception(error)

    Thread(target=work, name="check", daemon=True).start()
    return future


def _result(desk: ReadScheduler, item: Prepared, looks: Sequence[Future[_Found]]) -> CheckResult:
    if item.refusal:
        return CheckResult(item.check.name, ok=False, expected=item.plan.expected, found=item.refusal)
    seen = [look.result() for look in looks]
    if seen and not any(found.rows or found.refusal for found in seen):
        nothing = item.plan.judge([[] for _ in item.plan.reads])
        return _told(item, nothing, max(found.seconds for found in seen))
    found = [desk.find(read, item.check.time_limit) for read in item.plan.reads]
    refusal = next((one.refusal for one in found if one.refusal), "")
    answer = wrong(refusal) if refusal else item.plan.judge([one.rows for one in found])
    return _told(item, answer, sum(one.seconds for one in found))


def _told(item: Prepared, answer: Answer, seconds: float) -> CheckResult:
    name, expected = item.check.name, item.plan.expected
    return CheckResult(name, answer.ok, expected, answer.found, answer.offending, round(seconds, 3))
