"""The quality audit: one pass over measurements in the order of station and time. Pure.

Findings are errors (they decide the exit code) or warnings. Sensors are looked at between neighbouring
readings: a jump is a change within an hour that weather does not make, a frozen sensor repeats one value for
hours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.fields import FIELDS
from pipeline.model import Document

JUMPS = {"temperature_c": 10.0, "pressure_hpa": 8.0, "humidity_pct": 50.0}
"""Largest plausible change within an hour."""
FROZEN = {
    "temperature_c": timedelta(hours=6),
    "pressure_hpa": timedelta(hours=24),
    "wind_speed_kmh": timedelta(hours=6),
}
"""How long one value (other than 0) may repeat without a change."""
CURVES = ("temperature_c", "pressure_hpa", "wind_speed_kmh", "humidity_pct")
_GAP = 3  # a gap is an interval longer than this many cadences
_LISTED = 10
_HOUR = timedelta(hours=1)
_NIGHT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is an error. `max_age` None: an old last reading is only a warning, beyond two days."""

    min_completeness: float = 0.9
    max_age: timedelta | None = None
    max_implausible: float = 0.001


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: from `since` to the newest reading `until`, at the moment `now`; naive UTC."""

    since: datetime
    until: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    severity: str
    check: str
    station: str | None
    message: str


@dataclass(slots=True)
class StationAudit:
    """What one station's readings look like; instants are naive UTC."""

    id: str
    about: Mapping[str, Any]
    cadence: timedelta
    readings: int = 0
    duplicates: int = 0
    first: datetime | None = None
    last: datetime | None = None
    days: Counter[date] = field(default_factory=Counter)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    gap_count: int = 0
    out_of_range: Counter[str] = field(default_factory=Counter)
    jumps: Counter[str] = field(default_factory=Counter)
    frozen: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    curves: dict[str, dict[datetime, list[float]]] = field(default_factory=lambda: defaultdict(dict))
    _previous: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    _since: dict[str, datetime] = field(default_factory=dict)

    @property
    def expected(self) -> int:
        """Readings that the cadence gives from the first to the last."""
        if self.first is None or self.last is None:
            return 0
        return round((self.last - self.first) / self.cadence) + 1

    @property
    def completeness(self) -> float:
        return min(self.readings / self.expected, 1.0) if self.expected else 0.0

    def expected_on(self, day: date) -> int:
        """Readings that the cadence gives on one UTC day, from the first and to the last reading."""
        start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - naive UTC
        if self.first is None or self.last is None:
            return 0
        begin, end = max(start, self.first), min(start + _NIGHT, self.last + self.cadence)
        return max(round((end - begin) / self.cadence), 1)

    def see(self, document: Document, curves_from: datetime) -> None:
        """Take in the next reading of this station; readings come in the order of time."""
        moment = document["timestamp"]
        if self.last is not None:
            self._step(self.last, moment)
        else:
            self.first = moment
        self.last = moment
        self.readings += 1
        self.days[moment.date()] += 1
        for name, limits in FIELDS.items():
            if (value := document.get(name)) is not None:
                if not limits.low <= value <= limits.high:
                    self.out_of_range[name] += 1
                self._watch(name, moment, value)
        if moment >= curves_from:
            hour = moment.replace(minute=0, second=0)
            for name in CURVES:
                if (value := document.get(name)) is not None:
                    self.curves[name].setdefault(hour, []).append(value)

    def _step(self, before: datetime, now: datetime) -> None:
        if now == before:
            self.duplicates += 1
        elif now - before > _GAP * self.cadence:
            self.gap_count += 1
            self.gaps = sorted([*self.gaps, (before, now)], key=lambda gap: gap[0] - gap[1])[:_LISTED]

    def _watch(self, name: str, moment: datetime, value: float) -> None:
        before = self._previous.get(name)
        self._previous[name] = (moment, value)
        if before is None or before[1] != value or value == 0:
            self._since[name] = moment
        elif name in FROZEN and moment - self._since[name] >= FROZEN[name]:
            self.frozen[name] = (self._since[name], moment)
        if before and name in JUMPS and moment - before[0] <= _HOUR and abs(value - before[1]) > JUMPS[name]:
            self.jumps[name] += 1


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole audit."""

    window: Window
    stations: list[StationAudit]
    missing_indexes: list[str]
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def audit(
    documents: Iterable[Document],
    stations: Iterable[Document],
    window: Window,
    missing_indexes: list[str],
    thresholds: Thresholds,
) -> Audit:
    """Audit measurements that come sorted by station and time.

    Stations without a reading are reported too.
    """
    known = {station["_id"]: station for station in stations}
    audits = {id_: _station_audit(id_, about) for id_, about in known.items()}
    week = window.until - timedelta(days=7)
    for document in documents:
        station = document["station_id"]
        if station not in audits:
            audits[station] = _station_audit(station, {})
        audits[station].see(document, week)
    ordered = [audits[id_] for id_ in sorted(audits)]
    findings = [finding for one in ordered for finding in _judge(one, window.now, thresholds)]
    findings += [Finding("error", "indexes", None, f"index {name} is missing") for name in missing_indexes]
    return Audit(window, ordered, missing_indexes, findings)


def _station_audit(id_: str, about: Mapping[str, Any]) -> StationAudit:
    return StationAudit(id_, about, timedelta(minutes=about.get("cadence_minutes", 60)))


def _judge(one: StationAudit, now: datetime, limits: Thresholds) -> Iterable[Finding]:
    if one.first is None or one.last is None:
        yield Finding("warning", "completeness", one.id, "no reading in this window")
        return
    if one.completeness < limits.min_completeness:
        share = f"{one.completeness:.1%} of the {one.expected} readings that its cadence gives"
        yield Finding("error", "completeness", one.id, f"{share}, {one.gap_count} gaps")
    elif one.gap_count:
        start, end = one.gaps[0]
        yield Finding("warning", "gaps", one.id, f"{one.gap_count} gaps, the longest {start} to {end}")
    if one.duplicates:
        yield Finding(
            "error", "duplicates", one.id, f"{one.duplicates} readings share their second with another"
        )
    for name, count in one.out_of_range.items():
        yield Finding("error", "ranges", one.id, f"{count} values of {name} outside their physical range")
    age = now - one.last
    if limits.max_age is not None and age > limits.max_age:
        yield Finding("error", "freshness", one.id, f"last reading {one.last} UTC, {_hours(age)} ago")
    elif age > timedelta(days=2):
        yield Finding("warning", "freshness", one.id, f"last reading {one.last} UTC, {_hours(age)} ago")
    if one.last > now + _NIGHT:
        yield Finding("error", "freshness", one.id, f"last reading {one.last} UTC lies ahead")
    for name, count in one.jumps.items():
        severity = "error" if count / one.readings > limits.max_implausible else "warning"
        yield Finding(
            severity, "jumps", one.id, f"{count} jumps of {name} by more than {JUMPS[name]:g} in an hour"
        )
    for name, (start, end) in one.frozen.items():
        yield Finding("warning", "frozen", one.id, f"{name} did not change from {start} to {end}")


def _hours(age: timedelta) -> str:
    return f"{age / _HOUR:,.0f} h"
