"""Jobs that fail, each in its own way: the branch, the exit code, the remedy, and the way on once mended."""

import json
import re
import signal
import struct
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import docker
import pytest

from deployer.history import state_of
from deployer.journal import read
from tests.deployer.integration.verification.mongod import Mongod, running
from tests.e2e.command import Event, Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

ENVIRONMENT = "environment = {}"


def test_any_image_is_released(job: Project, outside: Outside) -> None:
    """A Dockerfile, a task definition and a deploy.toml are all that it takes."""
    ran = job.release("--from", "build")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert len(outside.tasks(ran.release)) == 1
    assert len(outside.revisions(job.name)) == 1
    assert outside.collection("rows").count_documents({"run": ran.release}) == 50


@dataclass(frozen=True)
class World:
    """What a failure is made in: the project, the secret that it reads, the account."""

    job: Project
    outside: Outside

    def put_secret(self, value: str) -> None:
        self.outside.aws("secretsmanager").put_secret_value(SecretId=self.job.name, SecretString=value)


@dataclass(frozen=True)
class Failure:
    """How it is made and mended; at which node, with which exit code and words it stops in between."""

    name: str
    make: Callable[[World], None]
    mend: Callable[[World], None]
    stop: tuple[str, int]
    says: str
    remedy: str


def source(old: str, new: str) -> tuple[Callable[[World], None], Callable[[World], None]]:
    """A change of the job's code, and back."""
    return file("job.py", old, new)


def file(name: str, old: str, new: str) -> tuple[Callable[[World], None], Callable[[World], None]]:
    return (lambda world: world.job.edit(name, old, new), lambda world: world.job.edit(name, new, old))


def setting(text: str) -> tuple[Callable[[World], None], Callable[[World], None]]:
    """Something in the container's environment that makes the job fail, and back."""
    return file("deploy.toml", ENVIRONMENT, f"environment = {{ {text} }}")


def address(change: Callable[[str], str]) -> tuple[Callable[[World], None], Callable[[World], None]]:
    """Another address in the secret, and the right one again."""

    def make(world: World) -> None:
        world.put_secret(change(world.outside.facts["SANDBOX_MONGO_URI"]))

    def mend(world: World) -> None:
        world.put_secret(world.outside.facts["SANDBOX_MONGO_URI"])

    return make, mend


def no_secret() -> tuple[Callable[[World], None], Callable[[World], None]]:
    def make(world: World) -> None:
        world.outside.aws("secretsmanager").delete_secret(SecretId=world.job.name)

    def mend(world: World) -> None:
        world.outside.aws("secretsmanager").restore_secret(SecretId=world.job.name)

    return make, mend


def foreign_program() -> tuple[Callable[[World], None], Callable[[World], None]]:
    """The image starts a program of another processor's: the header of one is enough to be refused."""
    start = 'ENTRYPOINT ["/opt/venv/bin/python", "-u", "/job.py"]'
    foreign = 'COPY --chown=10001 foreign /foreign\nENTRYPOINT ["/foreign"]'
    edit, undo = file("Dockerfile", start, foreign)

    def make(world: World) -> None:
        program = world.job.folder / "foreign"
        program.write_bytes(AARCH64)
        program.chmod(0o755)
        edit(world)

    return make, undo


