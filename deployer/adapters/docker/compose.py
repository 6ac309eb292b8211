"""The project's compose file, run by Docker Compose under a project name of its own for each release."""

import re
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from deployer.adapters.docker.api import connected
from deployer.adapters.docker.compose_project import ComposeProject
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
_LOOKS: Final = 10
"""After an interrupt: seconds in which a container shows that the engine was still creating, and how often
the set is looked for at most, until there is nothing of it."""


class ComposeFile:
    """`ports.Compose`, for real.

    The file sees the caller's environment, and over it ETL_IMAGE, RUN_ID, MONGO_USER, MONGO_PASSWORD (random
    for each `up`, kept in memory) and MONGO_DB_NAME."""

    def __init__(
        self, folder: Path, settings: model.Compose, environment: Mapping[str, str], ids: Ids
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._environment = environment
        self._ids = ids
        self._passwords: dict[str, str] = {}
        self._interrupted: set[str] = set()

    def up(self, project: str, image: str, run_id: str, on_line: OnLine) -> int:
        """As `ports.Compose`. A dependency that fails, or a job that is not done within `timeout`
        (`TIMED_OUT`), is an exit code too; the last lines say what happened.
        Failure: there is no Compose, no engine, or the file or one of its images cannot be used."""
        self._passwords[project] = self._ids.token()
        service, seconds = self._settings.service, self._settings.timeout
        end = time.monotonic() + seconds
        compose = self._shell(project, {"ETL_IMAGE": image, "RUN_ID": run_id})
        output: list[str] = []
        command = self._command(project, "up", "--no-build", "--detach")
        try:
            code = compose.run_within(seconds, command, _each(output.append, on_line))
            with connected(self._environment, f"follow {service}") as client:
                started = ComposeProject(client, project)
                if code:
                    return self._why_not_up(started, code, output, on_line)
                return started.follow(service, end - time.monotonic(), on_line)
        except TimeoutError:
            on_line(f"{service}: not done within {seconds:g} s ([compose] timeout), given up")
            return TIMED_OUT
        except KeyboardInterrupt:
            self._interrupted.add(project)
            raise

    def count_documents(self, project: str) -> dict[str, int]:
        """Failure `mongodb`: the database does not answer, or not to this user; `docker`: it is not there."""
        from pymongo import MongoClient

        settings = self._settings
        host, port = self._published(project)
        with (
            translated(f"mongodb://{host}:{port}"),
            MongoClient[dict[str, Any]](
                host,
                port,
                username=settings.mongo_user,
                password=self._passwords.get(project, "none"),
                authSource="admin",
                directConnection=True,  # the set's own names do not resolve outside it
                readPreference="secondaryPreferred",
                serverSelectionTimeoutMS=_FIRST_CONTACT,
            ) as client,
        ):
            database = client[settings.database]
            names = sorted(
                name for name in database.list_collection_names() if not name.startswith("system.")
            )
            return {name: database[name].count_documents({}) for name in names}

    def down(self, project: str, on_line: OnLine) -> None:
        """Also for a set that another process left behind: Compose finds it by the project's name. After an
        interrupted `up` until nothing is left: the engine finishes what it was creating.
        Failure: Compose or the engine refuses."""
        self._take_down(project, on_line)
        looks = _LOOKS if project in self._interrupted else 0
        for _ in range(looks):
            time.sleep(_IN_FLIGHT)
            if not self._take_down(project, on_line):
                break

    def _take_down(self, project: str, on_line: OnLine) -> bool:
        """Whether there was anything of the set."""
        output: list[str] = []
        command = self._command(project, "down", "--volumes", "--remove-orphans", "--timeout", "2")
        if self._shell(project).run(command, output.append):
            raise self._unusable(output)
        told = [line for line in output if "No resource found to remove" not in line]
        for line in told:
            on_line(line)
        return bool(told)

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
        return failure_of(_last(output), self._settings.file, "try it by hand: `docker compose up`")

    def _published(self, project: str) -> tuple[str, int]:
        service, port = self._settings.mongo_service, str(self._settings.mongo_port)
        output: list[str] = []
        self._shell(project).run(self._command(project, "port", service, port), output.append)
        for line in output:
            if address := re.fullmatch(r"(.+):([1-9]\d*)", line.strip()):
                anywhere = ip_address(address[1].strip("[]")).is_unspecified
                return "127.0.0.1" if anywhere else address[1], int(address[2])
        raise Failure(
            "docker",
            f"{self._settings.file}: {service} does not publish its port {port}: {_last(output)}",
            f'publish it: `ports: ["127.0.0.1::{port}"]`, and see [compose] mongo-service and mongo-port',
        )

    def _command(self, project: str, *arguments: str) -> tuple[str, ...]:
        return (*self._program, "--file", self._settings.file, "--project-name", project, *arguments)

    def _shell(self, project: str, variables: Mapping[str, str] | None = None) -> LocalShell:
        """What the file asks for must be set even where it is only read to take the set down."""
        environment = {
            **self._environment,
            "ETL_IMAGE": "none",
            "RUN_ID": "none",
            "MONGO_USER": self._settings.mongo_user,
            "MONGO_PASSWORD": self._passwords.get(project, "none"),
            "MONGO_DB_NAME": self._settings.database,
            **(variables or {}),
        }
        return LocalShell(self._folder, environment)

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
            "`make setup` installs one into .venv",
        )


def _each(*listeners: OnLine) -> OnLine:
    def tell(line: str) -> None:
        for listener in listeners:
            listener(line)

    return tell


def _last(output: Iterable[str]) -> str:
    return next((line.strip() for line in reversed(list(output)) if line.strip()), "it says nothing")
