"""Jobs that fail, each in its own way: the branch, the exit code, the remedy, and the way on once mended."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

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
    """How it is made, how it is mended, and where the release is to stop in between."""

    name: str
    make: Callable[[World], None]
    mend: Callable[[World], None]
    node: str
    exit_code: int
    says: str
    remedy: str = ""


def source(old: str, new: str) -> tuple[Callable[[World], None], Callable[[World], None]]:
    """A change of the job's code, and back."""
    return file("job.py", old, new)


def file(name: str, old: str, new: str) -> tuple[Callable[[World], None], Callable[[World], None]]:
    return (lambda world: world.job.edit(name, old, new), lambda world: world.job.edit(name, new, old))


def setting(text: str) -> tuple[Callable[[World], None], Callable[[World], None]]:
    """Something in the container's environment that makes the job fail, and back."""
    return file("deploy.toml", ENVIRONMENT, f"environment = {{ {text} }}")


def secret(change: Callable[[str], str]) -> tuple[Callable[[World], None], Callable[[World], None]]:
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


BEGINS = 'print(f"run {run} begins", flush=True)'
FAILURES = [
    Failure(
        "raises",
        *source(BEGINS, 'raise ValueError("no column temperature")'),
        "CODE",
        10,
        "ValueError: no column temperature",
    ),
    Failure(
        "missing-module", *source("import os\n", "import os\nimport pandas\n"), "CODE", 10, "No module named"
    ),
    Failure("loads-nothing", *setting('ROWS = "0"'), "CHECK_DATA", 17, "something was loaded"),
    Failure("loses-one", *setting('ROWS = "50", REPORTED = "51"'), "CHECK_DATA", 17, "every reported row"),
    Failure(
        "wrong-password",
        *secret(lambda uri: uri.replace("forecast-etl:", "forecast-etl:not")),
        "CHECK_ATLAS",
        16,
        "Authentication failed",
    ),
    Failure(
        "closed-port",
        *secret(lambda uri: "mongodb://172.17.0.1:9/"),
        "CHECK_ATLAS",
        16,
        "ServerSelectionTimeoutError",
    ),
    Failure(
        "unknown-host",
        *secret(lambda uri: "mongodb://cluster0.invalid/"),
        "CHECK_ATLAS",
        16,
        "cluster0.invalid",
    ),
    Failure("no-secret", *no_secret(), "CHECK_CONFIG", 13, "secret"),
    Failure(
        "no-entry-point",
        *file("Dockerfile", "/opt/venv/bin/python", "/opt/venv/bin/pyton"),
        "CHECK_CONFIG",
        10,
        "pyton",
    ),
    Failure("killed", *source(BEGINS, "os._exit(137)"), "CHECK_CONFIG", 15, "137"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failure_stops_at_its_node_and_is_gone_on_from_once_mended(
    failure: Failure, job: Project, outside: Outside
) -> None:
    """The right node, exit code and remedy; after the mend the same release ends in success."""
    world = World(job, outside)
    failure.make(world)
    ran = job.release("--from", "build")
    assert (ran.code, ran.ended["end"], ran.ended["node"]) == (failure.exit_code, "PAUSED", failure.node), (
        ran.said()
    )
    assert failure.says in " ".join((ran.paused["message"], *ran.paused["evidence"])), ran.paused
    assert ran.paused["remedy"]
    assert ran.paused["resume"] == f"deployer release --resume {ran.release}"
    failure.mend(world)
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()
    assert outside.collection("rows").count_documents({"run": ran.release}) == 50
