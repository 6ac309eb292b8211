"""One log stream from before it exists until it is drained: complete, in order, nothing twice."""

from collections.abc import Callable, Iterator
from typing import Final

from deployer.logs.stream import StreamReader
from deployer.ports import Clock, LogEvent, Logs
from deployer.retry import RetryPolicy

QUICKEST: Final = 0.2
SLOWEST: Final = 1.0
"""Seconds between two reads: short while lines come, longer while nothing does."""

GROWTH: Final = 1.5

LOOK: Final = 0.1
"""Seconds between two questions whether the task has stopped."""


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

    Ends `drain` seconds after `is_stopped` without a new event, whether or not the stream ever appeared.
    `is_stopped` is called before each read, so what was printed before a stop is read after it, and ten times
    a second in between. Without a `group` there is nothing to read.
    Raises Failure; a transient one only when reads keep failing.
    """
    if not group:  # logged elsewhere: only the end is waited for
        while not is_stopped():
            clock.sleep(SLOWEST)
        return
    reader = StreamReader(logs, group, stream, RetryPolicy(clock=clock), cursor=cursor, since=since)
    pause = QUICKEST
    silent_since: float | None = None
    while True:
        stopped = is_stopped()
        page, more = reader.read()
        yield from map(LogEvent, page.times, page.texts)
        if more:
            pause, silent_since = QUICKEST, None
            continue
        if stopped:
            silent_since = clock.now() if silent_since is None else silent_since
            left = silent_since + drain - clock.now()
            if left <= 0:
                return
            clock.sleep(min(QUICKEST, left))
            continue
        _rest(pause, clock, is_stopped)
        pause = min(pause * GROWTH, SLOWEST)


def _rest(seconds: float, clock: Clock, is_stopped: Callable[[], bool]) -> None:
    """Until the next read, which is at once when the task has stopped."""
    for _ in range(round(seconds / LOOK)):
        if is_stopped():
            return
        clock.sleep(LOOK)
