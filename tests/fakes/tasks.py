"""ECS in memory: revisions, and tasks that live through a scripted life while they are looked at."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deployer.errors import Failure
from deployer.model import ContainerResult, TaskResult
from deployer.ports import LogEvent, Revision, RunAnswer, TaskRequest, TaskStatus
from deployer.task.definition import own_tags
from tests.fakes.faults import Faults
from tests.fakes.logs import FakeLogs


def nothing(request: TaskRequest) -> None:
    """The effect of a task that has none."""


def silence(request: TaskRequest) -> tuple[str, ...]:
    """What a task says that does not look at its request."""
    return ()


@dataclass(frozen=True)
class Outcome:
    """The life of one task: PENDING, RUNNING, and after `polls` looks STOPPED.

    With `failures` RunTask starts nothing and answers these. `lines` are printed while it runs, `late` ones
    are shown only some reads after it stopped. `effect` happens once, just before it stops; what it `says`
    then is printed last. `others` are how its other containers end. It is PENDING until it has been
    looked at `pending` times.
    """

    exit_code: int | None = 0
    polls: int = 3
    pending: int = 1
    lines: tuple[str, ...] = ("loaded",)
    late: tuple[str, ...] = ()
    stop_code: str = "EssentialContainerExited"
    stopped_reason: str = "Essential container in task exited"
    container_reason: str = ""
    others: tuple[ContainerResult, ...] = ()
    failures: tuple[str, ...] = ()
    effect: Callable[[TaskRequest], None] = nothing
    says: Callable[[TaskRequest], tuple[str, ...]] = silence


STILLBORN = Outcome(
    exit_code=None,
    polls=1,
    lines=(),
    stop_code="TaskFailedToStart",
    stopped_reason="ResourceInitializationError: unable to pull secrets or registry auth",
)


@dataclass
class FakeTask:
    """One task ever started."""

    arn: str
    request: TaskRequest
    outcome: Outcome
    looks: int = 0
    printed: int = 0
    stopped: TaskResult | None = None

    @property
    def status(self) -> str:
        if self.stopped:
            return "STOPPED"
        return "PENDING" if self.looks < self.outcome.pending else "RUNNING"


@dataclass
class FakeTasks:
    """`tasks` holds every task ever started, in order; `registered` every revision, `inactive` those
    that were deregistered.

    `honours_tokens` False is an ECS that starts a second task for the same clientToken (MiniStack).
    A process that dies takes nothing of this with it: hand the same object to its successor.
    """

    logs: FakeLogs = field(default_factory=FakeLogs)
    group: str = "/ecs/job"
    stream_prefix: str = "ecs"
    honours_tokens: bool = True
    faults: Faults = field(default_factory=Faults)
    script: deque[Outcome] = field(default_factory=deque)
    registered: list[Revision] = field(default_factory=list)
    inactive: set[str] = field(default_factory=set)
    tasks: dict[str, FakeTask] = field(default_factory=dict)
    time: float = 1_700_000_000.0

    def newest_revision(self, family: str) -> Revision | None:
        self.faults.before("newest_revision")
        active = (r for r in reversed(self.registered) if r.arn not in self.inactive)
        return next((r for r in active if r.definition["family"] == family), None)

    def revision(self, arn: str) -> Revision | None:
        self.faults.before("revision")
        found = next((revision for revision in self.registered if revision.arn == arn), None)
        if found and arn in self.inactive:
            return replace(found, definition={**found.definition, "status": "INACTIVE"})
        return found

    def revisions(self, family: str | None) -> tuple[str, ...]:
        self.faults.before("revisions")
        found = (r for r in self.registered if family in (None, r.definition["family"]))
        return tuple(revision.arn for revision in found if revision.arn not in self.inactive)

    def deregister(self, arn: str) -> None:
        self.faults.before("deregister")
        self.inactive.add(arn)
        self.faults.after("deregister")

    def register(self, definition: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        self.faults.before("register")
        family = definition["family"]
        number = 1 + sum(revision.definition["family"] == family for revision in self.registered)
        arn = f"arn:aws:ecs:eu-west-3:123456789012:task-definition/{family}:{number}"
        self.registered.append(
            Revision(
                arn, {**definition, "revision": number, "status": "ACTIVE"}, {**own_tags(definition), **tags}
            )
        )
        self.faults.after("register")
        return arn

    def run(self, request: TaskRequest) -> RunAnswer:
        self.faults.before("run")
        known = next((t for t in self.tasks.values() if t.request.token == request.token), None)
        if known is not None and self.honours_tokens:
            return RunAnswer(self._shown(known))
        if not any(revision.arn == request.task_definition for revision in self.registered):
            raise Failure("aws-config", f"Unable to find task definition: {request.task_definition}")
        if request.task_definition in self.inactive:
            raise Failure("aws-config", f"TaskDefinition is inactive: {request.task_definition}")
        outcome = self.script.popleft() if self.script else Outcome()
        if outcome.failures:
            return RunAnswer(None, outcome.failures)
        arn = f"arn:aws:ecs:eu-west-3:123456789012:task/cluster/{len(self.tasks) + 1:032x}"
        self.tasks[arn] = FakeTask(arn, request, outcome)
        self.faults.after("run")
        return RunAnswer(self._shown(self.tasks[arn]))

    def started_by(self, started_by: str) -> tuple[TaskStatus, ...]:
        self.faults.before("started_by")
        return tuple(self._shown(t) for t in self.tasks.values() if t.request.started_by == started_by)

    def of_family(self, family: str) -> tuple[TaskStatus, ...]:
        self.faults.before("of_family")
        return tuple(
            self._shown(task)
            for task in self.tasks.values()
            if task.request.task_definition.rsplit("/", 1)[-1].split(":")[0] == family
        )

    def status(self, arn: str) -> TaskStatus | None:
        self.faults.before("status")
        task = self.tasks.get(arn)
        if task is None:
            return None
        self._live(task)
        return self._shown(task)

    def stop(self, arn: str, reason: str) -> None:
        self.faults.before("stop")
        task = self.tasks.get(arn)
        if task and not task.stopped:
            container = ContainerResult(task.request.container, 137)
            task.stopped = TaskResult("UserInitiated", reason, (container,))

    def forget(self, arn: str) -> None:
        """What ECS does with a stopped task after about an hour."""
        del self.tasks[arn]

    def _live(self, task: FakeTask) -> None:
        """One look later: some more lines, and in the end the stop."""
        if task.stopped:
            return
        outcome = task.outcome
        task.looks += 1
        over = task.looks >= outcome.polls
        self._print(task, len(outcome.lines) if over else len(outcome.lines) * task.looks // outcome.polls)
        if over:
            outcome.effect(task.request)
            said = outcome.says(task.request)
            if said:
                self.logs.put(self.group, self.stream(task), *map(self._event, said))
            if outcome.late:
                self.logs.put_late(self.group, self.stream(task), 2, *map(self._event, outcome.late))
            container = ContainerResult(task.request.container, outcome.exit_code, outcome.container_reason)
            task.stopped = TaskResult(
                outcome.stop_code,
                outcome.stopped_reason,
                (container, *outcome.others),
                task.request.container,
            )

    def _print(self, task: FakeTask, upto: int) -> None:
        lines = task.outcome.lines[task.printed : upto]
        if lines:
            self.logs.put(self.group, self.stream(task), *map(self._event, lines))
        task.printed = upto

    def _event(self, text: str) -> LogEvent:
        self.time += 1
        return LogEvent(self.time, text)

    def stream(self, task: FakeTask) -> str:
        return f"{self.stream_prefix}/{task.request.container}/{task.arn.rsplit('/', 1)[-1]}"

    def _shown(self, task: FakeTask) -> TaskStatus:
        return TaskStatus(
            arn=task.arn,
            last_status=task.status,
            started_by=task.request.started_by,
            result=task.stopped,
            raw={
                "taskArn": task.arn,
                "taskDefinitionArn": task.request.task_definition,
                "overrides": {"containerOverrides": [{"command": list(task.request.command)}]},
            },
        )
