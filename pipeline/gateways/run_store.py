"""Stations, refused rows, loaded objects and run reports in MongoDB."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pymongo import ReplaceOne, UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from pipeline.errors import MongoError
from pipeline.fingerprint import Code
from pipeline.gateways.mongo import translated
from pipeline.gateways.schema import create_indexes, create_views
from pipeline.model import Document, Earlier, Extent, ObjectRef, ObjectReport, Rejection

SILENT = timedelta(seconds=60)
_READ = ("loaded", "empty", "refused")
_DUPLICATE_KEY = 11000
_OWN = ("inserted", "replaced", "unchanged")
_EARLIER = ("etag", "status", "rules", "extent", "partial", "lost", "opened", "rejected", *_OWN)


class MongoRunStore:
    """`stations`, `rejected_records`, `loaded_objects` (one an object: its last report) and `load_runs`.

    `code` tells apart what different code has loaded: an object counts as loaded for the same code only.
    `attempt` tells apart processes that run under one id: an object that is being read names it in `opened`.
    """

    def __init__(
        self,
        database: Database[dict[str, Any]],
        now: Callable[[], datetime],
        code: Code,
        source: str = "",
        attempt: str = "",
    ) -> None:
        self._db = database
        self._objects = database["loaded_objects"]
        self._now = now
        self._code = code
        self._source = source
        self._attempt = attempt
        self._known_stations: dict[str, Document] = {}

    def create_schema(self) -> None:
        """Indexes and views, where they are not there."""
        create_indexes(self._db)
        with suppress(
            MongoError
        ):  # who may only write data is not kept from it; `migrate` names what is missing
            create_views(self._db)

    def add_stations(self, stations: Iterable[Document]) -> None:
        fresh = [station for station in stations if self._known_stations.get(station["_id"]) != station]
        if fresh:
            with translated():
                self._db["stations"].bulk_write(
                    [ReplaceOne({"_id": station["_id"]}, station, upsert=True) for station in fresh],
                    ordered=False,
                )
            self._known_stations.update({station["_id"]: station for station in fresh})

    def open_objects(self, refs: Sequence[ObjectRef], run_id: str) -> dict[str, Earlier]:
        mark = {"attempt": self._attempt, "run_id": run_id, "at": self._now()}
        mark |= {"code": self._code.package, "rules": self._code.rules, "alone": len(refs) == 1}
        with translated():
            found = self._objects.find({"_id": {"$in": [ref.key for ref in refs]}}, _EARLIER)
            known = {item["_id"]: item for item in found}
            self._objects.bulk_write(
                [
                    UpdateOne({"_id": ref.key}, {"$push": {"opened": mark | {"etag": ref.etag}}}, upsert=True)
                    for ref in refs
                ],
                ordered=False,
            )
        return {ref.key: self._earlier(known[ref.key], ref) for ref in refs if ref.key in known}

    def add_rejections(self, rejections: Sequence[tuple[ObjectRef, Rejection]], run_id: str) -> None:
        at = self._now()
        documents = [
            {
                "_id": f"{ref.key}#{item.position}", "object": ref.key, "etag": ref.etag,
                "position": item.position, "reason": item.reason, "detail": item.detail,
                "row": _storable(item.row), "run_id": run_id, "rejected_at": at,
            }
            for ref, item in rejections
        ]  # fmt: skip
        with translated():
            try:
                self._db["rejected_records"].insert_many(documents, ordered=False)
            except BulkWriteError as error:
                faults = error.details.get("writeErrors", ())
                if any(fault["code"] != _DUPLICATE_KEY for fault in faults):
                    raise
                there = [documents[fault["index"]] for fault in faults]
                self._db["rejected_records"].bulk_write(
                    [ReplaceOne({"_id": item["_id"]}, item) for item in there], ordered=False
                )

    def close_objects(
        self, reports: Sequence[ObjectReport], earlier: Mapping[str, Earlier], run_id: str
    ) -> None:
        closing = [self._closing(report, earlier.get(report.key, Earlier()), run_id) for report in reports]
        read = [report.key for report in reports if report.status != "unread"]
        refused = [key for key in read if key in earlier and earlier[key].rejected]
        with translated():
            self._objects.bulk_write(closing, ordered=False)
            if refused:
                gone = {"object": {"$in": refused}, "run_id": {"$ne": run_id}}
                self._db["rejected_records"].delete_many(gone)

    def loaded(self, refs: Sequence[ObjectRef]) -> dict[str, ObjectReport]:
        etags = {ref.key: ref.etag for ref in refs}
        with translated():
            same = {"status": {"$in": _READ}, "code": self._code.package}
            found = self._objects.find({"_id": {"$in": list(etags)}, **same})
            return {
                item["_id"]: ObjectReport.from_dict(item)
                for item in found
                if item["etag"] == etags[item["_id"]]
            }

    def deaths(self) -> dict[tuple[str, str], int]:
        with translated():
            alive = set(self._db["load_runs"].distinct("attempt", {"status": "running"}))
            opened = list(self._objects.find({"opened.0": {"$exists": True}}, ["opened"]))
        died: dict[tuple[str, str], dict[str, bool]] = {}
        for item in opened:
            for mark in item["opened"]:
                if mark["attempt"] not in alive and mark["code"] == self._code.package:
                    runs = died.setdefault((item["_id"], mark["etag"]), {})
                    runs[mark["attempt"]] = mark["alone"]
        return {place: len(runs) if any(runs.values()) else 1 for place, runs in died.items()}

    def rejected_objects(self) -> set[str]:
        with translated():
            return set(self._db["rejected_records"].distinct("object"))

    def overlapping(self, extents: Sequence[tuple[str, Extent]]) -> set[str]:
        with translated():
            known = [
                (item["_id"], _extent(item["extent"]))
                for item in self._objects.find({"extent": {"$ne": None}}, ["extent"])
            ]
        return {
            key
            for key, extent in known
            if extent and any(extent.overlaps(gone) for of, gone in extents if of != key)
        }

    def keys(self, source: str) -> Iterator[str]:
        with translated():
            for item in self._objects.find({"source": source, "status": {"$exists": True}}, ["_id"]):
                yield item["_id"]

    def forget(self, key: str, read_again: Sequence[str]) -> bool:
        """Whether an object was known, which it no longer is; others count as not read."""
        with translated():
            self._db["rejected_records"].delete_many({"object": key})
            self._objects.update_many({"_id": {"$in": list(read_again)}}, {"$set": {"code": ""}})
            return self._objects.delete_one({"_id": key}).deleted_count > 0

    def begin_run(self, report: Document) -> bool:
        alive = {"heartbeat_at": self._now(), "host": socket.gethostname(), "pid": os.getpid()}
        with translated():
            runs = self._db["load_runs"]
            for other in runs.find({"status": "running", "_id": {"$ne": report["_id"]}}):
                if self._is_dead(other):
                    died = {"status": "failed", "error": "the run died: it stopped without a report"}
                    runs.update_one({"_id": other["_id"], "status": "running"}, {"$set": died})
            earlier = runs.find_one({"_id": report["_id"]}) or {}
            kept = {"started_at": earlier.get("started_at", report["started_at"])}
            attempt = {"attempts": earlier.get("attempts", 0) + 1, "attempt": self._attempt}
            runs.replace_one({"_id": report["_id"]}, {**report, **kept, **attempt, **alive}, upsert=True)
            return earlier.get("status") == "succeeded"

    def beat(self, run_id: str) -> None:
        with translated():
            self._db["load_runs"].update_one({"_id": run_id}, {"$set": {"heartbeat_at": self._now()}})

    def end_run(self, report: Document, *, orderly: bool = True) -> None:
        with translated():
            kept = {key: value for key, value in report.items() if key != "started_at"}
            self._db["load_runs"].update_one({"_id": report["_id"]}, {"$set": kept}, upsert=True)
            if report["error"] and orderly:
                mine = {"attempt": self._attempt}
                self._objects.update_many({"opened.attempt": self._attempt}, {"$pull": {"opened": mine}})

    def count_measurements(self) -> int:
        with translated():
            return self._db["measurements"].estimated_document_count()

    def _earlier(self, item: Document, ref: ObjectRef) -> Earlier:
        """What is known of an object, from its entry and from loads of it that did not end."""
        died = [mark for mark in item.get("opened", ()) if mark["attempt"] != self._attempt]
        today = ref.etag, self._code.rules
        versions = [(item.get("etag"), item.get("rules")), *((mark["etag"], mark["rules"]) for mark in died)]
        return Earlier(
            etag=item.get("etag", ""),
            own=sum(item.get(name, 0) for name in _OWN),
            extent=_extent(item.get("extent")),
            partial=bool(item.get("partial") or died),
            lost=bool(item.get("lost")) or any(version != today for version in versions[1:]),
            other_rules=any(etag == ref.etag and rules != self._code.rules for etag, rules in versions),
            rejected=bool(item.get("rejected") or died),
        )

    def _closing(
        self, report: ObjectReport, earlier: Earlier, run_id: str
    ) -> ReplaceOne[dict[str, Any]] | UpdateOne:
        if report.status == "unread":
            left = {"unread": {"error": report.error, "run_id": run_id, "at": self._now()}}
            begun = {"lost": True} if report.tally.read else {}
            mine = {"opened": {"attempt": self._attempt}}
            return UpdateOne({"_id": report.key}, {"$set": left | begun, "$pull": mine})
        partial = report.status == "quarantined"
        extent = report.extent
        if partial and earlier.extent:
            extent = earlier.extent.joined(extent)
        entry = {
            "_id": report.key, "run_id": run_id, "loaded_at": self._now(), "source": self._source,
            "code": self._code.package, "rules": self._code.rules, **report.as_dict(),
            "extent": _as_document(extent), "partial": partial, "lost": partial and earlier.lost,
        }  # fmt: skip
        return ReplaceOne({"_id": report.key}, entry, upsert=True)

    def _is_dead(self, run: Document) -> bool:
        """Silent for a minute; or of this very host, and that process no longer exists."""
        if self._now() - run["heartbeat_at"] > SILENT:
            return True
        return run.get("host") == socket.gethostname() and not _is_alive(run["pid"])


def _extent(value: Document | None) -> Extent | None:
    return Extent(frozenset(value["stations"]), value["first"], value["last"]) if value else None


def _as_document(extent: Extent | None) -> Document | None:
    if extent is None:
        return None
    return {"stations": sorted(extent.stations), "first": extent.first, "last": extent.last}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def utc_now() -> datetime:
    """Naive UTC in whole milliseconds, as MongoDB keeps it."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _storable(row: Any) -> str:
    """The refused row as text, at most 4,000 characters; whatever it holds, MongoDB can keep it."""
    if isinstance(row, str):
        return row[:4000]
    try:
        text = orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        text = repr(row)
    return text[:4000]
