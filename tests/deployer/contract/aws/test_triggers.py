"""What starts the job on its own: schedules and rules, found, followed and made."""

import json
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from deployer.adapters.aws.scheduler import EventBridgeScheduler
from deployer.commands.init.ecs import EcsOptions, init_from_ecs
from deployer.commands.project import Project
from deployer.commands.schedule import ScheduleOptions, schedule
from deployer.config.model import Schedule
from deployer.errors import Failure, RefusedError, UsageError
from deployer.model import Release, TaskDefinition, dump
from deployer.ports import NewSchedule
from deployer.records.journal import NAME, Journal
from tests.deployer.contract.aws.command import REGION
from tests.deployer.contract.aws.worlds import AwsWorld, World, definition
from tests.fakes.clock import FakeClock

ACCOUNT = "arn:aws:ecs:eu-west-3:123456789012"
ROLE = "arn:aws:iam::123456789012:role/starts-jobs"
VARIABLES = {"MONGO_URI": "mongodb://127.0.0.1:1", "COLLECTION": "rows", "SUBNET": "s", "SECURITY_GROUP": "g"}


def rule(world: AwsWorld, name: str, task_definition: str) -> None:
    """A rule of the default bus, with one target that is a task."""
    events = world.client("events")
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)", State="ENABLED")
    target = {
        "Id": "1",
        "Arn": f"{ACCOUNT}:cluster/cluster",
        "RoleArn": ROLE,
        "EcsParameters": {"TaskDefinitionArn": task_definition, "TaskCount": 2},
    }
    events.put_targets(Rule=name, Targets=[target])


@pytest.mark.parametrize("world", ["moto", "ministack"], indirect=True)
def test_a_rule_is_found_and_moved_like_a_schedule(world: AwsWorld, name: str) -> None:
    """Nothing else about its target changes; a rule that there is not fails as aws-config."""
    rule(world, name, f"{ACCOUNT}:task-definition/{name}")
    (found,) = (t for t in world.schedules.triggers() if t.of(name))
    assert (found.kind, found.name, found.expression, found.role) == (
        "rule",
        f"default/{name}",
        "rate(1 day)",
        ROLE,
    )
    assert "proven or not" in found.problem((), 0.0)
    config = world.config.model_copy(update={"schedule": Schedule(name=name, kind="rule")})
    rules = EventBridgeScheduler(config, world.session)
    for _ in range(2):
        rules.move(name, "default", f"{ACCOUNT}:task-definition/{name}:4")
        assert rules.task_definition(name, "default").endswith(f"{name}:4")
    (target,) = world.client("events").list_targets_by_rule(Rule=name)["Targets"]
    assert (target["EcsParameters"]["TaskCount"], target["RoleArn"]) == (2, ROLE)
    with pytest.raises(Failure, match="no-such-rule") as caught:
        rules.move("no-such-rule", "default", "x")
    assert caught.value.failure_class == "aws-config"


def test_a_schedule_is_made_changed_and_turned_off(world: World, name: str) -> None:
    """Made twice it is one, as the second time said; off, it stays and is said to be disabled."""
    arn = f"{ACCOUNT}:task-definition/{name}:3"
    for hour in (3, 5):
        expression = f"cron(0 {hour} * * ? *)"
        cluster = f"{ACCOUNT}:cluster/cluster"
        world.schedules.put(NewSchedule(name, "default", expression, "Europe/Paris", cluster, ROLE, arn))
    (found,) = (t for t in world.schedules.triggers() if t.of(name))
    assert (found.name, found.starts, found.problem((arn,), 0.0)) == (f"default/{name}", f"{name}:3", "")
    world.schedules.disable(name, "default")
    (found,) = (t for t in world.schedules.triggers() if t.of(name))
    assert found.problem((arn,), 0.0) == "is disabled"
    with pytest.raises(Failure, match="no-such-schedule"):
        world.schedules.disable("no-such-schedule", "default")


@pytest.mark.parametrize("world", ["moto", "ministack"], indirect=True)
def test_a_made_schedule_starts_what_a_release_runs(world: AwsWorld, name: str) -> None:
    """Network, launch type, container and variables are those of `[run]`; RUN_ID is the invocation's."""
    arn = f"{ACCOUNT}:task-definition/{name}:3"
    world.schedules.put(NewSchedule(name, "default", "rate(1 day)", "UTC", f"{ACCOUNT}:cluster/c", ROLE, arn))
    target: Any = world.client("scheduler").get_schedule(Name=name)["Target"]
    network = target["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]
    assert network["Subnets"] == list(world.config.run.subnets)
    assert target["EcsParameters"]["LaunchType"] == "FARGATE"
    (override,) = json.loads(target["Input"])["containerOverrides"]
    assert override["name"] == world.config.task.container
    assert {"name": "RUN_ID", "value": "<aws.scheduler.execution-id>"} in override["environment"]


@pytest.fixture
def project(name: str, moto_session: Any, tmp_path: Path) -> Any:
    """A job in an account, with two revisions; deploy.toml names its schedule."""
    with mock_aws():
        world = AwsWorld(name, moto_session)
        for color in ("red", "green"):
            world.tasks.register(definition(name, COLOR=color), {})
        init_from_ecs(tmp_path, EcsOptions("production", family=name, cluster=name, region=REGION), {})
        yield world, Project(tmp_path, VARIABLES)


def follow(project: Project, name: str) -> Project:
    path = project.root / "deploy.toml"
    path.write_text(f'{path.read_text()}\n[schedule]\nname = "{name}"\nrole = "{ROLE}"\n')
    return Project(project.root, VARIABLES)


def prove(project: Project, world: AwsWorld, name: str) -> None:
    """A release has proven the first of the two revisions."""
    made = TaskDefinition(name, None, arn=world.tasks.revisions(name)[0])
    state = dump(Release("20270101-000000-0001", "production", 0.0, task_definition=made))
    path = project.releases.folder / "20270101-000000-0001" / NAME
    journal = Journal.create(
        path, FakeClock(), release="20270101-000000-0001", env="production", flow="f", state=state
    )
    journal.append("ended", end="END_SUCCESS", exit_code=0)
    journal.close()


def test_the_command_makes_a_schedule_of_the_last_proven_revision(
    project: tuple[AwsWorld, Project], name: str
) -> None:
    """Not of the newest one; without a proven one, or without [schedule], it says what to do."""
    world, bare = project
    wanted = ScheduleOptions(None, "cron(0 3 * * ? *)", "Europe/Paris")
    with pytest.raises(UsageError, match=r"\[schedule\]"):
        schedule(bare, wanted)
    followed = follow(bare, name)
    with pytest.raises(RefusedError, match="no proven revision"):
        schedule(followed, wanted)
    prove(followed, world, name)
    (made,) = schedule(followed, wanted)["schedules"]
    assert made["task_definition"].endswith(f"{name}:1")
    assert (made["followed"], made["problem"], made["role"]) == (True, "", ROLE)
    (off,) = schedule(followed, ScheduleOptions(None, "off"))["schedules"]
    assert off["problem"] == "is disabled"
    assert schedule(followed, ScheduleOptions())["schedules"] == [off]
