"""One suite for real Docker Compose and the fake one; then what only real containers can show.

The real one runs small compose files of its own on the images that `make base` chose."""

import json
import os
import sysconfig
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from docker.api.client import APIClient

from deployer.adapters.docker.compose import TIMED_OUT, ComposeFile
from deployer.adapters.docker.compose_project import ComposeProject
from deployer.adapters.local.machine import RandomIds
from deployer.config import model
from deployer.errors import Failure
from deployer.ports import Compose
from tests.fakes.compose import FakeCompose, JobRun
from tests.images import base_images

MONGO: Final[dict[str, Any]] = {
    "entrypoint": ["mongod", "--auth", "--bind_ip_all", "--dbpath", "/tmp"],
    "ports": ["127.0.0.1::27017"],
    "volumes": ["kept:/kept"],
}
LOAD: Final = """
import os
from pymongo import MongoClient
user, password = os.environ["MONGO_USER"], os.environ["MONGO_PASSWORD"]
admin = MongoClient("127.0.0.1").admin
admin.command("createUser", user, pwd=password, roles=["root"])
client = MongoClient("127.0.0.1", username=user, password=password)
for name, count in {documents}.items():
    client[os.environ["MONGO_DB_NAME"]][name].insert_many([{{}} for _ in range(count)])
"""


def python(text: str, **more: Any) -> dict[str, Any]:
    """A service that runs a Python program on an image that nobody has: the release's takes its place."""
    return {
        "image": "contract.invalid/job:dev",
        "entrypoint": ["python3", "-u", "-c", text.replace("$", "$$")],
        **more,
    }


@dataclass
class Rig(ABC):
    """A compose file whose job a test decides."""

    compose: Compose
    image: str
    project: str = field(default_factory=lambda: f"contract-{uuid.uuid4().hex[:12]}")
    lines: list[str] = field(default_factory=list)

    @abstractmethod
    def job(self, run: JobRun) -> None:
        """What the next job prints, loads and ends with; `interrupt` comes at its first line."""

    @abstractmethod
    def leftovers(self) -> list[str]:
        """What of the set is still there."""

    def up(self) -> int:
        return self.compose.up(self.project, self.image, "run-1", self.lines.append)

    def down(self) -> None:
        self.compose.down(self.project, self.lines.append)


@dataclass
class FakeRig(Rig):
    def job(self, run: JobRun) -> None:
        assert isinstance(self.compose, FakeCompose)
        self.compose.next_runs.append(run)

    def leftovers(self) -> list[str]:
        assert isinstance(self.compose, FakeCompose)
        return list(self.compose.sets)


@dataclass
class RealRig(Rig):
    folder: Path = Path()

    def job(self, run: JobRun) -> None:
        text = f"for line in {run.lines!r}: print(line)\n"
        if not run.documents:
            self.services(job=python(f"{text}raise SystemExit({run.exit_code})"))
            return
        text += LOAD.format(documents=run.documents) + f"raise SystemExit({run.exit_code})"
        site = sysconfig.get_path("purelib")
        self.services(
            mongo1={"image": base_images()["MONGO_IMAGE"], **MONGO},
            job=python(
                text,
                network_mode="service:mongo1",
                volumes=[f"{site}:/site:ro"],
                environment={
                    "PYTHONPATH": "/site",
                    **{name: f"${{{name}}}" for name in ("MONGO_USER", "MONGO_PASSWORD", "MONGO_DB_NAME")},
                },
            ),
        )

    def services(self, **services: Mapping[str, Any]) -> None:
        file = {"services": services, "volumes": {"kept": {}}}
        (self.folder / "docker-compose.yml").write_text(json.dumps(file))

    def file(self, environment: Mapping[str, str] | None = None, **settings: Any) -> ComposeFile:
        table = {"service": "job", "database": "weather", "timeout": 60, "mongo-user": "loader", **settings}
        compose = model.Compose.model_validate(table)
        return ComposeFile(self.folder, compose, {**os.environ, **(environment or {})}, RandomIds())

    def leftovers(self) -> list[str]:
        mine = {"label": f"com.docker.compose.project={self.project}"}
        with APIClient(version="auto") as client:
            return [
                *(container["Id"] for container in client.containers(all=True, filters=mine)),
                *(network["Id"] for network in client.networks(filters=mine)),
                *(volume["Name"] for volume in client.volumes(filters=mine)["Volumes"] or []),
            ]


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealRig]:
    rig = RealRig(FakeCompose(), base_images()["PYTHON_IMAGE"], folder=tmp_path)
    rig.compose = rig.file()
    rig.services()
    yield rig
    rig.down()


