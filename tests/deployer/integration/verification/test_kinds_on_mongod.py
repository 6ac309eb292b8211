"""Every kind of check on a real mongod: passing, and failing for its own reason."""

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.config.checks import Check
from deployer.errors import UsageError
from deployer.model import CheckResult
from deployer.verification.kinds import plan
from deployer.verification.plan import Facts
from deployer.verification.prefilter import prefilters
from deployer.verification.prepare import LARGE, Prepared
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
REPORT = {
    "_id": "r1",
    "status": "succeeded",
    "written": 12,
    "stations": ["a", "b"],
    "each": {"a": 6, "b": 6},
    "last": NOON + 50 * MINUTE,
}


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """Two stations with six readings each, one every ten minutes; their sums; a collection with a schema."""
    with running(tmp_path_factory.mktemp("mongod")) as mongod, mongod.client("loader") as client:
        database = client[DATABASE]
        for station in ("a", "b"):
            database["readings"].insert_many(
                {
                    "_id": f"{station}@{n}",
                    "station_id": station,
                    "timestamp": NOON + 10 * n * MINUTE,
                    "temperature_c": float(n),
                    "quality": "good",
                    "run_id": "r1",
                    "source": {"row": n},
                    "tags": ["x"],
                }
                for n in range(6)
            )
            database["sums"].insert_one({"_id": station, "degrees": 15.0})
        database["readings"].create_index([("station_id", 1), ("timestamp", 1)])
        database["readings"].create_index("quality", unique=True, partialFilterExpression={"quality": "bad"})
        database["copies"].create_index([("station_id", 1), ("timestamp", -1)])
        database["copies"].insert_many(
            {"_id": f"n@{n}", "station_id": None, "timestamp": None} for n in range(2)
        )
        copied = ({"_id": f"a@{n}", "station_id": "a", "timestamp": min(n, 8) % 7} for n in (0, 1, 2, 9))
        database["copies"].insert_many(copied)
        schema = {"$jsonSchema": {"required": ["station_id"]}}
        database.create_collection("guarded", validator=schema)
        database["guarded"].create_index([("station_id", 1)], unique=True)
        database["runs"].insert_one(REPORT)
        yield mongod


@pytest.fixture(scope="module")
def database(mongod: Mongod) -> Iterator[MongoDatabase]:
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
        yield database


def results(database: MongoDatabase, *tables: dict[str, Any]) -> tuple[CheckResult, ...]:
    checks: list[Check] = TypeAdapter(list[Check]).validate_python(
        [
            {"name": "it", "collection": "readings"} | {k.replace("_", "-"): v for k, v in table.items()}
            for table in tables
        ]
    )
    context = VerifyContext("r1", "runs", {"readings": 5}, (NOON + 60 * MINUTE).timestamp())
    return verify(checks, database, context).checks


def result(database: MongoDatabase, **settings: Any) -> CheckResult:
    return results(database, settings)[0]


