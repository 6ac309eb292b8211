"""The least-privilege policies follow from one table, and the table has every call that a release makes."""

import re
from pathlib import Path
from typing import Any

import pytest

import deployer.adapters.aws as package
from deployer.adapters.aws.policy import Place, policies, release_permissions
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws, Config
from tests.fakes.world import settings

FOLDER = Path(next(iter(package.__path__)))
CALLER = "arn:aws-cn:sts::111122223333:assumed-role/ci/run-7"
CALL = re.compile(r'self\._client\.([a-z][a-z0-9_]+)\(|(?:get_paginator|_pages)\("([a-z0-9_]+)"')
NOT_CALLS = {"get_paginator"}
NAMED_OTHERWISE = {"s3:ListObjectsV2": "s3:ListBucket"}


def config() -> Config:
    return settings(
        image={"keep-releases": 3},
        schedule={"name": "nightly"},
        state={"bucket": "shared", "key": "deployer/state-key"},
        task={"definition": _definition(), "container": "job"},
    )


def _definition() -> dict[str, Any]:
    secrets = [{"name": "TOKEN", "valueFrom": "/invoices/token"}]
    options = {"awslogs-group": "/own", "awslogs-stream-prefix": "p"}
    logging = {"logDriver": "awslogs", "options": options}
    container = {"name": "job", "image": "x", "secrets": secrets, "logConfiguration": logging}
    return {"family": "job", "executionRoleArn": "runner", "containerDefinitions": [container]}


def documents() -> dict[str, Any]:
    session = AwsSession(Aws(region="cn-north-1"), Credentials("testing", "testing"))
    return dict(policies(config(), session, CALLER))


@pytest.mark.parametrize(
    ("module", "service"),
    [
        ("ecs", "ecs"),
        ("ecr", "ecr"),
        ("logs", "logs"),
        ("scheduler", "scheduler"),
        ("rules", "events"),
        ("object_store", "s3"),
    ],
)
def test_every_call_of_an_adapter_is_in_the_table(module: str, service: str) -> None:
    """A call that is added without its permission fails here, not at a user's."""
    found = CALL.findall((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    calls = {one or other for one, other in found} - NOT_CALLS
    assert calls, "the pattern finds no call any more"
    names = {f"{service}:{''.join(word.capitalize() for word in call.split('_'))}" for call in calls}
    rule = settings(schedule={"name": "nightly", "kind": "rule"})
    allowed = {
        action
        for settled in (config(), rule)
        for permission in release_permissions(settled, Place.of(CALLER, "cn-north-1"))
        for action in permission.actions
    }
    assert {NAMED_OTHERWISE.get(name, name) for name in names} <= allowed


def test_the_policies_name_the_resources_of_this_project() -> None:
    """Partition and account are the caller's; a role by name becomes its ARN, passed to ECS only."""
    statements = {s["Sid"]: s for s in documents()["release"]["Statement"]}
    assert statements["RunTheTask"]["Resource"] == [
        "arn:aws-cn:ecs:cn-north-1:111122223333:task-definition/job:*"
    ]
    passing = statements["PassTheExecutionRole"]
    assert passing["Resource"] == ["arn:aws-cn:iam::111122223333:role/runner"]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == "ecs-tasks.amazonaws.com"
    execution = documents()["execution-role"]["Statement"]
    parameter = "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/invoices/token"
    assert [s["Resource"] for s in execution if s["Action"] == ["ssm:GetParameters"]] == [[parameter]]


def test_who_only_watches_may_change_nothing() -> None:
    """And the roles are assumed for this account's tasks only."""
    actions = [a for s in documents()["watch"]["Statement"] for a in s["Action"]]
    assert actions
    assert all(action.split(":")[1].startswith(("Describe", "Get", "List")) for action in actions)
    (trust,) = documents()["trust-of-both-roles"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def test_the_role_of_a_schedule_may_start_this_job_and_nothing_else() -> None:
    """It is passed to EventBridge Scheduler, which passes the job's roles to ECS."""
    release = {s["Sid"]: s for s in documents()["release"]["Statement"]}
    condition = release["PassTheRoleOfTheSchedule"]["Condition"]["StringEquals"]
    assert condition == {"iam:PassedToService": "scheduler.amazonaws.com"}
    role = documents()["schedule-role"]["Statement"]
    assert [s["Action"] for s in role] == [["ecs:RunTask"], ["ecs:TagResource"], ["iam:PassRole"]]
    (trust,) = documents()["trust-of-schedule-role"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
