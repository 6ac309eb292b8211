"""The recorded state of a release: frozen, JSON-serialisable, all that a decision may read.

Serialised by pydantic from these plain dataclasses (`dump`, `load`).
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self

from pydantic import TypeAdapter

from deployer.errors import EXIT_CODES, FailureClass

Via = Literal["local", "task"]


@dataclass(frozen=True)
class Source:
    """What is released. `content_hash` covers what makes the image (`ports.BuildInputs`); `tree_hash` covers
    every file that git tracks or does not ignore."""

    content_hash: str
    tree_hash: str
    commit: str | None = None
    branch: str | None = None
    dirty: bool = False


@dataclass(frozen=True)
class CommandRun:
    """A local command that ran to its end; `log` is its evidence file, relative to the release's folder."""

    exit_code: int
    seconds: float
    log: str
    tail: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComposeRun:
    """The compose test: the job's exit code and how many documents each collection then held."""

    exit_code: int
    seconds: float
    log: str
    documents: dict[str, int] = field(default_factory=dict)
    tail: tuple[str, ...] = ()
    problem: str = ""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.problem


@dataclass(frozen=True)
class Image:
    """The image of this release. `digest` is the registry's; None until it reports one."""

    repository: str
    tag: str
    registry: str = ""
    id: str | None = None
    digest: str | None = None
    error: str = ""

    @property
    def name(self) -> str:
        """`registry/repository`, as the engine and the task definition spell it."""
        return f"{self.registry}/{self.repository}"

    @property
    def pinned(self) -> str:
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True)
class TaskDefinition:
    """`current` is the newest active revision's ARN; `differences` are the fields in which ours differs.
    `status`: found (it was there), registered (by this release), withdrawn (deregistered when it stopped)."""

    family: str
    current: str | None
    differences: tuple[str, ...] = ()
    arn: str | None = None
    status: Literal["found", "registered", "withdrawn"] = "found"


STOPPED_FROM_OUTSIDE: Final = (
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
)
"""Stop codes of tasks that no container of theirs ended."""
_SIGNALED: Final = (137, 143)
"""Exit codes of a container that was told to stop: 128 + SIGKILL, 128 + SIGTERM."""


@dataclass(frozen=True)
class ContainerResult:
    """How one container of a task ended. `exit_code` None: it never ran to an end. `defined`: it is in the
    task definition, not injected by the account. `ended_first`: seen stopped while the job still ran."""

    name: str
    exit_code: int | None
    reason: str = ""
    essential: bool = True
    defined: bool = True
    ended_first: bool = False

    @property
    def failed(self) -> bool:
        """By itself: not because ECS told it to stop."""
        return bool(self.exit_code) and (self.exit_code not in _SIGNALED or bool(self.reason))


@dataclass(frozen=True)
class TaskResult:
    """What ECS reports of a stopped task. `job`: the name of the container that decides."""

    stop_code: str = ""
    stopped_reason: str = ""
    containers: tuple[ContainerResult, ...] = ()
    job: str = ""

    @property
    def job_container(self) -> ContainerResult | None:
        """The first one of the definition where `job` is not known."""
        candidates = (c for c in self.containers if (c.name == self.job if self.job else c.defined))
        return next(candidates, None)

    @property
    def exit_code(self) -> int | None:
        """The job's; None where it never ran to an end."""
        return self.job_container.exit_code if self.job_container else None

    @property
    def others(self) -> tuple[ContainerResult, ...]:
        """The other containers of the task definition."""
        return tuple(c for c in self.containers if c.defined and c is not self.job_container)

    @property
    def culprit(self) -> ContainerResult | None:
        """The other container that ended the run: the job waited for it and never ran, or it is essential and
        ended by itself first, so that ECS told the job to stop. None: the job itself decides."""
        job = self.job_container
        if self.stop_code in STOPPED_FROM_OUTSIDE or job is None:
            return None
        if job.exit_code is None:
            failed = sorted((c for c in self.others if c.exit_code), key=lambda c: not c.failed)
            unstarted = (c for c in self.others if c.reason and not job.reason)
            return next(iter(failed), None) or next(unstarted, None)
        ended = [c for c in self.others if c.essential and c.exit_code is not None]
        first = [c for c in ended if c.ended_first and (c.exit_code or job.exit_code)]
        if not first and job.exit_code in _SIGNALED and not job.reason:
            first = [c for c in ended if c.failed]
            if not first and job.exit_code == 143 and self.stop_code == "EssentialContainerExited":
                first = [c for c in ended if c.exit_code == 0]
        return next(iter(first), None)

    @property
    def succeeded(self) -> bool:
        """The job ended with 0 and by itself: one that is stopped may end with 0 as well, half done."""
        by_itself = self.stop_code in ("", "EssentialContainerExited")
        return self.exit_code == 0 and by_itself and self.culprit is None


