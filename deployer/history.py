"""What journals tell: one release's summary, and the list of all of them. Only reads."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deployer.errors import DeployerError, RefusedError
from deployer.journal import NAME, Record, read, states
from deployer.release.state import Launch, Release, load


class Releases:
    """The releases kept below a project's `.deployer/releases`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ids(self) -> list[str]:
        """Oldest first (ids sort by time)."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{NAME}"))

    def path(self, release: str) -> Path:
        """The release's folder. RefusedError: there is no such release."""
        if (self.folder / release / NAME).is_file():
            return self.folder / release
        known = self.ids()
        raise RefusedError(
            f"no release {release!r} is recorded here",
            f"the newest is {known[-1]}; `deployer history` lists them"
            if known
            else "none was ever begun here",
        )

    def records(self, release: str) -> list[Record]:
        return read(self.path(release) / NAME)

    def newest(self, env: str | None = None) -> str:
        """The newest release (of `env`). RefusedError: there is none."""
        for release in reversed(self.ids()):
            if env is None or self.records(release)[0]["env"] == env:
                return release
        raise RefusedError(
            f"no release{f' to {env}' if env else ''} is recorded here", "start one: `deployer release`"
        )

    def resumable(self, env: str) -> str:
        """The newest release to `env` that has not ended. RefusedError: there is none."""
        for release in reversed(self.ids()):
            records = self.records(release)
            if records[0]["env"] == env:
                if records[-1]["kind"] != "ended":
                    return release
                break
        raise RefusedError(f"no release to {env} is under way here", "start a new one: `deployer release`")

    def summaries(self, env: str | None = None) -> Iterator[dict[str, Any]]:
        """A short line each, oldest first; a damaged journal is listed as such and stops nothing."""
        for release in self.ids():
            try:
                records = self.records(release)
            except DeployerError as error:
                yield {"id": release, "env": None, "end": "DAMAGED", "exit_code": error.exit_code}
                continue
            if env is None or records[0]["env"] == env:
                yield _short(records)


def state_of(records: Sequence[Record]) -> Release:
    """The newest recorded state."""
    return load(next(states(records)))


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """One release as `deployer show --output json` gives it (design, section 5)."""
    release = state_of(records)
    finished = [record for record in records if record["kind"] == "finished"]
    return {
        **_short(records),
        "at": _at(records),
        "path": [record["node"] for record in finished] + _end_node(records),
        "source": asdict(release.source) if release.source else None,
        "image": asdict(release.image) if release.image else None,
        "task_definition": release.task_definition.arn if release.task_definition else None,
        "tasks": [_task(launch) for launch in release.launches],
        "skipped": list(release.skipped),
        "timings": [{"node": r["node"], "seconds": round(r["seconds"], 3)} for r in finished],
        "verification": asdict(release.verification) if release.verification else None,
        "diagnosis": asdict(release.cause) if release.cause else None,
    }


def _short(records: Sequence[Record]) -> dict[str, Any]:
    header, last = records[0], records[-1]
    release = state_of(records)
    counts = release.verification.counts if release.verification else {}
    return {
        "id": header["release"],
        "env": header["env"],
        "end": _end(last),
        "exit_code": _exit_code(last),
        "started_at": header["time"],
        "seconds": round(last["time"] - header["time"], 1),
        "documents": counts,
    }


def _end(last: Record) -> str | None:
    if last["kind"] == "ended":
        return str(last["end"])
    return "PAUSED" if last["kind"] == "paused" else None


def _exit_code(last: Record) -> int | None:
    if last["kind"] == "ended":
        return int(last["exit_code"])
    return load(last["state"]).cause.exit_code if last["kind"] == "paused" else None  # type: ignore[union-attr]


def _at(records: Sequence[Record]) -> str:
    last = records[-1]
    return str(last.get("next") or last.get("node") or last.get("end") or "START")


def _end_node(records: Sequence[Record]) -> list[str]:
    return [records[-1]["end"]] if records[-1]["kind"] == "ended" else []


def _task(launch: Launch) -> dict[str, Any]:
    result = launch.result
    return {
        "arn": launch.arn,
        "attempt": launch.attempt,
        "started_by": launch.started_by,
        "exit_code": result.exit_code if result else None,
        "stop_code": result.stop_code if result else None,
        "stopped_reason": result.stopped_reason if result else None,
        "failures": list(launch.failures),
        "log_lines": launch.lines,
    }
