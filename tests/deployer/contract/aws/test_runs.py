"""`deployer runs` and `watch` of a job in an account, over moto."""

from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from moto import mock_aws

from deployer.commands.init.ecs import EcsOptions, init_from_ecs
from deployer.commands.project import Project
from deployer.commands.report import serving, write_report
from deployer.commands.runs import find, runs
from deployer.commands.watch import watch
from deployer.errors import RefusedError, UsageError
from tests.deployer.contract.aws.command import REGION
from tests.deployer.contract.aws.worlds import AwsWorld, definition

VARIABLES = {"MONGO_URI": "mongodb://127.0.0.1:1", "COLLECTION": "rows", "SUBNET": "s", "SECURITY_GROUP": "g"}


@pytest.fixture
def account(name: str, moto_session: Any) -> Any:
    with mock_aws():
        world = AwsWorld(name, moto_session)
        world.tasks.register(definition(name), {})
        yield world


@pytest.fixture
def nightly(account: AwsWorld, name: str) -> str:
    """The ARN of a task that a schedule started."""
    ecs = account.client("ecs")
    group = account.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
    subnets = list(account.config.run.subnets)
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}}
    task: str = ecs.run_task(
        cluster=name,
        taskDefinition=name,
        launchType="FARGATE",
        networkConfiguration=network,
        startedBy="chronos-schedule/nightly",
    )["tasks"][0]["taskArn"]
    return task


@pytest.fixture
def project(account: AwsWorld, name: str, tmp_path: Path) -> Project:
    init_from_ecs(tmp_path, EcsOptions("production", family=name, cluster=name, region=REGION), {})
    return Project(tmp_path, VARIABLES, list[str]().append)


def test_runs_that_no_release_started(account: AwsWorld, name: str, project: Project, nightly: str) -> None:
    """A run that a schedule started is listed, and its end is seen; exit code 0 alone is no proof."""
    (run,) = runs(project, None, 20)["runs"]
    assert (run["task"], run["started_by"], run["release"]) == (nightly, "chronos-schedule/nightly", None)
    assert run["verdict"] == "running"
    account.client("ecs").stop_task(cluster=name, task=nightly, reason="it took too long")
    ended = find(project, None, nightly.rsplit("/", 1)[-1])
    assert (ended.verdict, ended.exit_code) == ("unproven", 0)
    seen = watch(project, None)
    assert (seen["messages"], seen["exit_code"]) == ([], 0)
    with pytest.raises(RefusedError, match="no run of task nothing"):
        find(project, None, "nothing")


def test_the_report_has_a_page_for_each_run(project: Project, nightly: str, tmp_path: Path) -> None:
    """Files that only their owner can read; a folder that cannot be written is said."""
    folder, page = tmp_path / "site", f"runs/{nightly.rpartition('/')[2]}.html"
    written = write_report(project, None, folder)
    assert written == {"written": str(folder / "index.html"), "runs": 1, "releases": 0}
    assert f'href="{page}"' in (folder / "index.html").read_text()
    assert nightly in (folder / page).read_text()
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.html")} == {0o600}
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="site: Not a directory"):
        write_report(project, None, tmp_path / "file" / "site")


def test_the_report_is_served_to_this_machine_s_browser(project: Project, nightly: str) -> None:
    """It refreshes itself while something runs; under another host's name (DNS rebinding) it is refused."""
    with serving(project, None, 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            answers = [
                asked(server.server_port, host, path)
                for host, path in (("127.0.0.1", "/"), ("evil.invalid", "/"), ("localhost", "/runs/"))
            ]
        finally:
            server.shutdown()
            thread.join()
    assert [status for status, _ in answers] == [200, 403, 404]
    assert b'http-equiv="refresh"' in answers[0][1]
    assert nightly.rpartition("/")[2].encode() in answers[0][1]


def asked(port: int, host: str, path: str) -> tuple[int, bytes]:
    """Status and content of a page."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content
