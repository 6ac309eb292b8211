"""`deployer verify` judges the newest run: by its report, by ECS, and by its age."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from deployer.commands.newest_run import judge_newest, overdue
from deployer.config.model import Deadline
from deployer.model import Cause, Verification
from deployer.records.runs import Run, Verdict

JUDGED = 1_800_000_000.0
"""2027-01-15 08:00 UTC"""
GOOD = Verification(ok=True, run="r1", run_at=JUDGED)


NO_REPORT = Cause("data", "no-report", "the job ended with exit code 0 and left no report")
CRASHED = Cause("code", "exception", "the task ended with exit code 1")


def run(verdict: Verdict, started: float, **facts: Any) -> Run:
    return Run(f"arn/{verdict}", started_at=started, verdict=verdict, **facts)


@pytest.mark.parametrize(
    ("newer", "problem", "unproven"),
    [
        (
            run("failed", JUDGED + 60, cause=CRASHED),
            "a newer run failed: task failed of 2027-01-15 08:01:00 UTC: the task ended with exit code 1",
            False,
        ),
        (
            run("unproven", JUDGED + 60, cause=NO_REPORT),
            "a newer run left no report: task unproven of 2027-01-15 08:01:00 UTC: the job ended with exit",
            True,
        ),
        (run("unknown", JUDGED + 60), "a newer run left no report: task unknown of", True),
        (run("failed", JUDGED, run_id="r1", cause=CRASHED), "the run failed: task failed of", False),
    ],
)
def test_the_newest_run_overrules_what_an_older_one_proved(
    newer: Run, problem: str, *, unproven: bool
) -> None:
    """Last night's run is judged, not the good one before it; nor what its report said before it died."""
    found, cause = judge_newest(GOOD, [newer, run("ok", JUDGED - 60)], reports=True)
    assert (found.ok, found.unproven, cause) == (False, unproven, newer.cause)
    assert found.problem.startswith(problem)


@pytest.mark.parametrize(
    "harmless",
    [
        run("failed", JUDGED - 60, cause=CRASHED),
        run("ok", JUDGED + 60),
        run("unproven", JUDGED, release="r1"),
        run("running", JUDGED + 60),
    ],
)
def test_what_is_not_a_newer_failure_changes_nothing(harmless: Run) -> None:
    """An older run, a good one, the judged one itself, one that still runs."""
    assert judge_newest(GOOD, [harmless], reports=True) == (GOOD, None)


def test_without_reports_the_newest_run_is_the_one_that_is_judged() -> None:
    """By its end, and by what it left: it is named, with its time."""
    checked = Verification(ok=True)
    for verdict in ("ok", "unproven"):
        found, _ = judge_newest(checked, [run(verdict, JUDGED)], reports=False)
        assert (found.ok, found.run, found.run_at) == (True, verdict, JUDGED)
    found, cause = judge_newest(checked, [run("failed", JUDGED, cause=CRASHED)], reports=False)
    assert (found.ok, cause) == (False, CRASHED)
    nothing = Cause("data", "nothing-loaded", "no collection has grown")
    found, cause = judge_newest(checked, [run("unproven", JUDGED, cause=nothing)], reports=False)
    assert (found.ok, found.unproven, cause) == (False, True, nothing)
    assert "no collection has grown" in found.problem


def deadline(**settings: object) -> Deadline:
    return Deadline.model_validate({name.replace("_", "-"): value for name, value in settings.items()})


@pytest.mark.parametrize(
    ("hours", "settings", "late"),
    [
        (25, {"max_age": "26h"}, False),
        (27, {"max_age": "26h"}, True),
        (1000, {}, False),
        (10, {"by": "19:00", "time_zone": "Europe/Paris"}, False),
        (34, {"by": "19:00", "time_zone": "Europe/Paris"}, True),
        (33, {"by": "19:00", "time_zone": "UTC"}, False),
    ],
)
def test_a_run_must_be_recent_enough(hours: int, settings: Mapping[str, Any], *, late: bool) -> None:
    """By its age, or by a time of day in a time zone; without a deadline any age will do."""
    found = overdue(JUDGED, JUDGED + hours * 3600, deadline(**settings))
    assert bool(found) == late
    assert found.startswith("no run since") == late


def test_a_run_of_unknown_age_is_not_called_recent() -> None:
    """It says what the job should write."""
    assert "started_at" in overdue(None, JUDGED, deadline(max_age="26h"))


def test_a_time_zone_that_there_is_not_is_a_mistake() -> None:
    """It is found with the other mistakes of deploy.toml."""
    with pytest.raises(ValidationError, match="Europe/Paris"):
        deadline(time_zone="Mars/Base")
