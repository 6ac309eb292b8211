"""Every run of the job, whoever started it, kept for later: ECS forgets a task within the hour of its end.

.deployer/runs/<env>/<start>-<task id>.json     one run, whole; the name sorts by time
<project>/<env>/runs/<start>-<task id>.json     the same in the shared state, where deploy.toml names a bucket
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import TypeAdapter, ValidationError

from deployer.errors import Failure
from deployer.model import Cause
from deployer.ports.object_store import Store

Verdict = Literal["ok", "failed", "unproven", "running", "unknown"]

_NAME: Final = re.compile(r"\d{8}T\d{6}-[\w-]{1,128}\.json")
_LARGEST: Final = 1_000_000
"""Bytes of a kept run; a larger file is not one of ours."""


@dataclass(frozen=True)
class Run:
    """`task`: its ARN, or only its ID where nothing but its log is left. Times are seconds since the epoch.

    `verdict`: ok (ended well, and its documents are accounted for), failed, unproven (ended well, but
    nothing shows what it loaded), running, unknown (ECS no longer knows how it ended).
    """

    task: str
    started_by: str = ""
    release: str | None = None
    run_id: str = ""
    revision: str = ""
    started_at: float | None = None
    stopped_at: float | None = None
    exit_code: int | None = None
    reason: str = ""
    verdict: Verdict = "unknown"
    documents: int | None = None
    cause: Cause | None = None
    log: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Documents per collection when the run was judged, at `counted_at`: for jobs without a report."""
    counted_at: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    """What drift is told by: `verification/drift.py`."""
    accepted: tuple[str, ...] = ()
    """Of these measures a person has said that they are right."""

    @property
    def id(self) -> str:
        return self.task.rsplit("/", 1)[-1]

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """A run as `deployer runs --output json` gives it."""
        return {
            "task": self.task,
            "release": self.release,
            "started_by": self.started_by,
            "started_at": self.started_at,
            "stopped_at": self.stopped_at,
            "exit_code": self.exit_code,
            "verdict": self.verdict,
            "class": self.cause.failure_class if self.cause else None,
            "subcause": self.cause.subcause if self.cause else None,
            "documents": self.documents,
            "revision": self.revision,
        }


_ADAPTER: Final = TypeAdapter(Run)


class RunFiles:
    """The kept runs of one environment. The shared state being away is told and stops nothing."""

    def __init__(self, folder: Path, store: Store | None, prefix: str, notify: Callable[[str], None]) -> None:
        self._folder, self._store = folder, store
        self._prefix, self._notify = f"{prefix}runs/", notify

    def newest(self, most: int) -> Iterator[Run]:
        """The newest first; a file that is damaged is left out."""
        self._fetch(most)
        for name in self._names()[:most]:
            run = _read(self._folder / name)
            if run:
                yield run

    def keep(self, run: Run) -> None:
        """Only runs that have ended and whose start is known are kept; the same again writes nothing."""
        if run.started_at is None or run.verdict == "running":
            return
        name = f"{datetime.fromtimestamp(run.started_at, UTC):%Y%m%dT%H%M%S}-{run.id}.json"
        path, content = self._folder / name, _ADAPTER.dump_json(run, indent=1)
        if not _NAME.fullmatch(name) or (path.is_file() and path.read_bytes() == content):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(path)
        if self._store:
            with self._unavailable():
                self._store.write(self._prefix + name, content)

    def _fetch(self, most: int) -> None:
        """Brings the newest ones here that another machine has kept."""
        if self._store is None:
            return
        with self._unavailable():
            here = self._names()
            oldest = self._prefix + here[most - 1] if 0 < most <= len(here) else ""
            names = {key.removeprefix(self._prefix) for key in self._store.sizes(self._prefix, oldest)}
            newest = sorted(filter(_NAME.fullmatch, names), reverse=True)[:most]
            for name in set(newest) - set(here):
                stored = self._store.read(self._prefix + name)
                if stored and len(stored.content) <= _LARGEST:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    (self._folder / name).write_bytes(stored.content)

    def _unavailable(self) -> "_Told":
        return _Told(self._notify)

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted((p.name for p in self._folder.iterdir() if _NAME.fullmatch(p.name)), reverse=True)


@dataclass(frozen=True)
class _Told:
    """A failure of the store becomes a notice."""

    notify: Callable[[str], None]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, Failure):
            self.notify(f"shared state unavailable, runs are kept on this machine only: {error.message}")
            return True
        return False


def _read(path: Path) -> Run | None:
    with suppress(OSError, ValidationError):
        if path.stat().st_size <= _LARGEST:
            return _ADAPTER.validate_json(path.read_bytes())
    return None