@pytest.fixture(params=["real", "fake"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "fake":
        return FakeRig(FakeCompose(), "image:1")
    rig: Rig = request.getfixturevalue("real")
    return rig


@pytest.mark.parametrize("code", [0, 3])
def test_follows_the_job_to_its_exit_code(rig: Rig, code: int) -> None:
    """The job's lines come whole and in order, and its exit code is the answer."""
    printed = tuple(f"line {number}" for number in range(200))
    rig.job(JobRun(printed, code, documents={}))
    assert rig.up() == code
    assert [line for line in rig.lines if line.startswith("line ")] == list(printed)


def test_counts_what_the_job_loaded(rig: Rig) -> None:
    """The documents are counted from outside, collection by collection."""
    rig.job(JobRun(documents={"measurements": 5, "stations": 2}))
    assert rig.up() == 0, rig.lines
    assert rig.compose.count_documents(rig.project) == {"measurements": 5, "stations": 2}


def test_down_leaves_nothing(rig: Rig) -> None:
    """Containers, networks and volumes are removed; then there is nothing to do, and nothing is said."""
    rig.job(JobRun(documents={"measurements": 1}))
    rig.up()
    assert rig.leftovers()
    rig.down()
    assert rig.leftovers() == []
    said = len(rig.lines)
    rig.down()
    assert len(rig.lines) == said


def test_down_after_an_interrupt_leaves_nothing(rig: Rig) -> None:
    """Ctrl-C in the middle of the job goes through, and what was up can be taken down."""
    rig.job(JobRun(("working",), documents={"measurements": 1}, interrupt=KeyboardInterrupt()))

    def interrupt(line: str) -> None:
        if line == "working":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rig.compose.up(rig.project, rig.image, "run-1", interrupt)
    assert rig.leftovers()
    rig.down()
    assert rig.leftovers() == []


def test_a_set_that_is_not_up_has_no_documents(rig: Rig) -> None:
    """Counting what is not there is a failure, never zero."""
    with pytest.raises(Failure):
        rig.compose.count_documents(rig.project)


def test_an_interrupt_while_it_starts_leaves_nothing(real: RealRig) -> None:
    """Ctrl-C while Compose is creating containers: down finds what there is."""
    real.job(JobRun(documents={"measurements": 1}))

    def interrupt(line: str) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        real.compose.up(real.project, real.image, "run-1", interrupt)
    real.down()
    assert real.leftovers() == []


def test_another_process_takes_down_what_a_killed_one_left(real: RealRig) -> None:
    """The project's name is enough: no password, image or run is needed."""
    real.job(JobRun(documents={"measurements": 1}))
    real.up()
    real.file().down(real.project, real.lines.append)
    assert real.leftovers() == []


def test_the_file_sees_the_release(real: RealRig) -> None:
    """Image, run and credentials reach the file; the password is random and never the same."""
    names = ("RUN_ID", "MONGO_USER", "MONGO_PASSWORD", "MONGO_DB_NAME")
    text = f"import os; print('saw', *(os.environ[name] for name in {names!r}))"
    real.services(job=python(text, environment={name: f"${{{name}}}" for name in names}))
    seen = []
    for _ in range(2):
        real.up()
        seen.append(next(line for line in reversed(real.lines) if line.startswith("saw")).split())
        real.down()
    (_, run, user, first, database), (_, _, _, second, _) = seen
    assert (run, user, database) == ("run-1", "loader", "weather")
    assert first != second
    assert len(first) >= 32


def test_a_dependency_that_stays_unhealthy_explains_itself(real: RealRig) -> None:
    """A set that cannot come up gives an exit code; its last lines are the dependency's and the reason."""
    check = {"test": ["CMD", "false"], "interval": "0.2s", "retries": 2}
    sick = python(
        "print('cannot reach the disk'); import time; time.sleep(600)", healthcheck=check, init=True
    )
    real.services(sick=sick, job=python("pass", depends_on={"sick": {"condition": "service_healthy"}}))
    assert real.up() not in (0, TIMED_OUT)
    assert "sick | cannot reach the disk" in real.lines[-3:]
    assert "unhealthy" in real.lines[-1]


def test_a_preparation_that_fails_explains_itself(real: RealRig) -> None:
    """The same for a service that the job needs done, and that ends with an error."""
    init = python("print('no such user'); raise SystemExit(7)")
    needs = {"init": {"condition": "service_completed_successfully"}}
    real.services(init=init, job=python("pass", depends_on=needs))
    assert real.up() != 0
    assert "init | no such user" in real.lines[-3:]
    assert "exit 7" in real.lines[-1]


def test_a_job_that_does_not_end_is_given_up(real: RealRig) -> None:
    """After `[compose] timeout` the answer is TIMED_OUT, and the last line says so."""
    real.services(job=python("print('still here'); import time; time.sleep(600)", init=True))
    real.compose = real.file(timeout=4)
    assert real.up() == TIMED_OUT
    assert "still here" in real.lines
    assert "4 s" in real.lines[-1]


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"image": "contract.invalid/not-there:1"}, "contract.invalid"),
        ({"image": "x:1", "no-such-key": 1}, "no-such-key"),
    ],
    ids=["image", "file"],
)
def test_what_cannot_be_started_is_a_failure(real: RealRig, service: dict[str, Any], why: str) -> None:
    """An image that cannot be had and a file that does not parse are failures that say so."""
    real.services(job=python("pass", depends_on=["other"]), other=service)
    with pytest.raises(Failure, match=why) as caught:
        real.up()
    assert "docker-compose.yml" in caught.value.message
    assert caught.value.hint
    real.services()


