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
_VERSION: Final = 1

Stamp = tuple[int, int, int, int, int]


class FileHashes:
    """SHA-256 of files by path, kept in the file `kept` between commands (None: not kept)."""

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._known: dict[str, tuple[Stamp, str]] = _load(kept) if kept else {}
        self._used: dict[str, tuple[Stamp, str]] = {}
        self._changed = False

    def of(self, entry: Entry) -> str:
        """The content's hash; of a link its target's, of anything without content an empty text.
        Failure `code`: it cannot be read, or has gone meanwhile."""
        try:
            if entry.kind == "link":
                return hashlib.sha256(os.fsencode(os.readlink(entry.path))).hexdigest()
            if entry.kind in ("folder", "special"):
                return ""
            return self._content(entry)
        except OSError as error:
            raise Failure(
                "code",
                f"{entry.path}: cannot be read: {error.strerror}",
                "make it readable, or name it in .dockerignore",
            ) from error

    def _content(self, entry: Entry) -> str:
        stamp, key = _stamp(entry.about), os.path.abspath(entry.path)
        known = self._known.get(key)
        if known is not None and known[0] == stamp:
            self._used[key] = known
            return known[1]
        begun = time.time_ns()
        digest = hashlib.sha256()
        with open(entry.path, "rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
            after = _stamp(os.fstat(file.fileno()))
        found = digest.hexdigest()
        if after == stamp and max(entry.about.st_mtime_ns, entry.about.st_ctime_ns) < begun - _RACY:
            self._used[key] = (stamp, found)
            self._changed = True
        return found

    def save(self) -> None:
        """Keeps what was asked for since the last save; a cache that cannot be written is no failure."""
        if self._kept is None or not (self._changed or len(self._used) != len(self._known)):
            return
        with suppress(OSError):
            descriptor, draft = tempfile.mkstemp(dir=self._kept.parent, prefix=self._kept.name)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                json.dump({"version": _VERSION, "files": self._used}, file, ensure_ascii=False)
            os.replace(draft, self._kept)
        self._known, self._changed = self._used, False


def _stamp(about: os.stat_result) -> Stamp:
    """The time of change too: it tells where the time of writing was set back by hand."""
    return (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, about.st_dev)


def _load(path: Path) -> dict[str, tuple[Stamp, str]]:
    """A cache that is damaged or of another version is an empty one."""
    try:
        table = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
        if table["version"] != _VERSION:
            return {}
        return {key: (tuple(stamp), str(found)) for key, (stamp, found) in table["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
