"""AWS: the registry, ECS, its schedules, the log store, the account."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple, Protocol

from deployer.model import TaskResult


@dataclass(frozen=True)
class Login:
    """Short-lived registry credentials (twelve hours on ECR)."""

    registry: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Tagged:
    """A tag of a repository. `pushed_at` is its image's, in seconds since the epoch."""

    tag: str
    digest: str
    pushed_at: float


class Registry(Protocol):
    """ECR, seen from the AWS side."""

    def address(self) -> str:
        """`account.dkr.ecr.region.amazonaws.com`, or the address that deploy.toml names instead."""

    def login(self) -> Login: ...

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest behind a tag; None where there is no such tag. A missing repository is a Failure."""

    def manifest(self, repository: str, reference: str) -> Mapping[str, Any] | None:
        """The manifest (or index) behind a tag or digest; None where there is none."""

    def labels(self, repository: str, digest: str) -> Mapping[str, str] | None:
        """The labels of an image; None where they cannot be read, or there is no such image."""

    def move_tag(self, repository: str, tag: str, digest: str) -> None:
        """Points `tag` to `digest` without moving a layer. Repeating it is fine."""

    def tagged(self, repository: str) -> tuple[Tagged, ...]:
        """Every tag of the repository."""

    def remove(self, repository: str, tags: Sequence[str]) -> None:
        """Removes the tags, and an image with its last tag; a missing tag is fine."""


@dataclass(frozen=True)
class Revision:
    """A registered task definition as ECS gives it back."""

    arn: str
    definition: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return bool(self.definition.get("status", "ACTIVE") == "ACTIVE")


ONE_OFF_TASK: Final = "deployer-"
"""How `startedBy` of a one-off task begins; a run of the job has its release's ID there."""


@dataclass(frozen=True)
class TaskRequest:
    """One RunTask call. `environment` is added to `container`'s; `command` takes the place of its own, the
    image's entry point stays."""

    task_definition: str
    token: str
    started_by: str
    container: str
    environment: Mapping[str, str]
    tags: Mapping[str, str]
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskStatus:
    """A task as DescribeTasks shows it; `result` once it is STOPPED. `raw` is kept as evidence. `ended`: the
    containers that have ended so far."""

    arn: str
    last_status: str
    started_by: str = ""
    result: TaskResult | None = None
    ended: frozenset[str] = frozenset()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def one_off(self) -> bool:
        """A one-off task, no run of the job."""
        return self.started_by.startswith(ONE_OFF_TASK)


@dataclass(frozen=True)
class RunAnswer:
    """RunTask's answer: a task, or the reasons why not (`failures`)."""

    task: TaskStatus | None
    failures: tuple[str, ...] = ()


