"""Fakes of the pipeline's ports: state in memory, and failures on demand."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

import bson

from pipeline.errors import StoreInterrupted, UnreadableObject
from pipeline.measurement import Measurement
from pipeline.model import Document, Earlier, Extent, ObjectRef, ObjectReport, Rejection, Stored

NOON = datetime.fromisoformat("2024-10-08T12:00:00")


class FakeSource:
    """Objects in memory; an object's etag changes with its content."""

    name = "memory"
    readers = 4

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = dict(objects or {})
        self.modified: dict[str, datetime] = {}
        self.opened: list[str] = []
        self.unreadable: set[str] = set()
        self.broken_links: set[str] = set()

    def list(self) -> Iterator[ObjectRef]:
        for key in sorted({*self.objects, *self.broken_links}):
            if key in self.broken_links:
                yield ObjectRef(key, "", 0, NOON, error="No such file or directory")
            else:
                yield self.ref(key)

    def ref(self, key: str) -> ObjectRef:
        content = self.objects[key]
        return ObjectRef(key, f"{hash(content):x}", len(content), self.modified.get(key, NOON))

    def open(self, ref: ObjectRef) -> BinaryIO:
        self.opened.append(ref.key)
        if ref.key in self.unreadable:
            raise UnreadableObject(f"{ref.key}: unreadable")
        return io.BytesIO(self.objects[ref.key])

    def fetch(self, ref: ObjectRef) -> bytes:
        with self.open(ref) as stream:
            return stream.read()


class FakeMeasurements:
    """A collection in memory. `interrupt` fails that many calls, every other one after its effect."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.interrupt = 0
        self.degraded = False
        self.calls: list[str] = []
        self.history: list[Document] = []

    def insert(self, measurements: Sequence[Measurement]) -> set[str]:
        self._maybe_fail("insert", before=True)
        there = {item.id for item in measurements if item.id in self.documents}
        self.documents |= {item.id: item.document() for item in measurements if item.id not in there}
        self._maybe_fail("insert", before=False)
        return there

    def find(self, ids: Sequence[str]) -> dict[str, bytes]:
        self._maybe_fail("find", before=True)
        return {id_: bson.encode(self.documents[id_]) for id_ in ids if id_ in self.documents}

    def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
        self._maybe_fail("replace", before=True)
        written = 0
        for old, new in changes:
            there = self.documents.get(old["_id"], {})
            if (there.get("run_id"), there.get("source")) == (old.get("run_id"), old.get("source")):
                self.documents[old["_id"]] = deepcopy(new)
                written += 1
        self._maybe_fail("replace", before=False)
        return written

    def restamp(self, ids: Sequence[str], source: Document) -> int:
        self._maybe_fail("restamp", before=True)
        matched = 0
        for id_ in ids:
            there = self.documents[id_]["source"]
            if there["object"] == source["object"] and there["etag"] != source["etag"]:
                there.update(etag=source["etag"], modified=source["modified"])
                matched += 1
        self._maybe_fail("restamp", before=False)
        return matched

    def stored(self, key: str, extent: Extent | None, *, not_etag: str | None = None) -> Iterator[Stored]:
        self.calls.append("stored")
        for document in list(self.documents.values()):
            source = document["source"]
            item = Stored(
                document["_id"],
                document["station_id"],
                document["timestamp"],
                source["etag"],
                source["position"],
            )
            here = Extent(frozenset({item.station}), item.moment, item.moment)
            if (
                source["object"] == key
                and item.etag != not_etag
                and (extent is None or extent.overlaps(here))
            ):
                yield item

    def withdraw(self, key: str, documents: Sequence[Stored], run_id: str) -> int:
        removed = [self.documents.pop(item.id) for item in documents]
        self.history += removed
        return len(removed)

    def _maybe_fail(self, what: str, *, before: bool) -> None:
        if before:
            self.calls.append(what)
        if self.interrupt and (self.interrupt % 2 == 0) == before:
            self.interrupt -= 1
            raise StoreInterrupted("the primary went away")


class FakeRunStore:
    """Stations, refused rows, loaded objects and runs in memory. `rules` stands for the code's."""

    def __init__(self, measurements: FakeMeasurements) -> None:
        self._measurements = measurements
        self.rules = "rules 1"
        self.stations: dict[str, Document] = {}
        self.rejections: dict[tuple[str, int], tuple[str, Rejection]] = {}
        self.objects: dict[str, tuple[str, ObjectReport]] = {}
        self.extents: dict[str, Extent | None] = {}
        self.dead: dict[tuple[str, str], int] = {}
        self.runs: dict[str, Document] = {}

    def add_stations(self, stations: Iterable[Document]) -> None:
        self.stations |= {station["_id"]: station for station in stations}

    def open_objects(self, refs: Sequence[ObjectRef], run_id: str) -> dict[str, Earlier]:
        return {ref.key: self._earlier(ref) for ref in refs if ref.key in self.objects}

    def _earlier(self, ref: ObjectRef) -> Earlier:
        rules, before = self.objects[ref.key]
        other = rules != self.rules and before.etag == ref.etag
        partial = before.status == "quarantined"
        rejected = before.tally.rejected > 0
        return Earlier(
            before.etag,
            before.tally.own,
            self.extents.get(ref.key),
            partial,
            other_rules=other,
            rejected=rejected,
        )

    def add_rejections(self, rejections: Sequence[tuple[ObjectRef, Rejection]], run_id: str) -> None:
        self.rejections |= {(ref.key, item.position): (run_id, item) for ref, item in rejections}

    def close_objects(
        self, reports: Sequence[ObjectReport], earlier: Mapping[str, Earlier], run_id: str
    ) -> None:
        keys = {report.key for report in reports if report.status != "unread"}
        closed = {r.key: (self.rules, replace(r, run_id=run_id)) for r in reports if r.key in keys}
        self.objects |= closed
        for report in (made for made in reports if made.key in keys):
            before = earlier[report.key].extent if report.key in earlier else None
            kept = before if report.status == "quarantined" else None
            self.extents[report.key] = kept.joined(report.extent) if kept else report.extent
        self.rejections = {
            place: (run, item)
            for place, (run, item) in self.rejections.items()
            if place[0] not in keys or run == run_id
        }

    def loaded(self, refs: Sequence[ObjectRef]) -> dict[str, ObjectReport]:
        etags = {ref.key: ref.etag for ref in refs}
        read = ("loaded", "empty", "refused")
        return {
            key: report
            for key, (rules, report) in self.objects.items()
            if report.status in read and etags.get(key) == report.etag and rules == self.rules
        }

    def deaths(self) -> dict[tuple[str, str], int]:
        return self.dead

    def rejected_objects(self) -> set[str]:
        return {key for key, _ in self.rejections}

    def overlapping(self, extents: Sequence[tuple[str, Extent]]) -> set[str]:
        return {
            key
            for key, (_, report) in self.objects.items()
            if report.extent and any(report.extent.overlaps(gone) for of, gone in extents if of != key)
        }

    def keys(self, source: str) -> Iterator[str]:
        yield from self.objects

    def begin_run(self, report: Document) -> bool:
        earlier = self.runs.get(report["_id"], {})
        self.runs[report["_id"]] = report
        return bool(earlier.get("status") == "succeeded")

    def beat(self, run_id: str) -> None:
        pass

    def end_run(self, report: Document, *, orderly: bool = True) -> None:
        self.runs[report["_id"]] = report

    def count_measurements(self) -> int:
        return len(self._measurements.documents)
