"""What ECS answers and no emulator does: conflicts of tokens, reasons not to start, forgotten definitions."""

from typing import Any

import pytest
from botocore.stub import Stubber

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from deployer.errors import Failure
from deployer.ports import TaskRequest
from tests.deployer.contract.aws.worlds import configured

_ARN = "arn:aws:ecs:eu-west-3:123456789012:task/cluster/"
_REQUEST = TaskRequest("job:1", "token", "mark", "forecast-etl", {"RUN_ID": "r1"}, {})


def _task(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "taskArn": f"{_ARN}{number}",
        "taskDefinitionArn": "arn:aws:ecs:eu-west-3:123456789012:task-definition/job:1",
        "lastStatus": "RUNNING",
        "startedBy": "mark",
    } | fields


@pytest.fixture
def session() -> AwsSession:
    return AwsSession(Aws(region="eu-west-3"), Credentials("testing", "testing"))


@pytest.fixture
def ecs(session: AwsSession) -> Ecs:
    return Ecs(configured({}), session)


def test_the_call_carries_everything_that_was_asked_for(session: AwsSession, ecs: Ecs) -> None:
    """RunTask gets the network of deploy.toml, the token, the mark and the container's variables."""
    with Stubber(session.client("ecs")) as stub:
        expected = {
            "cluster": "cluster",
            "taskDefinition": "job:1",
            "launchType": "FARGATE",
            "count": 1,
            "clientToken": "token",
            "startedBy": "mark",
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": ["subnet-1"],
                    "securityGroups": ["sg-1"],
                    "assignPublicIp": "ENABLED",
                }
            },
            "overrides": {
                "containerOverrides": [
                    {"name": "forecast-etl", "environment": [{"name": "RUN_ID", "value": "r1"}]}
                ]
            },
        }
        stub.add_response("run_task", {"tasks": [_task(1)], "failures": []}, expected)
        answer = ecs.run(_REQUEST)
    assert answer.task is not None
    assert answer.task.arn == f"{_ARN}1"


def test_reasons_not_to_start_are_an_answer(session: AwsSession, ecs: Ecs) -> None:
    """`failures` is what ECS has to say, as sentences; it is no exception."""
    failures = [{"arn": "arn:x", "reason": "RESOURCE:MEMORY", "detail": "none left"}, {"reason": "AGENT"}]
    with Stubber(session.client("ecs")) as stub:
        stub.add_response("run_task", {"tasks": [], "failures": failures})
        answer = ecs.run(_REQUEST)
    assert answer.task is None
    assert answer.failures == ("arn:x: RESOURCE:MEMORY (none left)", "AGENT")


def test_a_token_used_with_other_parameters_leads_to_its_task(session: AwsSession, ecs: Ecs) -> None:
    """ConflictException names the task of the first call: that is the launch's task."""
    with Stubber(session.client("ecs")) as stub:
        stub.add_client_error(
            "run_task", "ConflictException", "token in use", modeled_fields={"resourceIds": [f"{_ARN}7"]}
        )
        stub.add_response("describe_tasks", {"tasks": [_task(7)], "failures": []})
        answer = ecs.run(_REQUEST)
    assert answer.task is not None
    assert answer.task.arn == f"{_ARN}7"


def test_a_token_whose_task_is_forgotten_is_a_failure(session: AwsSession, ecs: Ecs) -> None:
    """Where the conflict's task is gone nothing is guessed; it says how to run the job again."""
    with Stubber(session.client("ecs")) as stub:
        stub.add_client_error(
            "run_task", "ConflictException", "token in use", modeled_fields={"resourceIds": [f"{_ARN}7"]}
        )
        stub.add_response("describe_tasks", {"tasks": [], "failures": [{"reason": "MISSING"}]})
        with pytest.raises(Failure, match="token in use") as caught:
            ecs.run(_REQUEST)
    assert caught.value.hint


def test_many_tasks_are_described_a_hundred_at_a_time(session: AwsSession, ecs: Ecs) -> None:
    """DescribeTasks takes a hundred; the tasks of a mark are found beyond that, and only they."""
    arns = [f"{_ARN}{number}" for number in range(250)]
    with Stubber(session.client("ecs")) as stub:
        stub.add_response("list_tasks", {"taskArns": []}, {"cluster": "cluster", "startedBy": "mark"})
        stub.add_response(
            "list_tasks",
            {"taskArns": arns[:100], "nextToken": "n"},
            {"cluster": "cluster", "desiredStatus": "STOPPED"},
        )
        stub.add_response(
            "list_tasks",
            {"taskArns": arns[100:]},
            {"cluster": "cluster", "desiredStatus": "STOPPED", "nextToken": "n"},
        )
        for start in (0, 100, 200):
            chunk = range(start, min(start + 100, 250))
            tasks = [_task(number, startedBy="mark" if number == 242 else "other") for number in chunk]
            stub.add_response("describe_tasks", {"tasks": tasks, "failures": []})
        assert [task.arn for task in ecs.started_by("mark")] == [f"{_ARN}242"]


_STOPPED: dict[str, Any] = {
    "lastStatus": "STOPPED",
    "stopCode": "EssentialContainerExited",
    "stoppedReason": "Essential container in task exited",
    "containers": [
        {"name": "job", "exitCode": 0},
        {"name": "logger", "exitCode": 2, "reason": "crashed"},
    ],
}


def test_a_side_container_s_failure_is_not_the_task_s(session: AwsSession, ecs: Ecs) -> None:
    """Which containers are essential is read from the task definition."""
    containers = [{"name": "job"}, {"name": "logger", "essential": False}]
    with Stubber(session.client("ecs")) as stub:
        stub.add_response("describe_tasks", {"tasks": [_task(1, **_STOPPED)], "failures": []})
        stub.add_response(
            "describe_task_definition", {"taskDefinition": {"containerDefinitions": containers}}
        )
        status = ecs.status(f"{_ARN}1")
    assert status is not None
    assert status.result is not None
    assert status.result.exit_code == 0
    assert status.result.containers[1].reason == "crashed"


def test_without_the_definition_every_container_counts_but_injected_ones(
    session: AwsSession, ecs: Ecs
) -> None:
    """Where the definition may not be read, a failed container is taken for an essential one of it; one that
    the account injects never is."""
    with Stubber(session.client("ecs")) as stub:
        agent = {"name": "aws-guardduty-agent-7f3", "exitCode": 1}
        stopped = {**_STOPPED, "containers": [*_STOPPED["containers"], agent]}
        stub.add_response("describe_tasks", {"tasks": [_task(1, **stopped)], "failures": []})
        stub.add_client_error("describe_task_definition", "AccessDeniedException", "no")
        status = ecs.status(f"{_ARN}1")
    assert status is not None
    assert status.result is not None
    assert [c.essential for c in status.result.containers] == [True, True, True]
    assert [c.name for c in status.result.others] == ["logger"]
