"""Which container decides a run, and how the others are named."""

from typing import Any

import pytest

from deployer.model import ContainerResult, TaskResult
from deployer.task.verdict import LogPlace, cause_of_container, log_place

OOM = "OutOfMemoryError: Container killed due to memory usage"


def ended(job: int | None, *others: ContainerResult, stop: str = "EssentialContainerExited") -> TaskResult:
    return TaskResult(stop, "", (*others, ContainerResult("job", job)), "job")


def side(code: int | None, **fields: Any) -> ContainerResult:
    return ContainerResult("proxy", code, **fields)


@pytest.mark.parametrize("code", [0, 2, 137, 143, None])
def test_a_job_that_ended_well_is_not_failed_by_the_container_stopped_after_it(code: int | None) -> None:
    """ECS stops the other essential containers when the job ends; their codes say nothing of the job."""
    result = ended(0, side(code))
    assert (result.succeeded, result.exit_code, result.culprit) == (True, 0, None)


@pytest.mark.parametrize(
    ("job", "other"),
    [
        (143, side(1)),
        (137, side(1)),
        (143, side(0)),
        (0, side(1, ended_first=True)),
        (1, side(0, ended_first=True)),
        (None, side(3, essential=False)),
        (None, side(137, essential=False, reason=OOM)),
        (None, side(None, reason="CannotPullContainerError: not found")),
    ],
)
def test_a_container_that_ended_first_or_never_let_the_job_run_is_the_cause(
    job: int | None, other: ContainerResult
) -> None:
    """Seen to end first, or told from the signal that the job got; a failed init container as well."""
    result = ended(job, other)
    assert (result.succeeded, result.culprit) == (False, other)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (ended(1, side(143)), "the job's own error"),
        (ended(1, side(1)), "both failed, the job's code is its own"),
        (ended(143, side(1), stop="UserInitiated"), "somebody stopped the task"),
        (ended(143, side(1), stop="SpotInterruption"), "the capacity was taken away"),
        (ended(143, side(1, essential=False)), "one that is not essential stops nothing"),
        (ended(143, side(1, defined=False)), "the account's own container"),
        (TaskResult("", "", (side(1), ContainerResult("job", 137, OOM)), "job"), "the job's own memory"),
    ],
)
def test_otherwise_the_job_itself_is_judged(result: TaskResult, why: str) -> None:
    """No other container is blamed where the job failed by itself or the stop came from outside."""
    assert result.culprit is None, why
    assert not result.succeeded


def test_a_job_stopped_from_outside_is_not_good_with_exit_code_0() -> None:
    """It may have caught the signal and ended half done."""
    assert not ended(0, stop="SpotInterruption").succeeded


def test_the_cause_names_the_container_and_shows_its_last_lines() -> None:
    """Where no known error explains it, the container's own end and log are the evidence, and the fix."""
    cause = cause_of_container(side(1), ["starting", "bad settings"], "r1", "PIPELINE_OK")
    assert (cause.container, cause.failure_class, cause.transient) == ("proxy", "code", False)
    assert "container proxy ended with exit code 1" in cause.message
    assert "bad settings" in cause.evidence
    assert "deployer logs --release r1 --container proxy" in cause.remedy


def test_a_containers_log_is_where_its_own_log_driver_writes() -> None:
    """Group and prefix are the container's own; another driver has no stream to read."""
    options = {"awslogs-group": "/a", "awslogs-stream-prefix": "p", "awslogs-region": "eu-west-3"}
    containers = [
        {"name": "proxy", "logConfiguration": {"logDriver": "awslogs", "options": options}},
        {"name": "agent", "logConfiguration": {"logDriver": "splunk", "options": None}},
        {"name": "bare", "logConfiguration": None},
    ]
    places = [
        log_place({"containerDefinitions": containers}, name) for name in ("proxy", "agent", "bare", "no")
    ]
    assert places == [LogPlace("awslogs", "/a", "p", "eu-west-3"), LogPlace("splunk"), LogPlace("none"), None]
    assert places[0] and places[0].stream("proxy", "arn:aws:ecs:x:task/c/7f") == "p/proxy/7f"
