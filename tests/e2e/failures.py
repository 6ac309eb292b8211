"""Ways in which a job fails: how each is made and mended, and what is said of it in between."""

import re
import struct
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import docker

from deployer.records.journal import read
from deployer.records.releases import state_of
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

ENVIRONMENT = "environment = {}"


@dataclass(frozen=True)
class World:
    """What a failure is made in: the project, the secret that it reads, the account."""

    job: Project
    outside: Outside

    def put_secret(self, value: str) -> None:
        self.outside.aws("secretsmanager").put_secret_value(SecretId=self.job.name, SecretString=value)


def wrong_password(uri: str) -> str:
    """The same address with a password that MongoDB refuses, whoever the user is."""
    return re.sub(r"//(\w+):", r"//\1:not", uri)


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
        right = world.outside.facts["SANDBOX_MONGO_URI"]
        wrong = change(right)
        assert wrong != right
        world.put_secret(wrong)

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
        world.job.edit("deploy.toml", '"job.py"]', '"job.py", "foreign"]')
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
        remedy="Correct the program",
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
        *address(wrong_password),
        ("CHECK_ATLAS", 16),
        says="Authentication failed",
        remedy="password",
    ),
    Failure(
        "closed-port",
        *address(lambda uri: re.sub(r":\d+/", ":9/", uri)),
        ("CHECK_ATLAS", 16),
        says="Connection refused",
        remedy="bindIp",
    ),
    Failure(
        "unknown-host",
        *address(lambda uri: "mongodb://cluster0.invalid/"),
        ("CHECK_ATLAS", 16),
        says="cluster0.invalid",
        remedy="nslookup cluster0.invalid",
    ),
    Failure(
        "unknown-srv-name",
        *address(lambda uri: "mongodb+srv://cluster0.test.invalid/"),
        ("CHECK_ATLAS", 16),
        says="cluster0.test.invalid",
        remedy="cluster0.test.invalid",
    ),
    Failure(
        "no-tls-there",
        *address(lambda uri: f"{uri}&tls=true"),
        ("CHECK_ATLAS", 16),
        says="SSL",
        remedy="tls=true",
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
    login = b64encode(f"AWS:{world.outside.facts['SANDBOX_ACCESS_KEY']}".encode()).decode()
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {login}"}, method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()
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
        sees="is no longer in the repository",
        remedy="deployer resume",
    ),
    Loss(
        "secret",
        lose_secret,
        no_secret()[1],
        says="ResourceInitializationError",
        sees="is scheduled for deletion",
        remedy="aws secretsmanager restore-secret",
    ),
]
