"""The replica set `rs0` of two data members and an arbiter, all real mongod, made anew for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import MongoSettings
from pipeline.sample.write import write_sample
from tests.pipeline.mongod import Mongod, initiate
from tests.pipeline.workshop import utc

READINGS = 60_000


class ReplicaSet:
    """Two members and an arbiter."""

    def __init__(self, folder: Path) -> None:
        self.members = [Mongod(folder / "one"), Mongod(folder / "two")]
        self._arbiter = Mongod(folder / "arbiter")

    def start(self) -> None:
        for server in (*self.members, self._arbiter):
            server.start()
        initiate(self.members, self._arbiter)

    def stop(self) -> None:
        for server in (*self.members, self._arbiter):
            server.kill()

    def settings(self) -> MongoSettings:
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.members)
        return MongoSettings(f"mongodb://{hosts}/?replicaSet=rs0", "faults")

    def on_port(self, port: int) -> Mongod:
        return next(server for server in self.members if server.port == port)


@pytest.fixture
def replica_set(tmp_path: Path) -> Iterator[ReplicaSet]:
    servers = ReplicaSet(tmp_path / "rs0")
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def much(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("much")
    write_sample(READINGS, folder, utc("2024-10-07T23:59:59"))
    return folder
