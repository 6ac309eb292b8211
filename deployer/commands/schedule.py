"""`deployer schedule`: what starts the job on its own, and the schedule of its last proven revision."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.policy import Place
from deployer.adapters.aws.scheduler import EventBridgeScheduler
from deployer.adapters.local.machine import SystemClock
from deployer.commands.bootstrap import real_ports, session
from deployer.commands.project import Project
from deployer.config.durations import spelled
from deployer.config.model import Config, Schedule
from deployer.errors import DeployerError, RefusedError, UsageError
from deployer.flow.trust import refuse_foreign
from deployer.model import Release
from deployer.ports import NewSchedule, Ports, Schedules, Tasks
from deployer.records.releases import VERIFIED, Releases
from deployer.records.runs import Run
from deployer.redaction import Redactor
from deployer.task.definition import for_image
from deployer.task.triggers import told, triggers_of

NEEDED = ("aws", "image", "run", "logs", "task", "schedule", "state")


@dataclass(frozen=True)
class ScheduleOptions:
    """`what`: an expression of EventBridge Scheduler, `off` or `show`."""

    env: str | None = None
    what: str = "show"
    time_zone: str = "UTC"
    role: str = ""


def schedule(project: Project, wanted: ScheduleOptions) -> dict[str, Any]:
    """Makes, changes, disables or only shows; returns what starts the job then.

    UsageError: `[schedule]` or its role is not set. RefusedError: no revision is proven, or another kind
    of trigger is followed.
    """
    env = project.env(wanted.env)
    config = project.config(env, needed=NEEDED)
    ports = real_ports(project.root, project.folder, config, project.environ, Redactor())
    if wanted.what == "off":
        own = _own(config)
        ports.schedules.disable(own.name, own.group)
    elif wanted.what != "show":
        ports.schedules.put(_new(project.releases, env, config, ports, wanted))
    return {"env": env, "schedules": list(_shown(config, ports))}


def last_proven(releases: Releases, env: str) -> Release | None:
    """The newest release whose data was proven, as far as it is known here."""
    proven = (release for release, end in releases.states(env) if end in VERIFIED)
    return next((release for release in proven if release.made[1]), None)


def _own(config: Config) -> Schedule:
    own = config.schedule
    if own is None:
        raise UsageError(
            "deploy.toml has no [schedule], so no release would move it to the next proven revision",
            f'add to deploy.toml: [schedule] with name = "{config.project.name}" and role = "ARN", a role '
            "that EventBridge Scheduler assumes; `deployer doctor --policy` prints what it needs",
        )
    if own.kind == "rule":
        raise RefusedError(
            f"[schedule] {own.name} is a rule of EventBridge: releases move it, deployer does not make it",
            "change it where it was made, or name a schedule",
        )
    return own


def _new(releases: Releases, env: str, config: Config, ports: Ports, wanted: ScheduleOptions) -> NewSchedule:
    own, proven = _own(config), last_proven(releases, env)
    if proven:
        refuse_foreign(proven, config, ports)
    arn = proven.made[1] if proven else None
    revision = ports.tasks.revision(arn) if arn else None
    if revision is None or not revision.active:
        raise RefusedError(
            f"no proven revision of the job is active in {env}" + (f": {arn} is gone" if arn else ""),
            "release it first: `deployer release`",
        )
    name = f"{own.group}/{own.name}"
    roles = (t.role for t in ports.schedules.triggers() if (t.kind, t.name) == ("schedule", name))
    role = wanted.role or own.role or next(roles, "")
    if not role:
        raise UsageError(
            f"schedule {name} needs a role that EventBridge Scheduler assumes to start the task",
            "name one by --role or [schedule] role; `deployer doctor --policy` prints what it needs",
        )
    place = Place.of(ports.account.identity(), revision.arn.split(":")[3])
    cluster = config.run.cluster
    return NewSchedule(
        name=own.name,
        group=own.group,
        expression=wanted.what,
        time_zone=wanted.time_zone,
        cluster=cluster if cluster.startswith("arn:") else place.arn("ecs", f"cluster/{cluster}"),
        role=role,
        task_definition=revision.arn,
    )


def why_not_started(config: Config, schedules: Schedules, tasks: Tasks, now: float) -> str:
    """What the schedules and rules of the job say where no run has started. Failure: they cannot be read."""
    family = str(for_image(config, "image")["family"])
    said = []
    for trigger, problem in triggers_of(family, schedules, tasks, now):
        fine = f"({trigger.expression}) is enabled and starts {trigger.starts}: look at its invocations, and "
        said.append(told(trigger, problem or f"{fine}whether its role {trigger.role} may start the task"))
    return "; ".join(said) or f"no schedule or rule starts {family}"


def reason_late(project: Project, env: str, runs: Sequence[Run], now: float) -> str:
    """Why no run has ended in time: one still runs, or what the schedules say."""
    running = next((run for run in runs if run.verdict == "running" and run.started_at is not None), None)
    if running and running.started_at is not None:
        return f"task {running.id} has been running for {spelled(now - running.started_at)}"
    try:
        config = project.config(env, needed=("aws", "run", "task"))
        aws = session(config)
        return why_not_started(config, EventBridgeScheduler(config, aws), Ecs(config, aws), now)
    except DeployerError as error:
        return f"what starts the job cannot be read: {error.message}"


def _shown(config: Config, ports: Ports) -> Any:
    family, own = str(for_image(config, "image")["family"]), config.schedule
    for trigger, problem in triggers_of(family, ports.schedules, ports.tasks, SystemClock().now()):
        followed = own is not None and (trigger.kind, trigger.name) == (own.kind, f"{own.group}/{own.name}")
        yield {**asdict(trigger), "problem": problem, "followed": followed}
