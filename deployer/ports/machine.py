"""The machine that the deployer runs on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deployer.model import Source

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


class Clock(Protocol):
    """Time as the steps see it."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Where identity comes from."""

    def release_id(self, now: float) -> str: ...

    def token(self) -> str: ...
