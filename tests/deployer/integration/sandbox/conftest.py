"""A sandbox in a folder of its own, gone again after the test."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker.client import DockerClient

from deployer.sandbox import Sandbox, SandboxFacts, SandboxSettings
from deployer.sandbox.aws import Aws
from tests.images import base_images

Make = Callable[..., SandboxSettings]


@pytest.fixture(scope="session")
def docker() -> Iterator[DockerClient]:
    """The engine."""
    client = DockerClient.from_env()
    yield client
    client.close()


def settings_in(root: Path, data: Path) -> SandboxSettings:
    """A sandbox in that folder, seeded from the other one."""
    return SandboxSettings(
        root=root,
        project=f"sandbox-{root.parent.name}",
        repository="forecast-etl",
        cluster="greenandcoop-cluster",
        log_group="/ecs/forecast-etl",
        bucket="greenandcoop-raw-data",
        secret="forecast-etl/mongo-uri",
        database="greenandcoop_weather",
        mongo_image=base_images()["MONGO_IMAGE"],
        data=data,
    )


def files_in(folder: Path) -> Path:
    """Two small files."""
    (folder / "day").mkdir(parents=True)
    (folder / "stations.json").write_text("stations")
    (folder / "day" / "readings.json").write_text("readings")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two small files."""
    return files_in(tmp_path / "data")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox for the tests of a module that can share one."""
    folder = tmp_path_factory.mktemp("standing")
    sandbox = Sandbox(settings_in(folder / "sandbox", files_in(folder / "data")))
    yield sandbox
    sandbox.down(purge=True)


@pytest.fixture
def make(tmp_path: Path, data: Path) -> Iterator[Make]:
    """Settings for a sandbox in `tmp_path/<folder>`; whatever ran there is stopped at the end."""
    roots: set[Path] = set()

    def settings(
        folder: str = "sandbox", *, aws_port: int | None = None, mongo_port: int | None = None
    ) -> SandboxSettings:
        roots.add(tmp_path / folder)
        return replace(settings_in(tmp_path / folder, data), aws_port=aws_port, mongo_port=mongo_port)

    yield settings
    for root in roots:
        Sandbox(settings(root.name)).down(purge=True)


def aws_of(facts: SandboxFacts) -> Aws:
    """Clients of that sandbox."""
    return Aws(facts.endpoint, facts.region, facts.access_key)
