"""What a run needs from the outside, in its own words. Gateways implement these; tests have fakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, Protocol

from pipeline.measurement import Measurement
from pipeline.model import Document, ObjectRef, ObjectReport, Rejection


class Source(Protocol):
    """A folder or a bucket."""

    @property
    def name(self) -> str: ...

    def list(self) -> Iterator[ObjectRef]:
        """All objects in the order of their keys. Raises SourceError."""
        ...

    def open(self, ref: ObjectRef) -> BinaryIO:
        """The object's bytes. Opening and reading raise SourceError naming the object."""
        ...


class Measurements(Protocol):
    """The collection of measurements. Every call raises StoreInterrupted when its outcome is unknown."""

    degraded: bool
    """Writes are acknowledged by the primary alone, because no majority of members was there."""

    def insert(self, measurements: Sequence[Measurement]) -> set[str]:
        """Insert what is not there yet; the ids that were there already and stay as they are."""
        ...

    def find(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The documents that exist, as BSON, by id."""
        ...

    def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
        """Replace each old document by its new one if nobody has written it since; how many were."""
        ...

    def restamp(self, ids: Sequence[str], source: Document) -> int:
        """Give documents of another version of `source`'s object its etag and time; how many had another."""
        ...


class RunStore(Protocol):
    """What a run keeps beside the measurements: stations, refused rows, and what was loaded."""

    def add_stations(self, stations: Iterable[Document]) -> None: ...

    def add_rejections(self, ref: ObjectRef, run_id: str, rejections: Sequence[Rejection]) -> None:
        """Keep refused rows; the same row of the same object again takes the place of the old entry."""
        ...

    def close_object(self, report: ObjectReport, run_id: str) -> None:
        """Remember what became of an object, and forget refused rows of it that this run did not refuse."""
        ...

    def loaded(self, refs: Sequence[ObjectRef]) -> dict[str, ObjectReport]:
        """Of these objects those that are loaded with this very etag, by key."""
        ...

    def rejected_objects(self) -> set[str]:
        """Keys of objects of which rows are refused."""
        ...

    def begin_run(self, report: Document) -> bool:
        """Open a `load_runs` entry; entries of runs that died are closed as failed.

        Whether an earlier attempt of this very run had succeeded.
        """
        ...

    def beat(self, run_id: str) -> None:
        """Say that the run is alive."""
        ...

    def end_run(self, report: Document) -> None: ...

    def count_measurements(self) -> int:
        """How many there are, from what the collection knows of itself: in no time however many."""
        ...


class Executor(Protocol):
    """Runs the per-object work somewhere: here, in processes, on a Dask cluster."""

    @property
    def name(self) -> str: ...

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        """Reports in the order in which objects end; takes refs only as fast as it works."""
        ...
