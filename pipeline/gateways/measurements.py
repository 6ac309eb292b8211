"""The collection `measurements` in MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, ReplaceOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, WTimeoutError

from pipeline.gateways.mongo import bulk_failure, translated
from pipeline.gateways.schema import HISTORY
from pipeline.measurement import Measurement
from pipeline.model import Document, Extent, Stored

_DUPLICATE_KEY = 11000
_NOT_REPLICATED = frozenset({64, 100})
_WAIT_MS = 10_000
KEEP_HISTORY = timedelta(days=90)
"""How long withdrawn documents are kept in `measurements_history`, if nothing else is said."""
_BY_ID = {"_id": 1}  # else each statement is planned between this index and the one on `run_id`
_ID_AT = 13  # behind the size, the kind and name of the first element, and the length of its text


class MongoMeasurements:
    """Writes are acknowledged by a majority. In a set of two members and an arbiter a majority does not exist
    while one member is down: after one wait of 10 s the rest is acknowledged by the primary alone, and
    `degraded` says so.
    """

    def __init__(
        self,
        database: Database[dict[str, Any]],
        now: Callable[[], datetime],
        keep_history: timedelta = KEEP_HISTORY,
    ) -> None:
        self._now = now
        self._keep_history = keep_history
        self._plain = database["measurements"]
        undecoded = CodecOptions(document_class=RawBSONDocument)
        self._raw = database.get_collection("measurements", undecoded)
        self._majority: Collection[dict[str, Any]] = self._plain.with_options(
            write_concern=WriteConcern("majority", wtimeout=_WAIT_MS)
        )
        self.degraded = False

    @property
    def _collection(self) -> Collection[dict[str, Any]]:
        return self._plain.with_options(write_concern=WriteConcern(1)) if self.degraded else self._majority

    def insert(self, measurements: Sequence[Measurement]) -> set[str]:
        """The bare command: `insert_many` goes over all documents four times before it sends any."""
        with translated():
            reply = self._plain.database.command(
                "insert",
                self._plain.name,
                documents=[RawBSONDocument(measurement.bson) for measurement in measurements],
                ordered=False,
                writeConcern=self._collection.write_concern.document,
            )
        faults = reply.get("writeErrors", ())
        concerns = [reply["writeConcernError"]] if "writeConcernError" in reply else []
        self._accept_weaker(concerns)
        if any(fault["code"] != _DUPLICATE_KEY for fault in faults):
            raise bulk_failure(faults)
        return {measurements[fault["index"]].id for fault in faults}

    def find(self, ids: Sequence[str]) -> dict[str, bytes]:
        with translated():
            found: list[Any] = self._raw.find({"_id": {"$in": ids}}, batch_size=len(ids) + 1).to_list()
        return {_id_of(document.raw): document.raw for document in found}

    def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
        requests = [
            ReplaceOne({key: old.get(key) for key in ("_id", "run_id", "source")}, new, hint=_BY_ID)
            for old, new in changes
        ]
        with translated():
            try:
                return self._collection.bulk_write(requests, ordered=False).matched_count
            except BulkWriteError as error:
                if error.details.get("writeErrors"):
                    raise
                self._accept_weaker(error.details.get("writeConcernErrors", ()))
                return int(error.details["nMatched"])
            except WTimeoutError:
                self.degraded = True
                return 0

    def restamp(self, ids: Sequence[str], source: Document) -> int:
        other = {"source.object": source["object"], "source.etag": {"$ne": source["etag"]}}
        stamp = {"source.etag": source["etag"], "source.modified": source["modified"]}
        with translated():
            try:
                with self._together() as session:
                    done = self._collection.update_many(
                        {"_id": {"$in": ids}, **other}, {"$set": stamp}, session=session
                    )
            except WTimeoutError:
                self.degraded = True
                return 0
            return done.matched_count

    def stored(self, key: str, extent: Extent | None, *, not_etag: str | None = None) -> Iterator[Stored]:
        wanted: Document = {"source.object": key}
        if not_etag is not None:
            wanted["source.etag"] = {"$ne": not_etag}
        if extent is not None:
            wanted["station_id"] = {"$in": sorted(extent.stations)}
            wanted["timestamp"] = {"$gte": extent.first, "$lte": extent.last}
        fields = {"station_id": 1, "timestamp": 1, "source": 1}
        with translated():
            for found in self._plain.find(wanted, fields):
                source = found["source"]
                yield Stored(
                    found["_id"], found["station_id"], found["timestamp"], source["etag"], source["position"]
                )

    def withdraw(self, key: str, documents: Sequence[Stored], run_id: str) -> int:
        unchanged = {item.id: _place(key, item) for item in documents}
        with translated():
            if self._keep_history:
                self._remember(unchanged, run_id)
            return self._delete([DeleteOne(place, hint=_BY_ID) for place in unchanged.values()])

    def _remember(self, unchanged: Mapping[str, Document], run_id: str) -> None:
        """Copies in the history, which MongoDB removes when their time is over."""
        now = self._now()
        about = {"withdrawn_by": run_id, "withdrawn_at": now, "expires_at": now + self._keep_history}
        copies = [
            {**found, "_id": f"{found['_id']}~{run_id}", "reading": found["_id"], **about}
            for found in self._plain.find({"_id": {"$in": list(unchanged)}})
        ]
        if copies:
            self._plain.database[HISTORY].bulk_write(
                [ReplaceOne({"_id": copy["_id"]}, copy, upsert=True) for copy in copies], ordered=False
            )

    def _delete(self, requests: Sequence[DeleteOne]) -> int:
        try:
            return self._collection.bulk_write(requests, ordered=False).deleted_count
        except BulkWriteError as error:
            if error.details.get("writeErrors"):
                raise
            self._accept_weaker(error.details.get("writeConcernErrors", ()))
            return int(error.details["nRemoved"])

    @contextmanager
    def _together(self) -> Iterator[ClientSession | None]:
        """A transaction, which costs one entry of the oplog for all that is changed.

        A server without a replica set knows none.
        """
        client = self._plain.database.client
        if client.topology_description.topology_type_name == "Single":
            yield None
            return
        concern = self._collection.write_concern
        with client.start_session() as session, session.start_transaction(write_concern=concern):
            yield session

    def _accept_weaker(self, faults: Sequence[Document]) -> None:
        """Written but not replicated in time: go on with the primary alone. Any other fault is raised."""
        for fault in faults:
            if fault.get("code") not in _NOT_REPLICATED:
                raise bulk_failure(faults)
            self.degraded = True


def _place(key: str, item: Stored) -> Document:
    """The document as long as nobody has written it since."""
    return {
        "_id": item.id, "source.object": key, "source.etag": item.etag, "source.position": item.position,
    }  # fmt: skip


def _id_of(document: bytes) -> str:
    """The `_id`, which MongoDB keeps as the first element; ours are strings."""
    return document[_ID_AT : document.index(0, _ID_AT)].decode()
