"""A real mongod: the single-node replica set `rs0` with authentication, in a container of MONGO_IMAGE.

Its port is published where people and containers reach this machine, and is the same inside, so that the
set's one member has an address that holds everywhere. Its data is in a volume of the engine. Whoever has the
set's key file may do everything as the user `__system` of the database `local`, so there is no other admin.
https://www.mongodb.com/docs/manual/reference/system-users-collection/
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deployer.errors import FailureClass
from deployer.sandbox import engine
from deployer.sandbox.engine import Container
from deployer.sandbox.errors import SandboxError
from deployer.sandbox.ministack import instance
from deployer.sandbox.settings import SandboxSettings
from deployer.sandbox.waiting import wait_for

if TYPE_CHECKING:
    from pymongo import MongoClient

REPLICA_SET = "rs0"
USER = "job"
_KEY_FILE = "mongo.key"
_PRIMARY_SECONDS = 30.0
_ANSWER_MS = 2000
_NOT_YET_INITIALIZED = 94


@dataclass(frozen=True)
class Mongod:
    """One mongod. `host`: how containers call this machine."""

    settings: SandboxSettings
    port: int
    host: str
    image: str
    name: str = "mongod"
    failure_class: FailureClass = "mongodb"
    grace: float = 30.0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its port is published."""
        return engine.addresses(self.host)

    @property
    def container(self) -> str:
        """The name of its container, and of the volume with its data."""
        return f"{instance(self.settings.root)}-mongodb"

    @property
    def log(self) -> str:
        """Where its own words are, JSON lines."""
        return f"docker logs {self.container}"

    @property
    def member(self) -> str:
        """The replica set member's own address."""
        return f"{self.host}:{self.port}"

    def find(self) -> list[Container]:
        """Its container, if it runs."""
        with suppress(SandboxError):
            return [found for found in (engine.running(self.container),) if found]
        return []

    def as_wanted(self) -> bool:
        """Whether the container that runs was made as it would be now."""
        return [found.made_for for found in self.find()] == [self._made_for()]

    def launch(self) -> None:
        """A container, with the volume that is there or a new one."""
        instance_of = {engine.SANDBOX: instance(self.settings.root), engine.MADE_FOR: self._made_for()}
        options = {**self._options(), "labels": instance_of}
        engine.run(self.container, self.image, options, {_KEY_FILE: self._key()})

    def end(self, grace: float) -> None:
        """The data stays in its volume."""
        engine.end(self.container, grace)

    def erase(self) -> None:
        """The container and its data are gone."""
        engine.end(self.container, 0)
        engine.remove_volumes(self.container)

    def _options(self) -> dict[str, Any]:
        """A small mongod: little cache and oplog, no wait for secondaries at stop. zlib is what
        CVE-2025-14847 reads memory through; no check needs JavaScript."""
        return {
            "entrypoint": ["mongod"],
            "command": [
                *("--dbpath", "/data/db", "--replSet", REPLICA_SET, "--keyFile", f"/{_KEY_FILE}"),
                *("--bind_ip_all", "--port", str(self.port), "--nounixsocket", "--quiet"),
                *("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256"),
                *("--networkMessageCompressors", "snappy,zstd", "--noscripting"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
            ],
            "ports": {f"{self.port}/tcp": [(address, self.port) for address in self.addresses]},
            "volumes": {self.container: {"bind": "/data/db", "mode": "rw"}},
            "mem_limit": "2g",
            "security_opt": ["no-new-privileges"],
        }

    def _made_for(self) -> str:
        return hashlib.sha256(repr((self.image, self._options(), self._key())).encode()).hexdigest()

    def _key(self) -> str:
        return (self.settings.root / _KEY_FILE).read_text(encoding="ascii")

    def healthy(self) -> bool:
        """Whether it answers a hello."""
        from pymongo.errors import PyMongoError

        try:
            with self._client(login=False) as client:
                client.admin.command("hello")
        except PyMongoError:
            return False
        return True

    def complaint(self) -> str:
        """The first error of the log, in which each line is JSON with severity, message and attributes."""
        lines = engine.logs(self.container)
        for line in lines:
            with suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                if entry["s"] in "EF":
                    return f"{entry['msg']}: {json.dumps(entry.get('attr', {}))}"
        return "".join(lines[-1:])

    def uri(self, password: str, *, inside: bool) -> str:
        """The address for the job's user, with its database. `inside`: as containers need it."""
        member, options = self.member, f"replicaSet={REPLICA_SET}"
        if not inside and self.host not in self.addresses:
            member, options = f"{engine.LOOPBACK}:{self.port}", "directConnection=true"
        place = f"{member}/{self.settings.database}"
        return f"mongodb://{USER}:{quote(password)}@{place}?{options}&authSource=admin"

    def prepare(self, password: str) -> None:
        """Make the replica set and the job's user what they should be; what is right is left alone.

        Raises SandboxError when it refuses or no primary is elected.
        """
        with self._told("be prepared"), self._client() as client:
            self._ensure_set(client)
            self._ensure_user(client, password)

    def forget(self) -> None:
        """Drop the job's database. Raises SandboxError when mongod refuses."""
        with self._told(f"drop {self.settings.database}"), self._client() as client:
            client.drop_database(self.settings.database)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from pymongo.errors import PyMongoError

        try:
            yield
        except PyMongoError as error:
            raise SandboxError(
                f"mongod on port {self.port} cannot {what}: {error}",
                "start afresh: deployer sandbox down --purge, then deployer sandbox up",
                failure_class="mongodb",
            ) from error

    @contextmanager
    def _client(self, *, login: bool = True) -> "Iterator[MongoClient[Any]]":
        from pymongo import MongoClient

        options: dict[str, Any] = {
            "directConnection": True,
            "connectTimeoutMS": _ANSWER_MS,
            "serverSelectionTimeoutMS": _ANSWER_MS,
            "socketTimeoutMS": _ANSWER_MS * 5,
        }
        if login:
            options |= {"username": "__system", "password": self._key(), "authSource": "local"}
        with MongoClient[Any](engine.LOOPBACK, self.port, **options) as client:
            yield client

    def _ensure_set(self, client: "MongoClient[Any]") -> None:
        """The machine's address or the port may be another than when the set was made."""
        from pymongo.errors import OperationFailure

        wanted = {"_id": REPLICA_SET, "version": 1, "members": [{"_id": 0, "host": self.member}]}
        try:
            config = client.admin.command("replSetGetConfig")["config"]
            if config["members"][0]["host"] != self.member:
                moved = {**wanted, "version": config["version"] + 1}
                client.admin.command("replSetReconfig", moved, force=True)
        except OperationFailure as error:
            if error.code != _NOT_YET_INITIALIZED:
                raise
            client.admin.command("replSetInitiate", wanted)
        if not wait_for(lambda: client.admin.command("hello")["isWritablePrimary"], _PRIMARY_SECONDS):
            raise SandboxError(
                f"the replica set {REPLICA_SET} on port {self.port} elects no primary",
                f"its log: {self.log}",
                failure_class="mongodb",
            )

    def _ensure_user(self, client: "MongoClient[Any]", password: str) -> None:
        known = client.admin.command("usersInfo", USER)["users"]
        client.admin.command(
            "updateUser" if known else "createUser",
            USER,
            pwd=password,
            roles=[{"role": "readWrite", "db": self.settings.database}],
        )
