"""What the shared state holds of an environment's releases, and how a copy of it comes here.

    <project>/<env>/releases/<id>/journal.jsonl
    <project>/<env>/releases/<id>/evidence/...

A journal only ever grows: of two copies one begins with the other, and the longer one is the release. Where
neither does, the release was continued twice, and nothing is guessed from that.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from deployer.errors import JournalDamaged
from deployer.ports.object_store import Store
from deployer.records.journal import NAME, read


class Archive:
    """One environment's releases. Every method raises Failure where the store cannot be asked."""

    def __init__(self, store: Store, prefix: str) -> None:
        """`prefix`: the environment's place in the store, `<project>/<env>/`."""
        self.env = prefix.split("/")[1]
        self._store, self._prefix = store, f"{prefix}releases/"
        self._journals: Mapping[str, int] | None = None

    def journals(self) -> Mapping[str, int]:
        """The releases, and how many bytes each one's journal has there; listed once."""
        if self._journals is None:
            sizes = self._store.sizes(self._prefix)
            ids = {key: key.removeprefix(self._prefix).removesuffix(f"/{NAME}") for key in sizes}
            self._journals = {
                ids[key]: size for key, size in sizes.items() if key.endswith(f"/{NAME}") and _plain(ids[key])
            }
        return self._journals

    def fetch_journal(self, release: str, folder: Path) -> bool:
        """Puts the journal into `folder` where it goes further than the one there; whether this one is ahead.

        JournalDamaged: it cannot be read, or the two part.
        """
        key, path = f"{self._prefix}{release}/{NAME}", folder / NAME
        stored = self._store.read(key)
        here = whole(path.read_bytes()) if path.is_file() else b""
        there = whole(stored.content) if stored else b""
        if here.startswith(there):
            return len(here) > len(there)
        where = f"{self._store.where}/{key}"
        if not there.startswith(here):
            raise _parted(path, where)
        _place(path, there, lambda new: _readable(new, where))
        return False

    def bring(self, release: str, folder: Path) -> None:
        """The journal, and the evidence that is missing here or was shorter when the release left here."""
        ahead = self.fetch_journal(release, folder)
        prefix = f"{self._prefix}{release}/"
        for key, size in self._store.sizes(prefix).items():
            name = key.removeprefix(prefix)
            path = folder / name
            complete = path.is_file() and (ahead or path.stat().st_size >= size)
            if name != NAME and _plain(*PurePosixPath(name).parts) and not complete:
                stored = self._store.read(key)
                if stored:
                    _place(path, stored.content)


def whole(journal: bytes) -> bytes:
    """Without the line that is being written at this moment."""
    return journal[: journal.rfind(b"\n") + 1]


def _plain(*names: str) -> bool:
    """No key leads out of the folder."""
    return all(name and name not in (".", "..") and not set(name) & {"/", "\\"} for name in names)


def _place(path: Path, content: bytes, check: Callable[[Path], None] = lambda new: None) -> None:
    """All of it or nothing, and only if `check` finds it good."""
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


def _readable(new: Path, where: str) -> None:
    try:
        read(new)
    except JournalDamaged as error:
        raise JournalDamaged(error.message.replace(str(new), where), error.hint) from error


def _parted(here: Path, there: str) -> JournalDamaged:
    return JournalDamaged(
        f"{here} and {there} have the same beginning and then part: the release went on in two places",
        f"compare them, then keep one: move {here.parent} away to go on with the shared one, "
        "or remove the shared one to go on with yours",
    )
