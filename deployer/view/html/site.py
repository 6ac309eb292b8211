"""The report over all runs of a job: a calendar, trends, what is open, and a page for each run."""

import calendar
import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from deployer.view.html import page

Data = Mapping[str, Any]
Pages = dict[str, str]
"""Path within the site -> HTML."""

WORST_FIRST: Final = ("failed", "unproven", "unknown", "running", "ok")
SIGNS: Final = {"ok": "✓", "failed": "✗", "unproven": "?", "unknown": "?", "running": "…", "missing": "–"}
_BARS: Final = 60
_WIDTH, _HEIGHT = 640, 90
_MONTHS: Final = 3


@dataclass(frozen=True)
class Day:
    """A day of the calendar, UTC. `state`: the worst verdict of its runs, "missing" where one was expected,
    else ""; `href`: the page of the run that decides."""

    number: int
    state: str = ""
    count: int = 0
    href: str = ""

    @property
    def sign(self) -> str:
        return SIGNS.get(self.state, "")


@dataclass(frozen=True)
class Month:
    """`days` begins with None for each weekday before the first."""

    title: str
    days: tuple[Day | None, ...]


@dataclass(frozen=True)
class Bar:
    """A run in a trend, in the picture's units."""

    x: float
    y: float
    width: float
    height: float
    verdict: str
    text: str


@dataclass(frozen=True)
class Trend:
    """`bars`, oldest first; `largest`: the value at the top; `total`: how many runs have a value."""

    title: str
    unit: str
    largest: float
    bars: tuple[Bar, ...]
    first: float | None
    last: float | None


def site(
    job: str, env: str, runs: Sequence[Data], releases: Sequence[Data], *, late: str, now: float, live: bool
) -> Pages:
    """`runs`, newest first, as `deployer runs` gives them, each with `id`, `reason`, `cause` and `log`;
    `releases`, oldest first, as `history` does. `late`: why a run is missing. `live`: pages refresh
    themselves while something runs."""
    running = [run for run in runs if run["verdict"] == "running"]
    refresh = live and bool(running)
    pages = {
        "index.html": page(
            "index.html",
            job=job,
            env=env,
            now=now,
            refresh=refresh,
            late=late,
            problem=_problem(runs),
            running=running,
            months=months(runs, now, expected=bool(late)),
            trends=[trend for trend in (documents(runs), durations(runs)) if trend.bars],
            runs=runs,
            releases=releases[::-1],
        )
    }
    for run in runs:
        text = page("run.html", run=run, job=job, env=env, took=_took(run), refresh=refresh)
        pages[f"runs/{run['id']}.html"] = text
    return pages


def _problem(runs: Sequence[Data]) -> Data | None:
    """The newest run that has ended, if it is not good, with the number of such runs in a row."""
    ended = [run for run in runs if run["verdict"] != "running"]
    bad = list(takewhile(lambda run: run["verdict"] != "ok", ended))
    return {"run": bad[0], "count": len(bad)} if bad else None


def _took(run: Data) -> float | None:
    begun, stopped = run.get("started_at"), run.get("stopped_at")
    return stopped - begun if begun is not None and stopped is not None else None


def months(runs: Sequence[Data], now: float, *, expected: bool = False) -> list[Month]:
    """The newest months. A day without a run is missing if a run was `expected`, or if most days since the
    first run have one; today is not over."""
    by_day: dict[datetime.date, list[Data]] = defaultdict(list)
    for run in runs:
        if run.get("started_at") is not None:
            by_day[_day(run["started_at"])].append(run)
    today = _day(now)
    first = min(by_day, default=today)
    nightly = expected or 2 * len(by_day) > (today - first).days + 1 > 2
    found = []
    year, month = today.year, today.month
    for _ in range(_MONTHS):
        before, length = calendar.monthrange(year, month)
        days = [
            _of(date, by_day.get(date, []), first if nightly else today, today)
            for date in (datetime.date(year, month, number) for number in range(1, length + 1))
        ]
        found.append(Month(f"{calendar.month_name[month]} {year}", (*[None] * before, *days)))
        if (first.year, first.month) == (year, month):
            break
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found


def _of(date: datetime.date, runs: Sequence[Data], since: datetime.date, today: datetime.date) -> Day:
    if not runs:
        return Day(date.day, "missing" if since <= date < today else "")
    worst = min(runs, key=lambda run: WORST_FIRST.index(run["verdict"]))
    return Day(date.day, worst["verdict"], len(runs), f"runs/{worst['id']}.html")


def _day(seconds: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date()


def documents(runs: Sequence[Data]) -> Trend:
    """How many documents each run wrote."""
    return _trend("Documents", "documents", [(run, run.get("documents")) for run in runs])


def durations(runs: Sequence[Data]) -> Trend:
    """How long each run took."""
    return _trend("Duration", "s", [(run, _took(run)) for run in runs])


def _trend(title: str, unit: str, values: Sequence[tuple[Data, float | None]]) -> Trend:
    known = [(run, value) for run, value in values if value is not None][:_BARS][::-1]
    largest = max((value for _, value in known), default=0) or 1
    step = _WIDTH / max(len(known), 12)
    bars = []
    for place, (run, value) in enumerate(known):
        height = max(1.0, _HEIGHT * value / largest)
        text = f"{value:,.0f} {unit}, {run['verdict']}"
        bar = Bar(place * step, _HEIGHT - height, step * 0.8, height, run["verdict"], text)
        bars.append(bar)
    times = [run.get("started_at") for run, _ in known]
    return Trend(title, unit, largest, tuple(bars), times[0] if times else None, times[-1] if times else None)
