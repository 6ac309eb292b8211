"""`deployer verify` judges the newest run: by its report, by ECS, and by its age."""

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from deployer.commands.newest_run import judge_newer_task, overdue
from deployer.config.model import Deadline
from deployer.model import ContainerResult, TaskResult, Verification
from deployer.ports import TaskStatus

JUDGED = 1_800_000_000.0
"""2027-01-15 08:00 UTC"""
GOOD = Verification(ok=True, run="r1", run_at=JUDGED)


def task(exit_code: int | None, created: float, started_by: str = "", **raw: Any) -> TaskStatus:
    moment = datetime.datetime.fromtimestamp(created, datetime.UTC)
    result = TaskResult("EssentialContainerExited", "", (ContainerResult("job", exit_code),))
    return TaskStatus(f"arn/{exit_code}", "STOPPED", started_by, result, raw={"createdAt": moment, **raw})


@pytest.mark.parametrize(
    ("newer", "problem"),
    [
        (
            task(1, JUDGED + 60),
            "a newer run failed: task 1 of 2027-01-15 08:01:00 UTC ended with exit code 1",
        ),
        (task(0, JUDGED + 60), "a newer run left no report: task 0 of 2027-01-15 08:01:00 UTC ended"),
    ],
)
def test_a_newer_run_overrules_what_an_older_one_proved(newer: TaskStatus, problem: str) -> None:
    """Last night's run is judged, not the good one before it."""
    found, cause = judge_newer_task(GOOD, [task(0, JUDGED - 60), newer], reports=True)
    assert not found.ok
    assert found.problem.startswith(problem)
    assert (cause is not None) == (newer.result is not None and newer.result.exit_code != 0)


@pytest.mark.parametrize(
    "harmless",
    [
        task(1, JUDGED - 60),
        task(1, JUDGED + 60, "deployer-connectivity"),
        task(1, JUDGED + 60, "r1-1"),
        task(
            1,
            JUDGED + 60,
            overrides={"containerOverrides": [{"environment": [{"name": "RUN_ID", "value": "r1"}]}]},
        ),
        TaskStatus("arn/running", "RUNNING", raw={"createdAt": JUDGED + 60}),
    ],
)
def test_what_is_not_a_newer_run_changes_nothing(harmless: TaskStatus) -> None:
    """An older task, a one-off task, the judged run's own task, one that still runs."""
    assert judge_newer_task(GOOD, [harmless], reports=True) == (GOOD, None)


def test_without_reports_only_a_failure_counts() -> None:
    """A job that writes no report has left none; its exit code is all there is."""
    assert judge_newer_task(GOOD, [task(0, JUDGED + 60)], reports=False) == (GOOD, None)


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
