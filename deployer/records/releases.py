"""Reads journals: the summary of one release, and the list of all."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deployer.errors import EXIT_CODES, DeployerError, Failure, JournalDamaged, RefusedError
from deployer.model import Launch, Release, load
from deployer.records.index import ID, Line
from deployer.records.journal import NAME, Record, newest_state, read
from deployer.records.remote import Archive

PUT_BACK = "PUT_BACK"
"""The end of a rollback that was not run."""

VERIFIED = ("END_SUCCESS", PUT_BACK)
"""The ends with proven data: of the release itself, or of the one that was put back."""

FETCHERS = 8
"""Journals that are fetched at the same time."""

Archives = Callable[[str | None], Sequence[Archive]]
"""The archives of an environment, or of all (None)."""


class Releases:
    """The releases in a project's `.deployer/releases`, and those of other machines, fetched from archives.

    An archive that cannot be reached is left out; `tell` gets a message.
    """

    def __init__(
        self,
        folder: Path,
        archives: Archives = lambda env: (),
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.folder = folder
        self._archives, self._tell = archives, tell
        self._left_out: set[str] = set()
        self._found: dict[str, Archive] = {}

    def ids(self, env: str | None = None) -> list[str]:
        """Oldest first (ids sort by time). With `env`, only that environment's archive is read."""
        return sorted(self._here().union(*(archive.entries() for archive in self._elsewhere(env))))

    def path(self, release: str) -> Path:
        """The release's folder, with all evidence. RefusedError: no such release."""
        return self._fetch(release, lambda archive, folder: archive.fetch(release, folder))

    def records(self, release: str) -> list[Record]:
        """RefusedError: no such release. JournalDamaged: its journal cannot be trusted."""
        path = self._fetch(release, _fetch_journal) / NAME
        records = read(path)
        if records[0]["release"] != release:
            raise JournalDamaged(f"{path}: it is the journal of {records[0]['release']!r}", "remove it")
        return records

    def file(self, release: str, name: str) -> Path:
        """One file of the release's folder; it may be missing. RefusedError: no such release."""
        return self._fetch(release, lambda archive, folder: archive.fetch_file(release, folder, name)) / name

    def _here(self) -> set[str]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            named = (entry for entry in entries if ID.fullmatch(entry.name))
            return {entry.name for entry in named if os.path.exists(f"{entry.path}/{NAME}")}
        return set()

    def _is_here(self, release: str) -> bool:
        return (self.folder / release / NAME).is_file()

    def _elsewhere(self, env: str | None) -> list[Archive]:
        """Those that answer; each is asked once."""
        found = []
        for archive in self._archives(env):
            if archive.env not in self._left_out:
                with self._leaving_out(archive):
                    self._found.update(dict.fromkeys(archive.entries(), archive))
                    found.append(archive)
        return found

    def _archive_of(self, release: str) -> Archive | None:
        if release not in self._found:
            self._elsewhere(_env_of(self.folder / release))
        archive = self._found.get(release)
        return archive if archive and archive.env not in self._left_out else None

    def _fetch(self, release: str, fetch: Callable[[Archive, Path], object]) -> Path:
        folder = self.folder / release
        if not ID.fullmatch(release):
            raise RefusedError(f"{release!r} is not a release ID", "`deployer history` lists the releases")
        archive = self._archive_of(release)
        if archive:
            with self._leaving_out(archive):
                fetch(archive, folder)
        if self._is_here(release):
            return folder
        known = self.ids()
        raise RefusedError(
            f"no release {release!r} is known here",
            f"the newest is {known[-1]}; `deployer history` lists them"
            if known
            else "no releases have been made from this folder",
        )

    @contextmanager
    def _leaving_out(self, archive: Archive) -> Iterator[None]:
        try:
            yield
        except Failure as failure:
            self._left_out.add(archive.env)
            self._tell(
                f"{archive.env}: shared state unavailable ({failure.message}); showing local releases only"
            )

    def newest(self, env: str | None = None) -> str:
        """The newest release (of `env`) that can be read. RefusedError: there is none."""
        for release, _ in self.readable(env):
            return release
        raise RefusedError(
            f"no release{f' to {env}' if env else ''} is known here", "start one: `deployer release`"
        )

    def resumable(self, env: str) -> str:
        """The newest release to `env`, if it has not ended. RefusedError: there is none."""
        for release, records in self.readable(env):
            if records[-1]["kind"] != "ended":
                return release
            break
        raise RefusedError(f"no release to {env} can be resumed here", "start a new one: `deployer release`")

    def readable(self, env: str | None, end: str | None = None) -> Iterator[tuple[str, list[Record]]]:
        """Newest first, each read only when it is asked for; a damaged one is reported and left out. `end`:
        only those that ended so."""
        for release in reversed(self.ids(env)):
            if env is not None and not self._may_go_to(release, env):
                continue
            line = self._line_elsewhere(release)
            if end and line and line.end != end:
                continue
            try:
                records = self.records(release)
                state_of(records)
            except RefusedError:
                continue
            except JournalDamaged as error:
                self._tell(f"release {release} is left out: {error.message}")
                continue
            if (env is None or records[0]["env"] == env) and end in (None, _end(records[-1])):
                yield release, records

    def summaries(self, env: str | None = None, most: int | None = None) -> list[dict[str, Any]]:
        """A short line for each (or for the newest `most`), oldest first; a damaged journal is listed as such
        and stops nothing."""
        newest = (name for name in reversed(self.ids(env)) if env is None or self._may_go_to(name, env))
        wanted = list(islice(newest, most))[::-1]
        unknown = [name for name in wanted if not self._is_here(name) and not self._listed(name)]
        with ThreadPoolExecutor(FETCHERS) as fetchers:
            list(fetchers.map(self._prefetch, unknown))
        lines = [line for name in wanted if (line := self._line(name))]
        return [line for line in lines if env is None or line["env"] in (None, env)]

    def _may_go_to(self, release: str, env: str) -> bool:
        return _env_of(self.folder / release) in (None, env)

    def _line(self, release: str) -> dict[str, Any] | None:
        try:
            return self._listed(release) or _short(self.records(release))
        except RefusedError:
            return None
        except DeployerError as error:
            return {"id": release, "env": None, "end": "DAMAGED", "exit_code": error.exit_code}

    def _line_elsewhere(self, release: str) -> Line | None:
        """What an archive's index says of it."""
        archive = self._found.get(release)
        return archive.entries().get(release) if archive else None

    def _listed(self, release: str) -> dict[str, Any] | None:
        """A release of another machine as the index knows it; None: its journal has to be read."""
        archive, line = self._found.get(release), self._line_elsewhere(release)
        if archive is None or line is None or line.started_at is None or self._is_here(release):
            return None
        return {"id": release, "env": archive.env, **asdict(line)}

    def states(self, env: str, end: str | None = None) -> Iterator[tuple[Release, str | None]]:
        """Each release to `env` with its end (None: not ended), newest first; damaged ones are left out."""
        for _, records in self.readable(env, end):
            yield state_of(records), _end(records[-1])

    def _prefetch(self, release: str) -> None:
        """Fetches a release of another machine; errors are reported when it is read."""
        with suppress(DeployerError):
            self.records(release)


