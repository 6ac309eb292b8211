"""Fakes of the pipeline's ports: state in memory, and failures on demand."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

import bson

from pipeline.errors import SourceError, StoreInterrupted
from pipeline.measurement import Measurement
from pipeline.model import Document, ObjectRef, ObjectReport, Rejection

NOON = datetime.fromisoformat("2024-10-08T12:00:00")


class FakeSource:
    """Objects in memory; an object's etag changes with its content."""

    name = "memory"

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = dict(objects or {})
        self.modified: dict[str, datetime] = {}
        self.opened: list[str] = []
        self.unreadable: set[str] = set()

    def list(self) -> Iterator[ObjectRef]:
        for key in sorted(self.objects):
            yield self.ref(key)

    def ref(self, key: str) -> ObjectRef:
        content = self.objects[key]
        return ObjectRef(key, f"{hash(content):x}", len(content), self.modified.get(key, NOON))

    def open(self, ref: ObjectRef) -> BinaryIO:
        self.opened.append(ref.key)
        if ref.key in self.unreadable:
            raise SourceError(f"{ref.key}: unreadable")
        return io.BytesIO(self.objects[ref.key])


class FakeMeasurements:
    """A collection in memory. `interrupt` fails that many calls, every other one after its effect."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.interrupt = 0
        self.degraded = False
        self.calls: list[str] = []

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

    def _maybe_fail(self, what: str, *, before: bool) -> None:
        if before:
            self.calls.append(what)
        if self.interrupt and (self.interrupt % 2 == 0) == before:
            self.interrupt -= 1
            raise StoreInterrupted("the primary went away")


class FakeRunStore:
    """Stations, refused rows, loaded objects and runs in memory."""

    def __init__(self, measurements: FakeMeasurements) -> None:
        self._measurements = measurements
        self.stations: dict[str, Document] = {}
        self.rejections: dict[tuple[str, int], tuple[str, Rejection]] = {}
        self.objects: dict[str, ObjectReport] = {}
        self.runs: dict[str, Document] = {}

    def add_stations(self, stations: Iterable[Document]) -> None:
        self.stations |= {station["_id"]: station for station in stations}

    def add_rejections(self, ref: ObjectRef, run_id: str, rejections: Sequence[Rejection]) -> None:
        self.rejections |= {(ref.key, item.position): (run_id, item) for item in rejections}

    def close_object(self, report: ObjectReport, run_id: str) -> None:
        self.objects[report.key] = replace(report, run_id=run_id)
        self.rejections = {
            place: (run, item)
            for place, (run, item) in self.rejections.items()
            if place[0] != report.key or run == run_id
        }

    def loaded(self, refs: Sequence[ObjectRef]) -> dict[str, ObjectReport]:
        etags = {ref.key: ref.etag for ref in refs}
        return {
            key: report
            for key, report in self.objects.items()
            if report.status == "loaded" and etags.get(key) == report.etag
        }

    def rejected_objects(self) -> set[str]:
        return {key for key, _ in self.rejections}

    def begin_run(self, report: Document) -> bool:
        earlier = self.runs.get(report["_id"], {})
        self.runs[report["_id"]] = report
        return bool(earlier.get("status") == "succeeded")

    def beat(self, run_id: str) -> None:
        pass

    def end_run(self, report: Document) -> None:
        self.runs[report["_id"]] = report

    def count_measurements(self) -> int:
        return len(self._measurements.documents)
