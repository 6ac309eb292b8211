"""One sandbox for all end-to-end tests, in a folder of its own; at the end nothing of it may be left."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from deployer.sandbox.ministack import instance
from tests.e2e import projects
from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.images import base_images
from tests.tally import Tally

collect_ignore = ["projects"]
"""The tests of other people's jobs are run by their releases."""


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    base_images()
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def etl(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The ETL's project with its sandbox up; whatever was made for it is gone after the tests."""
    project = projects.etl(tmp_path_factory.mktemp("etl"), f"e2e-{uuid.uuid4().hex[:8]}")
    try:
        up = project.deployer("sandbox", "up")
        assert up.code == 0, up.said()
        yield project
    finally:
        down = project.deployer("sandbox", "down", "--purge")
        for tag in tags_of(engine, project.name):
            engine.images.remove(tag, force=True)
    assert down.code == 0, down.said()
    assert left_over(engine, project) == []


def tags_of(engine: docker.DockerClient, name: str) -> list[str]:
    """Every tag whose repository begins with `name`, in whatever registry."""
    # The list alone: the client's own also inspects each image, and other tests may just have removed one.
    tags = [tag for image in engine.api.images() for tag in image["RepoTags"] or ()]
    return [tag for tag in tags if tag.rpartition(":")[0].rpartition("/")[2].startswith(name)]


def left_over(engine: docker.DockerClient, project: Project) -> list[str]:
    """Processes that name the project's folder, containers and image tags that name the project."""
    commands = [contents(path).replace(b"\0", b" ").decode() for path in Path("/proc").glob("[0-9]*/cmdline")]
    processes = [command for command in commands if f"{project.folder}/" in command]
    containers = [
        f"{item.name} ({item.attrs['Config']['Image']})"
        for item in engine.containers.list(all=True, ignore_removed=True)
        if project.name in item.name or project.name in item.attrs["Config"]["Image"]
    ]
    sandbox = {"name": instance(project.folder / ".deployer" / "sandbox")}
    containers += [item.name for item in engine.containers.list(all=True, filters=sandbox)]
    containers += [item.name for item in engine.volumes.list(filters=sandbox)]
    return processes + containers + tags_of(engine, project.name)


def contents(path: Path) -> bytes:
    """Empty for a process that has just ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="session")
def facts(etl: Project) -> dict[str, str]:
    """The sandbox's addresses and keys, as it prints them for a shell."""
    return projects.exported(etl.deployer("sandbox", "env").stdout)


@pytest.fixture(scope="session")
def outside(facts: dict[str, str]) -> Iterator[Outside]:
    looking = Outside(facts)
    yield looking
    looking.close()


@pytest.fixture(scope="session")
def jobs_repository(etl: Project, outside: Outside) -> str:
    """One repository for all jobs, so that the base is pushed once; the role may read their secrets."""
    return projects.jobs_repository(etl.name, outside)


@pytest.fixture
def make_job(tmp_path: Path, outside: Outside, jobs_repository: str) -> Callable[[], Project]:
    """Makes projects of one file, not released yet, each with a secret and a family of its own."""
    return lambda: projects.new_job(tmp_path, jobs_repository, outside)


@pytest.fixture
def job(make_job: Callable[[], Project]) -> Project:
    return make_job()


@pytest.fixture(scope="session")
def answers(counted: dict[str, object]) -> Tally:
    """By behavior of AWS: what the release did."""
    tally = counted.setdefault("releases on an AWS that answers as the real one", Tally())
    assert isinstance(tally, Tally)
    return tally
