"""A one-off task: another command of the job's image, in the job's network, which only reads."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from deployer.config.model import Config
from deployer.config.values import values_of
from deployer.diagnosis.classify import diagnosed
from deployer.errors import DeployerError, Failure, RefusedError
from deployer.logs.follow import follow
from deployer.model import TaskResult
from deployer.ports import ONE_OFF_TASK, Clock, Ids, Logs, TaskRequest, Tasks, TaskStatus
from deployer.redaction import Redactor
from deployer.retry import RetryPolicy
from deployer.task.definition import for_image
from deployer.task.verdict import evidence_of, job_log
from deployer.task.watch import Pace, TaskWatch

_PACE: Final = Pace(shortest=1.0, longest=1.0)
OVERRIDES: Final = 8192
"""Characters that RunTask takes for all overrides, their JSON included (ECS API reference, TaskOverride)."""
_MOST_LINES: Final = 20_000
_LOOKS: Final = 6
_SHOWN: Final = 300
"""Characters of a line in a message."""


@dataclass(frozen=True)
class OneOffTask:
    """What a one-off task runs. `purpose`: one word, for its `startedBy` and its tag. `within`: seconds that
    it may run once it has started."""

    purpose: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    within: float = 120.0


@dataclass(frozen=True)
class OneOffResult:
    """How it ended, and its lines. `exit_code` None: it never ran to an end. `values`: what deploy.toml
    says of those that a fix asks for."""

    arn: str
    result: TaskResult
    lines: tuple[str, ...]
    status: TaskStatus
    values: Mapping[str, str]

    @property
    def exit_code(self) -> int | None:
        return self.result.exit_code

    def failure(self) -> Failure:
        """Why it failed, classified as a run of the job would be."""
        cause = diagnosed("", evidence_of(self.result, self.lines), "", self.values)
        code = "without an exit code" if self.exit_code is None else f"with exit code {self.exit_code}"
        lines = (line[:_SHOWN] for line in (*cause.evidence[:2], *self.lines[-2:]))
        said = "; ".join(dict.fromkeys(lines)) or "it printed nothing"
        where = f"the one-off task {self.arn.rsplit('/', 1)[-1]} in the job's network"
        return Failure(cause.failure_class, f"{where} ended {code}: {Redactor().text(said)}", cause.remedy)


@dataclass(frozen=True)
class OneOffRunner:
    """Runs one task at a time, and stops it where it takes too long or the caller is interrupted."""

    config: Config
    tasks: Tasks
    logs: Logs
    clock: Clock
    ids: Ids

    def run(self, task: OneOffTask, revision: str | None = None) -> OneOffResult:
        """Runs the task with this revision, the newest one if none is named.

        RefusedError: nothing is registered yet. Failure: ECS does not start it, or it takes too long.
        """
        deadline = _Deadline(self, task, self._started(task, revision or self._newest()))
        try:
            return deadline.result(tuple(self._lines(deadline)))
        finally:
            deadline.stop_task()

    def _started(self, task: OneOffTask, revision: str) -> TaskStatus:
        token = self.ids.token()
        request = TaskRequest(
            task_definition=revision,
            token=token,
            started_by=f"{ONE_OFF_TASK}{task.purpose}-{token[-8:]}",
            container=self.config.task.container,
            environment={**self.config.run.environment, **task.environment},
            tags={"deployer:purpose": task.purpose, "deployer:env": self.config.env},
            command=task.command,
        )
        try:
            answer = RetryPolicy(clock=self.clock)(lambda: self.tasks.run(request))
        except KeyboardInterrupt:
            self._stop_unanswered(request.started_by)
            raise
        if answer.task:
            return answer.task
        evidence = evidence_of(None, failures=answer.failures)
        cause = diagnosed("", evidence, "", values_of(self.config))
        said = "; ".join(answer.failures) or "RunTask returned neither a task nor a reason"
        raise Failure(cause.failure_class, f"the one-off task did not start: {said}", cause.remedy)

    def _stop_unanswered(self, started_by: str) -> None:
        """Stops the task of a RunTask that was interrupted; ECS may list it only a moment later."""
        with suppress(DeployerError):
            for _ in range(_LOOKS):
                if found := self.tasks.started_by(started_by):
                    for task in found:
                        self.tasks.stop(task.arn, f"{started_by}: interrupted")
                    return
                self.clock.sleep(0.5)

    def room(self, task: OneOffTask) -> int:
        """Characters left for the value of one more variable within ECS's limit for overrides."""
        environment = {**self.config.run.environment, **task.environment}
        pairs = [{"name": name, "value": value} for name, value in environment.items()]
        container = {"name": self.config.task.container, "environment": pairs, "command": task.command}
        return OVERRIDES - len(json.dumps({"containerOverrides": [container]}))

    def _newest(self) -> str:
        family = str(for_image(self.config, "none")["family"])
        newest = self.tasks.newest_revision(family)
        if newest is None:
            raise RefusedError(
                f"task definition {family} has no active revision yet: nothing can run in the job's network",
                "release it first: `deployer release`",
            )
        return newest.arn

    def _lines(self, deadline: "_Deadline") -> Iterator[str]:
        place, container = job_log(self.config), self.config.task.container
        if not place.group:
            raise Failure(
                "aws-config",
                f"container {container} logs to {place.driver}: the answers of a one-off task cannot be read",
                "give it logDriver awslogs with an awslogs-stream-prefix, or check from this machine",
            )
        events = follow(
            self.logs,
            place.group,
            place.stream(container, deadline.watch.arn),
            is_stopped=deadline.stopped,
            clock=self.clock,
            drain=self.config.logs.drain_timeout,
        )
        for number, event in enumerate(events):
            if number >= _MOST_LINES:
                raise Failure(
                    "code",
                    f"the one-off task prints more than {_MOST_LINES:,} lines; it was stopped",
                    "check that the image has this command: docs/how-to/verify-where-the-job-runs.md",
                )
            yield event.text


