"""MongoDB, read-only, through pymongo."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from deployer.adapters.mongodb.errors import address_checked, translated

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

    Document = dict[str, Any]

T = TypeVar("T")

FIRST_CONTACT = 5.0
"""Seconds until an address that has never answered counts as unreachable."""
ELECTION = 20.0
"""Seconds to wait for a primary after the first contact: an election takes about twelve."""
CLOSE_TIMEOUT = 1.0
"""Seconds for ending the sessions on the server."""
FRESH = 30.0
"""Seconds for which the primary's time of a `ping` serves the reads that follow it."""
FIND_TIMEOUT = 60.0
"""Seconds for finding one document; includes waiting until a majority has what the primary has."""


_ON_A_VIEW = 166
"""The code of a command that views do not support."""


class MongoDatabase:
    """`ports.Database` on a MongoDB address. Connects at the first call.

    Large reads go to a secondary if there is one, and still miss nothing: each runs in a causally consistent
    session, with read concern "majority", after a time of the primary: that of a `ping` not older than
    `FRESH` seconds. The server then waits until the secondary has everything that the primary had at that
    moment; this includes everything that the job wrote with "majority" before it ended.
    https://www.mongodb.com/docs/manual/core/causal-consistency-read-write-concerns/

    After a lost connection or in an election pymongo finds the primary again and repeats the read once
    (retryable reads), for at most `election` seconds, so nothing is retried here.
    """

    def __init__(self, uri: str, database: str, election: float = ELECTION) -> None:
        self._uri = uri
        self._name = database
        self._election = election
        self._met = False
        self._primary: tuple[float, ClientSession] | None = None
        """When the last `ping` was, and its session: it knows the time of the primary."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections, if there are any."""
        import pymongo

        if "_client" in self.__dict__:
            with pymongo.timeout(CLOSE_TIMEOUT):
                self._client.close()
            del self.__dict__["_client"]

    def ping(self) -> None:
        def keep(session: "ClientSession") -> None:
            self._primary = time.monotonic(), session

        self._primary = None
        self._read(keep)

    def counts(self) -> dict[str, int]:
        def work(session: "ClientSession") -> dict[str, int]:
            database = self._client[self._name]
            kinds = {"type": {"$in": ["collection", "timeseries"]}}
            listed = database.list_collections(session=session, filter=kinds)
            names = sorted(str(entry["name"]) for entry in listed)
            wanted = [name for name in names if not name.startswith("system.")]
            return {name: database[name].estimated_document_count() for name in wanted}

        return self._read(work)

    def find_one(self, collection: str, query: Mapping[str, Any]) -> Mapping[str, Any] | None:
        limit = math.ceil(FIND_TIMEOUT * 1000)
        return self._read(
            lambda session: self._collection(collection).find_one(query, session=session, max_time_ms=limit)
        )

    def count(self, collection: str, query: Mapping[str, Any], within: float = 60) -> int:
        rows = self.aggregate(collection, [{"$match": query}, {"$count": "documents"}], within)
        return int(rows[0]["documents"]) if rows else 0

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]:
        limit = math.ceil(within * 1000)
        return self._read(
            lambda session: list(
                self._collection(collection).aggregate(pipeline, session=session, maxTimeMS=limit)
            )
        )

    def scans(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> bool:
        aggregation = {"aggregate": collection, "pipeline": list(pipeline), "cursor": {}}
        command = {"explain": aggregation, "verbosity": "queryPlanner"}
        answer = self._read(lambda session: self._client[self._name].command(command, session=session))
        return "COLLSCAN" in _stages(answer)

    def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        def work(session: "ClientSession") -> list[Mapping[str, Any]]:
            from pymongo.errors import OperationFailure

            try:
                return [dict(index) for index in self._collection(collection).list_indexes(session=session)]
            except OperationFailure as error:
                if error.code == _ON_A_VIEW:
                    return []
                raise

        return self._read(work)

    def options(self, collection: str) -> Mapping[str, Any] | None:
        database, wanted = self._client[self._name], {"name": collection}
        found = self._read(lambda session: list(database.list_collections(session=session, filter=wanted)))
        return dict(found[0].get("options", {})) if found else None

    def command(self, name: str, database: str | None = None) -> Mapping[str, Any]:
        """The answer to a read-only command without arguments. QueryRefused: the server does not know it, or
        the user has no privilege for it."""
        return self._read(lambda session: self._client[database or self._name].command(name, session=session))

    def write_concern(self) -> Mapping[str, Any]:
        """The write concern of the address; empty: none."""
        return self._client.write_concern.document

    @cached_property
    def _client(self) -> "MongoClient[Document]":
        from pymongo import MongoClient

        with address_checked(self._uri):
            client: MongoClient[Document] = MongoClient(
                self._uri,
                appname="deployer",
                tz_aware=True,
                serverSelectionTimeoutMS=int(self._election * 1000),
                connectTimeoutMS=int(FIRST_CONTACT * 1000),
            )
        return client

    def _collection(self, name: str) -> "Collection[Document]":
        from pymongo import ReadPreference
        from pymongo.read_concern import ReadConcern

        return self._client[self._name].get_collection(
            name,
            read_preference=ReadPreference.SECONDARY_PREFERRED,
            read_concern=ReadConcern("majority"),
        )

    def _read(self, work: "Callable[[ClientSession], T]") -> T:
        client = self._client
        with translated(self._uri), client.start_session(causal_consistency=True) as session:
            met = self._primary
            if met is None or time.monotonic() - met[0] > FRESH or not met[1].operation_time:
                self._meet_primary(session)
            else:
                session.advance_operation_time(met[1].operation_time)
                session.advance_cluster_time(met[1].cluster_time or {})
            return work(session)

    def _meet_primary(self, session: "ClientSession") -> None:
        """From now on every read of the session sees what the primary has now."""
        import pymongo

        with pymongo.timeout(self._election if self._met else FIRST_CONTACT):
            self._client.admin.command("ping", session=session)
        self._met = True


def _stages(plan: object) -> set[str]:
    """The names of all stages of the winning plans in an explain answer, at any depth."""
    if isinstance(plan, list):
        return {name for item in plan for name in _stages(item)}
    if not isinstance(plan, Mapping):
        return set()
    inner = {name for key, value in plan.items() if key != "rejectedPlans" for name in _stages(value)}
    return inner | ({plan["stage"]} if isinstance(plan.get("stage"), str) else set())
