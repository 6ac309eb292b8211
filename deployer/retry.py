"""The one way to repeat a call that failed for a passing reason."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Self, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_fixed,
)

from deployer.config.model import Retries
from deployer.errors import ExpiredCredentials, TransientFailure
from deployer.ports import Clock

_CREDENTIALS_DELAY: Final = 5.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Calls again after each `TransientFailure`, with growing pauses, up to `max_attempts` times.

    No retry starts once `max_elapsed` seconds have passed since the first call. `on_retry` is told the error,
    the pause and the number of the failed attempt. With `credentials` seconds, expired ones are waited for
    that long, and `note` says so once: a following `aws sso login` in another terminal is enough.
    """

    clock: Clock
    max_attempts: int = 8
    initial_delay: float = 0.4
    max_delay: float = 20.0
    max_elapsed: float = inf
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
            max_attempts=settings.max_attempts,
            initial_delay=settings.initial_delay,
            max_delay=settings.max_delay,
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
        end = self.clock.now() + self.max_elapsed

        def over(state: RetryCallState) -> bool:
            late = self.clock.now() + state.upcoming_sleep > end
            return state.attempt_number >= self.max_attempts or late

        return Retrying(
            retry=retry_if_exception_type(TransientFailure),
            stop=over,
            wait=wait_exponential(multiplier=self.initial_delay, max=self.max_delay),
            sleep=self.clock.sleep,
            before_sleep=self._retrying,
            reraise=True,
        )(call)

    def _retrying(self, state: RetryCallState) -> None:
        self.on_retry(str(_error(state)), state.upcoming_sleep, state.attempt_number)

    def _ask_for_login(self, state: RetryCallState) -> None:
        error = _error(state)
        if state.attempt_number == 1 and isinstance(error, ExpiredCredentials):
            self.note(f"{error.message}; {error.hint}. Waiting: no line is lost meanwhile.")


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
