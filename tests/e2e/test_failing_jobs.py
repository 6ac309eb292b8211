"""Jobs that fail, each in its own way: the branch, the exit code, the remedy, and the way on once mended."""

import json
import signal
import subprocess
from collections.abc import Iterator

import docker
import pytest

from tests.deployer.integration.verification.mongod import Mongod, running
from tests.e2e.command import Event, Ran
from tests.e2e.failures import ENVIRONMENT, FAILURES, LOSSES, Failure, Loss, World
from tests.e2e.outside import Outside
from tests.e2e.projects import Project


def test_any_image_is_released(job: Project, outside: Outside) -> None:
    """A Dockerfile, a task definition and a deploy.toml are all that it takes."""
    ran = job.release("--start-at", "build")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert len(outside.tasks(ran.release)) == 1
    assert len(outside.revisions(job.name)) == 1
    assert outside.collection("rows").count_documents({"run": ran.release}) == 50


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failure_stops_at_its_node_and_is_gone_on_from_once_mended(
    failure: Failure, job: Project, outside: Outside
) -> None:
    """The right node, exit code and remedy; after the mend the same release ends in success."""
    world = World(job, outside)
    failure.make(world)
    ran = job.release("--start-at", "build")
    assert (ran.ended["end"], ran.ended["node"], ran.code) == ("PAUSED", *failure.stop), ran.said()
    said = ran.paused
    assert failure.says in " ".join((said["message"], *said["evidence"])), said
    assert failure.remedy in said["remedy"], said
    assert said["resume"] == ran.ended["next_command"] == f"deployer resume {ran.release}"
    assert holding(outside.facts["SANDBOX_MONGO_URI"], ran, job) == []
    assert evidence(job, ran) >= (KEPT | {"inputs.json"} if "BUILD_PHASE" in ran.passed else KEPT)
    failure.mend(world)
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    assert outside.collection("rows").count_documents({"run": ran.release}) == 50


KEPT = {"source.json", "tools.json", "task-definition.json", "probes.json"}
"""What there is at every stop, before the build too; the rest is the unit tests' of the flight recorder."""


def evidence(job: Project, ran: Ran) -> set[str]:
    """The files that the release has kept."""
    return {
        path.name for path in (job.folder / ".deployer" / "releases" / ran.release / "evidence").iterdir()
    }


def holding(uri: str, ran: Ran, job: Project) -> list[str]:
    """Where the address's password is found: in what was printed, or in a file that the release keeps."""
    password = uri.partition("@")[0].rpartition(":")[2]
    files = [path for path in (job.folder / ".deployer").rglob("*") if path.is_file()]
    found = [str(path) for path in files if password.encode() in path.read_bytes()]
    return found + (["printed"] if password in ran.stdout + ran.stderr else [])


def test_a_task_that_was_stopped_by_hand_is_run_again(job: Project, outside: Outside) -> None:
    """StopTask by somebody else: the release says so and waits; resumed, it starts a second task."""
    job.edit("deploy.toml", ENVIRONMENT, 'environment = { SECONDS = "60" }')

    def stop(process: "subprocess.Popen[str]", event: Event) -> None:
        if event["event"] == "left" and event["node"] == "TASK_STARTED":
            (release,) = (path.name for path in (job.folder / ".deployer" / "releases").iterdir())
            (task,) = outside.tasks(release)
            outside.aws("ecs").stop_task(
                cluster=outside.facts["SANDBOX_CLUSTER"], task=task["taskArn"], reason="stopped by user"
            )

    ran = job.deployer.watched(("release", "--start-at", "build", "--output", "json"), stop)
    assert (ran.code, ran.ended["end"]) == (19, "PAUSED"), ran.said()
    assert ran.paused["subcause"] == "stopped-by-hand"
    job.edit("deploy.toml", 'SECONDS = "60"', 'SECONDS = "0"')
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    assert len(outside.tasks(ran.release)) == 2


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_what_is_lost_under_way_is_named_and_regained(
    loss: Loss, job: Project, outside: Outside, engine: docker.DockerClient
) -> None:
    """The task cannot start: what ECS says of it is opaque, what CHECK_CONFIG sees is not. Mended, the same
    release ends in success; an image it builds and pushes again by itself."""
    world = World(job, outside)
    job.renew()

    def lose(process: "subprocess.Popen[str]", event: Event) -> None:
        if event["event"] == "left" and event["node"] == "PUSH_OK":
            process.send_signal(signal.SIGSTOP)
            loss.lose(world, engine)
            process.send_signal(signal.SIGCONT)

    ran = job.deployer.watched(("release", "--start-at", "build", "--output", "json"), lose)
    assert (ran.ended["end"], ran.ended["node"], ran.code) == ("PAUSED", "CHECK_CONFIG", 13), ran.said()
    said = ran.paused
    assert loss.says in " ".join((said["message"], *said["evidence"])), said
    assert any(loss.sees in line for line in said["evidence"]), said
    assert loss.remedy in said["remedy"], said
    loss.regain(world)
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    assert ("DOCKER_PUSH" in resumed.passed) == (loss.name == "image")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory, facts: dict[str, str]) -> Iterator[Mongod]:
    """Beside the sandbox's own MongoDB, at the same address."""
    host = facts["SANDBOX_MONGO_URI"].rpartition("@")[2].partition(":")[0]
    with running(tmp_path_factory.mktemp("tls"), tls=True, host=host) as server:
        yield server


def test_a_mongodb_that_requires_tls(job: Project, outside: Outside, tls: Mongod) -> None:
    """The job's address does not ask for TLS: the server hangs up, and the remedy says so. What this machine
    sees of the way, TLS included, is kept beside it."""
    world = World(job, outside)
    job.edit("deploy.toml", 'uri = "${SANDBOX_MONGO_URI}"', 'uri = "${TLS_URI}"')
    environ = {"TLS_URI": tls.uri("admin")}
    world.put_secret(tls.plain_uri("admin"))
    ran = job.deployer.release("--start-at", "build", environ=environ)
    assert (ran.ended["end"], ran.ended["node"], ran.code) == ("PAUSED", "CHECK_ATLAS", 16), ran.said()
    assert "connection closed" in " ".join(ran.paused["evidence"]), ran.paused
    assert "tls=true" in ran.paused["remedy"], ran.paused
    folder = job.folder / ".deployer" / "releases" / ran.release / "evidence"
    way = {step["what"]: step["state"] for step in json.loads((folder / "mongodb.json").read_text())}
    assert list(way)[:5] == [f"MongoDB: {step}" for step in ("DNS", "TCP", "TLS", "login", "rights")]
    assert set(list(way.values())[:5]) == {"pass"}, way
    world.put_secret(tls.plain_uri("admin", options="&tls=true&tlsInsecure=true"))
    resumed = job.deployer.resume(environ=environ)
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    with tls.client("admin") as client:
        assert client["greenandcoop_weather"]["rows"].count_documents({"run": ran.release}) == 50
