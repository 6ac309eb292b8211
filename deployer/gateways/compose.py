"""The project's compose file, run by Docker Compose under a project name of its own for each release."""

import json
import re
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from deployer import config
from deployer.errors import Failure
from deployer.gateways.engine_errors import failure_of
from deployer.gateways.mongo_errors import translated
from deployer.gateways.shell import LocalShell
from deployer.release.ports import Ids, OnLine

TIMED_OUT: Final = 124
"""`up`'s exit code where the job was not done in time, as of timeout(1)."""
_TAIL: Final = "20"
_POLL: Final = 0.5
_FIRST_CONTACT: Final = 10.0


class ComposeFile:
    """`ports.Compose`, for real.

    The file sees the caller's environment, and over it ETL_IMAGE, RUN_ID, MONGO_USER, MONGO_PASSWORD (random
    for each `up`, kept in memory) and MONGO_DB_NAME."""

    def __init__(
        self, folder: Path, settings: config.Compose, environment: Mapping[str, str], ids: Ids
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._environment = environment
        self._ids = ids
        self._passwords: dict[str, str] = {}

    def up(self, project: str, image: str, run_id: str, on_line: OnLine) -> int:
        """As `ports.Compose`. A dependency that fails, or a job that is not done within `timeout`
        (`TIMED_OUT`), is an exit code too; the last lines say what happened.
        Failure: there is no Compose, no engine, or the file or one of its images cannot be used."""
        self._passwords[project] = self._ids.token()
        service, seconds = self._settings.service, self._settings.timeout
        compose = self._project(project, {"ETL_IMAGE": image, "RUN_ID": run_id}, seconds)
        try:
            output: list[str] = []
            code = compose.run(("up", "--no-build", "--detach"), _each(output.append, on_line))
            if code:
                return self._why_not_up(compose, code, output, on_line)
            compose.run(("logs", "--follow", "--no-color", "--no-log-prefix", service), on_line)
            return compose.exit_code(service)
        except TimeoutError:
            on_line(f"{service}: not done within {seconds:g} s ([compose] timeout), given up")
            return TIMED_OUT

    def count_documents(self, project: str) -> dict[str, int]:
        """Failure `mongodb`: the database does not answer, or not to this user; `docker`: it is not there."""
        from pymongo import MongoClient

        settings = self._settings
        host, port = self._published(project)
        user = f"{settings.mongo_user}:{self._passwords.get(project, '')}"
        # Straight to this member: the set's own names do not resolve outside it.
        options = "authSource=admin&directConnection=true&readPreference=secondaryPreferred"
        uri = f"mongodb://{user}@{host}:{port}/?{options}"
        with (
            translated(uri, _FIRST_CONTACT),
            MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=_FIRST_CONTACT * 1000) as client,
        ):
            database = client[settings.database]
            names = sorted(
                name for name in database.list_collection_names() if not name.startswith("system.")
            )
            return {name: database[name].count_documents({}) for name in names}

    def down(self, project: str, on_line: OnLine) -> None:
        """Also for a set that another process left behind: Compose finds it by the project's name.
        Failure: Compose or the engine refuses."""
        output: list[str] = []
        command = ("down", "--volumes", "--remove-orphans", "--timeout", "2")
        if self._project(project).run(command, output.append):
            raise self._unusable(output)
        for line in output:
            if "No resource found to remove" not in line:
                on_line(line)

    def _why_not_up(self, compose: "_Project", code: int, output: list[str], on_line: OnLine) -> int:
        failed = [container for container in compose.containers() if _failed(container)]
        if not failed:
            raise self._unusable(output)
        for container in failed:
            name = container["Service"]
            logs = ("logs", "--no-color", "--no-log-prefix", "--tail", _TAIL, name)
            compose.run(logs, _prefixed(f"{name} | ", on_line))
        on_line(_last(output))
        return code

    def _unusable(self, output: Iterable[str]) -> Failure:
        return failure_of(_last(output), self._settings.file, "try it by hand: `docker compose up`")

    def _published(self, project: str) -> tuple[str, int]:
        service, port = self._settings.mongo_service, str(self._settings.mongo_port)
        output: list[str] = []
        self._project(project).run(("port", service, port), output.append)
        for line in output:
            if address := re.fullmatch(r"(.+):([1-9]\d*)", line.strip()):
                anywhere = ip_address(address[1].strip("[]")).is_unspecified
                return "127.0.0.1" if anywhere else address[1], int(address[2])
        raise Failure(
            "docker",
            f"{self._settings.file}: {service} does not publish its port {port}: {_last(output)}",
            f'publish it: `ports: ["127.0.0.1::{port}"]`, and see [compose] mongo-service and mongo-port',
        )

    def _project(
        self, project: str, variables: Mapping[str, str] | None = None, seconds: float | None = None
    ) -> "_Project":
        environment = {
            **self._environment,
            "ETL_IMAGE": "none",
            "RUN_ID": "none",
            "MONGO_USER": self._settings.mongo_user,
            "MONGO_PASSWORD": self._passwords.get(project, "none"),
            "MONGO_DB_NAME": self._settings.database,
            **({"DATA_DIR": str((self._folder / data).resolve())} if (data := self._settings.data) else {}),
            **(variables or {}),
        }
        command = (*self._program, "--file", self._settings.file, "--project-name", project)
        return _Project(LocalShell(self._folder, environment), command, seconds)

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


class _Project:
    """Compose commands on one project, with `seconds` for all of them together, then TimeoutError."""

    def __init__(self, shell: LocalShell, command: tuple[str, ...], seconds: float | None) -> None:
        self._shell = shell
        self._command = command
        self._end = None if seconds is None else time.monotonic() + seconds

    def run(self, arguments: tuple[str, ...], on_line: OnLine) -> int:
        left = None if self._end is None else max(0.0, self._end - time.monotonic())
        return self._shell.run_within(left, (*self._command, *arguments), on_line)

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """`Service`, `State`, `Health`, `ExitCode` of each. Compose prints one object a line, before 2.21 one
        list; warnings come between."""
        output: list[str] = []
        self.run(("ps", "--all", "--format", "json", *services), output.append)
        found = [json.loads(line) for line in output if line.startswith(("{", "["))]
        return [one for item in found for one in (item if isinstance(item, list) else [item])]

    def exit_code(self, service: str) -> int:
        """Waits for the service's container to end (its log may end earlier)."""
        while True:
            for container in self.containers(service):
                if container["State"] in ("exited", "dead"):
                    return int(container["ExitCode"])
            time.sleep(_POLL)


def _failed(container: Mapping[str, Any]) -> bool:
    return bool(container["ExitCode"]) or container["Health"] == "unhealthy"


def _each(*listeners: OnLine) -> OnLine:
    def tell(line: str) -> None:
        for listener in listeners:
            listener(line)

    return tell


def _prefixed(prefix: str, on_line: OnLine) -> OnLine:
    return lambda line: on_line(prefix + line)


def _last(output: Iterable[str]) -> str:
    return next((line.strip() for line in reversed(list(output)) if line.strip()), "it says nothing")
