"""A folder (or one file) as a source."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import SourceError, UnreadableObject
from pipeline.model import ObjectRef

_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC
_HINT = "Is the file still there, and readable?"


class FolderSource:
    """Files below a folder.

    A key is the path below it with `/`; the etag is made of size and time of change.
    """

    readers = 1

    def __init__(self, path: Path) -> None:
        self._root = path

    @property
    def name(self) -> str:
        return str(self._root)

    def list(self) -> Iterator[ObjectRef]:
        if self._root.is_file():
            yield _ref(self._root.parent, self._root)
            return
        if not self._root.is_dir():
            raise SourceError(
                f"the source folder {self._root} does not exist",
                "Put the files there, name another one with --source, or set S3_BUCKET_NAME.",
            )
        yield from self._walk(self._root, frozenset())

    def open(self, ref: ObjectRef) -> BinaryIO:
        root = self._root.parent if self._root.is_file() else self._root
        try:
            return open(root / ref.key, "rb", buffering=2**18)
        except OSError as error:
            raise UnreadableObject(f"{ref.key}: {error.strerror}", _HINT) from error

    def fetch(self, ref: ObjectRef) -> bytes:
        with self.open(ref) as stream:
            return stream.read()

    def _walk(self, folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[ObjectRef]:
        """Files and folders in the order of their names; a folder that leads back to itself is left out."""
        try:
            facts = folder.stat()
            inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == self._root:
                raise SourceError(f"{folder}: {error.strerror}", "Is the folder readable?") from error
            key = folder.relative_to(self._root).as_posix() + "/"
            yield ObjectRef(key, "", 0, _NEVER, error=error.strerror or "it cannot be read")
            return
        here = (facts.st_dev, facts.st_ino)
        if here in above:
            return
        folders = [entry for entry in inside if _is_folder(entry)]
        for entry in inside:
            if entry not in folders:
                yield _ref(self._root, Path(entry.path))
        for entry in folders:
            yield from self._walk(Path(entry.path), above | {here})


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _ref(root: Path, path: Path) -> ObjectRef:
    """A file; one that is not there or is no file has an error."""
    key = path.relative_to(root).as_posix()
    if not key.isprintable() and (named := os.fsencode(key).decode("utf-8", "backslashreplace")) != key:
        return ObjectRef(named, "", 0, _NEVER, error="its name is not UTF-8: rename it")
    try:
        facts = path.stat()
    except OSError as error:
        return ObjectRef(key, "", 0, _NEVER, error=error.strerror or "it cannot be read")
    if not stat.S_ISREG(facts.st_mode):
        return ObjectRef(key, "", 0, _NEVER, error="it is no regular file")
    return ObjectRef(
        key=key,
        etag=f"{facts.st_size:x}-{facts.st_mtime_ns:x}",
        size=facts.st_size,
        modified=_milliseconds(datetime.fromtimestamp(facts.st_mtime_ns // 10**6 / 1000, UTC)),
    )


def _milliseconds(moment: datetime) -> datetime:
    """As MongoDB keeps it: naive UTC, whole milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=moment.microsecond // 1000 * 1000)
