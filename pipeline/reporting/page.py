"""The quality report as one self-contained HTML page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from html import escape
from importlib import resources

from pipeline.reporting.audit import CURVES, Audit, Finding, StationAudit

_LABELS = {
    "temperature_c": ("Temperature", "°C", "#c2410c"),
    "pressure_hpa": ("Pressure", "hPa", "#4338ca"),
    "wind_speed_kmh": ("Wind", "km/h", "#0f766e"),
    "humidity_pct": ("Humidity", "%", "#0369a1"),
}
_WIDTH, _HEIGHT = 520, 110
_SHADES = ((1.0, "#15803d", "complete"), (0.9, "#65a30d", "90 % or more"), (0.5, "#eab308", "half or more"),
           (0.0, "#dc2626", "less"))  # fmt: skip


def page(result: Audit) -> str:
    """The whole page as text."""
    verdict = "<span class=good>good</span>" if result.ok else "<span class=error>not good</span>"
    readings = sum(one.readings for one in result.stations)
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width,initial-scale=1">',
            f"<title>Data quality</title><style>{_style()}</style>",
            f"<h1>Data quality: {verdict}</h1>",
            f"<p class=soft>{readings:,} readings of {len(result.stations)} stations since "
            f"{result.window.since:%Y-%m-%d}; looked at {result.window.now:%Y-%m-%d %H:%M} UTC.</p>",
            _findings(result.findings),
            _key(),
            *(_station(one) for one in result.stations),
            "</html>\n",
        ]
    )


def _style() -> str:
    return resources.files("pipeline.reporting").joinpath("page.css").read_text("utf-8")


def _findings(findings: list[Finding]) -> str:
    if not findings:
        return "<section><h2>Findings</h2><p>None.</p></section>"
    rows = "".join(
        f"<tr><td class={item.severity}>{item.severity}<td>{escape(item.check)}"
        f"<td>{escape(item.station or 'all')}<td>{escape(item.message)}"
        for item in sorted(findings, key=lambda item: item.severity)
    )
    return f"<section><h2>Findings</h2><table>{rows}</table></section>"


def _key() -> str:
    shades = "".join(f"<span><i style='background:{color}'></i>{text}</span>" for _, color, text in _SHADES)
    return f"<p class='key soft'>A square is a day (UTC), a column a week from Monday: {shades}</p>"


def _station(one: StationAudit) -> str:
    name = escape(str(one.about.get("name", "")))
    licence = (one.about.get("license") or {}).get("license")
    source = (one.about.get("license") or {}).get("source")
    credit = f"<p><small>Data: {escape(str(source))}, {escape(str(licence))}</small>" if licence else ""
    last = f"{one.last:%Y-%m-%d %H:%M}" if one.last else "never"
    return (
        f"<section><h2>{name} <small>{escape(one.id)}</small></h2><div class=facts>"
        f"<span><b>{one.completeness:.1%}</b> complete</span><span><b>{one.readings:,}</b> readings, "
        f"one every {one.cadence // timedelta(minutes=1)} min</span><span><b>{one.gap_count}</b> gaps</span>"
        f"<span>last <b>{last}</b> UTC</span></div>"
        f"<div class=days>{''.join(_days(one))}</div>"
        f"<div class=curves>{''.join(_curves(one))}</div>{credit}</section>"
    )


def _days(one: StationAudit) -> Iterator[str]:
    """A square for each day from the first to the last reading; the column is its week."""
    if one.first is None or one.last is None:
        return
    day = one.first.date()
    monday = day - timedelta(days=day.weekday())
    while day <= one.last.date():
        share = one.days[day] / max(one.expected_on(day), 1)
        color = next(color for least, color, _ in _SHADES if min(share, 1.0) >= least)
        column = (day - monday).days // 7 + 1
        yield (
            f"<i style='background:{color};grid-row:{day.weekday() + 1};grid-column:{column}' "
            f"title='{day}: {one.days[day]} of {one.expected_on(day)}'></i>"
        )
        day += timedelta(days=1)


def _curves(one: StationAudit) -> Iterator[str]:
    """Hourly means of the last seven days, one figure a field."""
    for name in CURVES:
        points = [(hour, sum(values) / len(values)) for hour, values in sorted(one.curves[name].items())]
        if len(points) > 1:
            yield _curve(name, points)


def _curve(name: str, points: list[tuple[datetime, float]]) -> str:
    label, unit, color = _LABELS[name]
    values = [value for _, value in points]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    start, span = points[0][0], (points[-1][0] - points[0][0]) / timedelta(hours=1)

    def x(moment: datetime) -> float:
        return (moment - start) / timedelta(hours=1) / span * _WIDTH

    path, before = [], None
    for moment, value in points:
        joined = before is not None and moment - before <= timedelta(hours=3)
        path.append(
            f"{'L' if joined else 'M'}{x(moment):.1f} {_HEIGHT - (value - low) / spread * _HEIGHT + 18:.1f}"
        )
        before = moment
    days = "".join(_midnight(day, x) for day in _midnights(points[0][0], points[-1][0]))
    return (
        f"<figure><figcaption><b>{label}</b> <small>{low:.1f} to {high:.1f} {unit}</small></figcaption>"
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT + 40}' role=img aria-label='{label}'>{days}"
        f"<path d='{''.join(path)}' fill=none stroke='{color}' stroke-width=1.8 stroke-linejoin=round />"
        "</svg></figure>"
    )


def _midnights(first: datetime, last: datetime) -> Iterator[date]:
    day = first.date() + timedelta(days=1)
    while day <= last.date():
        yield day
        day += timedelta(days=1)


def _midnight(day: date, x: Callable[[datetime], float]) -> str:
    place = x(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - naive UTC
    return (
        f"<line x1={place:.1f} x2={place:.1f} y1=12 y2={_HEIGHT + 22} stroke='var(--line)' />"
        f"<text x={place + 3:.1f} y={_HEIGHT + 36}>{day:%d %b}</text>"
    )
