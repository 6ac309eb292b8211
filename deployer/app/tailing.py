"""`deployer logs`: whose lines are shown, from the project's own records and from ECS."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from deployer.app.project import Project
from deployer.app.wiring import redactor_of, session
from deployer.errors import RefusedError, UsageError
from deployer.gateways.clock import SystemClock
from deployer.gateways.cloudwatch import CloudWatchLogs
from deployer.gateways.ecs import Ecs
from deployer.history import state_of
from deployer.logs.render import Style
from deployer.logs.request import TailRequest, of_project
from deployer.logs.tail import tail
from deployer.verification.durations import seconds


@dataclass(frozen=True)
class Wanted:
    """The options of the command. `since`: a duration ("10m") back from now, "" for all there is."""

    env: str | None = None
    release: str | None = None
    task: str | None = None
    all_tasks: bool = False
    since: str = ""
    follow: bool = False
    grep: str = ""
    timestamps: bool = False
    colour: bool = False
    exit_code_from_task: bool = False
    output: Literal["plain", "json"] = "plain"


def show_logs(
    project: Project, wanted: Wanted, write: Callable[[str], None], note: Callable[[str], None]
) -> int:
    """Shows them; returns the exit code. RefusedError: the release has no task, or there is none at all."""
    env = wanted.env
    if wanted.release and env is None:
        env = str(project.releases.records(wanted.release)[0]["env"])
    config = project.config(project.env(env), needed=("aws", "logs", "run"))
    aws = session(config)
    redactor = redactor_of(config, aws, project.environ)
    request: TailRequest = replace(
        of_project(config),
        tasks=_tasks(project, wanted),
        all_tasks=wanted.all_tasks,
        since=time.time() - _seconds(wanted.since) if wanted.since else 0.0,
        follow=wanted.follow,
        grep=wanted.grep,
        output=wanted.output,
        style=Style(timestamps=wanted.timestamps, colour=wanted.colour),
        exit_code_from_task=wanted.exit_code_from_task,
    )
    return tail(
        request,
        Ecs(config, aws),
        CloudWatchLogs(config, aws),
        SystemClock(),
        lambda line: write(redactor.text(line)),
        note,
    )


def _tasks(project: Project, wanted: Wanted) -> tuple[str, ...]:
    if wanted.task:
        return (wanted.task,)
    if wanted.release is None:
        return ()
    launch = state_of(project.releases.records(wanted.release)).launch
    if launch is None or launch.arn is None:
        raise RefusedError(
            f"release {wanted.release} has started no task", "deployer show tells how far it came"
        )
    return (launch.arn,)


def _seconds(text: str) -> float:
    try:
        return float(seconds(text))  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(f"--since {text!r}: not {error}", "try --since 10m") from error