def _env_of(folder: Path) -> str | None:
    """The environment of a local release; None: not here, or damaged."""
    try:
        with (folder / NAME).open("rb") as file:
            return str(json.loads(file.readline())["env"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fetch_journal(archive: Archive, folder: Path) -> None:
    """Unless it is here to its end."""
    if not _has_ended(folder / NAME):
        archive.fetch_journal(folder.name, folder)


def _has_ended(path: Path) -> bool:
    with suppress(OSError, ValueError, IndexError, TypeError, KeyError):
        return bool(json.loads(path.read_bytes().splitlines()[-1])["kind"] == "ended")
    return False


def state_of(records: Sequence[Record]) -> Release:
    """The newest recorded state. JournalDamaged: it has another shape than a release's."""
    header = records[0]
    try:
        release = load(newest_state(records))
        if (release.id, release.env) == (header["release"], header["env"]):
            return release
        what = f"it is the state of release {release.id} to {release.env}"
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
    raise JournalDamaged(
        f"release {header['release']}: the recorded state is damaged: {what}",
        "restore the journal from a copy, or start a new release",
    )


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """One release as `deployer show --output json` prints it."""
    release = state_of(records)
    finished = [record for record in records if record["kind"] == "finished"]
    return {
        **_short(records),
        "at": _at(records),
        "path": [record["node"] for record in finished] + _end_node(records),
        "source": asdict(release.source) if release.source else None,
        "image": asdict(release.image) if release.image else None,
        "rollback_to": release.rollback.release if release.rollback else None,
        "task_definition": release.task_definition.arn if release.task_definition else None,
        "task_definition_status": release.task_definition.status if release.task_definition else None,
        "tasks": [_task(launch) for launch in release.launches],
        "skipped": list(release.skipped),
        "accepted": list(release.accepted),
        "timings": [{"node": r["node"], "seconds": round(r.get("seconds", 0), 3)} for r in finished],
        "verification": asdict(release.verification) if release.verification else None,
        "diagnosis": asdict(release.cause) if release.cause else None,
    }


def line_of(path: Path) -> Line | None:
    """How the release of this journal ended or paused, for the index; None: it goes on, or is damaged."""
    try:
        short = _short(read(path))
    except JournalDamaged:
        return None
    return Line(**{key: short[key] for key in short.keys() - {"id", "env"}}) if short["end"] else None


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
    cause = last.get("cause") or {}
    return EXIT_CODES.get(str(cause.get("failure_class"))) if last["kind"] == "paused" else None


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
