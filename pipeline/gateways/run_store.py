"""Stations, refused rows, loaded objects and run reports in MongoDB."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.database import Database

from pipeline.gateways.mongo import translated
from pipeline.model import Document, ObjectRef, ObjectReport, Rejection

SILENT = timedelta(seconds=60)
INDEXES: dict[str, tuple[tuple[tuple[str, int], ...], ...]] = {
    "measurements": ((("station_id", ASCENDING), ("timestamp", ASCENDING)), (("run_id", ASCENDING),)),
    "load_runs": ((("started_at", DESCENDING),),),
    "rejected_records": ((("object", ASCENDING),), (("run_id", ASCENDING),)),
}
"""Besides `_id` of each collection, which for measurements already orders by station and time."""


class MongoRunStore:
    """`stations`, `rejected_records`, `loaded_objects` (one an object: its last report) and `load_runs`.

    `code` tells apart what different code has loaded: an object counts as loaded for the same code only.
    """

    def __init__(self, database: Database[dict[str, Any]], now: Callable[[], datetime], code: str) -> None:
        self._db = database
        self._now = now
        self._code = code
        self._known_stations: dict[str, Document] = {}

    def create_indexes(self) -> None:
        with translated():
            for collection, indexes in INDEXES.items():
                for keys in indexes:
                    self._db[collection].create_index(list(keys))

    def add_stations(self, stations: Iterable[Document]) -> None:
        fresh = [station for station in stations if self._known_stations.get(station["_id"]) != station]
        if fresh:
            with translated():
                self._db["stations"].bulk_write(
                    [ReplaceOne({"_id": station["_id"]}, station, upsert=True) for station in fresh],
                    ordered=False,
                )
            self._known_stations.update({station["_id"]: station for station in fresh})

    def add_rejections(self, ref: ObjectRef, run_id: str, rejections: Sequence[Rejection]) -> None:
        at = self._now()
        documents = [
            {
                "_id": f"{ref.key}#{item.position}", "object": ref.key, "etag": ref.etag,
                "position": item.position, "reason": item.reason, "detail": item.detail,
                "row": _storable(item.row), "run_id": run_id, "rejected_at": at,
            }
            for item in rejections
        ]  # fmt: skip
        with translated():
            self._db["rejected_records"].bulk_write(
                [ReplaceOne({"_id": item["_id"]}, item, upsert=True) for item in documents], ordered=False
            )

    def close_object(self, report: ObjectReport, run_id: str) -> None:
        whose = {"run_id": run_id, "loaded_at": self._now(), "code": self._code}
        entry = {"_id": report.key, **whose, **report.as_dict()}
        with translated():
            before = self._db["loaded_objects"].find_one_and_replace({"_id": report.key}, entry, upsert=True)
            if before is None or before["rejected"]:
                self._db["rejected_records"].delete_many({"object": report.key, "run_id": {"$ne": run_id}})

    def loaded(self, refs: Sequence[ObjectRef]) -> dict[str, ObjectReport]:
        etags = {ref.key: ref.etag for ref in refs}
        with translated():
            same = {"status": "loaded", "code": self._code}
            found = self._db["loaded_objects"].find({"_id": {"$in": list(etags)}, **same})
            return {
                item["_id"]: ObjectReport.from_dict(item)
                for item in found
                if item["etag"] == etags[item["_id"]]
            }

    def rejected_objects(self) -> set[str]:
        with translated():
            return set(self._db["rejected_records"].distinct("object"))

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
            attempt = {"attempts": earlier.get("attempts", 0) + 1}
            runs.replace_one({"_id": report["_id"]}, {**report, **kept, **attempt, **alive}, upsert=True)
            return earlier.get("status") == "succeeded"

    def beat(self, run_id: str) -> None:
        with translated():
            self._db["load_runs"].update_one({"_id": run_id}, {"$set": {"heartbeat_at": self._now()}})

    def end_run(self, report: Document) -> None:
        with translated():
            kept = {key: value for key, value in report.items() if key != "started_at"}
            self._db["load_runs"].update_one({"_id": report["_id"]}, {"$set": kept}, upsert=True)

    def count_measurements(self) -> int:
        with translated():
            return self._db["measurements"].estimated_document_count()

    def _is_dead(self, run: Document) -> bool:
        """Silent for a minute; or of this very host, and that process no longer exists."""
        if self._now() - run["heartbeat_at"] > SILENT:
            return True
        return run.get("host") == socket.gethostname() and not _is_alive(run["pid"])


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
