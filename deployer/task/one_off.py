"""A short task of the job's own image: another command in the job's own network, which only looks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from deployer.config.model import Config
from deployer.diagnosis.causes import diagnosed
from deployer.diagnosis.model import Evidence
from deployer.errors import Failure, RefusedError
from deployer.logs.follow import follow
from deployer.model import TaskResult
from deployer.ports import ONE_OFF_TASK, Clock, Ids, Logs, TaskRequest, Tasks, TaskStatus
from deployer.redaction import Redactor
from deployer.retry import RetryPolicy
from deployer.task.definition import for_image

STATUS_SECONDS: Final = 1.0
OVERRIDES: Final = 8192
"""Characters that RunTask takes for all overrides, their JSON included (ECS API reference, TaskOverride)."""
_STARTING: Final = ("PROVISIONING", "PENDING", "ACTIVATING")
_MOST_LINES: Final = 20_000


@dataclass(frozen=True)
class OneOffTask:
    """What a short task is sent for. `purpose`: one word, for its mark and its tag. `within`: seconds that
    it may run once it has started."""

    purpose: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    within: float = 120.0


@dataclass(frozen=True)
class OneOffResult:
    """How it ended, and what it printed. `exit_code` None: it never ran to an end."""

    arn: str
    result: TaskResult
    lines: tuple[str, ...]
    status: TaskStatus

    @property
    def exit_code(self) -> int | None:
        return self.result.exit_code

    def failure(self) -> Failure:
        """Why it did not do what it was sent for, classified as a run of the job would be."""
        result = self.result
        log = Evidence("\n".join(self.lines), "task_log", result.exit_code, result.stop_code or None)
        reasons = [Evidence(c.reason, "container_reason", c.exit_code) for c in result.containers if c.reason]
        stop = Evidence(result.stopped_reason, "stopped_reason", result.exit_code, result.stop_code or None)
        pieces = [piece for piece in (log, *reasons, stop) if piece.text]
        cause = diagnosed("", pieces, "")
        code = "without an exit code" if self.exit_code is None else f"with exit code {self.exit_code}"
        said = "; ".join(dict.fromkeys((*cause.evidence[:2], *self.lines[-2:]))) or "it printed nothing"
        where = f"the short task {self.arn.rsplit('/', 1)[-1]} in the job's network"
        return Failure(cause.failure_class, f"{where} ended {code}: {Redactor().text(said)}", cause.remedy)


@dataclass(frozen=True)
class OneOffRunner:
    """Starts them one at a time, follows each to its end, and stops it when it takes too long or its caller
    is interrupted."""

    config: Config
    tasks: Tasks
    logs: Logs
    clock: Clock
    ids: Ids

    def run(self, errand: OneOffTask, revision: str | None = None) -> OneOffResult:
        """One short task of this revision, the newest one if none is named.

        RefusedError: nothing is registered yet. Failure: ECS does not start it, or it takes too long.
        """
        watch = _Watch(self, errand, self._started(errand, revision or self._newest()))
        try:
            lines = tuple(self._lines(watch))
            return watch.returned(lines)
        finally:
            watch.stop_if_it_runs()

    def _started(self, errand: OneOffTask, revision: str) -> TaskStatus:
        token = self.ids.token()
        request = TaskRequest(
            task_definition=revision,
            token=token,
            started_by=f"{ONE_OFF_TASK}{errand.purpose}-{token[-8:]}",
            container=self.config.task.container,
            environment={**self.config.run.environment, **errand.environment},
            tags={"deployer:purpose": errand.purpose, "deployer:env": self.config.env},
            command=errand.command,
        )
        answer = RetryPolicy(self.clock)(lambda: self.tasks.run(request))
        if answer.task:
            return answer.task
        cause = diagnosed("", [Evidence(text, "run_task_failure") for text in answer.failures], "")
        said = "; ".join(answer.failures) or "ECS gave neither a task nor a reason"
        raise Failure(cause.failure_class, f"the short task did not start: {said}", cause.remedy)

    def room(self, errand: OneOffTask) -> int:
        """Characters that a further variable's value may have, of what ECS takes for overrides."""
        environment = {**self.config.run.environment, **errand.environment}
        pairs = [{"name": name, "value": value} for name, value in environment.items()]
        container = {"name": self.config.task.container, "environment": pairs, "command": errand.command}
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

    def _lines(self, watch: "_Watch") -> Iterator[str]:
        settings = self.config.logs
        stream = f"{settings.stream_prefix}/{self.config.task.container}/{watch.task.arn.rsplit('/', 1)[-1]}"
        events = follow(
            self.logs,
            settings.group,
            stream,
            is_stopped=watch.stopped,
            clock=self.clock,
            drain=settings.drain_timeout,
        )
        for number, event in enumerate(events):
            if number >= _MOST_LINES:
                raise Failure(
                    "code",
                    f"the short task prints more than {_MOST_LINES:,} lines; it was stopped",
                    "does the image have this command? see docs/how-to/verify-where-the-job-runs.md",
                )
            yield event.text


class _Watch:
    """The task's state while its log is followed; asked at most once a second."""

    def __init__(self, short: OneOffRunner, errand: OneOffTask, task: TaskStatus) -> None:
        self.task = task
        self._short, self._errand = short, errand
        self._patience = RetryPolicy(short.clock)
        self._asked = float("-inf")
        self._gone = False
        self._limit = short.clock.now() + short.config.run.start_timeout
        self._starting = True

    def stopped(self) -> bool:
        """Failure: it takes longer to start, or to run, than it may."""
        now = self._short.clock.now()
        if not self._over and now - self._asked >= STATUS_SECONDS:
            self._asked = now
            status = self._patience(lambda: self._short.tasks.status(self.task.arn))
            self._gone = status is None
            self.task = status or self.task
            self._refuse_overtime(now)
        return self._over

    @property
    def _over(self) -> bool:
        return self._gone or self.task.result is not None

    def _refuse_overtime(self, now: float) -> None:
        if self._starting and self.task.last_status not in _STARTING:
            self._starting, self._limit = False, now + self._errand.within
        if self._over or now <= self._limit:
            return
        if self._starting:
            raise Failure(
                "capacity",
                f"the short task is still {self.task.last_status} after "
                f"{self._short.config.run.start_timeout:.0f} s; it was stopped",
                "try again later, or give it longer: [run] start-timeout in deploy.toml",
            )
        raise Failure(
            "unknown",
            f"the short task ({self._errand.purpose}) was not done after {self._errand.within:.0f} s; "
            "it was stopped",
            f"its log: `deployer logs --task {self.task.arn}`",
        )

    def returned(self, lines: tuple[str, ...]) -> OneOffResult:
        """Failure: ECS no longer knows the task, so how it ended cannot be told."""
        if self.task.result is None:
            raise Failure("unknown", f"ECS no longer knows the short task {self.task.arn}", "try again")
        return OneOffResult(self.task.arn, self.task.result, lines, self.task)

    def stop_if_it_runs(self) -> None:
        if not self._over:
            self._short.tasks.stop(self.task.arn, f"{ONE_OFF_TASK}{self._errand.purpose}: no longer needed")
