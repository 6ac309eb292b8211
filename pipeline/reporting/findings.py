"""What is wrong with a station's readings, with the stations among each other, and with the loads. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from pipeline.reporting.loads import Loads
from pipeline.reporting.neighbors import OTHERS, Difference
from pipeline.reporting.series import DAY, HOUR, JUMPS, StationSeries

EXPECTED = ("temperature_c", "pressure_hpa", "humidity_pct", "wind_speed_kmh")
"""Fields that every station is asked for; temperature is an error where it is missing."""
LABELS = {
    "temperature_c": "temperature", "pressure_hpa": "pressure", "wind_speed_kmh": "wind speed",
    "humidity_pct": "humidity", "solar_w_m2": "solar radiation",
}  # fmt: skip
_UNITS = {"temperature_c": "°C", "pressure_hpa": "hPa", "humidity_pct": "%", "wind_speed_kmh": "km/h"}
_SILENT = 24 * HOUR
_OFTEN = 0.9  # of a day's readings have a field that the station measures
_OBSERVED = frozenset({"cloud_cover_okta", "weather_code", "visibility_m", "snow_depth_cm"})
"""Fields that are there when somebody or something sees them."""
_LATE = DAY


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is an error. `max_age` None: an old last reading is only a warning, beyond two days."""

    min_completeness: float = 0.9
    max_age: timedelta | None = None
    max_implausible: float = 0.001
    max_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Finding:
    severity: str
    check: str
    station: str | None
    message: str


def of_station(one: StationSeries, limits: Thresholds) -> Iterator[Finding]:
    """What is wrong with one station's own readings."""
    if one.first is None or one.last is None:
        yield _without_readings(one)
        return
    yield from _amount(one, limits)
    yield from _freshness(one, one.last, limits)
    yield from _fields(one, limits)
    yield from _sensors(one, limits)


def _without_readings(one: StationSeries) -> Finding:
    if one.ever is None:
        return Finding("warning", "dead", one.id, "it is described, and has never had a reading")
    return Finding("error", "dead", one.id, f"no reading since {one.ever[1]} UTC: not one in this window")


def _amount(one: StationSeries, limits: Thresholds) -> Iterator[Finding]:
    silence = one.window.until - (one.last or one.window.until)
    if silence > max(_SILENT, 10 * one.cadence):
        message = f"silent since {one.last} UTC, {_time(silence)} before the newest reading of all"
        yield Finding("error", "dead", one.id, message)
    if one.completeness < limits.min_completeness:
        given = f"of the {one.expected:,} readings that one every {_time(one.cadence)} gives in this window"
        message = f"{one.completeness:.1%} {given}, {one.gap_count} gaps"
        yield Finding("error", "completeness", one.id, message)
    elif one.gap_count:
        start, end = one.gaps[0]
        yield Finding("warning", "gaps", one.id, f"{one.gap_count} gaps, the longest {start} to {end}")
    late = one.begin - one.window.since
    if late > _LATE and late > 10 * one.cadence:
        yield Finding("warning", "late", one.id, f"its first reading of all is of {one.begin} UTC")
    if one.duplicates:
        message = f"{one.duplicates:,} readings share their second with another"
        yield Finding("error", "duplicates", one.id, message)


def _freshness(one: StationSeries, last: datetime, limits: Thresholds) -> Iterator[Finding]:
    age = one.window.now - last
    if limits.max_age is not None and age > limits.max_age:
        yield Finding("error", "freshness", one.id, f"last reading {last} UTC, {_time(age)} ago")
    elif age > 2 * DAY:
        yield Finding("warning", "freshness", one.id, f"last reading {last} UTC, {_time(age)} ago")
    if last > one.window.now + DAY:
        yield Finding("error", "freshness", one.id, f"last reading {last} UTC lies ahead")


def _fields(one: StationSeries, limits: Thresholds) -> Iterator[Finding]:
    """Fields that a station measures and that are missing on whole days; temperature also for good."""
    whole = DAY / one.cadence / 2
    days = sorted(day for day, count in one.days.items() if count >= max(one.expected_on(day) / 2, whole / 2))
    if not one.fields["temperature_c"]:
        yield Finding("error", "missing field", one.id, "not one reading has a temperature")
    for name, counts in one.fields.items():
        shares = [counts[day] / one.days[day] for day in days]
        usual = max(shares, default=0.0)
        if name not in EXPECTED and (usual < _OFTEN or name in _OBSERVED):
            continue
        missing = [day for day, share in zip(days, shares, strict=True) if share < usual / 2]
        complete = sum(shares) / len(shares) / usual if usual else 0.0
        lasting = len(missing) > 1 and missing[-1] == days[-1]
        if missing and (complete < limits.min_completeness or lasting):
            span = f"on {len(missing)} of {len(days)} days, the last of them {missing[-1]}"
            yield Finding("error", "missing field", one.id, f"{_label(name)} is missing {span}")
        elif missing:
            yield Finding("warning", "missing field", one.id, f"{_label(name)} is missing on {missing[0]}")