class _Deadline:
    """Follows one task, and gives up where it takes too long to start or to end."""

    def __init__(self, runner: OneOffRunner, task: OneOffTask, started: TaskStatus) -> None:
        self._runner, self._task = runner, task
        self._begun = runner.clock.now()
        self._running_since: float | None = None
        self.watch = TaskWatch(
            runner.tasks,
            started.arn,
            RetryPolicy(clock=runner.clock),
            since=self._begun,
            status=started,
            start_timeout=runner.config.run.start_timeout,
            pace=_PACE,
        )

    def stopped(self) -> bool:
        """Failure: it takes longer to start, or to end, than it may."""
        over, now = self.watch.check(), self._runner.clock.now()
        if over:
            return True
        if self.watch.starting:
            self._refuse_late_start(now - self._begun)
            return False
        self._running_since = self._running_since or now
        if now - self._running_since > self._task.within:
            raise Failure(
                "unknown",
                f"the one-off task ({self._task.purpose}) did not end within {self._task.within:.0f} s; "
                "it was stopped",
                f"read its log: `deployer logs --task {self.watch.arn}`",
            )
        return False

    def _refuse_late_start(self, waited: float) -> None:
        limit = self._runner.config.run.start_timeout
        if waited > limit:
            raise Failure(
                "capacity",
                f"the one-off task is still {self.watch.last_status} after {limit:.0f} s; it was stopped",
                "retry later, or raise [run] start-timeout in deploy.toml",
            )

    def result(self, lines: tuple[str, ...]) -> OneOffResult:
        """Failure: ECS no longer knows the task, nor how it ended."""
        if self.watch.result is None or self.watch.status is None:
            raise Failure("unknown", f"ECS no longer knows the one-off task {self.watch.arn}", "try again")
        values = values_of(self._runner.config)
        return OneOffResult(self.watch.arn, self.watch.result, lines, self.watch.status, values)

    def stop_task(self) -> None:
        """StopTask, unless the task is known to have ended."""
        if self.watch.result is None:
            self._runner.tasks.stop(self.watch.arn, f"{ONE_OFF_TASK}{self._task.purpose}: no longer needed")
