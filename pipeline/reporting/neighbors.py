"""A station against the others: bias, factor, clock shift, copies. Pure.

Every comparison is with the median of the other stations hour by hour, where there are enough of them and
enough hours; a station has to lie far outside what the others differ among themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median

from pipeline.reporting.series import HOUR, StationSeries

OTHERS = 4
"""Other stations that there must be."""
HOURS = 48
"""Hours that must be common."""
NEAR_KM = 150.0
BIAS = {"temperature_c": 4.0, "pressure_hpa": 5.0, "humidity_pct": 25.0}
"""Median differences that are never a bias, however alike the others are."""
_SPREADS = 6.0
_FACTOR = 2.8  # m/s taken for km/h is 3.6
_SHIFTS = range(-12, 13)
_SAME, _COPIES = 0.5, 20
_LAPSE = 6.5e-3  # K a metre
_ROUGH = 1.4826  # a median absolute deviation as a standard deviation

Series = dict[datetime, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """How a station differs from the others: `kind` is bias, factor, shift or copy."""

    station: str
    kind: str
    field: str
    amount: float
    other: str = ""


def differences(stations: Sequence[StationSeries]) -> Iterator[Difference]:
    """Everything in which single stations differ from the rest."""
    for name in BIAS:
        yield from _biased(stations, name)
    yield from _scaled(stations)
    yield from _shifted(stations)
    yield from _copied(stations)


def _biased(stations: Sequence[StationSeries], name: str) -> Iterator[Difference]:
    offsets = {}
    for one, mine, others in _compared(stations, name):
        offsets[one.id] = median(mine[hour] - others[hour] for hour in mine)
    if len(offsets) <= OTHERS:
        return
    spread = _spread(list(offsets.values()))
    for station, offset in offsets.items():
        rest = [value for other, value in offsets.items() if other != station]
        if abs(offset) > max(BIAS[name], _SPREADS * min(spread, _spread(rest))):
            yield Difference(station, "bias", name, offset)


def _scaled(stations: Sequence[StationSeries]) -> Iterator[Difference]:
    """Wind in another unit: neither garden nor airport makes a factor like that against most others."""
    name = "wind_speed_kmh"
    ratios = {}
    for one, mine, others in _compared(stations, name):
        both = [(mine[hour], others[hour]) for hour in mine]
        windy = [math.log(own / other) for own, other in both if other > 5 and own > 0.5]
        if len(windy) >= HOURS // 2:
            ratios[one.id] = median(windy)
    if len(ratios) <= OTHERS:
        return
    for station, ratio in ratios.items():
        rest = [value for other, value in ratios.items() if other != station]
        if abs(ratio) > max(math.log(_FACTOR), 4 * _spread(rest)):
            yield Difference(station, "factor", name, math.exp(ratio))


def _shifted(stations: Sequence[StationSeries]) -> Iterator[Difference]:
    """A clock that is wrong by hours: the curve fits the others' when it is moved, in both halves."""
    for one, mine, others in _compared(stations, "temperature_c"):
        hours = sorted(mine)
        middle = hours[len(hours) // 2]
        found = {
            _best_shift(mine, others, [hour for hour in hours if (hour < middle) == half])
            for half in (True, False)
        }
        if len(found) == 1 and (shift := found.pop()):
            yield Difference(one.id, "shift", "temperature_c", shift)


def _best_shift(mine: Series, others: Series, hours: list[datetime]) -> int:
    """By how many hours `mine` is late; 0 unless moving it takes away most of the difference."""
    errors = {}
    for shift in _SHIFTS:
        moved = [(mine[hour], others[hour - shift * HOUR]) for hour in hours if hour - shift * HOUR in others]
        if len(moved) >= HOURS // 3:
            errors[shift] = _error(moved)
    if 0 not in errors:
        return 0
    best = min(errors, key=lambda shift: (errors[shift], abs(shift)))
    lively = _error([(others[hour], 0.0) for hour in hours if hour in others]) > 1.0
    return best if lively and errors[best] < 0.4 * errors[0] else 0


def _error(pairs: list[tuple[float, float]]) -> float:
    """Mean square of the differences, their mean taken off: a bias is no shift."""
    gaps = [mine - other for mine, other in pairs]
    middle = sum(gaps) / len(gaps)
    return sum((gap - middle) ** 2 for gap in gaps) / len(gaps)


def _copied(stations: Sequence[StationSeries]) -> Iterator[Difference]:
    for one, other in combinations(stations, 2):
        small = min(len(one.marks), len(other.marks))
        # the time is part of a mark, the station is not
        same = len(one.marks & other.marks) if small >= _COPIES else 0
        if same > _SAME * small:
            yield Difference(one.id, "copy", "", same, other.id)


def _compared(stations: Sequence[StationSeries], name: str) -> Iterator[tuple[StationSeries, Series, Series]]:
    """Each station with its own curve and the median of the others, over their common hours.

    A station whose value never changes says nothing of the others.
    """
    curves = {one.id: one.means(name) for one in stations if name not in one.flat}
    for one in stations:
        mine = curves.get(one.id, {})
        near = [other for other in stations if other is not one and other.id in curves and _near(one, other)]
        if len(mine) < HOURS or len(near) < OTHERS:
            continue
        level = {other.id: _level(one, other, name) for other in near}
        others: Series = {}
        for hour in _around(mine):
            values = [curves[other.id][hour] + level[other.id] for other in near if hour in curves[other.id]]
            if len(values) >= OTHERS:
                others[hour] = median(values)
        common = {hour: value for hour, value in mine.items() if hour in others}
        if len(common) >= HOURS:
            yield one, common, others


def _around(mine: Series) -> Iterator[datetime]:
    """The hours of a curve, and those before and behind it into which it may be moved."""
    first, last = min(mine) + _SHIFTS[0] * HOUR, max(mine) + _SHIFTS[-1] * HOUR
    for number in range((last - first) // HOUR + 1):
        yield first + timedelta(hours=number)


def _near(one: StationSeries, other: StationSeries) -> bool:
    here, there = _place(one), _place(other)
    if here is None or there is None:
        return True
    (latitude, longitude), (north, east) = here, there
    dx = math.cos(math.radians((latitude + north) / 2)) * (longitude - east)
    return 111.2 * math.hypot(dx, latitude - north) <= NEAR_KM


def _place(one: StationSeries) -> tuple[float, float] | None:
    latitude, longitude = one.about.get("latitude"), one.about.get("longitude")
    return (latitude, longitude) if latitude is not None and longitude is not None else None


def _level(one: StationSeries, other: StationSeries, name: str) -> float:
    """What height alone makes the other one's temperature differ by."""
    here, there = one.about.get("elevation_m"), other.about.get("elevation_m")
    if name != "temperature_c" or here is None or there is None:
        return 0.0
    return float(_LAPSE * (there - here))


def _spread(values: Sequence[float]) -> float:
    middle = median(values)
    return _ROUGH * median(abs(value - middle) for value in values)
