"""One suite for the port Measurements: the fake and a real mongod."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import bson
import pytest
from pymongo import MongoClient

from pipeline.config import MongoSettings
from pipeline.gateways.measurements import MongoMeasurements
from pipeline.model import Document, Extent, Stored
from pipeline.ports import Measurements
from pipeline.upsert import Upserter
from tests.pipeline.fakes import NOON, FakeMeasurements
from tests.pipeline.mongod import Mongod
from tests.pipeline.workshop import measurement


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a mongod that is of no replica set, and so knows no transactions."""
    server = Mongod(tmp_path_factory.mktemp("standalone"), alone=True)
    server.start()
    try:
        yield f"mongodb://127.0.0.1:{server.port}/"
    finally:
        server.stop()


@pytest.fixture(params=["fake", "replica set", "standalone"])
def store(request: pytest.FixtureRequest) -> Iterator[Measurements]:
    if request.param == "fake":
        yield FakeMeasurements()
        return
    alone = request.param == "standalone"
    uri = request.getfixturevalue("standalone") if alone else request.getfixturevalue("mongo").uri
    with MongoClient(uri) as client:
        database = client[f"contract_{uuid.uuid4().hex[:12]}"]
        yield MongoMeasurements(database, lambda: NOON)
        client.drop_database(database)


def document(number: int, value: float = 1.0, **changes: Any) -> Document:
    source = {"object": "a", "etag": "e", "modified": NOON, "position": number}
    return {
        "_id": f"S@{number}",
        "timestamp": NOON,
        "value": value,
        "run_id": "r",
        "source": source,
        **changes,
    }


def insert(store: Measurements, *documents: Document) -> set[str]:
    return store.insert([measurement(item) for item in documents])


def find(store: Measurements, *ids: str) -> dict[str, Document]:
    return {id_: bson.decode(found) for id_, found in store.find(ids).items()}


def test_documents_come_back_as_they_were(store: Measurements) -> None:
    """Times, numbers and the order of nested fields survive; absent ids are absent."""
    assert insert(store, document(1), document(2)) == set()
    assert find(store, "S@1", "S@2", "S@3") == {"S@1": document(1), "S@2": document(2)}


def test_what_is_there_stays_and_is_named(store: Measurements) -> None:
    """Inserting again writes the new ones only, also when one id stands twice in a batch."""
    insert(store, document(1))
    assert insert(store, document(1, value=9.0), document(2)) == {"S@1"}
    assert find(store, "S@1")["S@1"]["value"] == 1.0


def test_a_document_is_replaced_only_as_it_was_seen(store: Measurements) -> None:
    """A change made in between is not overwritten."""
    insert(store, document(1), document(2))
    old = find(store, "S@1", "S@2")
    assert store.replace([(old["S@1"], document(1, value=2.0, run_id="r2"))]) == 1
    assert store.replace([(old["S@1"], document(1, value=3.0)), (old["S@2"], document(2, value=3.0))]) == 1
    values = {id_: item["value"] for id_, item in find(store, "S@1", "S@2").items()}
    assert values == {"S@1": 2.0, "S@2": 3.0}


def test_only_documents_of_another_version_are_restamped(store: Measurements) -> None:
    """Etag and time change, the place stays.

    Documents of other objects and of this version are left alone.
    """
    other = document(2, source={**document(2)["source"], "object": "b"})
    insert(store, document(1), other, document(3, source={**document(3)["source"], "etag": "new"}))
    stamp = {**document(1)["source"], "etag": "new", "modified": NOON + timedelta(days=1)}
    assert store.restamp(["S@1", "S@2", "S@3"], stamp) == 1
    assert find(store, "S@1")["S@1"] == document(1, source={**stamp, "position": 1})
    assert find(store, "S@2")["S@2"] == other


def test_many_writers_write_the_same_readings_exactly_once(mongo: MongoSettings) -> None:
    """Eight threads with overlapping objects on a real mongod: each reading is inserted by one of them."""
    with MongoClient(mongo.uri) as client:
        store = MongoMeasurements(client[mongo.database], lambda: NOON)
        tallies = []

        def work(name: str) -> None:
            where = {"object": name, "etag": "e", "modified": NOON}
            rows = [
                measurement(document(n, value=float(n), source={**where, "position": n})) for n in range(300)
            ]
            tallies.append(Upserter(store, sleep=lambda _: None).write([rows])[0])

        threads = [threading.Thread(target=work, args=(f"o{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(tally.inserted for tally in tallies) == 300
        assert sum(tally.duplicate for tally in tallies) == 7 * 300
        assert client[mongo.database]["measurements"].count_documents({}) == 300


def test_many_writers_restamp_the_same_readings(mongo: MongoSettings) -> None:
    """Transactions that meet are repeated: each writer finds all unchanged, under their new version."""
    with MongoClient(mongo.uri) as client:
        store = MongoMeasurements(client[mongo.database], lambda: NOON)
        insert(store, *[document(n) for n in range(300)])
        again = [
            measurement(document(n, run_id="r2", source={**document(n)["source"], "etag": "new"}))
            for n in range(300)
        ]
        with ThreadPoolExecutor(6) as writers:
            upserters = [Upserter(store, sleep=lambda _: None) for _ in range(6)]
            tallies = list(writers.map(lambda upserter: upserter.write([again])[0], upserters))
        assert [tally.unchanged for tally in tallies] == [300] * 6
        found = client[mongo.database]["measurements"].find()
        assert {(item["run_id"], item["source"]["etag"]) for item in found} == {("r", "new")}


def of(object_: str, etag: str, number: int, hours: int = 0) -> Document:
    source = {"object": object_, "etag": etag, "modified": NOON, "position": number}
    return document(number, station_id="S", timestamp=NOON + timedelta(hours=hours), source=source)


def test_the_documents_of_an_object_are_found_where_they_are(store: Measurements) -> None:
    """By object, within an extent or anywhere, and those of other versions only."""
    insert(store, of("a", "v1", 1), of("a", "v2", 2, hours=5), of("b", "v1", 3))
    near = Extent(frozenset({"S"}), NOON, NOON + timedelta(hours=1))
    assert {item.id for item in store.stored("a", None)} == {"S@1", "S@2"}
    assert [item.id for item in store.stored("a", near)] == ["S@1"]
    assert [item.id for item in store.stored("a", None, not_etag="v2")] == ["S@1"]
    (found,) = store.stored("b", None)
    assert found == Stored("S@3", "S", NOON, "v1", 3)


def test_documents_are_withdrawn_as_they_were_seen(store: Measurements) -> None:
    """What is gone is counted; other objects' documents stay."""
    insert(store, of("a", "v1", 1), of("a", "v1", 2), of("b", "v1", 3))
    assert store.withdraw("a", list(store.stored("a", None)), "r2") == 2
    assert set(find(store, "S@1", "S@2", "S@3")) == {"S@3"}


def test_a_document_that_was_written_since_is_not_withdrawn(mongo: MongoSettings) -> None:
    """Another object took the reading over in the meantime."""
    with MongoClient(mongo.uri) as client:
        store = MongoMeasurements(client[mongo.database], lambda: NOON)
        insert(store, of("a", "v1", 1))
        seen = list(store.stored("a", None))
        store.replace([(of("a", "v1", 1), of("b", "v1", 1))])
        assert store.withdraw("a", seen, "r2") == 0
        assert set(find(store, "S@1")) == {"S@1"}
