"""AWS: the registry, ECS, its schedules, the log store, the account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

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

    def move_tag(self, repository: str, tag: str, digest: str) -> None:
        """Makes `tag` point to `digest` without moving a layer; already there is fine."""

    def tagged(self, repository: str) -> tuple[Tagged, ...]:
        """Every tag of the repository."""

    def remove(self, repository: str, tags: Sequence[str]) -> None:
        """Takes the tags away, and with its last tag an image; not there is fine."""


@dataclass(frozen=True)
class Revision:
    """A registered task definition as ECS gives it back."""

    arn: str
    definition: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


ONE_OFF_TASK: Final = "deployer-"
"""How the mark of a short task begins, which only looks; a run of the job has its release's ID there."""


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
    """A task as DescribeTasks shows it; `result` once it is STOPPED. `raw` is kept as evidence."""

    arn: str
    last_status: str
    started_by: str = ""
    result: TaskResult | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def only_looks(self) -> bool:
        """It is a short task, and no run of the job."""
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
        """This revision, active or not; None where ECS has it no more."""

    def revisions(self, family: str) -> tuple[str, ...]:
        """The ARNs of the ACTIVE revisions, oldest first."""

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


class Schedules(Protocol):
    """EventBridge Scheduler, as far as it starts ECS tasks."""

    def task_definition(self, name: str, group: str) -> str:
        """What the schedule starts, as it says it (an ARN, with or without a revision). Failure `aws-config`:
        there is no such schedule, or its target is no ECS task."""

    def move(self, name: str, group: str, task_definition: str) -> None:
        """Makes the schedule start this revision; everything else about it stays. Twice is fine."""

    def used(self) -> frozenset[str]:
        """Every task definition that a schedule of this account and region starts."""


class LogEvent(NamedTuple):
    """One CloudWatch event; `time` in seconds since the epoch."""

    time: float
    text: str


@dataclass(frozen=True)
class LogPage:
    """What one read gave, at most 10,000 events, as two columns: so many tuples would cost the garbage
    collector as much time as reading them. `cursor` goes into the next read; `exists` False: no such stream
    yet."""

    times: Sequence[float]
    texts: Sequence[str]
    cursor: str | None
    exists: bool = True

    @property
    def events(self) -> tuple[LogEvent, ...]:
        return tuple(map(LogEvent, self.times, self.texts))


class LiveTail(Protocol):
    """A session that tells which streams get events, from its start to its end and never afterwards."""

    def news(self, seconds: float) -> frozenset[str]:
        """Streams that got events since the last call, not always all: as soon as there are any, none after
        `seconds`. Failure: the session was not granted; TransientFailure, ExpiredCredentials: it is over, a
        new one may be started."""

    def close(self) -> None: ...


class Logs(Protocol):
    """CloudWatch Logs, one stream at a time, oldest first."""

    def read(self, group: str, stream: str, cursor: str | None, since: float = 0.0) -> LogPage:
        """The events after `cursor` (None: from the start) that are not older than `since`. At the end of
        the stream the cursor comes back unchanged, with no events."""

    def streams(self, group: str, prefix: str, since: float = 0.0) -> tuple[str, ...]:
        """Streams under a prefix that may hold events not older than `since`, the liveliest first."""

    def live(self, group: str, prefixes: Sequence[str]) -> LiveTail:
        """Starts a session for the streams whose names begin with one of these (at most 100). Whether it is
        granted its first news tell."""

    def retention(self, group: str) -> float | None:
        """Seconds for which events are kept; None for ever, or where there is no such group."""


@dataclass(frozen=True)
class Finding:
    """One look at the account. `state`: ok, wrong, or unknown (never fine by default)."""

    what: str
    state: str
    detail: str = ""
    remedy: str = ""


class Account(Protocol):
    """Read-only looks at what RunTask depends on."""

    def identity(self) -> str:
        """The caller's ARN. Failure `aws-config`: no credentials, or expired ones."""

    def preflight(self) -> Iterator[Finding]:
        """What a few quick reads tell: whether what deploy.toml names is there and fits together."""

    def findings(self, digest: str | None = None) -> Iterator[Finding]:
        """All that can be looked at: the first ones, what each identity may do, the image of this digest
        (None: the last proven one), quotas. What may not be seen is unknown, never fine."""
