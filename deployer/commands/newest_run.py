"""Whether the run that `verify` judges is the newest one, and recent enough."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from deployer.config.durations import spelled
from deployer.config.model import Deadline
from deployer.diagnosis.classify import diagnosed
from deployer.model import Cause, Verification
from deployer.ports import TaskStatus
from deployer.task.verdict import ending, evidence_of

_DAY: Final = datetime.timedelta(days=1)


def judge_newer_task(
    found: Verification, tasks: Sequence[TaskStatus], *, reports: bool
) -> tuple[Verification, Cause | None]:
    """`tasks`: of the family, oldest first. A task that started after the judged run and failed, or that
    ended without a report, overrules the verdict; its cause is returned as well."""
    ended = [task for task in tasks if task.result is not None and not task.one_off]
    task = ended[-1] if ended else None
    if task is None or task.result is None or not _is_newer(task, found):
        return found, None
    when = f"task {task.arn.rsplit('/', 1)[-1]} of {_moment(created_at(task))}"
    if task.result.exit_code != 0:
        message = f"a newer run failed: {when} ended {ending(task.result)}"
        cause = diagnosed(message, evidence_of(task.result), "PIPELINE_OK")
        return replace(found, ok=False, problem=message), cause
    if reports:
        message = f"a newer run left no report: {when} ended with exit code 0"
        return replace(found, ok=False, problem=message), None
    return found, None


def _is_newer(task: TaskStatus, found: Verification) -> bool:
    created = created_at(task)
    if found.run and (found.run == run_id_of(task) or task.started_by.startswith(found.run)):
        return False
    return found.run_at is None or (created is not None and created > found.run_at)


def run_id_of(task: TaskStatus) -> str:
    overrides = task.raw.get("overrides")
    containers = overrides.get("containerOverrides", ()) if isinstance(overrides, Mapping) else ()
    for container in containers:
        for entry in container.get("environment", ()):
            if entry.get("name") == "RUN_ID":
                return str(entry.get("value"))
    return ""


def created_at(task: TaskStatus) -> float | None:
    """Seconds since the epoch; a task that is evidence has its times as texts."""
    return seconds_of(task.raw.get("createdAt"))


def seconds_of(value: Any) -> float | None:
    """A time of a task as ECS, or kept evidence, has it, in seconds since the epoch."""
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None


def overdue(run_at: float | None, now: float, deadline: Deadline) -> str:
    """Why the newest run is too old; "" if it is not, or no deadline is set."""
    since = _must_be_since(now, deadline)
    if since is None or (run_at is not None and run_at >= since):
        return ""
    if run_at is None:
        return (
            "when the newest run started is unknown, so it may be too old; let the job write `started_at`, a "
            "date, into its report"
        )
    limit = f"the newest run started {_moment(run_at)}, {spelled(now - run_at)} ago"
    return f"no run since {_moment(since)}: {limit}"


def _must_be_since(now: float, deadline: Deadline) -> float | None:
    limits = []
    if deadline.max_age is not None:
        limits.append(now - deadline.max_age)
    if deadline.by is not None:
        zone = ZoneInfo(deadline.time_zone)
        local = datetime.datetime.fromtimestamp(now, zone)
        due = datetime.datetime.combine(local.date(), deadline.by, zone)
        limits.append(((due if due <= local else due - _DAY) - _DAY).timestamp())
    return max(limits, default=None)


def _moment(time: float | None) -> str:
    if time is None:
        return "an unknown time"
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
