"""A container that RunTask starts in the sandbox: the shapes a release relies on."""

import io
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.client import DockerClient

from deployer.sandbox import Sandbox, SandboxFacts
from deployer.sandbox.waiting import wait_for
from tests.deployer.integration.sandbox.conftest import aws_of

REPOSITORY = "forecast-etl"
PREFIX = "ecs"
CONTAINER = "job"


@pytest.fixture(scope="module")
def image(docker: DockerClient) -> Iterator[str]:
    """An image with this machine's bash and sleep, and the libraries they need."""
    archive = io.BytesIO()
    programs = [Path(found) for found in map(shutil.which, ("bash", "sleep")) if found]
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in {path for program in programs for path in (program, *libraries(program))}:
            tar.add(name.resolve(), arcname=str(name))
    docker.api.import_image_from_data(archive.getvalue(), repository="sandbox-tests", tag="bash")
    yield "sandbox-tests:bash"
    docker.images.remove("sandbox-tests:bash")


def libraries(program: Path) -> list[Path]:
    """What the dynamic loader loads for it."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(word) for word in output.split() if word.startswith("/")]


@pytest.fixture
def facts(standing: Sandbox) -> SandboxFacts:
    """Of a sandbox that is up."""
    return standing.up()


@pytest.fixture(scope="module")
def pinned(docker: DockerClient, image: str, standing: Sandbox) -> Iterator[str]:
    """The image pushed to the sandbox's registry, named by its digest, and absent from the engine."""
    facts = standing.up()
    name = f"{facts.registry}/{REPOSITORY}"
    docker.images.get(image).tag(name, "try")
    login = {"username": "AWS", "password": facts.access_key}
    docker.images.push(name, "try", auth_config=login)
    details = aws_of(facts).client("ecr").describe_images(repositoryName=REPOSITORY)["imageDetails"]
    reference = f"{name}@{details[0]['imageDigest']}"
    docker.images.remove(f"{name}:try")
    yield reference
    docker.images.remove(reference)


Start = Callable[..., str]


@pytest.fixture
def start(facts: SandboxFacts, pinned: str) -> Start:
    """Registers and runs a task of the pinned image; returns the task's ARN."""
    ecs = aws_of(facts).client("ecs")
    options = {
        "awslogs-group": facts.log_group,
        "awslogs-region": facts.region,
        "awslogs-stream-prefix": PREFIX,
    }

    def run(script: str, secret: str = facts.mongo_secret_arn, image: str = pinned) -> str:
        definition = ecs.register_task_definition(
            family="job",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            executionRoleArn=facts.execution_role,
            taskRoleArn=facts.task_role,
            containerDefinitions=[
                {
                    "name": CONTAINER,
                    "image": image,
                    "command": ["bash", "-c", script],
                    "secrets": [{"name": "MONGO_URI", "valueFrom": secret}],
                    "logConfiguration": {"logDriver": "awslogs", "options": options},
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]
        answer = ecs.run_task(
            cluster=facts.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            startedBy="release-1",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": [facts.subnet], "securityGroups": [facts.security_group]}
            },
            overrides={
                "containerOverrides": [
                    {"name": CONTAINER, "environment": [{"name": "RUN_ID", "value": "run-1"}]}
                ]
            },
        )
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    return run


def stopped(facts: SandboxFacts, task: str) -> dict[str, Any]:
    """The task once it has stopped."""
    ecs = aws_of(facts).client("ecs")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = ecs.describe_tasks(cluster=facts.cluster, tasks=[task])["tasks"][0]
        return found if found["lastStatus"] == "STOPPED" else None

    found = wait_for(look, 60)
    assert found is not None
    return found


def lines(facts: SandboxFacts, task: str, count: int) -> list[str]:
    """The task's own log stream, once it has so many lines."""
    logs = aws_of(facts).client("logs")
    stream = f"{PREFIX}/{CONTAINER}/{task.rpartition('/')[2]}"

    def look() -> list[str]:
        answer = logs.get_log_events(logGroupName=facts.log_group, logStreamName=stream, startFromHead=True)
        return [event["message"] for event in answer["events"]]

    wait_for(lambda: len(look()) >= count, 20)
    return look()


def test_a_pushed_image_runs_by_digest_and_its_exit_code_and_lines_come_back(
    facts: SandboxFacts, start: Start
) -> None:
    """The container gets the secret and the run's id, and its exit code and output are what AWS reports."""
    task = start('echo "$MONGO_URI"; echo "$RUN_ID"; exit 3')
    found = stopped(facts, task)
    assert found["containers"][0]["exitCode"] == 3
    assert found["stopCode"] == "EssentialContainerExited"
    assert lines(facts, task, 2) == [facts.mongo_uri, "run-1"]
    ecs = aws_of(facts).client("ecs")
    listed = ecs.list_tasks(cluster=facts.cluster, startedBy="release-1", desiredStatus="STOPPED")
    assert listed["taskArns"] == [task]


def test_a_container_reaches_mongod_and_aws(facts: SandboxFacts, start: Start) -> None:
    """Both servers accept a connection from inside a container, at the addresses it is given."""
    member = facts.mongo_uri.split("@")[1].partition("/")[0].replace(":", "/")
    script = f'exec 3<>/dev/tcp/{member} 4<>"/dev/tcp/${{AWS_ENDPOINT_URL:7:-6}}/${{AWS_ENDPOINT_URL: -5}}"'
    assert stopped(facts, start(script))["containers"][0]["exitCode"] == 0


def test_a_missing_secret_stops_the_task_before_it_starts(facts: SandboxFacts, start: Start) -> None:
    """No exit code, and a reason that names the secret."""
    found = stopped(facts, start("exit 0", secret=f"{facts.mongo_secret_arn}x"))
    assert found["stopCode"] == "TaskFailedToStart"
    assert found["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")
    assert "exitCode" not in found["containers"][0]


def test_a_missing_image_stops_the_task_before_it_starts(facts: SandboxFacts, start: Start) -> None:
    """A digest that the registry does not know is reported as such."""
    found = stopped(facts, start("exit 0", image=f"{facts.registry}/{REPOSITORY}@sha256:{'0' * 64}"))
    assert found["stopCode"] == "TaskFailedToStart"
    assert "manifest unknown" in found["stoppedReason"]


@pytest.mark.parametrize("before", ["nothing", "a crash"])
def test_down_leaves_no_container(standing: Sandbox, docker: DockerClient, start: Start, before: str) -> None:
    """A running task's container is removed by down, even when MiniStack was killed before."""
    task = start("sleep 600")
    mine = {"label": f"com.amazonaws.ecs.task-arn={task}"}
    assert wait_for(lambda: docker.containers.list(filters={**mine, "status": "running"}), 30)
    if before == "a crash":
        pid = standing.status().parts[1].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    standing.down()
    assert docker.containers.list(all=True, filters=mine) == []