class Tasks(Protocol):
    """ECS."""

    def newest_revision(self, family: str) -> Revision | None:
        """The newest ACTIVE revision; None where the family has none."""

    def revision(self, arn: str) -> Revision | None:
        """This revision, active or not; None where ECS no longer has it."""

    def revisions(self, family: str | None) -> tuple[str, ...]:
        """The ARNs of the ACTIVE revisions, oldest first; None: of every family of the account and region."""

    def deregister(self, arn: str) -> None:
        """Makes the revision INACTIVE: tasks that run it go on, nothing new starts it. Twice is fine."""

    def register(self, definition: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Registers a revision, returns its ARN."""

    def run(self, request: TaskRequest) -> RunAnswer: ...

    def started_by(self, started_by: str) -> tuple[TaskStatus, ...]:
        """Tasks of this cluster, running or stopped, that carry this mark, oldest first."""

    def of_family(self, family: str) -> tuple[TaskStatus, ...]:
        """Tasks of this cluster, running or stopped, of a task definition family, oldest first."""

    def status(self, arn: str) -> TaskStatus | None:
        """None where ECS has forgotten the task (about an hour after it stopped)."""

    def stop(self, arn: str, reason: str) -> None: ...


@dataclass(frozen=True)
class Trigger:
    """A schedule of EventBridge Scheduler, or a rule of EventBridge, that starts ECS tasks. `name` begins
    with its group or event bus; `task_definition` is an ARN, with or without a revision."""

    kind: Literal["schedule", "rule"]
    name: str
    task_definition: str
    expression: str = ""
    enabled: bool = True
    role: str = ""
    ends_at: float | None = None
    """Seconds since the epoch; None: never."""

    @property
    def starts(self) -> str:
        """`family` or `family:revision`."""
        return self.task_definition.rpartition("/")[2]

    def of(self, family: str) -> bool:
        return self.starts.partition(":")[0] == family

    def problem(self, active: Collection[str], now: float) -> str:
        """Why it does not start proven code, "" if nothing speaks against it. `active`: ARNs of the family's
        ACTIVE revisions."""
        if not self.enabled:
            return "is disabled"
        if self.ends_at is not None and self.ends_at <= now:
            return f"ended on {datetime.fromtimestamp(self.ends_at, UTC):%Y-%m-%d %H:%M} UTC"
        if ":" not in self.starts:
            return f"starts the newest revision of {self.starts}, proven or not"
        if self.starts not in {arn.rpartition("/")[2] for arn in active}:
            return f"starts {self.starts}, which is not active"
        return ""


@dataclass(frozen=True)
class NewSchedule:
    """What EventBridge Scheduler needs to start one task of the job; network and variables are `[run]`'s.
    `cluster`, `role` and `task_definition` are ARNs."""

    name: str
    group: str
    expression: str
    time_zone: str
    cluster: str
    role: str
    task_definition: str


class Schedules(Protocol):
    """What starts ECS tasks: EventBridge Scheduler's schedules, or EventBridge's rules. `group`: of the
    schedule, or the event bus of the rule, as `[schedule] kind` says."""

    def task_definition(self, name: str, group: str) -> str:
        """The ARN that the schedule starts, with or without a revision. Failure `aws-config`: there is no
        such schedule, or its target is no ECS task."""

    def move(self, name: str, group: str, task_definition: str) -> None:
        """Makes the schedule start this revision; everything else about it stays. Twice is fine."""

    def triggers(self) -> tuple[Trigger, ...]:
        """Every schedule and rule of this account and region that starts ECS tasks."""

    def put(self, schedule: NewSchedule) -> None:
        """Makes the schedule, or makes the one of this name like it, enabled."""

    def disable(self, name: str, group: str) -> None:
        """The schedule stays, and starts nothing. Failure `aws-config`: there is none."""


class LogEvent(NamedTuple):
    """One CloudWatch event; `time` in seconds since the epoch."""

    time: float
    text: str


@dataclass(frozen=True)
class LogPage:
    """One read of at most 10,000 events, as two columns: as many tuples would cost the garbage collector as
    much time as reading them. `cursor` goes into the next read; `exists` False: no such stream yet."""

    times: Sequence[float]
    texts: Sequence[str]
    cursor: str | None
    exists: bool = True

    @property
    def events(self) -> tuple[LogEvent, ...]:
        return tuple(map(LogEvent, self.times, self.texts))


class Logs(Protocol):
    """CloudWatch Logs, one stream at a time, oldest first."""

    def read(self, group: str, stream: str, cursor: str | None, since: float = 0.0) -> LogPage:
        """The events after `cursor` (None: from the start) that are not older than `since`. At the end of
        the stream the cursor comes back unchanged, with no events."""

    def streams(
        self, group: str, prefix: str, since: float = 0.0, most: int | None = None
    ) -> tuple[str, ...]:
        """Streams under a prefix that may hold events not older than `since`, the most recent first; not more
        than `most`, without looking at the rest."""

    def retention(self, group: str) -> float | None:
        """Seconds for which events are kept; None for ever, or where there is no such group."""


class FindingState(StrEnum):
    """UNKNOWN is what cannot be read or is only inferred; it never stops a release."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """The result of one check, and how to fix it."""

    what: str
    state: FindingState
    detail: str = ""
    remedy: str = ""


class Account(Protocol):
    """Read-only checks of what RunTask depends on."""

    def identity(self) -> str:
        """The caller's ARN. Failure `aws-config`: no credentials, or expired ones."""

    def preflight(self) -> Iterator[Finding]:
        """A few quick reads: whether the resources that deploy.toml names exist and fit together."""

    def diagnose(self, digest: str | None = None) -> Iterator[Finding]:
        """Every check: those of `preflight`, the permissions of each identity, and the image of this digest
        (None: the last proven one). What the caller may not read is unknown."""