def test_a_mongodb_that_publishes_no_port_is_still_counted(real: RealRig) -> None:
    """The file is as people have it: nothing published, no users; the release publishes the port itself."""
    mongo = {
        "image": base_images()["MONGO_IMAGE"],
        "entrypoint": MONGO["entrypoint"][:1],
        "tmpfs": ["/data/db"],
    }
    mongo["command"] = ["--bind_ip_all", "--port", "27117"]
    real.services(store=mongo, job=python("pass", depends_on=["store"]))
    real.compose = real.file(**{"mongo-user": None, "mongo-port": 27117})
    assert real.up() == 0, real.lines
    assert real.compose.count_documents(real.project) == {}


def test_a_file_that_builds_its_job_runs_the_release_image(real: RealRig) -> None:
    """`build: .` and a compose.yaml with an override, unmodified: the built image runs, and is told its
    run; also where only a profile starts the job."""
    (real.folder / "docker-compose.yml").unlink()
    text = "import os; print('saw', os.environ['RUN_ID'], os.environ['FROM'])"
    job = {
        "build": ".", "pull_policy": "build", "entrypoint": ["python3", "-c", text], "profiles": ["by-hand"],
    }  # fmt: skip
    (real.folder / "compose.yaml").write_text(json.dumps({"services": {"etl": job}}))
    override = {"services": {"etl": {"environment": {"FROM": "override"}}}}
    (real.folder / "compose.override.yaml").write_text(json.dumps(override))
    real.compose = real.file(service="")
    assert real.compose.files() == ("compose.yaml", "compose.override.yaml")
    assert real.up() == 0, real.lines
    assert "saw run-1 override" in real.lines
    assert real.compose.count_documents(real.project) == {}


def test_a_taken_port_names_the_port_and_its_holder(real: RealRig) -> None:
    """Class docker: the port of this machine, and the container that has published it."""
    sleeper = python("import time; time.sleep(600)", init=True)
    real.services(job=python("pass"), holder={**sleeper, "ports": ["127.0.0.1:47017:1"]})
    first = real.project
    real.up()
    real.project = f"{first}-2"
    try:
        with pytest.raises(
            Failure, match=rf"port 47017 is taken on this machine, by container {first}"
        ) as caught:
            real.up()
    finally:
        real.down()
        real.project = first
    assert caught.value.failure_class == "docker"
    assert "47017" in caught.value.hint


def test_a_job_that_ran_another_image_is_found_out(real: RealRig) -> None:
    """What Compose started is compared with what was built."""
    real.services(job=python("pass"))
    real.up()
    with APIClient(version="auto") as client, pytest.raises(Failure, match="not on"):
        ComposeProject(client, real.project).check_image("job", base_images()["MONGO_IMAGE"])


def test_a_folder_without_a_compose_file_has_none(tmp_path: Path) -> None:
    """The compose test is for projects that have a file."""
    assert ComposeFile(tmp_path, model.Compose(), {}, RandomIds()).files() == ()
    (tmp_path / ".env").write_text("\ufeffCOMPOSE_FILE=deploy/a.yml:deploy/b.yml\n")
    assert ComposeFile(tmp_path, model.Compose(), {}, RandomIds()).files() == ("deploy/a.yml", "deploy/b.yml")


def test_without_an_engine_it_says_how_to_start_one(real: RealRig) -> None:
    """An engine that does not answer is a failure of class docker."""
    real.services(job=python("pass"))
    compose = real.file({"DOCKER_HOST": "unix:///not/there.sock"})
    with pytest.raises(Failure, match=r"no Docker engine answers at unix:///not/there\.sock") as caught:
        compose.up(real.project, real.image, "run-1", real.lines.append)
    assert caught.value.failure_class == "docker"
    assert "start Docker" in caught.value.hint
