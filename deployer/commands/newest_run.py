"""Whether the run that `verify` judges is the newest one, and recent enough."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from deployer.config.durations import spelled
from deployer.config.model import Deadline
from deployer.model import Cause, Verification
from deployer.ports import TaskStatus
from deployer.records.runs import Run

_DAY: Final = datetime.timedelta(days=1)


def judge_newest(
    found: Verification, runs: Sequence[Run], *, reports: bool
) -> tuple[Verification, Cause | None]:
    """`runs`: all that are known, newest first. The newest that has ended overrules what the checks say of an
    older one, or of itself: it failed, left no report (where the job writes `reports`), or nothing at all.
    Without reports it is the run that is judged. The cause of a failure is returned as well."""
    ended = (run for run in runs if run.verdict != "running")
    newest = next(ended, None)
    if newest is None or not (is_judged(newest, found) or _is_newer(newest, found)):
        return found, None
    if not reports:
        found = replace(found, run=newest.run_id or newest.id, run_at=newest.started_at)
    if newest.verdict == "ok" or (newest.verdict != "failed" and (is_judged(newest, found) and reports)):
        return found, None
    if newest.verdict != "failed" and newest.cause is None and not reports:
        return found, None
    which = "the run" if is_judged(newest, found) else "a newer run"
    failed = "failed" if newest.verdict == "failed" else "left no report" if reports else "is unproven"
    said = f": {newest.cause.message}" if newest.cause and newest.cause.message else ""
    problem = f"{which} {failed}: task {newest.id} of {moment(newest.started_at)}{said}"
    return replace(found, ok=False, problem=problem, unproven=newest.verdict != "failed"), newest.cause


def is_judged(run: Run, found: Verification) -> bool:
    """Whether the checks were made for this run."""
    return bool(found.run) and found.run in (run.run_id, run.release, run.id)


def _is_newer(run: Run, found: Verification) -> bool:
    return found.run_at is None or (run.started_at is not None and run.started_at > found.run_at)


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
    limit = f"the newest run started {moment(run_at)}, {spelled(now - run_at)} ago"
    return f"no run since {moment(since)}: {limit}"


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


def moment(time: float | None) -> str:
    if time is None:
        return "an unknown time"
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
