"""Hashes of files, read in pieces and remembered for as long as a file has not been touched."""

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from deployer.adapters.local.context import Entry
from deployer.errors import Failure

_PIECE: Final = 1 << 20
_RACY: Final = 2_000_000_000
"""Nanoseconds. A file that was touched this shortly before it was read may change again without its times
telling, so it is not remembered: git's rule for racily clean entries, with the coarsest clock of file
systems."""
_VERSION: Final = 2


class FileHashes:
    """SHA-256 of files by path, kept in the file `kept` between commands (None: not kept)."""

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._known: dict[str, str] = _load(kept) if kept else {}
        self._used: dict[str, str] = {}
        self._changed = False

    def of(self, entry: Entry) -> str:
        """The content's hash; of a link its target's, of anything without content an empty text.
        Failure `code`: it cannot be read, or has gone meanwhile."""
        stamp, _, known = self._known.get(entry.path, "").partition(":")
        if stamp == entry.stamp and entry.kind not in ("link", "folder", "special"):
            self._used[entry.path] = f"{stamp}:{known}"
            return known
        try:
            if entry.kind == "link":
                return hashlib.sha256(os.fsencode(os.readlink(entry.path))).hexdigest()
            return "" if entry.kind in ("folder", "special") else self._read(entry)
        except OSError as error:
            raise Failure(
                "code",
                f"{entry.path}: cannot be read: {error.strerror}",
                "make it readable, or name it in .dockerignore",
            ) from error

    def _read(self, entry: Entry) -> str:
        begun = time.time_ns()
        digest = hashlib.sha256()
        with open(entry.path, "rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
            after = Entry.of(entry.path, os.fstat(file.fileno()))
        found = digest.hexdigest()
        if after.stamp == entry.stamp and entry.touched < begun - _RACY:
            self._used[entry.path] = f"{entry.stamp}:{found}"
            self._changed = True
        return found

    def save(self) -> None:
        """Keeps what was asked for since the last save; a cache that cannot be written is no failure. Where
        nothing was released yet its folder is not made: a plan leaves no trace."""
        if self._kept is None or not (self._changed or len(self._used) != len(self._known)):
            return
        with suppress(OSError):
            descriptor, draft = tempfile.mkstemp(dir=self._kept.parent, prefix=self._kept.name)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                json.dump({"version": _VERSION, "files": self._used}, file, ensure_ascii=False)
            os.replace(draft, self._kept)
        self._known, self._changed = self._used, False


def _load(path: Path) -> dict[str, str]:
    """A cache that is damaged or of another version is an empty one."""
    try:
        table = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
        files = table["files"] if table["version"] == _VERSION else {}
        return files if all(isinstance(value, str) for value in files.values()) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
