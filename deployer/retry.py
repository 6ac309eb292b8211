"""The one way to repeat a call that failed for a passing reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_fixed,
)

from deployer.config.model import Retries
from deployer.errors import ExpiredCredentials, TransientFailure
from deployer.ports import Clock, Ports

_CREDENTIALS_DELAY: Final = 5.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Calls again after each `TransientFailure`, with growing pauses, for `max_elapsed` seconds.

    They count from the first failure, so that a long call has as much time as a short one. A failure that has
    used them up is not repeated again by a policy around this one. `on_retry` is told the error, the pause
    and the number of the failed attempt. With `credentials` seconds, expired ones are waited for that long,
    and `note` says so once: a following `aws sso login` in another terminal is enough.
    """

    clock: Clock
    initial_delay: float = 0.4
    max_delay: float = 20.0
    max_elapsed: float = 120.0
    on_retry: Callable[[str, float, int], None] = lambda error, pause, attempt: None
    note: Callable[[str], None] = lambda text: None
    credentials: float = 0.0

    @classmethod
    def configured(
        cls,
        settings: Retries,
        clock: Clock,
        on_retry: Callable[[str, float, int], None] = lambda error, pause, attempt: None,
    ) -> Self:
        """The policy of `[retries]`."""
        return cls(
            clock=clock,
            initial_delay=settings.initial_delay,
            max_delay=settings.max_delay,
            max_elapsed=settings.max_elapsed,
            on_retry=on_retry,
        )

    def __call__(self, call: Callable[[], T]) -> T:
        """The call's result. Raises the last error once the budget is spent, any other error at once."""
        repeat = Retrying(
            retry=retry_if_exception_type(ExpiredCredentials),
            stop=stop_after_attempt(1 + int(self.credentials // _CREDENTIALS_DELAY)),
            wait=wait_fixed(_CREDENTIALS_DELAY),
            sleep=self.clock.sleep,
            before_sleep=self._ask_for_login,
            reraise=True,
        )
        return repeat(lambda: self._transient(call))

    def _transient(self, call: Callable[[], T]) -> T:
        failed_at: list[float] = []

        def over(state: RetryCallState) -> bool:
            now = self.clock.now()
            failed_at.append(now)
            return now + state.upcoming_sleep > failed_at[0] + self.max_elapsed

        try:
            return Retrying(
                retry=retry_if_exception(_passes),
                stop=over,
                wait=wait_exponential(multiplier=self.initial_delay, max=self.max_delay),
                sleep=self.clock.sleep,
                before_sleep=self._retrying,
                reraise=True,
            )(call)
        except TransientFailure as failure:
            failure.spent = True
            raise

    def _retrying(self, state: RetryCallState) -> None:
        self.on_retry(str(_error(state)), state.upcoming_sleep, state.attempt_number)

    def _ask_for_login(self, state: RetryCallState) -> None:
        error = _error(state)
        if state.attempt_number == 1 and isinstance(error, ExpiredCredentials):
            self.note(f"{error.message}; {error.hint}. Waiting: no line is lost meanwhile.")


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _passes(error: BaseException) -> bool:
    return isinstance(error, TransientFailure) and not error.spent


REPEATABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "registry": ("address", "login", "digest", "move_tag"),
    "engine": ("image_id", "tag", "login"),
    "tasks": ("newest_revision", "revision", "started_by", "status", "stop"),
    "schedules": ("task_definition", "move"),
    "database": ("counts", "find_one", "count", "aggregate", "scans", "indexes", "options"),
}
"""The calls that may be made twice: they read, or lead to the same state. A push, RegisterTaskDefinition and
RunTask are not among them: their steps look first for what an answer that was lost has made."""


def repeating(ports: Ports, policy: RetryPolicy) -> Ports:
    """The same ports, whose repeatable calls are repeated where they are made: what a step has achieved
    before is kept."""
    wrapped = {name: _Repeating(getattr(ports, name), policy, calls) for name, calls in REPEATABLE.items()}
    return replace(ports, **wrapped)


class _Repeating:
    def __init__(self, port: object, policy: RetryPolicy, calls: tuple[str, ...]) -> None:
        self._port, self._policy, self._calls = port, policy, calls

    def __getattr__(self, name: str) -> Any:
        if name not in self._calls:
            return getattr(self._port, name)
        return lambda *args, **named: self._policy(lambda: getattr(self._port, name)(*args, **named))
