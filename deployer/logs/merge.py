"""Many log streams as one, by time, with at most one page of each in memory."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, chain, repeat
from math import inf, nextafter
from operator import itemgetter
from typing import Final

from deployer.logs.stream import StreamReader
from deployer.ports import Clock, LogPage

HOLD: Final = 1.0
"""Seconds that a fresh event is held back, so that one of another stream that comes a little later is still
shown before it. With a single stream nothing is held."""

ROUND: Final = 0.4
"""Seconds after which a round ends, though more lines are waiting: others have to be asked too."""

_KEY: Final = itemgetter(0)


class Source:
    """A stream, and the page that was read and is not wholly shown."""

    def __init__(self, reader: StreamReader) -> None:
        self.reader = reader
        self.arrived = 0.0
        """When the last events were read."""
        self._at_end = False
        self._page = LogPage((), (), None)
        self._keys: list[float] = []
        """The page's times, but none before its predecessor's: the order within a stream is the stream's."""
        self._shown = 0

    @property
    def waiting(self) -> int:
        """Events that were read but not shown yet."""
        return len(self._keys) - self._shown

    @property
    def drained(self) -> bool:
        """Every event of the last read is shown, and it reached the stream's end."""
        return self._at_end and not self.waiting

    @property
    def dry(self) -> bool:
        """Every event that was read is shown, and more may follow at once."""
        return not self._at_end and not self.waiting

    def fill(self, now: float) -> None:
        """Reads until there is something to show, or until the end."""
        self._at_end = False
        while self.dry:
            self._page, more = self.reader.read()
            self._keys, self._shown = list(accumulate(self._page.times, max)), 0
            self._at_end = not more
        if self.waiting:
            self.arrived = now

    def limit(self, fresh: float) -> float:
        """No event after this time may be shown yet, of any stream: this one may have earlier ones to come,
        or holds one back that is later than `fresh` and has just arrived."""
        limit = self._keys[-1] if self.waiting and not self._at_end else inf
        if self.arrived > fresh:
            first = bisect_right(self._keys, fresh, self._shown)
            if first < len(self._keys):
                limit = min(limit, nextafter(self._keys[first], -inf))
        return limit

    @property
    def head(self) -> tuple[float, float]:
        """The next event's time, and when it may be shown, whatever comes meanwhile."""
        key = self._keys[self._shown]
        return key, min(key, self.arrived) + HOLD

    def take(self, limit: float, number: int) -> Iterator[tuple[float, int, float, str]]:
        """The events up to `limit` as (key, `number`, time, text); they count as shown."""
        begin, self._shown = self._shown, bisect_right(self._keys, limit, self._shown)
        part = slice(begin, self._shown)
        return zip(self._keys[part], repeat(number), self._page.times[part], self._page.texts[part])


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
    def behind(self) -> bool:
        """Whether a stream has more lines than were read."""
        return any(source.dry for source in self.sources)

    @property
    def ripe_at(self) -> float:
        """When the oldest of the events held back may be shown."""
        return min((source.head for source in self.sources if source.waiting), default=(inf, inf))[1]

    def due(self, *, final: bool, read: bool = True) -> Iterator[tuple[Source, float, str]]:
        """One round of `ROUND` seconds, or one page: reads where nothing is waiting, gives the events that
        may be shown by now, oldest first, as (source, time, text).

        `final`: nothing is held back for newer events. An event that comes later than the hold is given
        when it comes, never dropped. `read` False: only what was read before is given.
        """
        now, sources = self._clock.now(), self.sources
        for source in sources if read else ():
            if not source.waiting:
                source.fill(now)
        fresh = inf if final or len(sources) == 1 else now - HOLD
        while True:
            limit = min((source.limit(fresh) for source in sources), default=inf)
            ready = list(chain.from_iterable(s.take(limit, number) for number, s in enumerate(sources)))
            ready.sort(key=_KEY)
            for _, number, time, text in ready:
                yield sources[number], time, text
            dry = [source for source in sources if source.dry]
            if not dry or (not final and self._clock.now() - now >= ROUND):
                return
            for source in dry:
                source.fill(now)
