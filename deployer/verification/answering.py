"""Asks the database, several checks side by side, and judges what it says."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, wait
from dataclasses import dataclass
from functools import partial
from threading import Event, Semaphore, Thread
from typing import Final, TypeVar

from deployer.release.ports import Database, QueryRefused, TimeLimitReached
from deployer.release.state import CheckResult
from deployer.verification.durations import spelled
from deployer.verification.plan import Read, wrong
from deployer.verification.prepare import Prepared
from deployer.verification.proofs import Proof

PARALLEL: Final = 4

T = TypeVar("T")


@dataclass(frozen=True)
class _Look:
    """`clear`: it was finished, and found nothing."""

    clear: bool
    seconds: float


def answer(
    prepared: Sequence[Prepared], proofs: Sequence[Proof], database: Database, timer: Callable[[], float]
) -> tuple[CheckResult, ...]:
    """The results in the order of the checks. The proofs begin first, for they read most.

    Failure: one of them could not be asked; those not yet begun are dropped, so none passes unasked.
    """
    slots, given_up = Semaphore(PARALLEL), Event()

    def in_turn(task: Callable[[], T]) -> T:
        with slots:
            if given_up.is_set():
                raise CancelledError
            return task()

    def result(item: Prepared, looks: Sequence[Future[_Look]]) -> CheckResult:
        seen = [look.result() for look in looks]
        if seen and all(look.clear for look in seen):
            return _proven(item, max(look.seconds for look in seen))
        return in_turn(partial(_result, item, database, timer))

    looks: dict[int, list[Future[_Look]]] = {}
    for proof in proofs:
        tasks = [partial(_look, read, proof.time_limit, database, timer) for read in proof.reads]
        begun = [_in_background(partial(in_turn, task)) for task in tasks]
        looks |= dict.fromkeys(proof.spares, begun)
    futures = [
        _in_background(partial(result, item, looks.get(number, []))) for number, item in enumerate(prepared)
    ]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
    finally:
        given_up.set()
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


def _look(read: Read, time_limit: float, database: Database, timer: Callable[[], float]) -> _Look:
    begun = timer()
    try:
        rows = database.aggregate(read.collection, read.pipeline, time_limit)
    except (TimeLimitReached, QueryRefused):
        return _Look(clear=False, seconds=timer() - begun)
    return _Look(not rows, timer() - begun)


def _proven(item: Prepared, seconds: float) -> CheckResult:
    answer = item.plan.judge([[] for _ in item.plan.reads])
    return CheckResult(
        item.check.name, answer.ok, item.plan.expected, answer.found, answer.offending, round(seconds, 3)
    )


def _result(item: Prepared, database: Database, timer: Callable[[], float]) -> CheckResult:
    check, plan = item.check, item.plan
    if item.refusal:
        return CheckResult(check.name, ok=False, expected=plan.expected, found=item.refusal)
    begun = timer()
    try:
        rows = [database.aggregate(read.collection, read.pipeline, check.time_limit) for read in plan.reads]
        answer = plan.judge(rows)
    except TimeLimitReached:
        answer = wrong(f"not finished within {spelled(check.time_limit)}")
    except QueryRefused as refused:
        answer = wrong(refused.message)
    seconds = round(timer() - begun, 3)
    return CheckResult(check.name, answer.ok, plan.expected, answer.found, answer.offending, seconds)
