"""CloudWatch Logs in memory."""

from dataclasses import dataclass, field

from deployer.ports import LogEvent, LogPage
from tests.fakes.faults import Faults


@dataclass
class _Stream:
    events: list[LogEvent] = field(default_factory=list)
    late: list[tuple[int, LogEvent]] = field(default_factory=list)
    """(reads to wait, event): events that CloudWatch has taken in but does not show yet."""

    def ripen(self) -> None:
        self.events += [event for reads, event in self.late if reads <= 0]
        self.late = [(reads - 1, event) for reads, event in self.late if reads > 0]


@dataclass
class FakeLogs:
    """Streams as {(group, stream): events}. A page holds at most `page` events."""

    page: int = 10_000
    faults: Faults = field(default_factory=Faults)
    streams_: dict[tuple[str, str], _Stream] = field(default_factory=dict)
    keeps: dict[str, float] = field(default_factory=dict)
    """Retention in seconds by group; a group that is not named keeps for ever."""

    reads: int = 0

    def put(self, group: str, stream: str, *events: LogEvent) -> None:
        """PutLogEvents; makes the stream where there is none."""
        self._stream(group, stream).events.extend(events)

    def put_late(self, group: str, stream: str, reads: int, *events: LogEvent) -> None:
        """These events show up after that many more reads of the stream."""
        self._stream(group, stream).late += [(reads, event) for event in events]

    def delete(self, group: str, stream: str) -> None:
        del self.streams_[group, stream]

    def read(self, group: str, stream: str, cursor: str | None, since: float = 0.0) -> LogPage:
        self.faults.before("read")
        self.reads += 1
        found = self.streams_.get((group, stream))
        if found is None:
            return LogPage((), (), cursor, exists=False)
        start = int((cursor or "f/0").removeprefix("f/"))
        end = min(start + self.page, len(found.events))
        events = [event for event in found.events[start:end] if event.time >= since]
        found.ripen()
        return LogPage([event.time for event in events], [event.text for event in events], f"f/{end}")

    def retention(self, group: str) -> float | None:
        self.faults.before("retention")
        return self.keeps.get(group)

    def streams(
        self, group: str, prefix: str, since: float = 0.0, most: int | None = None
    ) -> tuple[str, ...]:
        self.faults.before("streams")
        newest = {
            name: max((event.time for event in stream.events), default=0.0)
            for (place, name), stream in self.streams_.items()
            if place == group and name.startswith(prefix)
        }
        names = (name for name, time in newest.items() if time >= since)
        return tuple(sorted(names, key=lambda name: -newest[name]))[:most]

    def _stream(self, group: str, stream: str) -> _Stream:
        return self.streams_.setdefault((group, stream), _Stream())
