"""Phase 4: follow the task's log to its end, and classify how the task ended."""

from collections.abc import Sequence

from deployer.config.values import values_of
from deployer.diagnosis.classify import diagnosed
from deployer.errors import Failure, TransientFailure
from deployer.events import Logged
from deployer.flow.decisions import TASK_FORGOTTEN, UNPROVEN, error_type
from deployer.flow.handlers import Context, StepResult
from deployer.logs.follow import follow
from deployer.model import Cause, ContainerResult, Launch, Release, TaskResult
from deployer.ports import task_log, task_name
from deployer.retry import RetryPolicy
from deployer.task.verdict import (
    cause_of_container,
    ending,
    evidence_of,
    job_log,
    last_lines,
    log_place,
    told,
)
from deployer.task.watch import TaskWatch

LOG_TAIL = 400
OVERDUE = "deployer: it ran longer than"
FORGOTTEN = "ECS no longer knows this task, nor how it ended"
NEW_RELEASE = "read the log (`deployer logs`), then start a new release: `deployer release`"
"""The fix of a release that ends here: it can no longer be resumed."""
_OWN_REASONS = {
    OVERDUE: (
        "max-runtime",
        "check its last lines for what it waited for, or raise [run] max-runtime in deploy.toml",
    ),
    FORGOTTEN: (
        TASK_FORGOTTEN,
        "check for its documents with `deployer verify`; resuming finds the task again or runs the job anew",
    ),
}
"""Stopped reasons that deployer itself gives: (subcause, remedy)."""


def follow_task(release: Release, context: Context) -> StepResult:
    """Follow the logs.

    Shows the task's log stream from before it exists until it is drained after the stop, keeps it as
    evidence, and records how every container ended. Twice is safe: it reads from the stream's start;
    only a task that outlives `[run] max-runtime` is stopped.
    """
    launch, ports = release.launches[-1], context.ports
    watch = TaskWatch(
        ports.tasks,
        launch.arn or "",
        RetryPolicy(clock=ports.clock),
        since=launch.requested_at,
        start_timeout=context.config.run.start_timeout,
        job=context.config.task.container,
    )
    lines = _follow_log(launch, _RuntimeLimit(watch, context), context)
    if watch.status:
        ports.evidence.write(f"task-{launch.attempt}", watch.status.raw)
    result = watch.result or TaskResult(stopped_reason=FORGOTTEN)
    for container in result.others:
        if container.failed or container == result.culprit:
            _show_container(container, result, launch, context)
    release = release.with_launch(lines=lines, result=result, status="STOPPED")
    code = "none" if result.exit_code is None else result.exit_code
    return StepResult(release, f"exit code {code}, {lines} log lines")


def _follow_log(launch: Launch, limit: "_RuntimeLimit", context: Context) -> int:
    """Shows and keeps the job's lines until the task has stopped; returns their number."""
    ports, place, lines = context.ports, job_log(context.config), 0
    if not place.group or not launch.log_stream:
        context.note(f"the job logs to {place.driver}: its lines cannot be followed here")
    with ports.evidence.lines(task_log(launch.attempt)) as kept:
        for event in follow(
            ports.logs,
            place.group,
            launch.log_stream,
            is_stopped=limit.stopped,
            clock=ports.clock,
            drain=context.config.logs.drain_timeout,
        ):
            lines += 1
            kept.event(event.time, event.text)
            context.emit(Logged("task", event.text, event.time))
    return lines


def _show_container(container: ContainerResult, result: TaskResult, launch: Launch, context: Context) -> None:
    """Names another container that failed, shows its last lines and keeps them as evidence."""
    blamed = container == result.culprit
    warning = "" if blamed else "warning: the job is not affected: "
    context.note(f"{warning}{told(container, first=blamed and container.essential)}")
    try:
        lines = _container_log(container.name, launch, context)
    except TransientFailure:
        raise
    except Failure as failure:
        context.note(f"the log of container {container.name} cannot be read: {failure.message}")
        return
    with context.log(_container_file(launch, container.name)) as show:
        for line in lines:
            show(line)


def _container_file(launch: Launch, container: str) -> str:
    return f"{task_name(launch.attempt)}-{container}"


def _container_log(name: str, launch: Launch, context: Context) -> list[str]:
    ports = context.ports
    revision = ports.tasks.revision(launch.task_definition)
    place = log_place(revision.definition, name) if revision else None
    if place is None or not place.group:
        context.note(f"the log of container {name} ({place.driver if place else 'unknown'}) cannot be read")
        return []
    return last_lines(ports.logs, place, place.stream(name, launch.arn or ""), LOG_TAIL)


