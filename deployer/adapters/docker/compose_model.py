"""What a compose file says, as `docker compose config` resolves it: the job, MongoDB, its port and its
users."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from deployer.config import model
from deployer.errors import Failure

_NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES: Final = (
    *("compose.override.yml", "compose.override.yaml"),
    *("docker-compose.override.yml", "docker-compose.override.yaml"),
)
_MONGO: Final = re.compile(r"mongo(?!-express|-?seeding|\w*[-_]exporter)")
_MONGO_NAME: Final = re.compile(r"mongo(db)?[-_]?\d*")
_SERVER: Final = re.compile(r"^-|\bmongo[ds]\b|docker-entrypoint\.sh")
_PORT: Final = 27017


def compose_files(folder: Path, named: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """`named`, else the files that Compose takes in this folder: COMPOSE_FILE (of the environment, else of
    `.env`), else the file of a usual name with its override. Empty: none."""
    if named:
        return tuple(named)
    variables = {**dotenv(folder / ".env"), **environment}
    if listed := variables.get("COMPOSE_FILE"):
        return tuple(filter(None, listed.split(variables.get("COMPOSE_PATH_SEPARATOR") or os.pathsep)))
    first = next((name for name in _NAMES if (folder / name).is_file()), None)
    if first is None:
        return ()
    return (first, *[name for name in _OVERRIDES if (folder / name).is_file()][:1])


def dotenv(path: Path) -> dict[str, str]:
    """The plain `NAME=value` lines of a .env file; none if it is not there."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.strip().removeprefix("export ").partition("=") for line in lines if line.strip()[:1] != "#")
    return {name.strip(): _dotenv_value(value.strip()) for name, sign, value in pairs if sign}


def _dotenv_value(text: str) -> str:
    """Without its quotes, or the comment behind it."""
    quoted = re.match(r"""(["'])(.*?)\1""", text)
    return quoted[2] if quoted else re.split(r"\s#", text, maxsplit=1)[0].rstrip()


@dataclass(frozen=True)
class Credentials:
    """How a client logs in; `user` None: it does not."""

    user: str | None = None
    password: str = ""
    source: str = "admin"


