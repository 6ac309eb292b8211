"""What a compose file says, as `docker compose config` resolves it: the job, MongoDB, its port and its
users."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
_MONGO: Final = re.compile(r"mongo(?!-express|-?seeding)")
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
    return {name.strip(): value.strip().strip("\"'") for name, sign, value in pairs if sign}


@dataclass(frozen=True)
class Credentials:
    """How a client logs in; `user` None: it does not."""

    user: str | None = None
    password: str = ""
    source: str = "admin"


@dataclass(frozen=True)
class ComposeModel:
    """`services` by name; `hints`: names that the job's service may have, the likeliest first."""

    services: Mapping[str, Mapping[str, Any]]
    settings: model.Compose
    hints: tuple[str, ...] = ()

    @property
    def job(self) -> str:
        """The job's service. Failure `docker`: it cannot be told which one that is."""
        wanted = self.settings.service
        if wanted:
            return self._known(wanted, "service")
        built = [name for name, service in self.services.items() if service.get("build")]
        near = [name for name in self.hints if name in self.services]
        own = [name for name in near if name in built] or (built if len(built) == 1 else near)
        if not own:
            raise Failure(
                "docker",
                f"the compose file does not tell which service is the job: {', '.join(self.services)}",
                "name it in deploy.toml: [compose] service",
            )
        return own[0]

    @property
    def mongo(self) -> str:
        """The MongoDB that is asked for documents: of several the first that publishes its port."""
        wanted = self.settings.mongo_service
        if wanted:
            return self._known(wanted, "mongo-service")
        found = [name for name, service in self.services.items() if self._is_mongo(service)]
        if not found:
            raise Failure(
                "docker",
                "the compose file has no MongoDB to count documents in",
                "name its service in deploy.toml: [compose] mongo-service",
            )
        return next((name for name in found if self._published(name)), found[0])

    @property
    def has_mongo(self) -> bool:
        return bool(self.settings.mongo_service) or any(map(self._is_mongo, self.services.values()))

    @property
    def mongo_port(self) -> int:
        """Within its container: as configured, as its command says, or MongoDB's own."""
        if self.settings.mongo_port:
            return self.settings.mongo_port
        words = " ".join([*_words(self.services[self.mongo].get(key) for key in ("entrypoint", "command"))])
        said = re.search(r"--port[ =](\d{1,5})\b", words)
        return int(said[1]) if said else _PORT

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

    def _is_mongo(self, service: Mapping[str, Any]) -> bool:
        image = str(service.get("image") or "").rpartition("/")[2]
        return _MONGO.search(image) is not None or "mongod" in _words([service.get("command")])

    def _published(self, name: str) -> bool:
        return any(
            port.get("target") == self._port_of(name) for port in self.services[name].get("ports") or ()
        )

    def _port_of(self, name: str) -> int:
        return self.settings.mongo_port or self.mongo_port if self.settings.mongo_service else _PORT

    def _shares_network(self, name: str) -> bool:
        return bool(self.services[name].get("network_mode"))

    def _configured(self, variables: Mapping[str, str]) -> Iterator[Credentials]:
        if self.settings.mongo_user:
            yield Credentials(self.settings.mongo_user, variables.get("MONGO_PASSWORD", ""))

    def _first_user(self) -> Iterator[Credentials]:
        given = self.services[self.mongo].get("environment") or {}
        user = given.get("MONGO_INITDB_ROOT_USERNAME") or given.get("MONGODB_ROOT_USER")
        password = given.get("MONGO_INITDB_ROOT_PASSWORD") or given.get("MONGODB_ROOT_PASSWORD")
        if password:
            yield Credentials(str(user or "root"), str(password))

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


def _words(values: Any) -> list[str]:
    """A command's words, be it a list or a line."""
    found: list[str] = []
    for value in values:
        found += value.split() if isinstance(value, str) else [str(word) for word in value or ()]
    return found
