"""Time-series collections and views on a real mongod, and what pymongo's errors mean."""

import datetime
from collections.abc import Iterator

import pytest
from pydantic import TypeAdapter
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.adapters.mongodb.errors import translated
from deployer.config.checks import Check
from deployer.errors import Failure, TransientFailure
from deployer.ports import NotPermitted, QueryRefused, Unreachable
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
URI = "mongodb://u:hidden@db.test/"


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """Three measurements in a time-series collection, and a view of two of them."""
    with running(tmp_path_factory.mktemp("mongod")) as mongod, mongod.client("loader") as client:
        database = client[DATABASE]
        database.create_collection("series", timeseries={"timeField": "at", "metaField": "sensor"})
        rows = [{"at": NOON, "sensor": name, "run": "r1"} for name in ("a", "a", "b")]
        database["series"].insert_many(rows)
        database.create_collection("of_a", viewOn="series", pipeline=[{"$match": {"sensor": "a"}}])
        yield mongod


def test_series_are_counted_and_views_are_not(mongod: Mongod) -> None:
    """A baseline has the documents of a time-series collection; a view has none of its own."""
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
        assert database.counts() == {"series": 3}
        assert database.indexes("of_a") == []
        assert database.options("of_a") is not None


def test_checks_read_series_and_views(mongod: Mongod) -> None:
    """Both can be counted, and a check of a view is evidence of the run like any other."""
    tables = [
        {"name": name, "kind": "count", "collection": name, "query": {"run": "${RUN_ID}"}, "exactly": number}
        for name, number in (("series", 3), ("of_a", 2))
    ]
    checks: list[Check] = TypeAdapter(list[Check]).validate_python(tables)
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
        found = verify(checks, database, VerifyContext("r1", None, {}, NOON.timestamp()))
    assert found.ok, found


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("bad auth : authentication failed", Failure, "authentication failed"),
        ("user is not allowed to do action [find] on [db.c]", NotPermitted, "not allowed to do action"),
        ("$where is not allowed in this atlas tier", QueryRefused, "$where is not allowed"),
    ],
)
def test_atlas_means_different_things_by_one_code(text: str, kind: type[Failure], said: str) -> None:
    """Code 8000 is not always a wrong password: its text decides."""
    with pytest.raises(kind) as caught, translated(URI):
        raise OperationFailure(text, 8000)
    assert said in caught.value.message
    assert isinstance(caught.value, QueryRefused) == (kind is not Failure)


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        ("error=NetworkTimeout('b.test:27017: timed out')", Unreachable),
        ("error=AutoReconnect('b.test:27017: Connection refused')", TransientFailure),
    ],
)
def test_a_primary_out_of_reach_is_no_election(seen: str, kind: type[Failure]) -> None:
    """With time-outs the primary may exist and be out of reach from here; a refused port is a failover."""
    text = 'No replica set members match selector "Primary()", Timeout: 5s, Topology Description: '
    with pytest.raises(kind), translated(URI):
        raise ServerSelectionTimeoutError(f"{text}<TopologyDescription ReplicaSetNoPrimary [{seen}]>")
