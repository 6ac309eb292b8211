"""What promotion and rollback rely on of schedules, held by the fake, moto and MiniStack."""

from typing import Any

import pytest

from deployer.errors import Failure
from tests.deployer.contract.aws.worlds import AwsWorld, World

JOB = "arn:aws:ecs:eu-west-3:123456789012:task-definition/job"


def test_a_schedule_says_what_it_starts(world: World, name: str) -> None:
    """The task definition comes back as it was given, with or without a revision."""
    world.schedule(name, JOB)
    assert world.schedules.task_definition(name, "default") == JOB


def test_a_schedule_moves_to_a_revision(world: World, name: str) -> None:
    """It then starts that revision, and moving it there again is fine."""
    world.schedule(name, JOB)
    for _ in range(2):
        world.schedules.move(name, "default", f"{JOB}:7")
        assert world.schedules.task_definition(name, "default") == f"{JOB}:7"


@pytest.mark.parametrize("world", ["moto", "ministack"], indirect=True)
def test_moving_a_schedule_changes_nothing_else(world: AwsWorld, name: str) -> None:
    """Its time, time zone, window, retries and description are as they were."""
    world.schedule(name, JOB)
    before = _without_times(world, name)
    world.schedules.move(name, "default", f"{JOB}:7")
    after = _without_times(world, name)
    assert after["Target"]["EcsParameters"].pop("TaskDefinitionArn") == f"{JOB}:7"
    assert before["Target"]["EcsParameters"].pop("TaskDefinitionArn") == JOB
    assert after == before


def _without_times(world: AwsWorld, name: str) -> dict[str, Any]:
    """A copy: moto hands out its own memory."""
    answer = world.client("scheduler").get_schedule(Name=name)
    target = answer["Target"] | {"EcsParameters": dict(answer["Target"]["EcsParameters"])}
    left_out = ("CreationDate", "LastModificationDate", "ResponseMetadata")
    return {key: value for key, value in answer.items() if key not in left_out} | {"Target": target}


def test_what_any_schedule_starts_is_known(world: World, name: str) -> None:
    """Revisions that a schedule starts are told, whatever schedule it is."""
    world.schedule(f"{name}-1", f"{JOB}:1")
    world.schedule(f"{name}-2", f"{JOB}:2")
    starts = {(t.name, t.starts) for t in world.schedules.triggers()}
    assert {(f"default/{name}-1", "job:1"), (f"default/{name}-2", "job:2")} <= starts


def test_a_missing_schedule_is_named_with_the_command_that_makes_it(world: World, name: str) -> None:
    """No schedule of that name fails as aws-config and says what to type."""
    with pytest.raises(Failure, match=f"default/{name}") as caught:
        world.schedules.move(name, "default", f"{JOB}:7")
    assert caught.value.failure_class == "aws-config"
    assert "deployer schedule" in caught.value.hint


@pytest.mark.parametrize("world", ["moto", "ministack"], indirect=True)
def test_a_schedule_of_something_else_is_refused(world: AwsWorld, name: str) -> None:
    """A schedule whose target is no ECS task cannot be moved to a revision, and says why."""
    world.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="cron(0 3 1 1 ? 2099)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:sqs:eu-west-3:123456789012:queue",
            "RoleArn": "arn:aws:iam::123456789012:role/r",
        },
    )
    with pytest.raises(Failure, match="not an ECS task") as caught:
        world.schedules.move(name, "default", f"{JOB}:7")
    assert caught.value.failure_class == "aws-config"
