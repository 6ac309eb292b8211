"""A sandbox of its own, a small job, and the proxy between them."""

import shutil
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import bson
import docker
import pymongo
import pytest

from deployer.sandbox import Sandbox, SandboxFacts, SandboxSettings
from tests.e2e import projects
from tests.e2e.command import Deployer, Ran
from tests.e2e.outside import DATABASE, Outside
from tests.e2e.projects import Project
from tests.faults.proxy import Kind, Proxy, between


@dataclass(frozen=True)
class Stage:
    """A job that is released through the proxy, and a look at what that has done. `released`: the contents
    that have been released well."""

    project: Project
    proxy: Proxy
    outside: Outside
    released: set[str] = field(default_factory=set)

    def change(self, code: str) -> None:
        """Other content, with `code` at the job's end: the next release builds, pushes and registers."""
        job = self.project.folder / "job.py"
        job.write_text((projects.JOB / "job.py").read_text() + code + "\n")

    def release(self, *arguments: str) -> Ran:
        return self.project.release("--start-at", "build", *arguments)

    def effects(self, release: str) -> dict[str, int]:
        """What the outside world counts: all images and revisions; tasks and documents of the release (none
        of ""; nothing is lost on the way to the counting)."""
        images = self.outside.images(self.project.repository)
        return {
            "digests": len(images),
            "tags": len({tag for tags in images.values() for tag in tags} - {"latest"}),
            "revisions": len(self.outside.revisions(self.project.name)),
            "tasks": len(self.outside.tasks(release)),
            "documents": self.outside.collection("rows").count_documents({"run": release}),
            "reports": self.outside.collection("runs").count_documents({"_id": release}),
        }


@dataclass
class Toll:
    """What was broken, by kind and operation, and how the releases that it befell ended."""

    releases: int = 0
    calls: int = 0
    faults: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    befallen: dict[Kind, list[str]] = field(default_factory=lambda: defaultdict(list))

    def count(self, faults: list[tuple[Kind, str]], calls: int, *, ended: str, doubled: bool) -> None:
        self.releases += 1
        self.calls += calls
        self.faults.update(faults)
        for kind in {kind for kind, _ in faults}:
            self.befallen[kind].append(f"{ended}, an effect doubled" if doubled else ended)

    def lines(self) -> Iterator[str]:
        yield f"{self.releases} releases, {self.calls} calls, {self.faults.total()} of them broken"
        for kind, ends in sorted(self.befallen.items()):
            hit = Counter({name: n for (other, name), n in self.faults.items() if other == kind})
            told = ", ".join(f"{n} {end}" for end, n in Counter(ends).most_common())
            yield f"{kind:12}{hit.total():5}  in {len(ends)} releases, which ended: {told}"
            yield " " * 19 + ", ".join(f"{name} {n}" for name, n in hit.most_common())


@pytest.fixture(scope="session")
def toll(counted: dict[str, object]) -> Toll:
    toll = counted.setdefault("injected faults", Toll())
    assert isinstance(toll, Toll)
    return toll


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxFacts]:
    folder = tmp_path_factory.mktemp("faults")
    data = folder / "data"
    data.mkdir()
    (data / "nothing.txt").write_text("this job reads no data")
    standing = Sandbox(
        SandboxSettings(
            root=folder / "sandbox",
            project="faults",
            repository=f"faults-{uuid.uuid4().hex[:8]}",
            cluster="faults",
            log_group="/ecs/forecast-etl",
            bucket="faults-data",
            secret="faults/mongo-uri",
            database=DATABASE,
            mongo_image=projects.images()["MONGO_IMAGE"],
            data=data,
        )
    )
    try:
        yield standing.up()
    finally:
        standing.down(purge=True)


@pytest.fixture(scope="session")
def stage(sandbox: SandboxFacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    facts = sandbox.as_environment()
    name = f"faulted-{uuid.uuid4().hex[:8]}"
    outside = Outside(facts)
    outside.aws("ecr").create_repository(repositoryName=name)
    folder: Path = tmp_path_factory.mktemp("job") / "job"
    host, _, port = sandbox.registry.partition(":")
    with between((host, int(port))) as proxy:
        project = _small_job(folder, name, facts, sandbox.mongo_secret_arn)
        through = {"ENDPOINT": f"http://{proxy.address}", "SANDBOX_REGISTRY": proxy.address}
        deployer = Deployer(folder, {**project.deployer.environ, **through})
        try:
            yield Stage(replace(project, deployer=deployer), proxy, outside)
        finally:
            outside.close()
            _remove_images(name)


DOCKERFILE = """\
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
ENV PYTHONPATH=/job/site
COPY . /job/
USER 10001:10001
ENTRYPOINT ["python3", "-u", "/job/job.py"]
"""


def _small_job(folder: Path, name: str, facts: Mapping[str, str], secret: str) -> Project:
    """Two layers, and nothing to execute while it is built. `[retries]` is as it comes."""
    project = projects.job(folder, name, name, facts, secret)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / ".dockerignore").write_text("*\n!job.py\n!site\n")
    for package in (pymongo, bson):
        source = Path(package.__path__[0])
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / "site" / source.name, ignore=ignored)
    project.edit(
        "deploy.toml", 'inputs = ["Dockerfile", "job.py"]', 'inputs = ["Dockerfile", "job.py", "site"]'
    )
    tuned = '[retries]\ninitial-delay = "0.2s"\nmax-delay = "1s"\nmax-elapsed = "10s"\n'
    project.edit("deploy.toml", tuned, "")
    return project


def _remove_images(repository: str) -> None:
    client = docker.from_env()
    for image in client.images.list():
        for tag in image.tags:
            if tag.rpartition(":")[0].rpartition("/")[2] == repository:
                client.images.remove(tag, force=True)
    client.close()
