"""What the steps need of the world, in our words. `gateways/` has the real ones, `tests/fakes` the others.

Every method raises `deployer.errors.Failure` (or its transient kind) and nothing else;
what a person can expect to happen (a red test, a task that exits 1) is a return value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Protocol

from deployer.errors import Failure
from deployer.release.evidence import Evidence
from deployer.release.state import Source, TaskResult

OnLine = Callable[[str], None]
OnProgress = Callable[[str, str, float, float | None, str], None]
"""(key, label, done, total or None, unit): see `events.Progressed`."""


class Workspace(Protocol):
    """The project's folder."""

    def source(self) -> Source:
        """What would be released now. Failure `code`: a build input is missing."""

    def changes(self) -> tuple[str, ...]:
        """What differs from the commit, a line a file; empty outside of git."""

    def has(self, path: str) -> bool:
        """Whether there is a file, or a folder with something in it, at this path of the project."""


class Shell(Protocol):
    """Local commands."""

    def run(self, command: Sequence[str], on_line: OnLine) -> int:
        """Runs it in the project's folder, hands over each output line (stdout and stderr together) as it
        comes, returns the exit code (127: no such program). An interrupt ends the child as well."""


class Compose(Protocol):
    """The project's compose file, under a project name of its own for each release."""

    def up(self, project: str, image: str, run_id: str, on_line: OnLine) -> int:
        """Starts everything with `image` as the job's, follows its log, returns the job's exit code."""

    def count_documents(self, project: str) -> dict[str, int]:
        """Documents per collection in the compose set's database, read from outside."""

    def down(self, project: str, on_line: OnLine) -> None:
        """Removes containers, networks and volumes; nothing to remove is fine."""


@dataclass(frozen=True)
class BuildResult:
    """`image_id` is None where the build failed; then `error` says why, `lines` holds the output's end."""

    image_id: str | None
    error: str = ""
    lines: tuple[str, ...] = ()


class Engine(Protocol):
    """The container engine: builds, tags, pushes."""

    def build(self, tag: str, on_line: OnLine, on_progress: OnProgress) -> BuildResult: ...

    def image_id(self, tag: str) -> str | None:
        """The local image's id, None where there is none of that name."""

    def tag(self, source: str, target: str) -> None: ...

    def login(self, registry: str, username: str, password: str) -> None: ...

    def push(self, name: str, tag: str, on_progress: OnProgress) -> str:
        """Pushes `name:tag`, returns the digest that the registry reported (`sha256:...`)."""


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


SHORT_TASK: Final = "deployer-"
"""How the mark of a short task begins, which only looks; a run of the job has its release's ID there."""


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
        return self.started_by.startswith(SHORT_TASK)


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
    """What one read gave. `cursor` goes into the next read; `exists` False: no such stream yet."""

    events: tuple[LogEvent, ...]
    cursor: str | None
    exists: bool = True


class Logs(Protocol):
    """CloudWatch Logs, one stream at a time, oldest first."""

    def read(self, group: str, stream: str, cursor: str | None, since: float = 0.0) -> LogPage:
        """The events after `cursor` (None: from the start) that are not older than `since`. At the end of
        the stream the cursor comes back unchanged, with no events."""

    def streams(self, group: str, prefix: str, since: float = 0.0) -> tuple[str, ...]:
        """Streams under a prefix that may hold events not older than `since`, the liveliest first."""

    def retention(self, group: str) -> float | None:
        """Seconds for which events are kept; None for ever, or where there is no such group."""


class Unreachable(Failure):
    """No connection comes about: name, port or TLS. From another network it may well do."""


class TimeLimitReached(Failure):
    """The database ended a read at its time limit."""


class QueryRefused(Failure):
    """The database does not understand a query, or cannot answer it."""


class Database(Protocol):
    """The database that the job loads, read-only, from where the deployer runs.

    A read sees every write that was acknowledged before it began. `within` is its time limit in seconds;
    TimeLimitReached at the end of it, QueryRefused for a query that is none.
    """

    def ping(self) -> None:
        """Failure `mongodb`, saying which layer (name, port, TLS, authentication) refused."""

    def counts(self) -> dict[str, int]:
        """Estimated documents per collection (views and system collections left out)."""

    def find_one(self, collection: str, query: Mapping[str, Any]) -> Mapping[str, Any] | None: ...

    def count(self, collection: str, query: Mapping[str, Any], within: float = 60) -> int: ...

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]: ...

    def scans(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it would read the whole collection, by the database's own plan; nothing is run."""

    def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        """`{"name", "key": {field: 1 or -1}, "unique", ...}` each; none for a missing collection."""

    def options(self, collection: str) -> Mapping[str, Any] | None:
        """What the collection was made with (`validator`, ...); None where there is no such collection."""


@dataclass(frozen=True)
class Finding:
    """One look at the account. `state`: ok, wrong, or unknown (never fine by default)."""

    what: str
    state: str
    detail: str = ""
    remedy: str = ""


class DatabaseServer(Protocol):
    """What a release depends on beyond being let in."""

    def findings(self) -> Iterator[Finding]:
        """Server version, write concern, storage left, where they may be read: one finding each."""


@dataclass(frozen=True)
class Question:
    """One read, for a short task. `body` is a query (`find_one`) or a pipeline (`aggregate`, `explain`);
    `within` its time limit in seconds."""

    kind: Literal["counts", "find_one", "aggregate", "explain", "indexes", "options"]
    collection: str = ""
    body: Any = None
    within: float = 60.0


@dataclass(frozen=True)
class Reply:
    """What the database said to a question, or why it did not. `seconds`: how long it took."""

    answer: Any = None
    error: Failure | None = None
    seconds: float = 0.0


class JobNetwork(Protocol):
    """MongoDB as the job reaches it: short tasks of its own image in its own network, which only look.

    `revision`: the task definition's ARN, None for the newest. Both methods raise UsageError where
    deploy.toml does not say how, RefusedError where nothing is registered yet, Failure where the task fails.
    """

    def walk(self, revision: str | None = None) -> tuple[Finding, ...]:
        """The way from there to MongoDB, a finding a step, up to and including the first that is refused."""

    def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
        """A reply to each, in order."""


class Account(Protocol):
    """Read-only looks at what RunTask depends on."""

    def identity(self) -> str:
        """The caller's ARN. Failure `aws-config`: no credentials, or expired ones."""

    def findings(self) -> Iterator[Finding]:
        """Cluster, subnets, security groups, roles, log group, secrets: one finding each."""


class Clock(Protocol):
    """Time as the steps see it."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Where identity comes from."""

    def release_id(self, now: float) -> str: ...

    def token(self) -> str: ...


@dataclass(frozen=True)
class Ports:
    """Everything a step can reach."""

    workspace: Workspace
    shell: Shell
    compose: Compose
    engine: Engine
    registry: Registry
    tasks: Tasks
    schedules: Schedules
    logs: Logs
    database: Database
    server: DatabaseServer
    job_network: JobNetwork
    account: Account
    clock: Clock
    ids: Ids
    evidence: Evidence