def _sensors(one: StationSeries, limits: Thresholds) -> Iterator[Finding]:
    for name, count in one.out_of_range.items():
        message = f"{count:,} values of {_label(name)} outside their physical range"
        yield Finding("error", "ranges", one.id, message)
    for name, count in one.jumps.items():
        severity = "error" if count / one.readings > limits.max_implausible else "warning"
        message = f"{count:,} jumps of {_label(name)} by more than {JUMPS[name]:g} {_UNITS[name]} in an hour"
        yield Finding(severity, "jumps", one.id, message)
    for name, (start, end, value) in one.flat.items():
        severity = "error" if end - start >= 3 * DAY else "warning"
        message = f"{_label(name)} stays at {value:g} from {start} to {end} UTC"
        yield Finding(severity, "flat line", one.id, message)


def of_fleet(stations: Sequence[StationSeries], found: Iterable[Difference]) -> Iterator[Finding]:
    """What shows only beside the other stations."""
    yield from _never_measured(stations)
    yield from _slower(stations)
    for item in found:
        if item.kind == "bias":
            unit = _UNITS[item.field]
            message = f"{_label(item.field)} differs by {item.amount:+.1f} {unit} from that of the others"
            yield Finding("error", "bias", item.station, message)
        elif item.kind == "factor":
            message = f"{_label(item.field)} is {item.amount:.2f} times that of the others: another unit?"
            yield Finding("warning", "factor", item.station, message)
        elif item.kind == "shift":
            late = "behind" if item.amount > 0 else "ahead of"
            message = f"its curve is {abs(item.amount):.0f} h {late} that of the others: clock or time zone?"
            yield Finding("error", "clock", item.station, message)
        else:
            message = f"{item.amount:.0f} readings are the same as those of {item.other}"
            yield Finding("warning", "copy", item.station, message)


def _never_measured(stations: Sequence[StationSeries]) -> Iterator[Finding]:
    """A field that most stations have and this one never had."""
    alive = [one for one in stations if one.readings]
    for name in EXPECTED[1:]:
        without = [one for one in alive if not one.fields[name]]
        if len(alive) - len(without) >= max(OTHERS, 2 * len(without)):
            for one in without:
                yield Finding("warning", "missing field", one.id, f"not one reading has {_label(name)}")


def _slower(stations: Sequence[StationSeries]) -> Iterator[Finding]:
    """A station with half the readings of its kind, where nobody has said its cadence."""
    kinds: dict[tuple[object, object], list[StationSeries]] = {}
    for one in stations:
        if one.readings and not one.about.get("cadence_minutes"):
            kinds.setdefault((one.about.get("network"), one.about.get("type")), []).append(one)
    for alike in kinds.values():
        if len(alike) <= OTHERS:
            continue
        usual = median_low(sorted(one.cadence for one in alike))
        for one in alike:
            if one.cadence >= 2 * usual:
                told = f"it reports every {_time(one.cadence)}, others of its kind every {_time(usual)}"
                yield Finding("warning", "cadence", one.id, told)


def of_loads(loads: Loads, limits: Thresholds) -> Iterator[Finding]:
    """What the loads said."""
    last = loads.last
    if last and last.get("status") == "failed":
        yield Finding("error", "loads", None, f"the last run, {last['_id']}, failed: {last.get('error')}")
    for status, found in (("quarantined", loads.quarantined), ("could not be read", loads.unread)):
        if found:
            key, error = found[0]
            more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
            yield Finding("error", "loads", None, f"{status}: {key} ({error}){more}")
    for what, count in (("refused", loads.rejected), ("in conflict with another row", loads.conflicts)):
        if loads.read and count:
            severity = "error" if count / loads.read > limits.max_share else "warning"
            reasons = f" ({_top(loads.reasons)})" if what == "refused" else ""
            message = f"{count:,} of {loads.read:,} rows are {what}{reasons}"
            yield Finding(severity, "loads", None, message)
    for name, count in loads.dropped.most_common(3):
        severity = "error" if count > limits.max_share * max(loads.read, 1) else "warning"
        message = f"{count:,} values of {_label(name)} were dropped as impossible or unreadable"
        yield Finding(severity, "loads", None, message)


def _label(name: str) -> str:
    return LABELS.get(name, name)


def _top(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.most_common(3))


def _time(span: timedelta) -> str:
    """In the unit that suits."""
    if span < 2 * HOUR:
        return f"{span / timedelta(minutes=1):.0f} min"
    return f"{span / HOUR:,.0f} h" if span < 4 * DAY else f"{span / DAY:,.0f} days"
