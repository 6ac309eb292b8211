"""Releases, inputs of builds and checks, few and many."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pymongo import monitoring

from bench.scale.growth import Growth, cpu
from deployer.adapters.local.context import BuildContext
from deployer.adapters.local.hashing import FileHashes
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.config.checks import Check
from deployer.config.model import Build
from deployer.records.releases import Releases
from deployer.records.remote import Archive
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, running
from tests.fakes.compose import JobRun
from tests.fakes.history import PREFIX, CountedStore, filled, made
from tests.fakes.release import Releasing
from tests.fakes.world import World

FEW, MANY = 40, 1_000


def read_all(releases: Releases) -> None:
    """What `status`, `history`, `verify` and `plan` read of the releases."""
    releases.summaries("test", 20)
    next(releases.readable("test"))
    next(releases.readable("test", end="END_SUCCESS"))
    list(islice(releases.states("test", "END_SUCCESS"), 1))


def listed(folder: Path) -> Iterator[Growth]:
    """The commands in a project's folder with few and many releases: CPU seconds of the whole process."""
    for command in ("status", "history"):
        taken = {}
        for count in (20, 2_000):
            project = _project(folder / str(count), count)
            taken[count] = min(_cpu_of(project, command) for _ in range(3))
        yield Growth(f"deployer {command}, by releases", *_sizes(taken), "s CPU", 1.2, taken[20])


def _project(folder: Path, releases: int) -> Path:
    if not folder.exists():
        folder.mkdir()
        (folder / "deploy.toml").write_text(_PROJECT)
        for number in range(releases):
            made(folder / ".deployer/releases", number)
    return folder


_PROJECT = """
[project]
name = "job"

[aws]
region = "eu-west-3"

[run]
cluster = "bench"
subnets = ["subnet-1"]
security-groups = ["sg-1"]

[verify]
database = "bench"

[env.test]
"""


def _cpu_of(folder: Path, command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = Path(sys.executable).with_name("deployer")
    done = subprocess.run([program, command, "--env", "test"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bucket(folder: Path) -> Iterator[Growth]:
    """An empty folder, and releases in the state bucket: with the index, and the first time without."""
    for name, index in (("indexed", True), ("index healed", False)):
        calls, received = {}, {}
        for count in (FEW, MANY):
            store = CountedStore()
            filled(store, folder / f"{name}-{count}", count, index=index)
            store.calls = store.received = 0
            archive = Archive(store, PREFIX)
            read_all(Releases(folder / f"{name}-empty-{count}", lambda env, one=archive: [one]))
            calls[count], received[count] = float(store.calls), float(store.received)
        yield Growth(f"the same from a bucket, {name}", *_sizes(calls), "calls", 1.05, calls[FEW])
        yield Growth(f"the same from a bucket, {name}", *_sizes(received), "bytes", 1e6)


def journal(folder: Path) -> Iterator[Growth]:
    """The journal of a release that is built, run and proven; its compose test prints little and much."""
    sizes = {}
    for lines in (10, 1_000):
        world = World()
        printed = tuple(f"mongo1 | line {number} of the compose test" for number in range(lines))
        world.compose.next_runs.append(JobRun(lines=printed))
        world.tasks.script.append(world.loads())
        release = Releasing(world, folder / str(lines))
        assert release.go().end == "END_SUCCESS"
        sizes[lines] = float(release.path.stat().st_size)
    yield Growth("journal of a release, lines of its compose test", *_sizes(sizes), "bytes", 40_000)


def inputs(folder: Path) -> Iterator[Growth]:
    """The files of a build, unchanged since the last time."""
    taken = {}
    for count in (2_000, 20_000):
        root = folder / str(count)
        for number in range(count):
            path = root / f"d{number // 500}" / f"f{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        (root / "Dockerfile").write_text("FROM scratch\nCOPY . .\n")

        def hashed(root: Path = root) -> None:
            hashes = FileHashes(root.parent / "kept.json")
            for entry in BuildContext(root, Build()).entries.values():
                hashes.of(entry)
            hashes.save()

        hashed()
        taken[count] = cpu(hashed)
    yield Growth("files of a build, unchanged", *_sizes(taken), "s CPU", 0.4)


def verified(folder: Path) -> Iterator[Growth]:
    """Commands of a verification; the limit is two for each check, and a few for all."""
    listener, sent = _Commands(), {}
    monitoring.register(listener)
    with running(folder) as mongod:
        with mongod.client("loader") as client:
            client[DATABASE]["readings"].insert_many({"_id": n} for n in range(500))
        for count in (20, 200):
            tables = [
                {"name": f"n{n}", "kind": "count", "collection": "readings", "query": {"_id": {"$gt": n}},
                 "at-least": 1} for n in range(count)
            ]  # fmt: skip
            checks: list[Check] = TypeAdapter(list[Check]).validate_python(tables)
            listener.count = 0
            with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
                assert all(check.ok for check in verify(checks, database, _context()).checks)
            sent[count] = float(listener.count)
    yield Growth("verify, by checks", *_sizes(sent), "commands", 2 * 200 + 20)


def _context() -> VerifyContext:
    return VerifyContext("r1", None, {}, 0.0)


class _Commands(monitoring.CommandListener):
    count = 0

    def started(self, event: Any) -> None:
        self.count += 1

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


def _sizes(costs: dict[int, float]) -> tuple[tuple[int, float], tuple[int, float]]:
    (small, large) = sorted(costs.items())
    return small, large
