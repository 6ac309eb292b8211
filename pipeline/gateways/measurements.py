"""The collection `measurements` in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import ReplaceOne, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, WTimeoutError

from pipeline.gateways.mongo import bulk_failure, translated
from pipeline.model import Document

_DUPLICATE_KEY = 11000
_NOT_REPLICATED = frozenset({64, 100})
_WAIT_MS = 10_000


class MongoMeasurements:
    """Writes are acknowledged by a majority. In a set of two members and an arbiter a majority does not exist
    while one member is down: after one wait of 10 s the rest is acknowledged by the primary alone, and
    `degraded` says so.
    """

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._plain = database["measurements"]
        self._majority: Collection[dict[str, Any]] = self._plain.with_options(
            write_concern=WriteConcern("majority", wtimeout=_WAIT_MS)
        )
        self.degraded = False

    @property
    def _collection(self) -> Collection[dict[str, Any]]:
        return self._plain.with_options(write_concern=WriteConcern(1)) if self.degraded else self._majority

    def insert(self, documents: Sequence[Document]) -> set[str]:
        with translated():
            try:
                self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                faults = error.details.get("writeErrors", ())
                self._accept_weaker(error)
                if any(fault["code"] != _DUPLICATE_KEY for fault in faults):
                    raise bulk_failure(error) from error
                return {documents[fault["index"]]["_id"] for fault in faults}
        return set()

    def find(self, ids: Sequence[str]) -> dict[str, Document]:
        with translated():
            return {
                found["_id"]: found
                for found in self._plain.find({"_id": {"$in": ids}}, batch_size=len(ids) + 1)
            }

    def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
        requests = [
            ReplaceOne({"_id": old["_id"], "run_id": old.get("run_id"), "source": old.get("source")}, new)
            for old, new in changes
        ]
        with translated():
            try:
                return self._collection.bulk_write(requests, ordered=False).matched_count
            except BulkWriteError as error:
                if error.details.get("writeErrors"):
                    raise
                self._accept_weaker(error)
                return int(error.details["nMatched"])
            except WTimeoutError:
                self.degraded = True
                return 0

    def restamp(self, ids: Sequence[str], source: Document) -> int:
        other = {"source.object": source["object"], "source.etag": {"$ne": source["etag"]}}
        stamp = {"source.etag": source["etag"], "source.modified": source["modified"]}
        with translated():
            try:
                done = self._collection.update_many({"_id": {"$in": ids}, **other}, {"$set": stamp})
            except WTimeoutError:
                self.degraded = True
                return 0
            return done.matched_count

    def _accept_weaker(self, error: BulkWriteError) -> None:
        """Written but not replicated in time.

        Go on with the primary alone. Any other concern error is raised.
        """
        for fault in error.details.get("writeConcernErrors", ()):
            if fault.get("code") not in _NOT_REPLICATED:
                raise bulk_failure(error) from error
            self.degraded = True
