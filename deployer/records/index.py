"""The index of an environment's releases in the shared state: two calls list them, however many there are.

    <project>/<env>/index.json     {"version": 1, "releases": {ID: null or the release's line}}

A release is entered as null before its journal is first sent, and gets its line after the record of an end
or a pause was sent; resumed, it is null again. So null says: read the journal. Folders later than the newest
entry are always looked for: an index that is missing, or lacks the newest, is completed by whoever reads it.
What a release did is decided by its journal; a line only lists it, or says that it need not be read.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from deployer.errors import Failure
from deployer.ports.object_store import Store

NAME: Final = "index.json"

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""The form of a release ID; it names a folder, so nothing else may."""

WHOLE: Final = 100
"""Releases whose line is kept whole; of older ones only the end is."""


@dataclass(frozen=True)
class Line:
    """How a release ended or paused. `started_at`: seconds since the epoch; None: of an older release, of
    which only the end is kept."""

    end: str
    exit_code: int | None = None
    started_at: float | None = None
    seconds: float | None = None
    documents: Mapping[str, int] = field(default_factory=dict)


Entries = dict[str, Line | None]


@checked
class _File:
    version: Literal[1]
    releases: Entries


_ADAPTER: Final = TypeAdapter(_File)


class Index:
    """Every method raises Failure if the store cannot be reached."""

    def __init__(self, store: Store, prefix: str) -> None:
        """`prefix`: of the environment's keys in the store, `<project>/<env>/`."""
        self._store, self._key, self._releases = store, f"{prefix}{NAME}", f"{prefix}releases/"

    def read(self) -> Entries:
        """The releases, in no order. What the index lacks is added to it, if the caller may write."""
        entries, version, complete = self._load()
        if not complete:
            with suppress(Failure):
                self._write(entries, version)
        return entries

    def note(self, release: str, line: Line | None) -> None:
        """Twice is safe; of two writers, the second adds to what the first has written."""
        while True:
            entries, version, _ = self._load()
            if self._write({**entries, release: line}, version):
                return

    def _load(self) -> tuple[Entries, str | None, bool]:
        """With the version of the object (None: there is none), and whether it has all releases."""
        stored = self._store.read(self._key)
        entries = _parsed(stored.content) if stored else {}
        newer = filter(ID.fullmatch, self._store.folders(self._releases, max(entries, default="")))
        found = dict.fromkeys(newer)
        return {**entries, **found}, stored.version if stored else None, not found

    def _write(self, entries: Entries, version: str | None) -> bool:
        content = _ADAPTER.dump_json(_File(1, _shortened(entries)), exclude_defaults=True)
        if version is None:
            return self._store.create(self._key, content) is not None
        return self._store.replace(self._key, content, version) is not None


def _parsed(content: bytes) -> Entries:
    """Nothing, if it is not one of ours: then it is made anew."""
    try:
        found = _ADAPTER.validate_json(content).releases
    except ValidationError:
        return {}
    return {release: line for release, line in found.items() if ID.fullmatch(release)}


def _shortened(entries: Entries) -> Entries:
    ordered = sorted(entries.items())
    older = [(release, line and Line(line.end)) for release, line in ordered[:-WHOLE]]
    return dict(older + ordered[-WHOLE:])
