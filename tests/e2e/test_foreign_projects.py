"""Small jobs of other people (`projects/`), each released by the installed wheel in a folder of its own, with
an empty home: what `deployer init` writes, and at most three lines by hand, are enough."""

import os
import shutil
import subprocess
import sys
import time
import uuid
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
from pymongo import MongoClient

from tests.conftest import Counted
from tests.e2e.command import Deployer, Ran
from tests.e2e.conftest import left_over
from tests.e2e.projects import Project, exported
from tests.e2e.stand_ins import official
from tests.images import ROOT, base_images

PROJECTS = Path(__file__).parent / "projects"
MOST_LINES = 25
MOST_BY_HAND = 3


def counting(collection: str, wanted: str = "at-least = 1") -> str:
    query = 'query = { run_id = "${RUN_ID}" }'
    return f'checks = [{{ name = "mine", kind = "count", collection = "{collection}", {query}, {wanted} }}]'


@dataclass(frozen=True)
class Job:
    """A project, what its owner types after `deployer init --yes` and into deploy.toml, and what it loads."""

    name: str
    database: str
    collection: str
    documents: int
    init: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()


JOBS = (
    Job(
        "bikes",  # Python with a dependency, tests, and a report of each run
        database="bikes",
        collection="counts",
        documents=4,
        by_hand=('report = { collection = "runs" }', counting("counts", 'equals-report = "loaded"')),
    ),
    Job(
        "invoices",  # Node.js with a driver from npm
        database="invoices",
        collection="invoices",
        documents=3,
        init=("--database", "invoices", "--collection", "invoices"),
    ),
    Job(
        "sensors",  # Go, a static binary in an image from scratch
        database="field",
        collection="readings",
        documents=3,
        init=("--database", "field"),
        by_hand=(counting("readings"),),
    ),
    Job(
        "tariffs",  # a shell script, tested by make
        database="tariffs",
        collection="prices",
        documents=3,
        init=("--database", "tariffs"),
        by_hand=(counting("prices"),),
    ),
    Job(
        "shop",  # a monorepo: two services with a Dockerfile each, and a folder that they share
        database="shop",
        collection="rates",
        documents=3,
        init=("--dockerfile", "services/loader/Dockerfile", "--database", "shop"),
        by_hand=(counting("rates"),),
    ),
    Job(
        "orders",  # a compose file with `build: .`
        database="warehouse",
        collection="orders",
        documents=3,
        by_hand=(counting("orders"),),
    ),
)
SILENT = Job("visitors", "museum", "visitors", documents=3, init=("--database", "museum"))
"""Knows of no RUN_ID and writes no report."""


@dataclass
class Figures:
    """Of every project: the lines of deploy.toml, those by hand, and the seconds of its releases."""

    rows: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"{'project':<10} {'lines':>5} {'by hand':>7} {'seconds':>7}  end"
        yield from self.rows


@dataclass(frozen=True)
class Owner:
    """Somebody with a job of their own and nothing else, who has installed the tool."""

    job: Job
    folder: Path
    deployer: Deployer
    figures: Figures

    def initializes(self) -> list[str]:
        """Returns the lines of deploy.toml, those by hand included."""
        ran = self.deployer("init", "--yes", *self.job.init)
        assert ran.code == 0, ran.said()
        assert "next: deployer release" in ran.stdout
        assert len(self.job.by_hand) <= MOST_BY_HAND
        with (self.folder / "deploy.toml").open("a") as file:
            file.writelines(f"{line}\n" for line in self.job.by_hand)
        lines = (self.folder / "deploy.toml").read_text().splitlines()
        assert len(lines) <= MOST_LINES
        return lines

    def documents(self, query: Mapping[str, str]) -> int:
        """How many of the job's documents are in the sandbox's database."""
        uri = exported(self.deployer("sandbox", "env").stdout)["SANDBOX_MONGO_URI"]
        with MongoClient[dict[str, str]](uri) as client:
            return client[self.job.database][self.job.collection].count_documents(query)

    def counts(self, lines: list[str], begun: float, *ran: Ran) -> None:
        ends = ", then ".join(str(one.ended["end"]) for one in ran)
        seconds = time.monotonic() - begun
        by_hand = len(self.job.by_hand)
        self.figures.rows.append(f"{self.job.name:<10} {len(lines):>5} {by_hand:>7} {seconds:>7.0f}  {ends}")


