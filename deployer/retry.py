"""Reading on across what passes by itself: throttling, a lost connection, a token that is being renewed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from deployer.errors import ExpiredCredentials, TransientFailure
from deployer.ports import Clock

_FIRST_WAIT: Final = 0.4
_LONGEST_WAIT: Final = 20.0
_TRIES: Final = 8
_CREDENTIALS_WAIT: Final = 5.0

T = TypeVar("T")


def unsaid(text: str) -> None:
    """For callers that have nobody to tell."""


@dataclass(frozen=True)
class RetryPolicy:
    """Calls again what failed transiently, ever later, up to eight times.

    With `credentials` seconds, expired ones are waited for that long, and `note` says so: a following
    `aws sso login` in another terminal is enough.
    """

    clock: Clock
    note: Callable[[str], None] = unsaid
    credentials: float = 0.0

    def __call__(self, call: Callable[[], T]) -> T:
        failures, waited = 0, 0.0
        while True:
            try:
                return call()
            except TransientFailure:
                failures += 1
                if failures == _TRIES:
                    raise
                self.clock.sleep(min(_FIRST_WAIT * 2 ** (failures - 1), _LONGEST_WAIT))
            except ExpiredCredentials as expired:
                if waited >= self.credentials:
                    raise
                if not waited:
                    self.note(f"{expired.message}; {expired.hint}. Waiting: no line is lost meanwhile.")
                waited += _CREDENTIALS_WAIT
                self.clock.sleep(_CREDENTIALS_WAIT)
