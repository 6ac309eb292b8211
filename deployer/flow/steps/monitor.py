"""Phase 4: follow the task's log to its end, and classify how the task ended."""

from collections.abc import Sequence

from deployer.diagnosis.causes import diagnosed
from deployer.events import Logged
from deployer.flow.handlers import Context, StepResult
from deployer.logs.follow import follow
from deployer.model import Cause, Launch, Release, TaskResult
from deployer.ports import task_log
from deployer.retry import RetryPolicy
from deployer.task.evidence import ending, evidence_of
from deployer.task.watch import TaskWatch

LOG_TAIL = 400
OVERDUE = "deployer: it ran longer than"
FORGOTTEN = "ECS no longer knows this task, nor how it ended"
_OWN_REASONS = {
    OVERDUE: (
        "max-runtime",
        "check its last lines for what it waited for, or raise [run] max-runtime in deploy.toml",
    ),
    FORGOTTEN: (
        "task-forgotten",
        "check for its documents with `deployer verify`, then start a new release",
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
    )
    limit = _RuntimeLimit(watch, context)
    lines = 0
    with ports.evidence.lines(task_log(launch.attempt)) as kept:
        for event in follow(
            ports.logs,
            context.config.logs.group,
            launch.log_stream,
            is_stopped=limit.stopped,
            clock=ports.clock,
            drain=context.config.logs.drain_timeout,
        ):
            lines += 1
            kept.event(event.time, event.text)
            context.emit(Logged("task", event.text, event.time))
    if watch.status:
        ports.evidence.write(f"task-{launch.attempt}", watch.status.raw)
    result = watch.result or TaskResult(stopped_reason=FORGOTTEN)
    release = release.with_launch(lines=lines, result=result, status="STOPPED")
    code = "none" if result.exit_code is None else result.exit_code
    return StepResult(release, f"exit code {code}, {lines} log lines")


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
        cause = _own_cause(launch, log) or diagnosed(
            f"the task ended {ending(launch.result)}", evidence_of(launch.result, log), "PIPELINE_OK"
        )
    subject = f"{cause.failure_class}: {cause.subcause}" if cause.subcause else cause.failure_class
    return StepResult(release.with_(cause=cause), subject)


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
    """Wait for a transient error to pass.

    Waits longer with each launch, so that capacity or a throttled service can recover. Twice is safe.
    """
    settings = context.config.retries
    wait = min(settings.initial_delay * 2 ** len(release.launches), settings.max_delay)
    context.note(f"waiting {wait:.0f} s before the next launch")
    context.ports.clock.sleep(wait)
    return StepResult(release, f"waited {wait:.0f} s")
