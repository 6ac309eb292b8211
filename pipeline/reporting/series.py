"""What one station's readings look like: a single pass over them in the order of time. Pure.

Sensors are looked at between neighboring readings: a jump is a change within an hour that weather does not
make, a flat line is one value for longer than weather keeps it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.fields import FIELDS
from pipeline.model import Document

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = {"temperature_c": 10.0, "pressure_hpa": 8.0, "humidity_pct": 50.0}
"""Largest plausible change within an hour."""
FLAT = {
    "temperature_c": timedelta(hours=6),
    "pressure_hpa": timedelta(hours=24),
    "wind_speed_kmh": timedelta(hours=6),
    "humidity_pct": timedelta(hours=24),
    "solar_w_m2": timedelta(hours=6),
}
"""How long one value may repeat."""
FLAT_AT = {
    ("temperature_c", 0): timedelta(hours=18),  # melting snow
    ("wind_speed_kmh", 0): timedelta(hours=72),  # calm
    ("solar_w_m2", 0): timedelta(hours=48),  # a night and a dark day
    ("humidity_pct", 100): timedelta(hours=72),  # fog
    ("humidity_pct", 99): timedelta(hours=72),
}
CURVES = ("temperature_c", "pressure_hpa", "wind_speed_kmh", "humidity_pct")
GAP = 3  # a gap is an interval longer than this many cadences
_LISTED = 10
_FEW = 10  # readings that a flat line has at least
_DEFAULT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: from `since` to the newest reading `until`, at the moment `now`; naive UTC."""

    since: datetime
    until: datetime
    now: datetime


@dataclass(slots=True)
class StationSeries:
    """One station in a window. `ever` is its first and last reading of all times."""

    id: str
    about: Mapping[str, Any]
    window: Window
    ever: tuple[datetime, datetime] | None = None
    readings: int = 0
    duplicates: int = 0
    first: datetime | None = None
    last: datetime | None = None
    days: Counter[date] = field(default_factory=Counter)
    fields: dict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))
    intervals: Counter[timedelta] = field(default_factory=Counter)
    wide: list[tuple[datetime, datetime]] = field(default_factory=list)
    out_of_range: Counter[str] = field(default_factory=Counter)
    jumps: Counter[str] = field(default_factory=Counter)
    flat: dict[str, tuple[datetime, datetime, float]] = field(default_factory=dict)
    hourly: dict[str, dict[datetime, tuple[float, int]]] = field(default_factory=lambda: defaultdict(dict))
    marks: set[int] = field(default_factory=set)
    """One reading an hour as a number: what two stations have in common is copied."""
    _previous: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    _run: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    @property
    def cadence(self) -> timedelta:
        """The station's own, else the most usual interval between its readings."""
        if minutes := self.about.get("cadence_minutes"):
            return timedelta(minutes=minutes)
        return self.usual or _DEFAULT

    @property
    def usual(self) -> timedelta | None:
        """The most usual interval between two readings, in whole minutes."""
        minutes: Counter[int] = Counter()
        for interval, count in self.intervals.items():
            minutes[max(round(interval / timedelta(minutes=1)), 1)] += count
        return timedelta(minutes=minutes.most_common(1)[0][0]) if minutes else None

    @property
    def begin(self) -> datetime:
        """From when on readings are expected: the window's start, or the station's very first reading."""
        return max(self.window.since, self.ever[0]) if self.ever else self.window.since

    @property
    def expected(self) -> int:
        """Readings that the cadence gives in the whole window, whether the station still lives or not."""
        if self.ever is None:
            return 0
        span = self.window.until - self.begin
        return max(round(span / self.cadence) + (self.begin > self.window.since), 1)

    @property
    def completeness(self) -> float:
        return min(self.readings / self.expected, 1.0) if self.expected else 0.0

    @property
    def gaps(self) -> list[tuple[datetime, datetime]]:
        """The longest intervals without a reading."""
        return [(start, end) for start, end in self.wide if end - start > GAP * self.cadence][:_LISTED]

    @property
    def gap_count(self) -> int:
        return sum(count for interval, count in self.intervals.items() if interval > GAP * self.cadence)

    def expected_on(self, day: date) -> int:
        """Readings that the cadence gives on one UTC day, within the window."""
        start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - naive UTC
        begin, end = max(start, self.begin), min(start + DAY, self.window.until + self.cadence)
        return max(round((end - begin) / self.cadence), 0)

    def share(self, name: str) -> float:
        """The share of the readings that have this field."""
        return self.fields[name].total() / self.readings if self.readings else 0.0

    def see(self, document: Document) -> None:
        """Take in the next reading of this station; readings come in the order of time."""
        moment = document["timestamp"]
        if self.last is not None:
            self._step(self.last, moment)
        else:
            self.first = moment
        new_hour = self.last is None or moment.replace(minute=0, second=0) > self.last
        self.last = moment
        self.readings += 1
        day = moment.date()
        self.days[day] += 1
        for name, limits in FIELDS.items():
            if (value := document.get(name)) is not None:
                self.fields[name][day] += 1
                if not limits.low <= value <= limits.high:
                    self.out_of_range[name] += 1
                if name in FLAT or name in JUMPS:
                    self._watch(name, moment, value)
        self._keep(document, moment, new_hour=new_hour)

    def _keep(self, document: Document, moment: datetime, *, new_hour: bool) -> None:
        hour = moment.replace(minute=0, second=0)
        values = tuple(document.get(name) for name in CURVES)
        for name, value in zip(CURVES, values, strict=True):
            if value is not None:
                total, count = self.hourly[name].get(hour, (0.0, 0))
                self.hourly[name][hour] = (total + value, count + 1)
        if new_hour and sum(value is not None for value in values) >= len(CURVES) - 1:
            self.marks.add(hash((moment, values)))

    def _step(self, before: datetime, now: datetime) -> None:
        if now == before:
            self.duplicates += 1
            return
        self.intervals[now - before] += 1
        if (
            not self.wide
            or len(self.wide) < 2 * _LISTED
            or now - before > self.wide[-1][1] - self.wide[-1][0]
        ):
            self.wide = sorted([*self.wide, (before, now)], key=lambda gap: gap[0] - gap[1])[: 2 * _LISTED]

    def _watch(self, name: str, moment: datetime, value: float) -> None:
        before = self._previous.get(name)
        self._previous[name] = (moment, value)
        if before is None or before[1] != value:
            self._run[name] = (moment, 1)
        elif name in FLAT:
            start, count = self._run[name]
            self._run[name] = (start, count + 1)
            self._note_flat(name, start, moment, value, count + 1)
        if before and name in JUMPS and moment - before[0] <= HOUR and abs(value - before[1]) > JUMPS[name]:
            self.jumps[name] += 1

    def _note_flat(self, name: str, start: datetime, end: datetime, value: float, count: int) -> None:
        limit = FLAT_AT.get((name, int(value)) if value == int(value) else (name, -1), FLAT[name])
        if end - start < limit or count < _FEW:
            return
        longest = self.flat.get(name)
        if longest is None or end - start >= longest[1] - longest[0]:
            self.flat[name] = (start, end, value)

    def means(self, name: str) -> dict[datetime, float]:
        """Hourly means; an hour with less than half of its readings is left out."""
        enough = HOUR / self.cadence / 2
        return {
            hour: total / count
            for hour, (total, count) in sorted(self.hourly[name].items())
            if count >= enough
        }