SUMS = [{"$group": {"_id": "$station_id", "degrees": {"$sum": "$temperature_c"}}}]
MEAN = [{"$group": {"_id": None, "mean": {"$avg": "$temperature_c"}}}]
RIGHT: list[dict[str, Any]] = [
    {"kind": "count", "query": {"run_id": "${RUN_ID}"}, "equals_report": "written"},
    {"kind": "count", "change_at_least": 7, "change_at_most": 7},
    {"kind": "count", "query": {"timestamp": {"$gte": "${NOW-30m}"}}, "exactly": 6},
    {"kind": "count", "query": {"station_id": {"$in": "${REPORT.stations}"}}, "at_least_report": "written"},
    {"kind": "groups", "by": "station_id", "present_in_report": "stations", "number": 2, "at_least": 6},
    {"kind": "groups", "by": "station_id", "present_in_report": "each"},
    {"kind": "completeness", "by": "station_id", "field": "timestamp", "interval": "10m", "at_least": 1.0},
    {
        "kind": "completeness",
        "by": "station_id",
        "field": "timestamp",
        "interval": {"a": "10m", "default": "20m"},
        "per": "day",
        "at_least": 1.0,
    },
    {"kind": "freshness", "field": "timestamp", "max-age": "10m"},
    {"kind": "freshness", "field": "timestamp", "max-age": "10m", "by": "station_id"},
    {"kind": "freshness", "field": "timestamp", "not_before_report": "last", "by": "quality"},
    {"kind": "unique", "fields": ["station_id", "timestamp"]},
    {"kind": "unique", "fields": ["_id"]},
    {"kind": "unique", "fields": ["station_id"], "collection": "guarded"},
    {
        "kind": "types",
        "required": {"station_id": "string", "source.row": "number", "tags": "array"},
        "optional": {"humidity_pct": "double", "temperature_c": ["double", "int"]},
    },
    {
        "kind": "range",
        "fields": {"temperature_c": [0, 5], "timestamp": [NOON, "${NOW}"], "humidity_pct": [0, 1]},
    },
    {"kind": "values", "fields": {"quality": ["good", "bad"], "station_id": ["a", "b"]}},
    {"kind": "reconcile", "pipeline": SUMS, "other_collection": "sums", "other_pipeline": []},
    {"kind": "aggregation", "pipeline": MEAN, "expected": [{"mean": 2.5}]},
    {"kind": "schema", "collection": "guarded", "requires": ["station_id"]},
    {"kind": "indexes", "indexes": [{"fields": ["station_id", "timestamp"]}]},
]
WRONG: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({"kind": "count", "query": {"run_id": "r0"}, "equals_report": "written"}, "0", ()),
    ({"kind": "count", "change_at_most": 6}, "12 (+7 since 5)", ()),
    (
        {"kind": "groups", "by": "station_id", "present": ["c"], "at_least": 7},
        "2: a 6, b 6",
        ("c: 0, at least 7", "a: 6, at least 7", "b: 6, at least 7"),
    ),
    (
        {
            "kind": "completeness",
            "by": "station_id",
            "field": "timestamp",
            "interval": {"a": "5m"},
            "at_least": 0.9,
        },
        "0.0% and more",
        ("a: 54.5%", "b: 0.0%"),
    ),
    (
        {"kind": "freshness", "field": "timestamp", "max-age": "9m", "by": "station_id"},
        "2026-01-02T12:50:00+00:00 and newer, for 2 values of station_id",
        ("a: 2026-01-02T12:50:00+00:00", "b: 2026-01-02T12:50:00+00:00"),
    ),
    ({"kind": "freshness", "field": "humidity_pct", "max-age": "9m"}, "no document with humidity_pct", ()),
    (
        {"kind": "unique", "fields": ["timestamp"], "query": {"temperature_c": 3.0}},
        "repeated timestamp: 1",
        ("a@3 and b@3",),
    ),
    (
        {"kind": "unique", "fields": ["station_id", "timestamp"], "collection": "copies"},
        "repeated station_id, timestamp: 2",
        ("n@0 and n@1", "a@1 and a@9"),
    ),
    ({"kind": "unique", "fields": ["quality"]}, "repeated quality: 1", ("a@0 and b@5",)),
    (
        {"kind": "types", "required": {"source.row": "string", "tags": "string"}, "query": {"_id": "a@1"}},
        "wrong documents: 1",
        ("a@1 (source.row int, tags array)",),
    ),
    (
        {"kind": "types", "required": {"source.at": "date"}, "query": {"_id": "a@1"}},
        "wrong documents: 1",
        ("a@1 (source.at missing)",),
    ),
    (
        {"kind": "range", "fields": {"temperature_c": [0, 4], "quality": [0, 1]}, "query": {"_id": "b@5"}},
        "wrong documents: 1",
        ("b@5 (temperature_c 5.0, quality good)",),
    ),
    (
        {"kind": "values", "fields": {"station_id": ["a"]}, "query": {"source.row": 0}},
        "wrong documents: 1",
        ("b@0 (station_id b)",),
    ),
    (
        {
            "kind": "reconcile",
            "pipeline": SUMS,
            "other_collection": "sums",
            "other_pipeline": [{"$match": {"_id": "a"}}],
        },
        "2 and 1 rows, 1 differ",
        ("b only in the first",),
    ),
    ({"kind": "aggregation", "pipeline": MEAN, "expected": []}, "{_id: None, mean: 2.5}", ()),
    ({"kind": "schema"}, "no validator", ()),
    (
        {
            "kind": "indexes",
            "indexes": [{"fields": ["station_id", "timestamp"], "unique": True}, {"fields": ["-quality"]}],
        },
        "0 of 2",
        ("(station_id, timestamp) unique", "(-quality)"),
    ),
    (
        {"kind": "count", "exactly": 0, "collection": "reading"},
        "no collection 'reading'; did you mean 'readings'?",
        (),
    ),
    (
        {
            "kind": "aggregation",
            "pipeline": [{"$project": {"x": {"$divide": ["$source.row", 0]}}}],
            "expected": [],
        },
        "PlanExecutor error during aggregation :: caused by :: can't $divide by zero",
        (),
    ),
]


@pytest.mark.parametrize("settings", RIGHT)
def test_right(database: MongoDatabase, settings: dict[str, Any]) -> None:
    """The data is as the check expects, and the check says so."""
    passed = result(database, **settings)
    assert passed.ok, passed
    assert passed.offending == ()


