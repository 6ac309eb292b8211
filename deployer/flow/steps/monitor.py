"""Phase 4: the task's own log to its end, the verdict, and what the evidence says."""

from collections.abc import Sequence

from deployer.diagnosis.causes import diagnosed
from deployer.diagnosis.model import Evidence
from deployer.events import Logged
from deployer.flow.handlers import Context, StepResult
from deployer.logs.follow import follow
from deployer.model import Cause, Launch, Release, TaskResult
from deployer.ports import TaskStatus, task_log
from deployer.retry import RetryPolicy

LOG_TAIL = 400
STATUS_SECONDS = (0.1, 1.0)
"""Between two looks at the task: soon after its launch, and from its twentieth second on."""
OVERDUE = "deployer: it ran longer than"
FORGOTTEN = "ECS no longer knows this task; how it ended cannot be told"
_OWN_REASONS = {
    OVERDUE: (
        "max-runtime",
        "find out what it waited for (its last lines), or give it longer: [run] max-runtime in deploy.toml",
    ),
    FORGOTTEN: (
        "task-forgotten",
        "look whether its data is there: `deployer verify`; then start a new release",
    ),
}
"""Stopped reasons that are this program's own words: (subcause, what to do)."""


def follow_task(release: Release, context: Context) -> StepResult:
    """Follow the logs.

    Shows the task's log stream from before it exists until it is drained after the stop, keeps it as
    evidence, and records how every container ended. Twice is safe: it reads, from the stream's start;
    only a task that outlives `[run] max-runtime` is stopped.
    """
    launch = release.launches[-1]
    watch = _Watch(launch, context)
    lines = 0
    with context.ports.evidence.lines(task_log(launch.attempt)) as kept:
        for event in follow(
            context.ports.logs,
            context.config.logs.group,
            launch.log_stream,
            is_stopped=watch.stopped,
            clock=context.ports.clock,
            drain=context.config.logs.drain_timeout,
        ):
            lines += 1
            kept.event(event.time, event.text)
            context.emit(Logged("task", event.text, event.time))
    watch.save_evidence()
    result = watch.result()
    release = release.with_launch(lines=lines, result=result, status="STOPPED")
    code = "none" if result.exit_code is None else result.exit_code
    return StepResult(release, f"exit code {code}, {lines} log lines")


class _Watch:
    """The task's state while its log is followed; the younger it is, the more often it is asked for."""

    def __init__(self, launch: Launch, context: Context) -> None:
        self._launch, self._context = launch, context
        self._patience = RetryPolicy(context.ports.clock)
        self._asked = float("-inf")
        self._status: TaskStatus | None = None
        self._gone = False
        self._overdue = False

    def stopped(self) -> bool:
        clock = self._context.ports.clock
        if not self._over() and clock.now() - self._asked >= self._pause():
            self._asked = clock.now()
            status = self._patience(lambda: self._context.ports.tasks.status(self._launch.arn or ""))
            self._gone = status is None
            self._status = status or self._status
            self._stop_if_overdue()
        return self._over()

    def _pause(self) -> float:
        shortest, longest = STATUS_SECONDS
        return min(max(shortest, self._age() / 20), longest)

    def _age(self) -> float:
        return self._context.ports.clock.now() - self._launch.requested_at

    def _over(self) -> bool:
        return self._gone or bool(self._status and self._status.result)

    def _stop_if_overdue(self) -> None:
        limit = self._context.config.run.max_runtime
        if not self._over() and not self._overdue and self._age() > limit:
            self._overdue = True
            self._context.note(
                f"the task has run for {self._age():.0f} s, longer than max-runtime: it is stopped"
            )
            self._context.ports.tasks.stop(self._launch.arn or "", f"{OVERDUE} {limit:.0f} s")

    def result(self) -> TaskResult:
        if self._status and self._status.result:
            return self._status.result
        return TaskResult(stopped_reason=FORGOTTEN)

    def save_evidence(self) -> None:
        if self._status:
            self._context.ports.evidence.write(f"task-{self._launch.attempt}", self._status.raw)


def analyse_evidence(release: Release, context: Context) -> StepResult:
    """Analyze the evidence.

    Classifies what the run left behind: the stop, every container's end, the log's end, or the checks
    that failed. Twice is safe: it reads what is kept.
    """
    launch = release.launches[-1]
    log = context.ports.evidence.log(launch.attempt, LOG_TAIL)
    if release.verification and not release.verification.ok:
        cause = _unproven(release)
    else:
        cause = _of_own_making(launch, log) or diagnosed(
            _ending(launch), pieces_of(launch, log), "PIPELINE_OK"
        )
    subject = f"{cause.failure_class}: {cause.subcause}" if cause.subcause else cause.failure_class
    return StepResult(release.with_(cause=cause), subject)


def _ending(launch: Launch) -> str:
    result = launch.result or TaskResult()
    code = "without an exit code" if result.exit_code is None else f"with exit code {result.exit_code}"
    reason = f" ({result.stopped_reason})" if result.stopped_reason else ""
    return f"the task ended {code}{reason}"


def _of_own_making(launch: Launch, log: Sequence[str]) -> Cause | None:
    """The cause where this program itself put an end to following the task; None otherwise."""
    reason = launch.result.stopped_reason if launch.result else ""
    for own, (subcause, remedy) in _OWN_REASONS.items():
        if reason.startswith(own):
            return Cause("unknown", subcause, _ending(launch), tuple(log[-12:]), remedy, node="PIPELINE_OK")
    return None


def pieces_of(launch: Launch, log: Sequence[str]) -> list[Evidence]:
    """What one ended launch left behind, as evidence to be classified; `log` are its last lines."""
    result = launch.result or TaskResult()
    pieces = [Evidence("\n".join(log), "task_log", result.exit_code, result.stop_code or None)]
    pieces += [Evidence(c.reason, "container_reason", c.exit_code) for c in result.containers if c.reason]
    pieces.append(
        Evidence(result.stopped_reason, "stopped_reason", result.exit_code, result.stop_code or None)
    )
    return [piece for piece in pieces if piece.text or piece.exit_code]


def _unproven(release: Release) -> Cause:
    verification = release.verification
    failed = [check for check in verification.checks if not check.ok] if verification else []
    lines = tuple(f"{c.name}: expected {c.expected}, found {c.found}" for c in failed)
    problem = verification.problem if verification else ""
    return Cause(
        "data",
        "not-proven",
        "the task ended well, but its data is not there as promised",
        (problem, *lines) if problem else lines,
        "look at the source and at the run's rejected rows, mend them, then resume: the job runs again",
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