@pytest.fixture(scope="module")
def figures(counted: dict[str, Counted]) -> Figures:
    found = counted.setdefault("projects of other people, from init to a verified release", Figures())
    assert isinstance(found, Figures)
    return found


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from this checkout's wheel with all that the wheel asks for."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([sys.executable, *build, str(ROOT)], check=True, timeout=120)
    (wheel,) = folder.glob("deployer-*.whl")
    pip = (folder / "venv/bin/pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check")
    subprocess.run([*pip, f"{wheel}[sandbox]"], check=True, timeout=300)
    return folder / "venv/bin/deployer"


@pytest.fixture(scope="module")
def bases(engine: docker.DockerClient) -> Iterator[None]:
    with official(engine, base_images()["PYTHON_IMAGE"]):
        yield


@pytest.fixture
def owner(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    program: Path,
    bases: None,
    engine: docker.DockerClient,
    figures: Figures,
) -> Iterator[Owner]:
    """Of the job that the test is parametrized with; at the end nothing of the project is on the machine."""
    job: Job = request.param
    folder = tmp_path / f"{job.name}-{uuid.uuid4().hex[:8]}"
    shutil.copytree(PROJECTS / job.name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    home, bin_folder = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    bin_folder.mkdir()
    python = bin_folder / "python3"  # the owner's own, in which their tests' packages are
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    environ = {
        "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        **({"MONGO_IMAGE": base_images()["MONGO_IMAGE"]} if (folder / "compose.yaml").is_file() else {}),
        **{key: os.environ[key] for key in ("DOCKER_HOST",) if key in os.environ},
    }
    deployer = Deployer(folder, environ, program=(program,))
    yield Owner(job, folder, deployer, figures)
    down = deployer("sandbox", "down", "--purge")
    assert down.code == 0, down.said()
    assert left_over(engine, Project(folder, folder.name, folder.name, deployer)) == []


@pytest.mark.parametrize("owner", JOBS, ids=lambda job: job.name, indirect=True)
def test_a_few_lines_are_enough_for_a_verified_release(owner: Owner) -> None:
    """From init to END_SUCCESS, and the documents of that release are in the database."""
    begun, lines = time.monotonic(), owner.initializes()
    ran = owner.deployer.release("--yes")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert "deployer doctor --env" in ran.ended["untested"]
    owner.counts(lines, begun, ran)
    assert owner.documents({"run_id": ran.release}) == owner.job.documents


@pytest.mark.parametrize("owner", [SILENT], ids=lambda job: job.name, indirect=True)
def test_a_job_that_names_no_run_is_unproven_until_the_suggestion_is_written(owner: Owner) -> None:
    """Nothing by hand: the release ends as unproven and shows the checks to add; added by `--write`, as they
    stand, they prove it, and the next release too."""
    begun, lines = time.monotonic(), owner.initializes()
    first = owner.deployer.release("--yes")
    assert (first.code, first.paused["subcause"]) == (17, "unproven"), first.said()
    shown = [event["text"] for event in first.events if event["event"] == "noted"]
    suggested = owner.deployer("verify", "--suggest", "--write")
    assert suggested.code == 0, suggested.said()
    written = (owner.folder / "deploy.toml").read_text().splitlines()
    assert "change-at-least = 1" in shown
    assert {line for line in written[len(lines) :] if line.startswith("change-at-least")} <= set(shown)
    proven = owner.deployer.resume("--yes")
    assert proven.ended["end"] == "END_SUCCESS", proven.said()
    owner.counts(written, begun, first, proven)
    assert owner.documents({}) == owner.job.documents
    again = owner.deployer.release("--yes")
    assert again.ended["end"] == "END_SUCCESS", again.said()
    assert owner.documents({}) == 2 * owner.job.documents
