"""One log stream from before it exists until it is drained: complete, in order, nothing twice."""

from collections.abc import Callable, Iterator
from typing import Final

from deployer.errors import TransientFailure
from deployer.release.ports import Clock, LogEvent, LogPage, Logs

QUICKEST: Final = 0.2
SLOWEST: Final = 2.0
"""Seconds between two reads: short while lines come, longer while nothing does."""

_GROWTH: Final = 1.5
_PATIENCE: Final = 8
"""Reads in a row that may fail transiently before the failure is the caller's."""

_LONGEST_BACK_OFF: Final = 20.0


def follow(
    logs: Logs,
    group: str,
    stream: str,
    *,
    is_stopped: Callable[[], bool],
    clock: Clock,
    drain: float,
    cursor: str | None = None,
    since: float = 0.0,
) -> Iterator[LogEvent]:
    """Every event of the stream after `cursor` (None: from its start), as they come.

    Ends when `is_stopped` and then `drain` seconds passed without a new event, whether or not the stream ever
    appeared. `is_stopped` is asked before each read, so what was printed before a stop is read after it.
    Raises Failure; a transient one only when reads keep failing.
    """
    reader = _Reader(logs, group, stream, clock, cursor, since)
    pause = QUICKEST
    silent_since: float | None = None
    while True:
        stopped = is_stopped()
        page, more = reader.read()
        yield from page.events
        if more:
            pause, silent_since = QUICKEST, None
            continue
        if stopped:
            silent_since = clock.now() if silent_since is None else silent_since
            left = silent_since + drain - clock.now()
            if left <= 0:
                return
            pause = min(QUICKEST, left)
        clock.sleep(pause)
        pause = min(pause * _GROWTH, SLOWEST)


class _Reader:
    """Reads on from where it is; a transient failure costs time, never an event."""

    def __init__(
        self, logs: Logs, group: str, stream: str, clock: Clock, cursor: str | None, since: float
    ) -> None:
        self._logs, self._group, self._stream, self._clock = logs, group, stream, clock
        self._cursor, self._since = cursor, since

    def read(self) -> tuple[LogPage, bool]:
        """The next page, and whether there may be more right behind it: the end of a stream is where the
        cursor comes back unchanged, an empty page alone is not."""
        page = self._patiently()
        more = bool(page.events) or (page.exists and page.cursor != self._cursor and self._cursor is not None)
        self._cursor = page.cursor
        return page, more

    def _patiently(self) -> LogPage:
        failures = 0
        while True:
            try:
                return self._logs.read(self._group, self._stream, self._cursor, self._since)
            except TransientFailure:
                failures += 1
                if failures == _PATIENCE:
                    raise
                self._clock.sleep(min(QUICKEST * 2**failures, _LONGEST_BACK_OFF))