@dataclass(frozen=True)
class ComposeModel:
    """`services` by name; `hints`: names that the job's service may have, the likeliest first; `secrets`: the
    files of the secrets."""

    services: Mapping[str, Mapping[str, Any]]
    settings: model.Compose
    hints: tuple[str, ...] = ()
    secrets: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(
        cls, table: Mapping[str, Any], settings: model.Compose, hints: tuple[str, ...] = ()
    ) -> "ComposeModel":
        """Of what `docker compose config --format json` prints."""
        secrets = (table.get("secrets") or {}).items()
        files = {name: Path(secret["file"]) for name, secret in secrets if secret.get("file")}
        return cls(table.get("services") or {}, settings, hints, files)

    @property
    def job(self) -> str:
        """The job's service. Failure `docker`: it cannot be told which one that is."""
        wanted = self.settings.service
        if wanted:
            return self._known(wanted, "service")
        built = [n for n, service in self.services.items() if service.get("build") and not self._is_mongo(n)]
        near = [name for name in self.hints if name in self.services]
        own = [name for name in near if name in built] or (built if len(built) == 1 else near)
        if not own:
            raise Failure(
                "docker",
                f"the compose file does not tell which service is the job: {', '.join(self.services)}",
                "name it in deploy.toml: [compose] service; or leave the test out: --skip compose",
            )
        return own[0]

    @property
    def has_job(self) -> bool:
        """Whether it can be told which service is the job."""
        try:
            return bool(self.job)
        except Failure:
            return False

    @property
    def mongo(self) -> str:
        """The MongoDB that is asked for documents: of several servers the first that publishes its port."""
        wanted = self.settings.mongo_service
        if wanted:
            return self._known(wanted, "mongo-service")
        found = list(filter(self._is_mongo, self.services))
        found = list(filter(self._is_server, found)) or found
        if not found:
            raise Failure(
                "docker",
                "the compose file has no MongoDB to count documents in",
                "name its service in deploy.toml: [compose] mongo-service",
            )
        return next((name for name in found if self._published(name)), found[0])

    @property
    def has_mongo(self) -> bool:
        return bool(self.settings.mongo_service) or any(map(self._is_mongo, self.services))

    @property
    def mongo_port(self) -> int:
        """Within its container: as configured, as its command says, or MongoDB's own."""
        return self._port_of(self.mongo)

    def credentials(self, variables: Mapping[str, str]) -> list[Credentials]:
        """The users to try, the likeliest first: of deploy.toml, of the image's own set-up, of the address or
        the variables that the job is given; then none."""
        found = [*self._configured(variables), *self._first_user(), *self._of_the_job()]
        return list(dict.fromkeys((*found, Credentials())))

    def database(self) -> str:
        """The database in the address that the job is given; empty: none."""
        addresses = (urlsplit(value) for value in self._values(self.job) if value.startswith("mongodb"))
        return next((address.path.strip("/") for address in addresses if address.path.strip("/")), "")

    def override(self, image: str, run_id: str) -> str:
        """A compose file that puts the release's image in place of whatever the job's service builds or
        names, gives the job its RUN_ID, and publishes MongoDB's port where nothing does."""
        lines = ["services:"]
        job = self.services[self.job]
        for name, service in self.services.items():
            same_image = bool(service.get("image")) and service.get("image") == job.get("image")
            same_build = bool(service.get("build")) and service.get("build") == job.get("build")
            if name == self.job or same_image or same_build:
                lines += [
                    f"  {json.dumps(name)}:",
                    f"    image: {json.dumps(image)}",
                    "    pull_policy: never",
                ]
                lines += ["    build: !reset null"] if service.get("build") else []
                if name == self.job:
                    lines += ["    environment:", f"      RUN_ID: {json.dumps(run_id)}"]
        if self.has_mongo and not self._published(self.mongo) and not self._shares_network(self.mongo):
            lines += [f"  {json.dumps(self.mongo)}:", f'    ports: ["127.0.0.1::{self.mongo_port}"]']
        return "\n".join([*lines, ""])

    def _known(self, name: str, key: str) -> str:
        if name not in self.services:
            raise Failure(
                "docker",
                f"the compose file has no service {name!r}: it has {', '.join(self.services) or 'none'}",
                f"correct [compose] {key}, or enable the service's profile in COMPOSE_PROFILES",
            )
        return name

    def _is_mongo(self, name: str) -> bool:
        service = self.services[name]
        image = str(service.get("image") or "").rpartition("/")[2]
        called = not image and _MONGO_NAME.fullmatch(name)
        return bool(called or _MONGO.search(image)) or "mongod" in self._command(name)

    def _is_server(self, name: str) -> bool:
        """Not a container of MongoDB's image that sets up another one, nor an arbiter, which has no data."""
        command = self._command(name)
        return (not command or bool(_SERVER.search(" ".join(command)))) and "arbiter" not in name

    def _command(self, name: str) -> list[str]:
        """The words of entry point and command, each a list or a line."""
        values = [self.services[name].get(key) for key in ("entrypoint", "command")]
        return [
            w
            for value in values
            for w in (value.split() if isinstance(value, str) else map(str, value or ()))
        ]

    def _published(self, name: str) -> bool:
        return any(
            port.get("target") == self._port_of(name) for port in self.services[name].get("ports") or ()
        )

    def _port_of(self, name: str) -> int:
        said = re.search(r"--port[ =](\d{1,5})\b", " ".join(self._command(name)))
        return self.settings.mongo_port or (int(said[1]) if said else _PORT)

    @property
    def on_this_machine(self) -> bool:
        """Whether MongoDB has the machine's own network."""
        return self.services[self.mongo].get("network_mode") == "host"

    def _shares_network(self, name: str) -> bool:
        return bool(self.services[name].get("network_mode"))

    def _configured(self, variables: Mapping[str, str]) -> Iterator[Credentials]:
        if self.settings.mongo_user:
            yield Credentials(self.settings.mongo_user, variables.get("MONGO_PASSWORD", ""))

    def _first_user(self) -> Iterator[Credentials]:
        given = self.services[self.mongo].get("environment") or {}
        user = given.get("MONGO_INITDB_ROOT_USERNAME") or given.get("MONGODB_ROOT_USER")
        password = given.get("MONGO_INITDB_ROOT_PASSWORD") or given.get("MONGODB_ROOT_PASSWORD")
        file = str(given.get("MONGO_INITDB_ROOT_PASSWORD_FILE") or "").rpartition("/")[2]
        if not password and file:
            password = self._secret(file)
        if password:
            yield Credentials(str(user or "root"), str(password))

    def _secret(self, name: str) -> str:
        """What the file of a secret holds; empty: there is none."""
        try:
            return self.secrets[name].read_text(encoding="utf-8").strip()
        except (KeyError, OSError, UnicodeDecodeError):
            return ""

    def _of_the_job(self) -> Iterator[Credentials]:
        for value in self._values(self.job):
            if not value.startswith(("mongodb://", "mongodb+srv://")):
                continue
            address, options = value.partition("?")[0], parse_qs(value.partition("?")[2])
            user, sign, _ = address.partition("://")[2].rpartition("@")
            if sign:
                name, _, password = user.partition(":")
                database = urlsplit(address).path.strip("/")
                source = options.get("authSource", [database or "admin"])[0]
                yield Credentials(unquote(name), unquote(password), source)
        given = self.services[self.job].get("environment") or {}
        user = _first(given, r"MONGO\w*_USER(NAME)?")
        password = _first(given, r"MONGO\w*_(PASSWORD|PASS|PWD)")
        if user and password:
            yield Credentials(user, password)

    def _values(self, name: str) -> list[str]:
        return [str(value) for value in (self.services[name].get("environment") or {}).values() if value]


def _first(given: Mapping[str, Any], pattern: str) -> str:
    return next((str(value) for name, value in given.items() if value and re.fullmatch(pattern, name)), "")
