"""A sandbox in a folder of its own, gone again after the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployer.sandbox import Sandbox, SandboxFacts, SandboxSettings
from deployer.sandbox.aws import Aws

Make = Callable[..., SandboxSettings]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two small files."""
    folder = tmp_path / "data"
    (folder / "day").mkdir(parents=True)
    (folder / "stations.json").write_text("stations")
    (folder / "day" / "readings.json").write_text("readings")
    return folder


@pytest.fixture
def make(tmp_path: Path, data: Path) -> Iterator[Make]:
    """Settings for a sandbox in `tmp_path/<folder>`; whatever ran there is stopped at the end."""
    roots: set[Path] = set()

    def settings(
        folder: str = "sandbox", *, aws_port: int | None = None, mongo_port: int | None = None
    ) -> SandboxSettings:
        roots.add(tmp_path / folder)
        return SandboxSettings(
            root=tmp_path / folder,
            repository="forecast-etl",
            cluster="greenandcoop-cluster",
            log_group="/ecs/forecast-etl",
            bucket="greenandcoop-raw-data",
            secret="forecast-etl/mongo-uri",
            data=data,
            aws_port=aws_port,
            mongo_port=mongo_port,
        )

    yield settings
    for root in roots:
        Sandbox(settings(root.name)).down(purge=True)


def aws_of(facts: SandboxFacts) -> Aws:
    """Clients of that sandbox."""
    return Aws(facts.endpoint, facts.region)