class _RuntimeLimit:
    """Stops the task once it has run longer than `[run] max-runtime`."""

    def __init__(self, watch: TaskWatch, context: Context) -> None:
        self._watch, self._context = watch, context
        self._reached = False

    def stopped(self) -> bool:
        watch, context, limit = self._watch, self._context, self._context.config.run.max_runtime
        over = watch.check()
        if not over and not self._reached and watch.age > limit:
            self._reached = True
            context.note(f"the task has run for {watch.age:.0f} s, longer than max-runtime: stopping it")
            context.ports.tasks.stop(watch.arn, f"{OVERDUE} {limit:.0f} s")
        return over


def analyse_evidence(release: Release, context: Context) -> StepResult:
    """Analyze the evidence.

    Classifies what the run left behind: the stop, every container's end, the end of the log, or the failed
    checks. Twice is safe: it only reads kept evidence.
    """
    launch = release.launches[-1]
    log = context.ports.evidence.log(launch.attempt, LOG_TAIL)
    if release.verification and not release.verification.ok:
        cause = _unproven(release)
    else:
        cause = (
            _own_cause(launch, log)
            or _container_cause(release, context)
            or diagnosed(
                f"the task ended {ending(launch.result)}",
                evidence_of(launch.result, log),
                "PIPELINE_OK",
                values_of(context.config),
            )
        )
    subject = f"{cause.failure_class}: {cause.subcause}" if cause.subcause else cause.failure_class
    if error_type(release.with_(cause=cause)) == "unknown" and "resume" in cause.remedy:
        cause = cause.with_(remedy=NEW_RELEASE)
    return StepResult(release.with_(cause=cause), subject)


def _container_cause(release: Release, context: Context) -> Cause | None:
    """The cause where another container than the job's failed the run."""
    launch = release.launches[-1]
    culprit = launch.result.culprit if launch.result else None
    if culprit is None:
        return None
    log = context.ports.evidence.text(_container_file(launch, culprit.name), LOG_TAIL)
    return cause_of_container(culprit, log, release.id, "PIPELINE_OK")


def _own_cause(launch: Launch, log: Sequence[str]) -> Cause | None:
    """The cause where deployer itself stopped the task or stopped following it; None otherwise."""
    reason = launch.result.stopped_reason if launch.result else ""
    for own, (subcause, remedy) in _OWN_REASONS.items():
        if reason.startswith(own):
            message = f"the task ended {ending(launch.result)}"
            return Cause("unknown", subcause, message, tuple(log[-12:]), remedy, node="PIPELINE_OK")
    return None


def _unproven(release: Release) -> Cause:
    verification = release.verification
    failed = [check for check in verification.checks if not check.ok] if verification else []
    lines = tuple(f"{c.name}: expected {c.expected}, found {c.found}" for c in failed)
    if verification and verification.unproven:
        fix = "change the checks, then resume: the data is verified again, the job does not run again"
        message = "every check passed, but nothing proves that this run loaded its data"
        return Cause("data", UNPROVEN, message, (verification.problem,), fix, node="DATA_OK")
    problem = verification.problem if verification else ""
    return Cause(
        "data",
        "not-proven",
        "the task succeeded, but checks of its documents failed",
        (problem, *lines) if problem else lines,
        "check the source data and the rejected rows, fix them, then resume: the job runs again",
        node="DATA_OK",
    )


def back_off(release: Release, context: Context) -> StepResult:
    """Wait before the next try.

    Waits longer with each launch, so that capacity or a throttled service can recover; after `[retries]
    max-wait` in all it pauses, and a person who resumes starts it afresh. Twice is safe: it only waits.
    """
    settings, clock = context.config.retries, context.ports.clock
    since = clock.now() if context.resumed else release.waiting_since or clock.now()
    release = release.with_(waiting_since=since)
    wait = min(settings.initial_delay * 2 ** len(release.launches), settings.max_delay)
    waited = clock.now() - since
    if waited + wait > settings.max_wait:
        cause = release.cause or Cause("capacity", "")
        raise Failure(
            cause.failure_class,
            f"{cause.message or 'the task did not run'}; {waited:.0f} s of waiting did not help"
            f" ({'; '.join(cause.evidence[:2])})",
            cause.remedy,
        )
    context.record(release)
    context.note(f"waiting {wait:.0f} s before launch {len(release.launches) + 1}")
    show, begun = context.progress(), clock.now()
    while (left := begun + wait - clock.now()) > 0:
        show("wait", "next launch", clock.now() - begun, wait, "s")
        clock.sleep(min(left, 1.0))
    return StepResult(release, f"waited {wait:.0f} s")
