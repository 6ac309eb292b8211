"""The store of the shared state: objects under keys, replaced only by who has read the last version.

Every method raises `deployer.errors.Failure` (or a subclass) and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stored:
    """An object as it was read. `version` changes with its content; `age`: seconds since it was written, by
    the clock of the store."""

    content: bytes
    version: str
    age: float


class Store(Protocol):
    """One bucket, or something that behaves like it: a read sees every write that was answered before it."""

    where: str
    """Its address for people: `s3://bucket`."""

    def read(self, key: str) -> Stored | None:
        """None: no such object."""

    def write(self, key: str, content: bytes) -> None:
        """Replaces whatever exists."""

    def create(self, key: str, content: bytes) -> str | None:
        """The new object's version; None, and nothing written: it exists."""

    def replace(self, key: str, content: bytes, version: str) -> str | None:
        """The new version; None, and nothing written: the object is not, or no longer, at `version`."""

    def sizes(self, prefix: str, after: str = "") -> Mapping[str, int]:
        """The keys with this prefix, and the size of each object in bytes; only those later than `after`."""

    def folders(self, prefix: str, after: str = "") -> Sequence[str]:
        """The names between this prefix and the next `/`, sorted; only those later than `after`."""
