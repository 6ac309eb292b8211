"""A folder (or one file) as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import SourceError
from pipeline.model import ObjectRef


class FolderSource:
    """Files below a folder.

    A key is the path below it with `/`; the etag is made of size and time of change.
    """

    def __init__(self, path: Path) -> None:
        self._root = path

    @property
    def name(self) -> str:
        return str(self._root)

    def list(self) -> Iterator[ObjectRef]:
        if self._root.is_file():
            yield self._ref(self._root.parent, self._root)
            return
        if not self._root.is_dir():
            raise SourceError(
                f"the source folder {self._root} does not exist",
                "Put the files there, name another one with --source, or set S3_BUCKET_NAME.",
            )
        for folder, folders, names in os.walk(self._root, followlinks=True, onerror=self._unreadable):
            folders.sort()
            for name in sorted(names):
                yield self._ref(self._root, Path(folder, name))

    def open(self, ref: ObjectRef) -> BinaryIO:
        root = self._root.parent if self._root.is_file() else self._root
        try:
            return open(root / ref.key, "rb", buffering=2**18)
        except OSError as error:
            raise SourceError(
                f"{ref.key}: {error.strerror}", "Is the file still there, and readable?"
            ) from error

    def _ref(self, root: Path, path: Path) -> ObjectRef:
        try:
            facts = path.stat()
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}", "Is the file readable?") from error
        return ObjectRef(
            key=path.relative_to(root).as_posix(),
            etag=f"{facts.st_size:x}-{facts.st_mtime_ns:x}",
            size=facts.st_size,
            modified=_milliseconds(datetime.fromtimestamp(facts.st_mtime_ns // 10**6 / 1000, UTC)),
        )

    def _unreadable(self, error: OSError) -> None:
        raise SourceError(f"{error.filename}: {error.strerror}", "Is the folder readable?") from error


def _milliseconds(moment: datetime) -> datetime:
    """As MongoDB keeps it: naive UTC, whole milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=moment.microsecond // 1000 * 1000)
