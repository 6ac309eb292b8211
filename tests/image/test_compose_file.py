"""docker-compose.yml: the replica set, its authentication, the ETL's exit code, an end without a trace."""

import io
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.image.conftest import ROOT

UNAUTHORIZED = 13
# An ETL that does with its environment and its data what ours does, and fails in a way that ours never does.
STAND_IN = """
import os, pymongo, sys
names = ("HOST", "REPLICA_SET", "USER", "PASSWORD", "DB_NAME")
address, replica_set, user, password, name = (os.environ["MONGO_" + each] for each in names)
client = pymongo.MongoClient(address, replicaSet=replica_set, username=user, password=password)
document = {"run_id": os.environ["RUN_ID"], "files": os.listdir("data/downloaded")}
client[name].measurements.with_options(write_concern=pymongo.WriteConcern("majority")).insert_one(document)
sys.exit(7)
"""


@dataclass(frozen=True)
class Project:
    """A compose project of its own name, beside whatever else runs on this machine."""

    name: str
    environment: dict[str, str]

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        command = (
            ["docker", "compose"] if plugin.returncode == 0 else [str(ROOT / ".venv/bin/docker-compose")]
        )
        return subprocess.run(
            [*command, "--project-name", self.name, "--progress", "quiet", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def container(self, engine: docker.DockerClient, service: str) -> docker.models.containers.Container:
        return engine.containers.get(f"{self.name}-{service}-1")


@pytest.fixture(scope="module")
def stand_in(engine: docker.DockerClient, etl_image: str) -> Iterator[str]:
    tag = f"deployer-test-etl:{uuid.uuid4().hex[:12]}"
    dockerfile = f"FROM {etl_image}\nCMD []\nENTRYPOINT {json.dumps(['python', '-c', STAND_IN])}\n"
    engine.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=tag, rm=True)
    yield tag
    engine.images.remove(tag, force=True)


@contextmanager
def running(stand_in: str, images: dict[str, str], data: Path) -> Iterator[Project]:
    (data / "reading.json").write_text("{}")
    data.chmod(0o755)  # the user of the image is nobody here
    environment = {**images, "ETL_IMAGE": stand_in, "DATA_DIR": str(data), "RUN_ID": "run-1"}
    project = Project(
        f"deployer-test-{uuid.uuid4().hex[:8]}", environment | {"MONGO_PASSWORD": uuid.uuid4().hex}
    )
    try:
        up = project.compose("up", "--no-build", "--detach")
        assert up.returncode == 0, up.stderr
        yield project
    finally:
        project.compose("down", "--volumes", "--remove-orphans")


@pytest.fixture(scope="module")
def project(stand_in, images, tmp_path_factory) -> Iterator[Project]:
    with running(stand_in, images, tmp_path_factory.mktemp("data")) as project:
        yield project


@pytest.fixture
def port(engine: docker.DockerClient, project: Project) -> int:
    (binding,) = project.container(engine, "mongo1").attrs["NetworkSettings"]["Ports"]["27017/tcp"]
    assert binding["HostIp"] == "127.0.0.1", "MongoDB must not be reachable from other machines"
    return int(binding["HostPort"])


def test_the_exit_code_of_the_etl_is_passed_on(engine, project):
    """Whoever waits for the container forecast-etl gets the exit code of the program in it."""
    assert project.container(engine, "forecast-etl").wait()["StatusCode"] == 7


def test_the_etl_reads_the_data_and_writes_to_the_set(engine, project, port):
    """RUN_ID, data folder and credentials have reached the ETL: a majority has its document."""
    project.container(engine, "forecast-etl").wait()
    password = project.environment["MONGO_PASSWORD"]
    with MongoClient(
        "127.0.0.1", port, directConnection=True, username="forecast", password=password
    ) as client:
        (document,) = client.greenandcoop_weather.measurements.find()
    assert (document["run_id"], document["files"]) == ("run-1", ["reading.json"])


def test_everything_runs_with_least_privilege(engine, project):
    """No capabilities but the one to read its script, no new privileges; the ETL's root is read-only, /tmp is
    not. It has run so: the tests above."""
    held = {}
    for service in ("mongo1", "mongo2", "mongo-arbiter", "mongo-init", "forecast-etl"):
        host = project.container(engine, service).attrs["HostConfig"]
        assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"]), service
        held[service] = (host["CapAdd"], host["ReadonlyRootfs"], host.get("Tmpfs"))
    assert held["forecast-etl"] == (None, True, {"/tmp": ""})
    assert held["mongo-init"] == (["CAP_DAC_READ_SEARCH"], True, {"/tmp": ""})
    assert {held[name] and held[name][0] for name in ("mongo1", "mongo2", "mongo-arbiter")} == {None}


def test_nobody_reads_without_a_password(port):
    """Authentication is on: a client that does not log in is refused."""
    client = MongoClient("127.0.0.1", port, directConnection=True)
    with client, pytest.raises(OperationFailure) as refusal:
        client.greenandcoop_weather.measurements.find_one()
    assert refusal.value.code == UNAUTHORIZED


def test_the_set_is_the_one_of_the_flowchart(port):
    """rs0 has the data members mongo1 (the primary) and mongo2, and an arbiter."""
    with MongoClient("127.0.0.1", port, directConnection=True) as client:
        hello = client.admin.command("hello")
    assert (hello["setName"], hello["primary"]) == ("rs0", "mongo1:27017")
    assert hello["hosts"] == ["mongo1:27017", "mongo2:27017"]
    assert hello["arbiters"] == ["mongo-arbiter:27017"]


def test_initiating_again_changes_nothing(engine, project):
    """The init service may run again on a set that is up."""
    project.compose("start", "mongo-init")
    assert project.container(engine, "mongo-init").wait()["StatusCode"] == 0


def test_down_leaves_nothing(engine, stand_in, images, tmp_path):
    """After `down --volumes` no container, network or volume of the project is left."""
    with running(stand_in, images, tmp_path) as project:
        label = {"label": f"com.docker.compose.project={project.name}"}
        volumes = [mount["Name"] for mount in project.container(engine, "mongo1").attrs["Mounts"]]
        assert volumes
    assert engine.containers.list(all=True, filters=label) == []
    assert engine.networks.list(filters=label) == []
    assert not set(volumes) & {volume.name for volume in engine.volumes.list()}


def test_a_missing_password_is_said_with_the_remedy(images, tmp_path):
    """Without MONGO_PASSWORD compose starts nothing and names the command that makes one."""
    result = Project("deployer-test-none", {**images, "MONGO_PASSWORD": ""}).compose("config", "--quiet")
    assert result.returncode != 0
    assert "make compose-env" in result.stderr


def test_the_password_for_use_by_hand_is_made_once_and_kept_private(tmp_path):
    """scripts/compose-env writes .env for its owner alone; a second run keeps password and other lines."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / ".deployer").mkdir()
    (tmp_path / ".deployer/images.env").write_text("PYTHON_IMAGE=one\nMONGO_IMAGE=two\n")
    subprocess.run([tmp_path / "scripts/compose-env"], check=True)
    first = (tmp_path / ".env").read_text()
    (tmp_path / ".env").write_text(f"RUN_ID=mine\n{first}")
    subprocess.run([tmp_path / "scripts/compose-env"], check=True)
    assert sorted((tmp_path / ".env").read_text().splitlines()) == sorted(
        ["RUN_ID=mine", *first.splitlines()]
    )
    assert len(first.split("MONGO_PASSWORD=")[1].split()[0]) == 32
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
