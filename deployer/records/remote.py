"""The releases of an environment in the shared state, and fetching them from there.

    <project>/<env>/index.json
    <project>/<env>/releases/<id>/journal.jsonl
    <project>/<env>/releases/<id>/evidence/...

A journal only grows: of two copies, the longer one begins with the shorter one and is the release. If neither
begins with the other, the release was continued in two places, and nothing is guessed.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from deployer.errors import JournalDamaged
from deployer.ports.object_store import Store
from deployer.records.evidence import FOLDER
from deployer.records.index import Entries, Index
from deployer.records.journal import NAME, Signer, read

ELSEWHERE: Final = "elsewhere"
"""A file beside the journal that another machine began or continued, until somebody here agrees to it."""
_LARGEST: Final = 64 * 2**20
"""Bytes of an object that is fetched; nothing larger is uploaded."""


class Archive:
    """The releases of one environment. Every method raises Failure if the store cannot be reached."""

    def __init__(
        self, store: Store, prefix: str, signer: Callable[[str], Signer | None] = lambda release: None
    ) -> None:
        """`prefix`: of the environment's keys in the store, `<project>/<env>/`. `signer`: of a release, where
        records are signed."""
        self._signer = signer
        self.env = prefix.split("/")[1]
        self._store, self._prefix = store, f"{prefix}releases/"
        self._index = Index(store, prefix)
        self._entries: Entries | None = None

    def entries(self) -> Entries:
        """The releases, each with its line if it is known how it ended or paused; read once."""
        if self._entries is None:
            self._entries = self._index.read()
        return self._entries

    def fetch_journal(self, release: str, folder: Path) -> bool:
        """Fetches the journal if it is longer than the local one; returns whether the local one is longer.

        JournalDamaged: it cannot be read, is not signed as it must be, or the two copies differ.
        """
        key, path = f"{self._prefix}{release}/{NAME}", folder / NAME
        stored = self._store.read(key)
        here = whole(path.read_bytes()) if path.is_file() else b""
        there = whole(stored.content) if stored else b""
        if here.startswith(there):
            return len(here) > len(there)
        where = f"{self._store.where}/{key}"
        if not there.startswith(here):
            raise _diverged(path, where)

        def accept(new: Path) -> None:
            _readable(new, where, self._signer(release))
            (folder / ELSEWHERE).touch()

        _place(path, there, accept)
        return False

    def fetch_file(self, release: str, folder: Path, name: str) -> None:
        """One file of the evidence, if it is missing here."""
        stored = None if (folder / name).is_file() else self._store.read(f"{self._prefix}{release}/{name}")
        if stored:
            _place(folder / name, stored.content)

    def fetch(self, release: str, folder: Path) -> None:
        """The journal, and the evidence that is missing or shorter here."""
        ahead = self.fetch_journal(release, folder)
        prefix = f"{self._prefix}{release}/"
        for key, size in self._store.sizes(prefix).items():
            name = key.removeprefix(prefix)
            path = folder / name
            complete = path.is_file() and (ahead or path.stat().st_size >= size)
            parts = PurePosixPath(name).parts
            if parts[:1] == (FOLDER,) and size <= _LARGEST and _plain(*parts) and not complete:
                stored = self._store.read(key)
                if stored:
                    _place(path, stored.content)


def whole(journal: bytes) -> bytes:
    """Without the line that is being written."""
    return journal[: journal.rfind(b"\n") + 1]


def _plain(*names: str) -> bool:
    """Whether no key leads out of the folder."""
    return all(name and name not in (".", "..") and not set(name) & {"/", "\\"} for name in names)


def _place(path: Path, content: bytes, check: Callable[[Path], None] = lambda new: None) -> None:
    """Writes all of the file or nothing, and only if `check` accepts it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with open(handle, "wb") as file:
            file.write(content)
        check(Path(name))
        os.replace(name, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _readable(new: Path, where: str, signer: Signer | None) -> None:
    try:
        read(new, signer)
    except JournalDamaged as error:
        raise JournalDamaged(error.message.replace(str(new), where), error.hint) from error


def _diverged(here: Path, there: str) -> JournalDamaged:
    return JournalDamaged(
        f"{here} and {there} differ after a common beginning: the release was continued in two places",
        f"compare them, then keep one: move {here.parent} away to continue the shared one, "
        "or delete the shared one to continue yours",
    )