AARCH64 = struct.pack(
    "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 183, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0
) + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 0x1000)
"""An ELF executable of machine 183, which is aarch64 (elf(5)), with one segment and nothing in it."""
BEGINS = 'print(f"run {run} begins", flush=True)'
FAILURES = [
    Failure(
        "raises",
        *source(BEGINS, "print(run.title_case())"),
        ("CODE", 10),
        says="AttributeError: 'str' object has no attribute 'title_case'",
        remedy="Mend the program",
    ),
    Failure(
        "missing-module",
        *source("import os\n", "import os\nimport pandas\n"),
        ("CODE", 10),
        says="No module named 'pandas'",
        remedy="requirements",
    ),
    Failure(
        "loads-nothing",
        *setting('ROWS = "0"'),
        ("CHECK_DATA", 17),
        says="something was loaded: expected at least 1, found 0",
        remedy="the job runs again",
    ),
    Failure(
        "loses-one",
        *setting('REPORTED = "51"'),
        ("CHECK_DATA", 17),
        says="expected 51 (the report's written), found 50",
        remedy="the job runs again",
    ),
    Failure(
        "wrong-password",
        *address(lambda uri: uri.replace("forecast-etl:", "forecast-etl:not")),
        ("CHECK_ATLAS", 16),
        says="Authentication failed",
        remedy="password",
    ),
    Failure(
        "closed-port",
        *address(lambda uri: re.sub(r":\d+/", ":9/", uri)),
        ("CHECK_ATLAS", 16),
        says="Connection refused",
        remedy="port",
    ),
    Failure(
        "unknown-host",
        *address(lambda uri: "mongodb://cluster0.invalid/"),
        ("CHECK_ATLAS", 16),
        says="cluster0.invalid",
        remedy="does not resolve",
    ),
    Failure(
        "unknown-srv-name",
        *address(lambda uri: "mongodb+srv://cluster0.test.invalid/"),
        ("CHECK_ATLAS", 16),
        says="cluster0.test.invalid",
        remedy="does not resolve",
    ),
    Failure(
        "no-tls-there",
        *address(lambda uri: f"{uri}&tls=true"),
        ("CHECK_ATLAS", 16),
        says="SSL",
        remedy="TLS",
    ),
    Failure("no-secret", *no_secret(), ("CHECK_CONFIG", 13), says="secret", remedy="restore-secret"),
    Failure(
        "no-entry-point",
        *file("Dockerfile", "/opt/venv/bin/python", "/opt/venv/bin/pyton"),
        ("CHECK_CONFIG", 10),
        says="stat /opt/venv/bin/pyton: no such file",
        remedy="ENTRYPOINT",
    ),
    Failure(
        "foreign-program",
        *foreign_program(),
        ("CODE", 10),
        says="exec format error",
        remedy="docker build --platform linux/amd64",
    ),
    Failure(
        "other-platform",
        *file("deploy.toml", "[build]\n", '[build]\nplatform = "linux/arm64"\n'),
        ("CHECK_CONFIG", 13),
        says="the image is built for linux/arm64, the task runs on linux/amd64",
        remedy='platform = "linux/amd64"',
    ),
    Failure(
        "killed",
        *source(BEGINS, "os._exit(137)"),
        ("CHECK_CONFIG", 15),
        says="exit code 137",
        remedy="memory",
    ),
    Failure(
        "broken-dockerfile",
        *file("Dockerfile", "COPY job.py", "COPY jobb.py"),
        ("FIX_DOCKERFILE", 11),
        says="jobb.py",
        remedy="COPY",
    ),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failure_stops_at_its_node_and_is_gone_on_from_once_mended(
    failure: Failure, job: Project, outside: Outside
) -> None:
    """The right node, exit code and remedy; after the mend the same release ends in success."""
    world = World(job, outside)
    failure.make(world)
    ran = job.release("--from", "build")
    assert (ran.ended["end"], ran.ended["node"], ran.code) == ("PAUSED", *failure.stop), ran.said()
    said = ran.paused
    assert failure.says in " ".join((said["message"], *said["evidence"])), said
    assert failure.remedy in said["remedy"], said
    assert said["resume"] == ran.ended["next_command"] == f"deployer release --resume {ran.release}"
    assert holding(outside.facts["SANDBOX_MONGO_URI"], ran, job) == []
    assert evidence(job, ran) >= KEPT
    failure.mend(world)
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    assert outside.collection("rows").count_documents({"run": ran.release}) == 50


KEPT = {"source.json", "tools.json", "task-definition.json", "probes.json"}
"""What there is at every stop; the rest is the unit tests' of the flight recorder."""


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

    ran = job.deployer.watched(("release", "--from", "build", "--output", "json"), stop)
    assert (ran.code, ran.ended["end"]) == (19, "PAUSED"), ran.said()
    assert ran.paused["subcause"] == "stopped-by-hand"
    job.edit("deploy.toml", 'SECONDS = "60"', 'SECONDS = "0"')
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    assert len(outside.tasks(ran.release)) == 2


@dataclass(frozen=True)
class Loss:
    """Something that is there when a release begins and gone when its task is to start."""

    name: str
    lose: Callable[[World, docker.DockerClient], None]
    regain: Callable[[World], None]
    says: str
    sees: str
    remedy: str


def lose_image(world: World, engine: docker.DockerClient) -> None:
    """Out of the registry, by its own protocol, and out of the engine that would start it from its cache."""
    (folder,) = (world.job.folder / ".deployer" / "releases").iterdir()
    image = state_of(read(folder / "journal.jsonl")).image
    assert image and image.digest
    address = f"http://{image.registry}/v2/{image.repository}/manifests/{image.digest}"
    urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=10).close()
    held = engine.images.get(f"{image.repository}:{image.tag}")
    for name in held.tags:
        engine.api.remove_image(name, force=True, noprune=True)


def lose_secret(world: World, engine: docker.DockerClient) -> None:
    no_secret()[0](world)


LOSSES = [
    Loss(
        "image",
        lose_image,
        lambda world: None,
        says="manifest unknown",
        sees="is not in the repository",
        remedy="deployer release --resume",
    ),
    Loss(
        "secret",
        lose_secret,
        no_secret()[1],
        says="ResourceInitializationError",
        sees="is about to be deleted",
        remedy="aws secretsmanager restore-secret",
    ),
]


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

    ran = job.deployer.watched(("release", "--from", "build", "--output", "json"), lose)
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
    ran = job.deployer.release("--from", "build", environ=environ)
    assert (ran.ended["end"], ran.ended["node"], ran.code) == ("PAUSED", "CHECK_ATLAS", 16), ran.said()
    assert "connection closed" in " ".join(ran.paused["evidence"]), ran.paused
    assert "tls=true" in ran.paused["remedy"], ran.paused
    folder = job.folder / ".deployer" / "releases" / ran.release / "evidence"
    way = {step["what"]: step["state"] for step in json.loads((folder / "mongodb.json").read_text())}
    assert list(way)[:5] == [f"MongoDB: {step}" for step in ("DNS", "TCP", "TLS", "login", "rights")]
    assert set(list(way.values())[:5]) == {"ok"}, way
    world.put_secret(tls.plain_uri("admin", options="&tls=true&tlsInsecure=true"))
    resumed = job.deployer.release("--resume", environ=environ)
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    with tls.client("admin") as client:
        assert client["greenandcoop_weather"]["rows"].count_documents({"run": ran.release}) == 50
