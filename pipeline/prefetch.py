"""Objects in groups, and their bytes ahead of time: many small ones are read at once.

A group is what is written and accounted for together: a large object alone, or small ones up to a limit.
While one group is transformed the bytes of the next one come in, as many at a time as suits the source.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.model import ObjectRef
from pipeline.ports import Source

SMALL = 2**20
GROUP_OBJECTS, GROUP_BYTES = 256, 4 * 2**20


def groups(refs: Iterable[ObjectRef]) -> Iterator[list[ObjectRef]]:
    """The objects in their order; a large or a suspect one is a group of its own."""
    group: list[ObjectRef] = []
    size = 0
    for ref in refs:
        alone = ref.size > SMALL or ref.suspect
        if group and (alone or len(group) == GROUP_OBJECTS or size + ref.size > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(ref)
        size += ref.size
        if alone:
            yield group
            group, size = [], 0
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object, and its content where that was asked for ahead of time."""

    ref: ObjectRef
    content: Future[bytes] | None

    def open(self, source: Source) -> BinaryIO:
        """The bytes. Raises SourceError, also what went wrong ahead of time."""
        return source.open(self.ref) if self.content is None else io.BytesIO(self.content.result())


class Prefetch:
    """Reads small objects ahead. Close it when done."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._readers = ThreadPoolExecutor(source.readers, "reader") if source.readers > 1 else None

    def groups(self, refs: Iterable[ObjectRef]) -> Iterator[list[Fetched]]:
        """The groups, each when the bytes of the one behind it are already asked for."""
        before: list[Fetched] | None = None
        for group in groups(refs):
            asked = [self._ask(ref) for ref in group]
            if before is not None:
                yield before
            before = asked
        if before is not None:
            yield before

    def close(self) -> None:
        if self._readers is not None:
            self._readers.shutdown(cancel_futures=True)

    def _ask(self, ref: ObjectRef) -> Fetched:
        if self._readers is None or ref.size > SMALL or ref.suspect:
            return Fetched(ref, None)
        return Fetched(ref, self._readers.submit(self._source.fetch, ref))
