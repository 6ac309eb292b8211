"""The pause between two reads, which Live Tail cuts short: it brings no lines, it says where some are."""

from collections.abc import Callable, Sequence
from typing import Final

from deployer.errors import ExpiredCredentials, Failure, TransientFailure
from deployer.ports import Clock, LiveTail, Logs

_SETTLED: Final = 60.0
"""A session that lived for so many seconds is replaced at once (AWS ends each after three hours)."""

_DOUBLINGS: Final = 6
"""After one that lived less it is waited: 1 s, 3 s, 7 s, at most 63 s."""

_SAID_AT: Final = 3
"""Sessions that ended early in a row, until it is said that there is none."""


class LivePause:
    """Pauses, with one session at a time. Where there is none a pause is a pause."""

    def __init__(
        self, logs: Logs, group: str, prefixes: Sequence[str], clock: Clock, note: Callable[[str], None]
    ) -> None:
        self._logs, self._group, self._prefixes, self._clock, self._note = logs, group, prefixes, clock, note
        self._session: LiveTail | None = None
        self._offered = True
        self._begun = self._begin_at = float("-inf")
        self._early_ends = 0

    def wait(self, seconds: float) -> frozenset[str]:
        """Up to so many seconds; the streams that may have new lines, as far as they are told of."""
        end = self._clock.now() + seconds
        while (left := end - self._clock.now()) > 0:
            session = self._session or self._begin()
            if session is None:
                self._clock.sleep(left)
                continue
            try:
                news = session.news(left)
            except Failure as failure:
                self._lost(failure)
                continue
            if news:
                return news
        return frozenset()

    def close(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    def _begin(self) -> LiveTail | None:
        now = self._clock.now()
        if self._offered and now >= self._begin_at:
            self._begun = now
            self._session = self._logs.live(self._group, self._prefixes)
        return self._session

    def _lost(self, failure: Failure) -> None:
        now = self._clock.now()
        self.close()
        self._offered = isinstance(failure, TransientFailure | ExpiredCredentials)
        self._early_ends = 0 if now - self._begun >= _SETTLED else self._early_ends + 1
        self._begin_at = now + 2.0 ** min(self._early_ends, _DOUBLINGS) - 1
        if not self._offered or self._early_ends == _SAID_AT:
            hint = f" ({failure.hint})" if failure.hint else ""
            self._note(f"no Live Tail: {failure.message}{hint}; going on by polling, no line is lost")
