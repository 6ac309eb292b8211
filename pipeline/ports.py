"""What a run needs from the outside, in its own words. Gateways implement these; tests have fakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Protocol

from pipeline.measurement import Measurement
from pipeline.model import Document, Earlier, Extent, ObjectRef, ObjectReport, Rejection, Stored


class Source(Protocol):
    """A folder or a bucket."""

    @property
    def name(self) -> str: ...

    @property
    def readers(self) -> int:
        """How many objects may be read at the same time with profit."""
        ...

    def list(self) -> Iterator[ObjectRef]:
        """All objects in the order of their keys; one that cannot be read has an `error`.

        Raises SourceError when the source itself cannot be listed.
        """
        ...

    def open(self, ref: ObjectRef) -> BinaryIO:
        """The object's bytes. Opening and reading raise UnreadableObject naming the object.

        Raises SourceError when no object can be read.
        """
        ...

    def fetch(self, ref: ObjectRef) -> bytes:
        """All bytes of a small object; raises what `open` does."""
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

    def stored(self, key: str, extent: Extent | None, *, not_etag: str | None = None) -> Iterator[Stored]:
        """The documents of an object within the extent, or anywhere; with `not_etag` those of other versions.

        Without an extent the whole collection is read.
        """
        ...

    def withdraw(self, key: str, documents: Sequence[Stored], run_id: str) -> int:
        """Remove those that nobody has written since, and keep them in the history; how many were removed."""
        ...


class RunStore(Protocol):
    """What a run keeps beside the measurements: stations, refused rows, and what was loaded."""

    def add_stations(self, stations: Iterable[Document]) -> None: ...

    def open_objects(self, refs: Sequence[ObjectRef], run_id: str) -> dict[str, Earlier]:
        """Note that these are being read; what earlier loads left of them, by key."""
        ...

    def add_rejections(self, rejections: Sequence[tuple[ObjectRef, Rejection]], run_id: str) -> None:
        """Keep refused rows; the same row of the same object again takes the place of the old entry."""
        ...

    def close_objects(
        self, reports: Sequence[ObjectReport], earlier: Mapping[str, Earlier], run_id: str
    ) -> None:
        """Remember what became of objects, and forget refused rows of theirs that this run did not refuse.

        Of an object that could not be read what is known from before stays.
        """
        ...

    def loaded(self, refs: Sequence[ObjectRef]) -> dict[str, ObjectReport]:
        """Of these objects those that were read to their end with this very etag, by key."""
        ...

    def deaths(self) -> dict[tuple[str, str], int]:
        """Objects, by key and etag, that were being read by this code when runs died: how many runs.

        One, as long as others were read beside it each time: then it may not be the cause.
        """
        ...

    def rejected_objects(self) -> set[str]:
        """Keys of objects of which rows are refused."""
        ...

    def overlapping(self, extents: Sequence[tuple[str, Extent]]) -> set[str]:
        """Keys of objects whose readings overlap one of these extents of another object."""
        ...

    def keys(self, source: str) -> Iterator[str]:
        """All objects of a source that earlier runs have read."""
        ...

    def begin_run(self, report: Document) -> bool:
        """Open a `load_runs` entry; entries of runs that died are closed as failed.

        Whether an earlier attempt of this very run had succeeded.
        """
        ...

    def beat(self, run_id: str) -> None:
        """Say that the run is alive."""
        ...

    def end_run(self, report: Document, *, orderly: bool = True) -> None:
        """Close the entry. `orderly`: objects that are still open were not what ended the run."""
        ...

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
