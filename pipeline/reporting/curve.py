"""A curve as SVG, with values on its upright axis and days on the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

_LABELS = {
    "temperature_c": ("Temperature", "°C", "#c2410c"),
    "pressure_hpa": ("Pressure", "hPa", "#4338ca"),
    "wind_speed_kmh": ("Wind", "km/h", "#0f766e"),
    "humidity_pct": ("Humidity", "%", "#0369a1"),
}
_WIDTH, _HEIGHT, _LEFT, _TOP = 520, 110, 54, 10
_HOUR = timedelta(hours=1)
_GAP = 3 * _HOUR  # a longer one is not drawn over
Scale = Callable[[datetime], float]


def curve(name: str, points: list[tuple[datetime, float]], bounds: tuple[datetime, datetime]) -> str:
    """One figure: points within the bounds, at least two."""
    label, unit, color = _LABELS[name]
    values = [value for _, value in points]
    ticks = _ticks(min(values), max(values))
    low, high = min(ticks[0], *values), max(ticks[-1], *values)
    start, span = bounds[0], (bounds[1] - bounds[0]) / _HOUR

    def x(moment: datetime) -> float:
        return _LEFT + (moment - start) / _HOUR / span * (_WIDTH - _LEFT)

    def y(value: float) -> float:
        return _TOP + _HEIGHT - (value - low) / ((high - low) or 1.0) * _HEIGHT

    lines = "".join(_level(tick, y(tick)) for tick in ticks)
    days = "".join(_midnight(day, x) for day in _midnights(*bounds))
    return (
        f"<figure><figcaption><b>{label}</b> <small>{unit}; {min(values):.1f} to {max(values):.1f}</small>"
        f"</figcaption><svg viewBox='0 0 {_WIDTH} {_HEIGHT + _TOP + 24}' role=img "
        f"aria-label='{label}, {min(values):.1f} to {max(values):.1f} {unit}'>{lines}{days}"
        f"<path d='{''.join(_path(points, x, y))}' fill=none stroke='{color}' stroke-width=1.8 "
        "stroke-linejoin=round stroke-linecap=round /></svg></figure>"
    )


def _path(points: list[tuple[datetime, float]], x: Scale, y: Callable[[float], float]) -> Iterator[str]:
    before: datetime | None = None
    for moment, value in points:
        joined = before is not None and moment - before <= _GAP
        yield f"{'L' if joined else 'M'}{x(moment + _HOUR / 2):.1f} {y(value):.1f}"
        before = moment


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values around these."""
    rough = max(high - low, 0.4) / 3
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    first = math.floor(low / step)
    return [number * step for number in range(first, max(math.ceil(high / step), first + 1) + 1)]


def _level(tick: float, place: float) -> str:
    return (
        f"<line x1={_LEFT} x2={_WIDTH} y1={place:.1f} y2={place:.1f} stroke='var(--line)' />"
        f"<text x={_LEFT - 6} y={place + 4:.1f} text-anchor=end>{round(tick, 3):g}</text>"
    )


def _midnights(first: datetime, last: datetime) -> Iterator[date]:
    day = first.date() + timedelta(days=1)
    while day <= last.date():
        yield day
        day += timedelta(days=1)


def _midnight(day: date, x: Scale) -> str:
    place = x(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - naive UTC
    text = (
        f"<text x={place + 3:.1f} y={_HEIGHT + _TOP + 20}>{day:%d %b}</text>" if place < _WIDTH - 36 else ""
    )
    return (
        f"<line x1={place:.1f} x2={place:.1f} y1={_TOP} y2={_HEIGHT + _TOP + 8} stroke='var(--line)' />{text}"
    )
