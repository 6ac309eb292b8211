"""`deployer logs`: whose lines are shown, from the project's own records and from ECS."""

import time
from dataclasses import dataclass, replace
from typing import Final, Literal

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.local.machine import SystemClock
from deployer.commands.bootstrap import redactor_of, session
from deployer.commands.logs.output import Screen
from deployer.commands.logs.request import TailRequest, of_project
from deployer.commands.logs.tail import tail
from deployer.commands.project import Project
from deployer.config.durations import of_option
from deployer.errors import RefusedError, UsageError
from deployer.records.releases import state_of
from deployer.view.log_lines import Style

DEFAULT_SINCE: Final = "24h"
"""How far back all tasks are shown: a group may hold years of them."""


@dataclass(frozen=True)
class LogsOptions:
    """The options of the command. `since`: a duration ("10m") back from now; "" for all there is of a task,
    and for the last day of all tasks."""

    env: str | None = None
    release: str | None = None
    task: str | None = None
    container: str | None = None
    all_tasks: bool = False
    since: str = ""
    follow: bool = False
    grep: str = ""
    timestamps: bool = False
    color: bool = False
    exit_code_from_task: bool = False
    output: Literal["plain", "json"] = "plain"


def show_logs(project: Project, options: LogsOptions, screen: Screen) -> int:
    """Shows them; returns the exit code. UsageError: more than one choice of tasks. RefusedError: the release
    has no task, or there is none at all."""
    _one_choice(options)
    env = options.env
    if options.release and env is None:
        env = str(project.releases.records(options.release)[0]["env"])
    config = project.config(project.env(env), needed=("aws", "logs", "run"))
    aws = session(config)
    redactor = redactor_of(config, aws, project.environ, project.notify, strict=project.strict)
    shown = replace(screen, write=lambda text: screen.write(redactor.text(text)))
    request: TailRequest = replace(
        of_project(config, options.container),
        tasks=_tasks(project, options),
        all_tasks=options.all_tasks,
        since=_since(options, screen),
        follow=options.follow,
        grep=options.grep,
        output=options.output,
        style=Style(timestamps=options.timestamps, color=options.color),
        exit_code_from_task=options.exit_code_from_task,
    )
    return tail(request, Ecs(config, aws), CloudWatchLogs(config, aws), SystemClock(), shown)


def _one_choice(options: LogsOptions) -> None:
    chosen = {"--release": options.release, "--task": options.task, "--all-tasks": options.all_tasks}
    named = [option for option, value in chosen.items() if value]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)}: each says whose log is meant", "name one of them only")


def _tasks(project: Project, options: LogsOptions) -> tuple[str, ...]:
    if options.task:
        return (options.task,)
    if options.release is None:
        return ()
    launch = state_of(project.releases.records(options.release)).launch
    if launch is None or launch.arn is None:
        raise RefusedError(
            f"release {options.release} has started no task", "deployer show tells how far it came"
        )
    return (launch.arn,)


def _since(options: LogsOptions, screen: Screen) -> float:
    if not options.since and not options.all_tasks:
        return 0.0
    if not options.since:
        screen.note(f"all tasks of the last {DEFAULT_SINCE}; --since 7d, for example, reaches further back")
    return time.time() - (of_option("--since", options.since or DEFAULT_SINCE) or 0.0)
