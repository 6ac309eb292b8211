"""`deployer runs` and `watch` of a job in an account, over moto."""

from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from deployer.commands.init.ecs import EcsOptions, init_from_ecs
from deployer.commands.project import Project
from deployer.commands.runs import find, runs
from deployer.commands.watch import watch
from deployer.errors import RefusedError
from tests.deployer.contract.aws.command import REGION
from tests.deployer.contract.aws.worlds import AwsWorld, definition

VARIABLES = {"MONGO_URI": "mongodb://127.0.0.1:1", "COLLECTION": "rows", "SUBNET": "s", "SECURITY_GROUP": "g"}


@pytest.fixture
def account(name: str, moto_session: Any) -> Any:
    with mock_aws():
        world = AwsWorld(name, moto_session)
        world.tasks.register(definition(name), {})
        yield world


def test_runs_that_no_release_started(account: AwsWorld, name: str, tmp_path: Path) -> None:
    """A run that a schedule started is listed, and its end is seen; exit code 0 alone is no proof."""
    ecs, told = account.client("ecs"), list[str]()
    group = account.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
    subnets = list(account.config.run.subnets)
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}}
    task = ecs.run_task(
        cluster=name,
        taskDefinition=name,
        launchType="FARGATE",
        networkConfiguration=network,
        startedBy="chronos-schedule/nightly",
    )["tasks"][0]["taskArn"]
    init_from_ecs(tmp_path, EcsOptions("production", family=name, cluster=name, region=REGION), {})
    project = Project(tmp_path, VARIABLES, told.append)
    (run,) = runs(project, None, 20)["runs"]
    assert (run["task"], run["started_by"], run["release"]) == (task, "chronos-schedule/nightly", None)
    assert run["verdict"] == "running"
    ecs.stop_task(cluster=name, task=task, reason="it took too long")
    ended = find(project, None, task.rsplit("/", 1)[-1])
    assert (ended.verdict, ended.exit_code) == ("unproven", 0)
    seen = watch(project, None)
    assert (seen["messages"], seen["exit_code"]) == ([], 0)
    with pytest.raises(RefusedError, match="no run of task nothing"):
        find(project, None, "nothing")