@dataclass(frozen=True)
class Launch:
    """One intended run of the job. `token` and `started_by` are journaled before ECS is called, with the time
    as `requested_at`; asked again after a crash, that is when ECS gave the task."""

    attempt: int
    token: str
    started_by: str
    requested_at: float
    task_definition: str
    arn: str | None = None
    failures: tuple[str, ...] = ()
    status: str = ""
    log_stream: str = ""
    lines: int = 0
    result: TaskResult | None = None

    @property
    def never_ran(self) -> bool:
        """No container of it ever ran, as far as ECS reports."""
        if self.failures or self.result is None:
            return bool(self.failures)
        ran = any(c.exit_code is not None for c in self.result.containers if c.defined)
        return self.result.stop_code == "TaskFailedToStart" and not ran

    @property
    def over(self) -> bool:
        """Nothing more will come of this launch; another run of the job needs a new one."""
        return bool(self.failures) or self.result is not None

    @property
    def task_id(self) -> str:
        return (self.arn or "").rsplit("/", 1)[-1]


@dataclass(frozen=True)
class CheckResult:
    """One verification check: what it expected, what it found, some offending `_id`s. `number`: how many
    documents of the run it rests on; None: it is not bound to the run."""

    name: str
    ok: bool
    expected: str
    found: str
    offending: tuple[str, ...] = ()
    seconds: float = 0.0
    number: int | None = None


@dataclass(frozen=True)
class Verification:
    """`ok` only if every check ran and passed. `counts`: documents per collection. `via`: the
    operator's machine, or a task in the job's network. `unproven`: every check passed, but `problem`
    says why that proves nothing. `run`: whose data was checked, and when it started."""

    ok: bool
    checks: tuple[CheckResult, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    unproven: bool = False
    run: str | None = None
    run_at: float | None = None
    via: Via = "local"


@dataclass(frozen=True)
class Cause:
    """Why something failed: classified, with the evidence and the fix.

    `confidence`: 0 to 1; what an outside system said itself is certain. `node`: where a release noticed it.
    `container`: the container of the task that failed, where it is known.
    """

    failure_class: FailureClass
    subcause: str
    message: str = ""
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    node: str = ""
    transient: bool = False
    confidence: float = 1.0
    link: str | None = None
    container: str = ""

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.failure_class]

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def to_json(self) -> dict[str, object]:
        """The cause as `deployer diagnose` prints it."""
        return {
            "class": self.failure_class,
            "subcause": self.subcause,
            "confidence": round(self.confidence, 2),
            "evidence": list(self.evidence),
            "remedy": self.remedy,
            "link": self.link,
            "transient": self.transient,
            "container": self.container,
        }


@dataclass(frozen=True)
class Rollback:
    """The verified release that is run again, and the revision that has its definition."""

    release: str
    task_definition: str


@dataclass(frozen=True)
class Release:
    """Everything recorded about one release so far.

    `skip`: the local checks (test, compose) that were left out on request; `rebuild`: an image of this
    content is not reused; `accepted`: findings that a person overruled.
    """

    id: str
    env: str
    started_at: float
    start_at: str = "test"
    skip: tuple[str, ...] = ()
    rebuild: bool = False
    accepted: tuple[str, ...] = ()
    rollback: Rollback | None = None
    source: Source | None = None
    tests: CommandRun | None = None
    compose: ComposeRun | None = None
    image: Image | None = None
    task_definition: TaskDefinition | None = None
    launches: tuple[Launch, ...] = ()
    verification: Verification | None = None
    baseline: dict[str, int] | None = None
    cause: Cause | None = None
    skipped: tuple[str, ...] = ()
    waiting_since: float | None = None

    @property
    def launch(self) -> Launch | None:
        """The newest intended run of the job."""
        return self.launches[-1] if self.launches else None

    @property
    def made(self) -> tuple[str | None, str | None]:
        """The image's digest and the revision: what one release puts there and another one not."""
        image, definition = self.image, self.task_definition
        return image.digest if image else None, definition.arn if definition else None

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def with_launch(self, **changes: Any) -> Self:
        """The newest launch changed; IndexError without one."""
        return replace(self, launches=(*self.launches[:-1], replace(self.launches[-1], **changes)))

    def skipping(self, *nodes: str) -> Self:
        return replace(self, skipped=tuple(dict.fromkeys((*self.skipped, *nodes))))

    def doing(self, *nodes: str) -> Self:
        """These nodes are performed after all (a loop back with other inputs)."""
        return replace(self, skipped=tuple(node for node in self.skipped if node not in nodes))


_ADAPTER = TypeAdapter(Release)


def dump(release: Release) -> dict[str, Any]:
    state: dict[str, Any] = _ADAPTER.dump_python(release, mode="json")
    return state


def load(state: object) -> Release:
    """The inverse of `dump`; pydantic.ValidationError where the state is not a release's."""
    return _ADAPTER.validate_python(state)
