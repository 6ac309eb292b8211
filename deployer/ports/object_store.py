"""The shared state's store as a port: objects under keys, replaced only by who has seen the last version.

`gateways/state_bucket.py` is S3; `tests/fakes/store.py` is the other one. Every method raises
`deployer.errors.Failure` (or its transient kind) and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stored:
    """An object as it was read. `version` changes with its content; `age` is in seconds since it was
    written, both moments taken from the store's own clock."""

    content: bytes
    version: str
    age: float


class Store(Protocol):
    """One bucket, or what behaves like it: a read sees every write that was answered before it."""

    where: str
    """Its address for people: `s3://bucket`."""

    def read(self, key: str) -> Stored | None:
        """None: there is no such object."""

    def write(self, key: str, content: bytes) -> None:
        """Whatever was there before."""

    def create(self, key: str, content: bytes) -> str | None:
        """The new object's version; None, and nothing written: there is one already."""

    def replace(self, key: str, content: bytes, version: str) -> str | None:
        """The new version; None, and nothing written: the object is not, or no longer, at `version`."""

    def sizes(self, prefix: str) -> Mapping[str, int]:
        """The keys that begin with `prefix`, and each object's size in bytes."""