@pytest.mark.parametrize(
    ("settings", "found", "offending"),
    WRONG,
    ids=str,
)
def test_wrong(
    database: MongoDatabase, settings: dict[str, Any], found: str, offending: tuple[str, ...]
) -> None:
    """The check fails, says what it found instead, and names the documents."""
    failed = result(database, **settings)
    assert not failed.ok
    assert failed.found == found
    assert failed.offending == offending


def test_together_every_check_says_what_it_says_alone(database: MongoDatabase) -> None:
    """Asked at once, checks share reads; what each expects, finds and names is the same."""
    tables = [*RIGHT, *(settings for settings, _, _ in WRONG)]
    alone = [replace(result(database, **settings), seconds=0.0) for settings in tables]
    together = [replace(found, seconds=0.0) for found in results(database, *tables)]
    assert together == alone


ODD: list[tuple[dict[str, Any], bool, bool]] = [
    ({"s": "a", "source": {"row": 1, "text": "x"}, "t": 1}, False, False),
    ({"s": "a", "source": {"row": 1}}, False, False),
    ({"s": ["a"], "source": {"row": 1}}, True, False),
    ({"s": 1, "source": {"row": 1}}, True, False),
    ({"source": {"row": 1}}, True, False),
    ({"s": "a"}, True, False),
    ({"s": "a", "source": {"row": "1"}}, True, False),
    ({"s": "a", "source": [{"row": 1}]}, True, False),
    ({"s": "a", "source": {"row": 1, "text": None}}, True, False),
    ({"s": "a", "source": {"row": 1, "text": ["x"]}}, True, False),
    ({"s": "a", "source": {"row": 1}, "t": 11}, False, True),
    ({"s": "a", "source": {"row": 1}, "t": None}, False, True),
    ({"s": "a", "source": {"row": 1}, "t": float("nan")}, False, True),
    ({"s": "a", "source": {"row": 1}, "t": "5"}, False, True),
    ({"s": "a", "source": {"row": 1}, "t": NOON}, False, True),
]


@pytest.mark.parametrize(("document", "mistyped", "misplaced"), ODD, ids=str)
@pytest.mark.parametrize("often", [False, True])
def test_the_quick_look_sees_what_the_check_sees(
    mongod: Mongod,
    database: MongoDatabase,
    document: dict[str, Any],
    *,
    mistyped: bool,
    misplaced: bool,
    often: bool,
) -> None:
    """What is wrong is suspicious and then told by its check, what is right is neither; however many
    documents have the field."""
    usual = {"s": "a", "source": {"row": 1}, **({"t": 1} if often else {})}
    with mongod.client("loader") as client:
        client[DATABASE]["odd"].delete_many({})
        client[DATABASE]["odd"].insert_many([{**usual, "_id": n} for n in range(200)])
        client[DATABASE]["odd"].insert_one({**document, "_id": "odd"})
    one: dict[str, Any] = {"name": "it", "collection": "odd", "query": {"_id": "odd"}}
    types = {"required": {"s": "string", "source.row": "number"}, "optional": {"source.text": "string"}}
    for settings, wrong in (
        ({"kind": "types", **types}, mistyped),
        ({"kind": "range", "fields": {"t": [0, 10]}}, misplaced),
    ):
        (check,) = TypeAdapter(list[Check]).validate_python([{**one, **settings}])
        prepared = [Prepared(check, plan(check, Facts("r1", 0.0)))]
        (proof,) = prefilters(prepared, database, {"odd": LARGE + 1})
        assert any(database.aggregate(read.collection, read.pipeline) for read in proof.reads) is wrong
        assert result(database, **{**one, **settings}).ok is not wrong


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "aggregation", "pipeline": [{"$mean": "x"}], "expected": []},
            "Unrecognized pipeline stage",
        ),
        ({"kind": "count", "query": {"a": {"$near": 1}}, "exactly": 0}, "MongoDB refuses its query"),
        (
            {"kind": "count", "query": {"$jsonSchema": {"typ": 1}}, "exactly": 0},
            "Unknown $jsonSchema keyword",
        ),
    ],
)
def test_what_is_no_query_is_told_before_anything_runs(
    database: MongoDatabase, settings: dict[str, Any], message: str
) -> None:
    """MongoDB explains every query first, so one that is none is a mistake in deploy.toml, with its place."""
    with pytest.raises(UsageError) as caught:
        result(database, **settings)
    assert message in caught.value.message
    assert "verify.checks[0]" in caught.value.message


def test_a_check_ends_at_its_time_limit(database: MongoDatabase) -> None:
    """What the server does not finish in time has failed, and says so."""
    slow = {"$function": {"body": "function() { sleep(100); return true }", "args": [], "lang": "js"}}
    failed = result(database, kind="count", query={"$expr": slow}, at_least=1, time_limit="0.2s")
    assert not failed.ok
    assert failed.found == "not finished within 0.2s"
