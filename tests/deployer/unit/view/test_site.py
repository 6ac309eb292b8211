"""The report over all runs: what each night looks like in it, as data and as HTML."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployer.view.html.site import documents, durations, months, site
from tests.deployer.unit.view.test_foreign_text import HOSTILE, acting, poisoned

NOON = datetime(2027, 3, 20, 12, tzinfo=UTC)
CAUSE = {
    "failure_class": "mongodb",
    "subcause": "authentication",
    "message": "the task ended with exit code 1",
    "evidence": ("Authentication failed.",),
    "remedy": "put the right password into the secret",
}


def night(ago: int, verdict: str = "ok", *, loaded: int | None = 4000, **more: Any) -> dict[str, Any]:
    """The run of a night, an hour long, `ago` days before the 20th of March."""
    begun = (NOON - timedelta(days=ago, hours=10)).timestamp()
    names = {"id": f"run{ago}", "task": f"arn:task/run{ago}", "release": None, "started_by": "nightly"}
    figures = {"started_at": begun, "stopped_at": begun + 3600, "exit_code": 0, "documents": loaded}
    about = {"class": None, "subcause": None, "revision": "parcels:3", "reason": "", "cause": None, "log": ()}
    return {**names, **figures, **about, "verdict": verdict, **more}


def failed(ago: int) -> dict[str, Any]:
    """A night whose password was wrong."""
    names = {"class": "mongodb", "subcause": "authentication"}
    return night(ago, "failed", loaded=None, exit_code=1, cause=CAUSE, log=("a", "b <c>"), **names)


def pages(*runs: dict[str, Any], late: str = "", live: bool = False, **more: Any) -> dict[str, str]:
    releases = more.get("releases", ())
    return site("parcels", "production", runs, releases, late=late, now=NOON.timestamp(), live=live)


def states(*runs: dict[str, Any], expected: bool = False) -> dict[int, str]:
    """Day of March -> its state, of the days that have one."""
    (march,) = [m for m in months(runs, NOON.timestamp(), expected=expected) if m.title == "March 2027"]
    return {day.number: day.state for day in march.days if day and day.state}


def test_a_day_has_the_worst_verdict_of_its_runs() -> None:
    """Two runs on one day, one of them failed: the day is a failed one, and leads to that run."""
    runs = (night(2, "running"), failed(2), night(2), night(3, "unproven"), night(4))
    assert states(*runs) == {19: "missing", 18: "failed", 17: "unproven", 16: "ok"}
    (march,) = months(runs, NOON.timestamp())
    assert [day.href for day in march.days if day and day.number == 18] == ["runs/run2.html"]


def test_a_night_without_a_run_is_missing_where_most_have_one() -> None:
    """Not before the first run, and not today; a job that runs now and then misses nothing."""
    nightly = [night(ago) for ago in (1, 2, 4, 5, 6)]
    assert states(*nightly) == {19: "ok", 18: "ok", 17: "missing", 16: "ok", 15: "ok", 14: "ok"}
    assert states(night(1), night(9)) == {19: "ok", 11: "ok"}
    assert states(night(2), expected=True) == {18: "ok", 19: "missing"}


def test_the_calendar_begins_on_the_right_weekday() -> None:
    """The first of March 2027 is a Monday, the first of January a Friday; three months at the most."""
    shown = months([night(70)], NOON.timestamp())
    assert [month.title for month in shown] == ["March 2027", "February 2027", "January 2027"]
    assert [len([day for day in month.days if day is None]) for month in shown] == [0, 0, 4]


def test_trends_are_to_scale() -> None:
    """The highest bar is the largest value; what is not known has no bar."""
    shown = documents([night(1, loaded=500), night(2, loaded=None), night(3, loaded=1000)])
    assert [(bar.height, bar.verdict) for bar in shown.bars] == [(90.0, "ok"), (45.0, "ok")]
    assert shown.largest == 1000
    assert [bar.text for bar in durations([night(1)]).bars] == ["3,600 s, ok"]
    assert documents([]).bars == ()


def test_open_problems_stand_first() -> None:
    """The newest runs that are not good, with cause and fix, before everything else; fixed, it says so."""
    index = pages(night(0, "running"), failed(1), failed(2), night(3))["index.html"]
    assert "The newest 2 runs" in index
    assert index.index(CAUSE["remedy"]) < index.index("<h2>Calendar</h2>")  # type: ignore[arg-type]
    assert "Running since" in index
    assert "Nothing is open." in pages(night(1), failed(2))["index.html"]
    late = pages(night(3), late="no run since Tuesday")["index.html"]
    assert "no run since Tuesday" in late
    assert "Nothing is open." not in late
    assert "No run of this job is known yet." in pages()["index.html"]


def test_each_run_has_a_page() -> None:
    """With its cause, its facts and the end of its log; every link of the site leads somewhere."""
    release = {"id": "20270310-010203-0a0b", "end": "END_SUCCESS", "exit_code": 0, "started_at": 1.0}
    made = pages(failed(1), night(2), releases=[release])
    page = made["runs/run1.html"]
    for text in (
        "failed after 1 h 00 min, exit code 1",
        "Authentication failed.",
        "b &lt;c&gt;",
        "parcels:3",
    ):
        assert text in page
    links = set(re.findall(r'href="([^"]+)"', made["index.html"]))
    assert links == {"runs/run1.html", "runs/run2.html", "releases/20270310-010203-0a0b.html"}


@pytest.mark.parametrize("live", [False, True])
def test_only_what_still_runs_refreshes_itself(live: bool) -> None:  # noqa: FBT001
    """And only where it is served: a written page would never change."""
    assert ("refresh" in pages(night(0, "running"), live=live)["index.html"]) is live
    assert "refresh" not in pages(night(1), live=live)["index.html"]


def test_foreign_text_is_text() -> None:
    """Whatever a job, AWS or MongoDB wrote: no markup, no script, nothing that a reader cannot see."""
    verdict = {"verdict": "failed", "id": "run1"}
    made = pages(poisoned(failed(1)) | verdict, late=HOSTILE)
    for page in made.values():
        assert acting(page) == set()
        assert "<b>" not in page.replace("<b></b>", "").replace("<b>✗</b>", "").replace("<b>Fix:</b>", "")
        assert "owned" not in page
        assert not re.search(r'(?:src|href)="http', page)
