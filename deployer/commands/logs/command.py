"""`deployer logs`: whose lines are shown, from the project's own records and from ECS."""

import time
from dataclasses import dataclass, replace
from typing import Final, Literal

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.local.clock import SystemClock
from deployer.commands.bootstrap import redactor_of, session
from deployer.commands.logs.output import Screen
from deployer.commands.logs.request import TailRequest, of_project
from deployer.commands.logs.tail import tail
from deployer.commands.project import Project
from deployer.config.durations import seconds
from deployer.errors import RefusedError, UsageError
from deployer.records.releases import state_of
from deployer.view.log_lines import Style

DEFAULT_SINCE: Final = "24h"
"""How far back all tasks are shown: a group may hold years of them."""


@dataclass(frozen=True)
class Wanted:
    """The options of the command. `since`: a duration ("10m") back from now; "" for all there is of a task,
    and for the last day of all tasks. `live` is a way to `follow`."""

    env: str | None = None
    release: str | None = None
    task: str | None = None
    all_tasks: bool = False
    since: str = ""
    follow: bool = False
    live: bool = False
    grep: str = ""
    timestamps: bool = False
    colour: bool = False
    exit_code_from_task: bool = False
    output: Literal["plain", "json"] = "plain"


def show_logs(project: Project, wanted: Wanted, screen: Screen) -> int:
    """Shows them; returns the exit code. UsageError: more than one choice of tasks. RefusedError: the release
    has no task, or there is none at all."""
    _one_choice(wanted)
    env = wanted.env
    if wanted.release and env is None:
        env = str(project.releases.records(wanted.release)[0]["env"])
    config = project.config(project.env(env), needed=("aws", "logs", "run"))
    aws = session(config)
    redactor = redactor_of(config, aws, project.environ)
    shown = replace(screen, write=lambda text: screen.write(redactor.text(text)))
    request: TailRequest = replace(
        of_project(config),
        tasks=_tasks(project, wanted),
        all_tasks=wanted.all_tasks,
        since=_since(wanted, screen),
        follow=wanted.follow or wanted.live,
        live=wanted.live,
        grep=wanted.grep,
        output=wanted.output,
        style=Style(timestamps=wanted.timestamps, colour=wanted.colour),
        exit_code_from_task=wanted.exit_code_from_task,
    )
    return tail(request, Ecs(config, aws), CloudWatchLogs(config, aws), SystemClock(), shown)


def _one_choice(wanted: Wanted) -> None:
    chosen = {"--release": wanted.release, "--task": wanted.task, "--all-tasks": wanted.all_tasks}
    named = [option for option, value in chosen.items() if value]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)}: each says whose log is meant", "name one of them only")


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


def _since(wanted: Wanted, screen: Screen) -> float:
    if not wanted.since and not wanted.all_tasks:
        return 0.0
    if not wanted.since:
        screen.note(f"all tasks of the last {DEFAULT_SINCE}; --since 7d, for example, reaches further back")
    return time.time() - _seconds(wanted.since or DEFAULT_SINCE)


def _seconds(text: str) -> float:
    try:
        return float(seconds(text))  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(f"--since {text!r}: not {error}", "try --since 10m") from error
