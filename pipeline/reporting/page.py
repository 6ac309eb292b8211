"""The quality report as one self-contained HTML page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape
from importlib import resources

from pipeline.reporting.audit import Audit
from pipeline.reporting.curve import curve
from pipeline.reporting.findings import LABELS, Finding
from pipeline.reporting.loads import Loads
from pipeline.reporting.series import CURVES, DAY, StationSeries

_SHADES = ((1.0, "#15803d", "complete"), (0.9, "#65a30d", "90 % or more"), (0.5, "#eab308", "half or more"),
           (0.001, "#dc2626", "less"), (0.0, "#7f1d1d", "nothing"))  # fmt: skip
_WEEK = timedelta(days=7)


def page(result: Audit) -> str:
    """The whole page as text, the worst station first."""
    verdict = "<span class=good>good</span>" if result.ok else "<span class=error>not good</span>"
    readings = sum(one.readings for one in result.stations)
    window = result.window
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width,initial-scale=1">',
            f"<title>Data quality</title><style>{_style()}</style>",
            f"<h1>Data quality: {verdict}</h1>",
            f"<p class=soft>{readings:,} readings of {len(result.stations)} stations from "
            f"{window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M}; looked at "
            f"{window.now:%Y-%m-%d %H:%M} UTC.</p>",
            _overview(result),
            _loads(result.loads, [item for item in result.findings if item.station is None]),
            _key(),
            *(_station(one, result.of(one.id)) for one in result.stations),
            "</html>\n",
        ]
    )


def _style() -> str:
    return resources.files("pipeline.reporting").joinpath("page.css").read_text("utf-8")


def _overview(result: Audit) -> str:
    """A line a station: how complete, how old, and its gravest finding."""
    rows = []
    for one in result.stations:
        found = result.of(one.id)
        worst = (
            f"<span class={found[0].severity}>{escape(found[0].message)}</span>" if found else "nothing found"
        )
        more = f" <small>and {len(found) - 1} more</small>" if len(found) > 1 else ""
        rows.append(
            f"<tr><td><a href='#{escape(one.id)}'>{_name(one)}</a><td class=number>{one.completeness:.1%}"
            f"<td class=number>{one.readings:,}<td class=soft>{_last(one)}<td>{worst}{more}"
        )
    head = "<tr><th>Station<th class=number>Complete<th class=number>Readings<th>Last, UTC<th>Worst finding"
    table = f"<table class=overview>{head}{''.join(rows)}</table>"
    return f"<section><h2>Stations</h2><div class=wide>{table}</div></section>"


def _loads(loads: Loads, findings: list[Finding]) -> str:
    last = loads.last or {}
    status = str(last.get("status", "never"))
    color = "good" if status == "succeeded" else "error"
    ended = f"{loads.ended:%Y-%m-%d %H:%M}" if loads.ended else "-"
    facts = [
        f"last run <b class={color}>{escape(status)}</b> {ended}",
        f"<b>{loads.read:,}</b> rows read", f"<b>{loads.rejected:,}</b> refused",
        f"<b>{loads.conflicts:,}</b> conflicts", f"<b>{loads.dropped.total():,}</b> values dropped",
        f"<b>{len(loads.quarantined):,}</b> objects quarantined", f"<b>{len(loads.unread):,}</b> unread",
    ]  # fmt: skip
    cells = "".join(f"<span>{fact}</span>" for fact in facts)
    return f"<section><h2>Loads</h2><div class=facts>{cells}</div>{_findings(findings)}</section>"


def _findings(findings: list[Finding]) -> str:
    rows = "".join(
        f"<tr><td class={item.severity}>{item.severity}<td>{escape(item.check)}<td>{escape(item.message)}"
        for item in findings
    )
    return f"<div class=wide><table class=findings>{rows}</table></div>" if rows else ""


def _key() -> str:
    shades = "".join(f"<span><i style='background:{color}'></i>{text}</span>" for _, color, text in _SHADES)
    return f"<p class='key soft'>A square is a day (UTC), a row a week from Monday: {shades}</p>"


def _station(one: StationSeries, findings: list[Finding]) -> str:
    licence = (one.about.get("license") or {}).get("license")
    source = (one.about.get("license") or {}).get("source")
    credit = f"<p><small>Data: {escape(str(source))}, {escape(str(licence))}</small>" if licence else ""
    return (
        f"<section id='{escape(one.id)}'><h2>{_name(one)} <small>{escape(one.id)}</small></h2>"
        "<div class=facts>"
        f"<span><b>{one.completeness:.1%}</b> complete</span><span><b>{one.readings:,}</b> readings, "
        f"one every {one.cadence / timedelta(minutes=1):g} min</span><span><b>{one.gap_count}</b> gaps</span>"
        f"<span>last <b>{_last(one)}</b> UTC</span></div>{_findings(findings)}"
        f"<div class=days>{''.join(_days(one))}</div>{_fields(one)}"
        f"<div class=curves>{''.join(_curves(one))}</div>{credit}</section>"
    )


def _name(one: StationSeries) -> str:
    return escape(str(one.about.get("name") or one.id))


def _last(one: StationSeries) -> str:
    last = one.last or (one.ever[1] if one.ever else None)
    return f"{last:%Y-%m-%d %H:%M}" if last else "never"


def _days(one: StationSeries) -> Iterator[str]:
    """A square for each day of the window, with its number; the row is its week."""
    day, last = one.window.since.date(), one.window.until.date()
    monday = day - timedelta(days=day.weekday())
    while day <= last:
        expected, count = one.expected_on(day), one.days[day]
        share = min(count / expected, 1.0) if expected else 1.0
        color = next(color for least, color, _ in _SHADES if share >= least)
        shade = f"background:{color}" if expected else "background:var(--line);color:var(--soft)"
        title = f"{day}: {count} of {expected}" if expected else f"{day}: nothing expected yet"
        yield (
            f"<i style='{shade};grid-row:{(day - monday) // _WEEK + 1};grid-column:{day.weekday() + 1}' "
            f"title='{title}'>{day.day}</i>"
        )
        day += DAY


def _fields(one: StationSeries) -> str:
    """How many of the readings have each field."""
    bars = "".join(
        f"<span title='{escape(name)}'>{escape(LABELS.get(name, name))} <b>{one.share(name):.0%}</b></span>"
        for name in sorted(one.fields, key=one.share)
    )
    return f"<p class='fields soft'>Share of the readings that have a field: {bars}</p>" if bars else ""


def _curves(one: StationSeries) -> Iterator[str]:
    """Hourly means of the last seven days, one figure a field; hours that are not whole are left out."""
    until = one.window.until.replace(minute=0, second=0, microsecond=0)
    for name in CURVES:
        points = [(hour, value) for hour, value in one.means(name).items() if until - _WEEK <= hour < until]
        if len(points) > 1:
            yield curve(name, points, _bounds(until))


def _bounds(until: datetime) -> tuple[datetime, datetime]:
    return until - _WEEK, until
