"""The machine that the deployer runs on."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Protocol

from deployer.model import Source

OnLine = Callable[[str], None]
OnProgress = Callable[[str, str, float, float | None, str], None]
"""(key, label, done, total or None, unit): see `events.Progressed`."""


@dataclass(frozen=True)
class BuildInputs:
    """What makes an image. `files`: by path, what each is and the hash of its content; those of a named
    context begin with `NAME:`. `settings`: platform, target, arguments. `images`: the digest or local id of
    each image that the build stands on; empty where neither can be had."""

    files: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0

    @cached_property
    def content_hash(self) -> str:
        """Hexadecimal SHA-256, equal on every machine and in every clone."""
        digest = hashlib.sha256(json.dumps([self.settings, self.images], sort_keys=True).encode())
        for path in sorted(self.files):
            digest.update(f"{path}\0{self.files[path]}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def changes_since(self, before: "BuildInputs") -> tuple[str, ...]:
        """Why the content is another one, a line each: `+ lib/rates.json`, `~ Dockerfile`, `- job.py`,
        `~ argument VERSION: 1 -> 2`, `~ base image python:3.12: sha256:... -> sha256:...`."""
        now = self.folded(before.depth)
        return (
            *_compared(before.files, now.files, ""),
            *_compared(before.settings, now.settings, "", values=True),
            *_compared(before.images, now.images, "base image ", values=True),
        )

    def folded(self, depth: int) -> "BuildInputs":
        """The same, with what lies more than `depth` folders deep as one entry a folder; 0: as it is."""
        if depth in (0, self.depth):
            return self
        files: dict[str, str] = {}
        deep: dict[str, Any] = {}
        for path in sorted(self.files):
            folders = path.split("/")[:depth]
            if path.count("/") < depth:
                files[path] = self.files[path]
                continue
            digest = deep.setdefault(f"{'/'.join(folders)}/", hashlib.sha256())
            digest.update(f"{path}\0{self.files[path]}\0".encode(errors="surrogateescape"))
        files |= {folder: digest.hexdigest() for folder, digest in deep.items()}
        return replace(self, files=files, depth=depth)

    def as_record(self, most: int = 2000) -> dict[str, Any]:
        """JSON data of at most about `most` files: of more, those of a folder become one entry."""
        depths = (depth for depth in (0, 4, 2, 1) if len(self.folded(depth).files) <= most or depth == 1)
        return {name: value for name, value in vars(self.folded(next(depths))).items() if name in _RECORDED}

    @classmethod
    def from_record(cls, data: Any) -> "BuildInputs | None":
        """What `as_record` gave; None for anything else."""
        try:
            tables = {name: dict(data[name]) for name in ("files", "settings", "images")}
            return cls(**tables, depth=int(data["depth"]))
        except (TypeError, KeyError, ValueError):
            return None


_RECORDED: Final = ("files", "settings", "images", "depth")


def _compared(
    before: Mapping[str, str], now: Mapping[str, str], what: str, *, values: bool = False
) -> Iterator[str]:
    for name in sorted({*before, *now}):
        was, is_now = before.get(name), now.get(name)
        if was == is_now:
            continue
        sign = "+" if was is None else "-" if is_now is None else "~"
        told = (
            f": {_short(was)} -> {_short(is_now)}"
            if values and was is not None and is_now is not None
            else ""
        )
        yield f"{sign} {what}{name}{told}"


def _short(value: str) -> str:
    return (value[:19] if value.startswith("sha256:") else value) or "unknown"


class Workspace(Protocol):
    """The project's folder."""

    def source(self) -> Source:
        """What would be released now. Failure `code`: a build input is missing, or not covered."""

    def inputs(self) -> BuildInputs:
        """What would make the image now: `source().content_hash` is its hash."""

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

    def files(self) -> tuple[str, ...]:
        """The compose files; empty: the project has none."""

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

    def build(
        self, tag: str, labels: Mapping[str, str], on_line: OnLine, on_progress: OnProgress
    ) -> BuildResult:
        """Builds the image, with these labels, under the name `tag`."""

    def image_id(self, tag: str, labels: Mapping[str, str] | None = None) -> str | None:
        """The local image's id; None where there is none of that name, or it lacks one of `labels`."""

    def untag(self, name: str) -> None:
        """Takes this name from its image; nothing to take is fine."""

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
