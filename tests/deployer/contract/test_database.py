"""One suite for every `ports.Database`: the fake and a real mongod answer alike."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.ports import Database, QueryRefused
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running
from tests.fakes.database import FakeDatabase

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
READINGS = [
    {
        "_id": "a@1",
        "station_id": "a",
        "timestamp": NOON,
        "temperature_c": 3.5,
        "run_id": "r1",
        "source": {"row": 1},
    },
    {"_id": "a@2", "station_id": "a", "timestamp": NOON + datetime.timedelta(hours=1), "temperature_c": -1},
    {
        "_id": "b@1",
        "station_id": "b",
        "timestamp": NOON,
        "temperature_c": "cold",
        "run_id": "r1",
        "source": {"row": 2},
    },
    {"_id": "b@2", "station_id": "b", "timestamp": NOON + datetime.timedelta(hours=2), "humidity_pct": None},
]


class Subject(Protocol):
    database: Database

    def write(self, collection: str, documents: list[dict[str, Any]]) -> None: ...

    def index(self, collection: str, *fields: str) -> None: ...

    def make(self, collection: str, validator: dict[str, Any]) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.database = FakeDatabase()
        self.write = self.database.write

    def index(self, collection: str, *fields: str) -> None:
        key = dict.fromkeys(fields, 1)
        self.database.extra_indexes[collection] = [{"name": "_1_".join(fields) + "_1", "key": key}]

    def make(self, collection: str, validator: dict[str, Any]) -> None:
        self.database.collections[collection] = {}
        self.database.made_with[collection] = {"validator": validator}


@dataclass
class Real:
    mongod: Mongod
    database: MongoDatabase

    def write(self, collection: str, documents: list[dict[str, Any]]) -> None:
        with self.mongod.client("loader") as client:
            client[DATABASE][collection].insert_many(documents)

    def index(self, collection: str, *fields: str) -> None:
        with self.mongod.client("loader") as client:
            client[DATABASE][collection].create_index([(field, 1) for field in fields])

    def make(self, collection: str, validator: dict[str, Any]) -> None:
        with self.mongod.client("loader") as client:
            client[DATABASE].create_collection(collection, validator=validator)


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with running(tmp_path_factory.mktemp("mongod")) as mongod:
        yield mongod


@pytest.fixture(params=["fake", "mongod"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "fake":
        yield InMemory()
        return
    mongod: Mongod = request.getfixturevalue("mongod")
    with mongod.client("admin") as client:
        client.drop_database(DATABASE)
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
        yield Real(mongod, database)


@pytest.fixture
def filled(subject: Subject) -> Database:
    subject.write("readings", READINGS)
    return subject.database


def test_an_empty_database_answers(subject: Subject) -> None:
    """Where nothing was ever written, there are no collections, no documents, no indexes and no options."""
    database = subject.database
    database.ping()
    assert database.counts() == {}
    assert database.find_one("readings", {"_id": 1}) is None
    assert database.count("readings", {}) == 0
    assert database.aggregate("readings", [{"$count": "n"}]) == []
    assert database.indexes("readings") == []
    assert database.options("readings") is None
    assert database.scans("readings", [{"$match": {"station_id": "a"}}]) is False


def test_what_was_written_is_seen_at_once(filled: Database) -> None:
    """Documents that were acknowledged are counted and found whole, times in UTC."""
    assert filled.counts() == {"readings": 4}
    assert filled.find_one("readings", {"_id": "a@1"}) == READINGS[0]
    assert filled.options("readings") == {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 4),
        ({"run_id": "r1"}, 2),
        ({"run_id": None}, 2),
        ({"source.row": 2}, 1),
        ({"source.row": 2.0}, 1),
        ({"source.row": "2"}, 0),
        ({"timestamp": NOON}, 2),
        ({"timestamp": {"$gt": NOON}}, 2),
        ({"timestamp": {"$gte": NOON, "$lt": NOON + datetime.timedelta(hours=2)}}, 3),
        ({"temperature_c": {"$gt": 0}}, 1),
        ({"temperature_c": {"$lte": 3.5}}, 2),
        ({"temperature_c": {"$not": {"$gte": 0}}}, 3),
        ({"temperature_c": {"$exists": True, "$not": {"$gte": 0, "$lte": 50}}}, 2),
        ({"humidity_pct": {"$exists": True}}, 1),
        ({"station_id": {"$in": ["a", "c"]}}, 2),
        ({"station_id": {"$nin": ["a"]}}, 2),
        ({"station_id": {"$ne": "a"}, "run_id": {"$eq": "r1"}}, 1),
        ({"$or": [{"_id": "a@1"}, {"_id": "b@1"}]}, 2),
        ({"$and": [{"station_id": "a"}, {"$nor": [{"_id": "a@1"}]}]}, 1),
    ],
)
def test_queries(filled: Database, query: dict[str, Any], found: int) -> None:
    """Every operator finds the same documents: numbers, text and times never compare with one another."""
    assert filled.count("readings", query) == found
    assert len(filled.aggregate("readings", [{"$match": query}])) == found
    assert (filled.find_one("readings", query) is None) == (found == 0)


def test_aggregations(filled: Database) -> None:
    """Groups with their sums, least and greatest values, sorted, limited, counted and projected."""
    group = {
        "_id": "$station_id",
        "n": {"$sum": 1},
        "degrees": {"$sum": "$temperature_c"},
        "first": {"$min": "$timestamp"},
        "last": {"$max": "$timestamp"},
        "least": {"$min": "$humidity_pct"},
    }
    hour = datetime.timedelta(hours=1)
    assert filled.aggregate("readings", [{"$group": group}, {"$sort": {"_id": -1}}]) == [
        {"_id": "b", "n": 2, "degrees": 0, "first": NOON, "last": NOON + 2 * hour, "least": None},
        {"_id": "a", "n": 2, "degrees": 2.5, "first": NOON, "last": NOON + hour, "least": None},
    ]
    newest: list[dict[str, Any]] = [{"$sort": {"station_id": -1, "timestamp": -1}}]
    newest += [
        {"$group": {"_id": "$station_id", "id": {"$first": "$_id"}}},
        {"$sort": {"_id": 1}},
        {"$limit": 1},
    ]
    assert filled.aggregate("readings", newest) == [{"_id": "a", "id": "a@2"}]
    pair = {"_id": {"s": "$station_id", "r": "$run_id"}, "n": {"$sum": 1}}
    rows = filled.aggregate(
        "readings", [{"$group": pair}, {"$match": {"_id.r": "r1"}}, {"$sort": {"_id.s": 1}}]
    )
    assert rows == [{"_id": {"s": "a", "r": "r1"}, "n": 1}, {"_id": {"s": "b", "r": "r1"}, "n": 1}]
    assert filled.aggregate("readings", [{"$match": {"station_id": "a"}}, {"$count": "n"}]) == [{"n": 2}]
    shown = [
        {"$match": {"humidity_pct": {"$exists": True}}},
        {"$project": {"h": "$humidity_pct", "r": "$run_id"}},
    ]
    assert filled.aggregate("readings", shown) == [{"_id": "b@2", "h": None}]


@pytest.mark.parametrize(
    "pipeline", [[{"$mtch": {}}], [{"$match": {"a": {"$gtt": 1}}}], [{"$match": {"$xor": []}}]]
)
def test_what_is_no_query_is_refused(filled: Database, pipeline: list[dict[str, Any]]) -> None:
    """An unknown stage or operator is refused, when it is run and already when only its plan is asked for."""
    with pytest.raises(QueryRefused):
        filled.aggregate("readings", pipeline)
    with pytest.raises(QueryRefused):
        filled.scans("readings", pipeline)


def test_a_scan_is_told_from_an_index(subject: Subject, filled: Database) -> None:
    """A query that an index serves does not scan; one that none serves does."""
    subject.index("readings", "station_id", "timestamp")
    assert not filled.scans("readings", [{"$match": {"station_id": "a"}}])
    assert not filled.scans("readings", [{"$match": {"_id": "a@1"}}, {"$count": "n"}])
    assert filled.scans("readings", [{"$match": {"temperature_c": 1}}])
    assert filled.scans("readings", [{"$match": {}}, {"$count": "n"}])
    named = [(index["name"], dict(index["key"])) for index in filled.indexes("readings")]
    assert named == [("_id_", {"_id": 1}), ("station_id_1_timestamp_1", {"station_id": 1, "timestamp": 1})]


def test_a_validator_is_shown(subject: Subject) -> None:
    """The schema that a collection was made with is among its options."""
    validator = {"$jsonSchema": {"required": ["station_id"]}}
    subject.make("readings", validator)
    options = subject.database.options("readings")
    assert options is not None
    assert options["validator"] == validator
