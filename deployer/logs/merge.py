"""Many log streams as one, by time, with at most one page of each in memory."""

import heapq
from collections import deque
from collections.abc import Iterator
from typing import Final

from deployer.logs.stream import StreamReader
from deployer.release.ports import Clock, LogEvent

HOLD: Final = 1.0
"""Seconds that a fresh event is held back, so that one of another stream that comes a little later is still
shown before it. With a single stream nothing is held."""


class Source:
    """A stream, and the events of it that were read but not shown yet."""

    def __init__(self, reader: StreamReader) -> None:
        self.reader = reader
        self.buffer: deque[LogEvent] = deque()
        self.at_end = False
        self.arrived = 0.0

    @property
    def drained(self) -> bool:
        """Everything that the stream held at the last read has been shown."""
        return self.at_end and not self.buffer

    def fill(self, now: float) -> None:
        """Reads until there is something to show, or until the end."""
        self.at_end = False
        while not self.buffer and not self.at_end:
            events, more = self.reader.read()
            self.buffer.extend(events)
            self.at_end = not more
        self.arrived = now


class Merge:
    """Streams may be added while others are being read."""

    def __init__(self, clock: Clock) -> None:
        self.sources: list[Source] = []
        self._clock = clock

    def add(self, reader: StreamReader) -> Source:
        source = Source(reader)
        self.sources.append(source)
        return source

    def drop(self, source: Source) -> None:
        self.sources.remove(source)

    @property
    def drained(self) -> bool:
        return all(source.drained for source in self.sources)

    def due(self, *, final: bool) -> Iterator[tuple[Source, LogEvent]]:
        """One round: reads where nothing is buffered, gives what may be shown by now, oldest first.

        `final`: nothing newer is waited for, so nothing is held back. An event that comes later than the
        hold is given when it comes, never dropped.
        """
        now = self._clock.now()
        for source in self.sources:
            if not source.buffer:
                source.fill(now)
        alone = final or len(self.sources) == 1
        heads = [
            (source.buffer[0].time, number) for number, source in enumerate(self.sources) if source.buffer
        ]
        heapq.heapify(heads)
        while heads:
            time, number = heads[0]
            source = self.sources[number]
            if not alone and min(time, source.arrived) > now - HOLD:
                return
            buffer = source.buffer
            yield source, buffer.popleft()
            if not buffer and not source.at_end:
                source.fill(now)
            if buffer:
                heapq.heapreplace(heads, (buffer[0].time, number))
            else:
                heapq.heappop(heads)
