"""The project's compose file, run by Docker Compose under a project name of its own for each release."""

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from deployer.adapters.docker.api import connected
from deployer.adapters.docker.compose_model import ComposeModel, Credentials, compose_files, dotenv
from deployer.adapters.docker.compose_project import ComposeProject, port_holder
from deployer.adapters.docker.errors import failure_of
from deployer.adapters.local.shell import LocalShell
from deployer.adapters.mongodb.errors import translated
from deployer.config import model
from deployer.errors import Failure
from deployer.ports import Ids, OnLine

TIMED_OUT: Final = 124
"""`up`'s exit code where the job was not done in time, as of timeout(1)."""
_FIRST_CONTACT: Final = 10_000
_IN_FLIGHT: Final = 1.0
_ROUNDS: Final = 10
"""After an interrupt: seconds in which a container appears that the engine was still creating, and how often
the set is taken down at most, until nothing is left of it."""
_AUTHENTICATION_FAILED: Final = 18
_TAKEN: Final = re.compile(
    r":(\d{1,5}) failed: port is already allocated"
    r"|:(\d{1,5})(?::[\d.]{7,15}:\d{1,5})?(?:/tcp)?: (?:bind: )?address already in use"
)


class ComposeFile:
    """`ports.Compose`, for real.

    The file sees the caller's environment and RUN_ID; and MONGO_PASSWORD (random for each `up`, kept in
    memory) and MONGO_DB_NAME where neither the environment nor `.env` has them. `hints`: what the job's
    service may be called; `database`: where its documents are, unless `[compose]` says it."""

    def __init__(
        self,
        folder: Path,
        settings: model.Compose,
        environment: Mapping[str, str],
        ids: Ids,
        *,
        hints: tuple[str, ...] = (),
        database: str = "",
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._environment = environment
        self._ids = ids
        self._hints = hints
        self._database = settings.database or database
        self._models: dict[str, ComposeModel] = {}
        self._passwords: dict[str, str] = {}
        self._profiles: tuple[str, ...] = ()
        self._interrupted: set[str] = set()

    def files(self) -> tuple[str, ...]:
        return compose_files(self._folder, self._settings.files, self._environment)

    def up(self, project: str, image: str, run_id: str, on_line: OnLine) -> int:
        """As `ports.Compose`. A dependency that fails, or a job that is not done within `timeout`
        (`TIMED_OUT`), is an exit code too; the last lines say what happened.
        Failure: there is no Compose, no engine, a port is taken, the file or one of its images cannot be
        used, or the job ran on another image than this one."""
        self._passwords[project] = self._ids.token()
        seconds = self._settings.timeout
        end = time.monotonic() + seconds
        found = self._models[project] = self._read(project, run_id)
        shell, output = self._shell(project, run_id), list[str]()
        service = found.job
        try:
            with (
                _written(found.override(image, run_id)) as override,
                connected(self._environment, f"follow {service}") as client,
            ):
                command = self._command(
                    project, "--file", override, "up", "--detach", profiles=self._profiles
                )
                code = shell.run_within(seconds, command, _each(output.append, on_line))
                started = ComposeProject(client, project)
                if code:
                    self._refuse_taken_port(output)
                    return self._why_not_up(started, code, output, on_line)
                started.check_image(service, image)
                return started.follow(service, end - time.monotonic(), on_line)
        except TimeoutError:
            on_line(f"{service}: not done within {seconds:g} s ([compose] timeout), given up")
            return TIMED_OUT
        except KeyboardInterrupt:
            self._interrupted.add(project)
            raise

    def count_documents(self, project: str) -> dict[str, int]:
        """Empty where the file has no MongoDB. Failure `mongodb`: the database does not answer, or not to the
        users that the file names; `docker`: it is not up."""
        from pymongo.errors import OperationFailure

        found = self._models.get(project)
        if found is None:
            raise Failure("docker", f"compose project {project} is not up", "release again")
        if not found.has_mongo:
            return {}
        host, port = self._published(project, found)
        with translated(f"mongodb://{host}:{port}"):
            *users, last = found.credentials(self._variables(project, "none"))
            for user in users:
                try:
                    return self._counted(host, port, user, found)
                except OperationFailure as error:
                    if error.code != _AUTHENTICATION_FAILED:
                        raise
            return self._counted(host, port, last, found)

    def _counted(self, host: str, port: int, user: Credentials, found: ComposeModel) -> dict[str, int]:
        from pymongo import MongoClient

        login: dict[str, Any] = {}
        if user.user is not None:
            login = {"username": user.user, "password": user.password, "authSource": user.source}
        with MongoClient[dict[str, Any]](
            host,
            port,
            directConnection=True,  # the set's own names do not resolve outside it
            readPreference="secondaryPreferred",
            serverSelectionTimeoutMS=_FIRST_CONTACT,
            **login,
        ) as client:
            database = client[self._database or found.database() or "test"]
            names = sorted(n for n in database.list_collection_names() if not n.startswith("system."))
            return {name: database[name].count_documents({}) for name in names}

    def down(self, project: str, on_line: OnLine) -> None:
        """Also for a set that another process left behind: Compose finds it by the project's name. After an
        interrupted `up` until nothing is left: the engine finishes what it was creating.
        Failure: Compose or the engine refuses."""
        self._take_down(project, on_line)
        rounds = _ROUNDS if project in self._interrupted else 0
        for _ in range(rounds):
            time.sleep(_IN_FLIGHT)
            if not self._take_down(project, on_line):
                break

    def _take_down(self, project: str, on_line: OnLine) -> bool:
        """Whether there was anything of the set. Compose knows it by the labels of what it made: no file is
        read, so that none can be in the way."""
        output: list[str] = []
        down = ("down", "--volumes", "--remove-orphans", "--timeout", "2")
        with tempfile.TemporaryDirectory(prefix="deployer-") as empty:
            plain = {name: value for name, value in self._environment.items() if name != "COMPOSE_FILE"}
            shell = LocalShell(Path(empty), plain)
            if shell.run((*self._program, "--project-name", project, *down), output.append):
                raise self._unusable(output)
        shown = [
            line for line in output if "No resource found to remove" not in line and not _UNSET.search(line)
        ]
        for line in shown:
            on_line(line)
        return bool(shown)

    def _read(self, project: str, run_id: str) -> ComposeModel:
        """The file as Compose resolves it; a job that only a profile enables has that profile. Failure
        `docker`: a file is not there, or Compose refuses it."""
        missing = next((name for name in self.files() if not (self._folder / name).is_file()), None)
        if missing:
            hint = "correct [compose] file in deploy.toml, or COMPOSE_FILE"
            raise Failure("docker", f"{missing}: no such compose file in {self._folder}", hint)
        found = self._resolved(project, run_id)
        if not found.has_job:
            everything = self._resolved(project, run_id, ("*",))
            if everything.has_job:
                said = {**dotenv(self._folder / ".env"), **self._environment}.get("COMPOSE_PROFILES", "")
                own = everything.services[everything.job].get("profiles") or ()
                self._profiles = tuple(filter(None, (*said.split(","), *own)))
                found = self._resolved(project, run_id, self._profiles)
        return found

    def _resolved(self, project: str, run_id: str, profiles: tuple[str, ...] = ()) -> ComposeModel:
        output: list[str] = []
        with _written("") as target:
            command = ("config", "--format", "json", "--no-consistency", "--output", target)
            code = self._shell(project, run_id).run(
                self._command(project, *command, profiles=profiles), output.append
            )
            text = Path(target).read_text(encoding="utf-8")
        if code or not text:
            raise self._unusable(output)
        return ComposeModel.of(json.loads(text), self._settings, self._hints)

    def _refuse_taken_port(self, output: Iterable[str]) -> None:
        """Failure `docker`: the set cannot have a port of this machine."""
        taken = next(filter(None, map(_TAKEN.search, output)), None)
        if taken:
            port = int(taken[1] or taken[2])
            with connected(self._environment, "look for the port's holder") as client:
                holder = port_holder(client, port)
            raise Failure(
                "docker",
                f"{', '.join(self.files())}: port {port} is taken on this machine, by {holder}",
                f"stop that, or publish another port than {port} in the compose file",
            )

    def _why_not_up(self, started: ComposeProject, code: int, output: list[str], on_line: OnLine) -> int:
        failed = started.failed()
        if not failed:
            raise self._unusable(output)
        for service, lines in failed.items():
            for line in lines:
                on_line(f"{service} | {line}")
        on_line(_last(output))
        return code

    def _unusable(self, output: Iterable[str]) -> Failure:
        return failure_of(_last(output), ", ".join(self.files()), "try it by hand: `docker compose up`")

    def _published(self, project: str, found: ComposeModel) -> tuple[str, int]:
        """Where the engine has published MongoDB's port."""
        if found.on_this_machine:
            return "127.0.0.1", found.mongo_port
        with connected(self._environment, "find MongoDB's port") as client:
            places = ComposeProject(client, project).published(found.mongo, found.mongo_port)
        for address, port in places:
            if port:
                anywhere = not address or ip_address(address).is_unspecified
                return "127.0.0.1" if anywhere else address, port
        raise Failure(
            "docker",
            f"{', '.join(self.files())}: {found.mongo} does not publish its port {found.mongo_port}",
            f'publish it: `ports: ["127.0.0.1::{found.mongo_port}"]`; or see [compose] mongo-service and'
            " mongo-port",
        )

    def _command(self, project: str, *arguments: str, profiles: tuple[str, ...] = ()) -> tuple[str, ...]:
        files = [part for file in self.files() for part in ("--file", file)]
        enabled = [part for profile in profiles for part in ("--profile", profile)]
        return (*self._program, *files, *enabled, "--project-name", project, *arguments)

    def _shell(self, project: str, run_id: str) -> LocalShell:
        return LocalShell(self._folder, {**self._environment, **self._variables(project, run_id)})

    def _variables(self, project: str, run_id: str) -> dict[str, str]:
        made = {
            "MONGO_PASSWORD": self._passwords.get(project, "none"),
            "MONGO_DB_NAME": self._database,
            **({"MONGO_USER": self._settings.mongo_user} if self._settings.mongo_user else {}),
        }
        said = {**dotenv(self._folder / ".env"), **self._environment}
        return {**made, **{name: said[name] for name in made if said.get(name)}, "RUN_ID": run_id}

    @cached_property
    def _program(self) -> tuple[str, ...]:
        shell = LocalShell(self._folder, self._environment)
        own = str(Path(sys.prefix) / "bin" / "docker-compose")
        for program in (("docker", "compose"), (own,), ("docker-compose",)):
            if shell.run((*program, "version"), lambda _: None) == 0:
                return program
        raise Failure(
            "docker",
            "there is no Docker Compose: neither `docker compose` nor `docker-compose`",
            "install Docker Compose (https://docs.docker.com/compose/install/), or use --skip compose",
        )


_UNSET: Final = re.compile(r"variable is not set\. Defaulting")


@contextmanager
def _written(text: str) -> Iterator[str]:
    """The path of a file with this text, which only this user may read; it is gone afterwards."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", prefix="deployer-", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield file.name


def _each(*listeners: OnLine) -> OnLine:
    def notify(line: str) -> None:
        for listener in listeners:
            listener(line)

    return notify


def _last(output: Iterable[str]) -> str:
    lines = (line.strip() for line in reversed(list(output)))
    return next((line for line in lines if line and not _UNSET.search(line)), "no output")
