"""The forecast data's contract, as deploy.toml ships it, against data that the real job loaded and that was
then spoilt: for each way of spoiling it, which checks notice. `pytest -s` prints the table."""

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.config import load
from deployer.config.checks import Check
from deployer.model import Verification
from deployer.sandbox import SandboxFacts
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

ROOT = Path(__file__).parents[4]
READINGS = 4950
DAY = datetime.timedelta(days=1)
WRITTEN = "documents written by this run"
GREW = "the collection grew by what was inserted"
SOURCE = "documents of the source, also those that earlier runs loaded"
STATIONS = "every station of the source"
DESCRIBED = "every station is described"
SIX = "six stations"
NEWEST = "the newest reading of the source"
FRESH = "readings of every station are fresh"
CADENCE = "readings come at their cadence"
UNIQUE = "no reading twice"
TYPES = "what every reading has"
RANGES = "physically possible values"
NETWORKS = "known networks"
REFUSED = "every refused row is kept with its reason"
ACCOUNT = "the run accounts for every row that it read"
INDEXES = "indexes"
NO_REPORT = "(no report)"


def _drop_one(data: Database) -> None:
    data.measurements.delete_one({"station_id": "IICHTE19", "timestamp": {"$lt": _newest(data) - DAY}})


def _repeat_one(data: Database) -> None:
    one = data.measurements.find_one({"station_id": "07015"})
    data.measurements.insert_one({**one, "_id": f"{one['_id']} again"})


def _drop_one_and_repeat_another(data: Database) -> None:
    _drop_one(data)
    _repeat_one(data)


def _only_stale(data: Database) -> None:
    """The run loaded nothing: there is as much as before, but all of it is a month old, of another run."""
    shift = {"$dateSubtract": {"startDate": "$timestamp", "unit": "day", "amount": 30}}
    data.measurements.update_many({}, [{"$set": {"timestamp": shift, "run_id": "r0"}}])


def _station_gone(data: Database) -> None:
    data.measurements.delete_many({"station_id": "000R5"})


def _station_stale(data: Database) -> None:
    data.measurements.delete_many({"station_id": "000R5", "timestamp": {"$gt": _newest(data) - 3 * DAY}})


def _one_other_run(data: Database) -> None:
    data.measurements.update_one({"station_id": "07015"}, {"$set": {"run_id": "r0"}})


def _gaps(data: Database) -> None:
    for reading in list(data.measurements.find({"station_id": "07015"}).sort("timestamp", 1))[1:-1:4]:
        data.measurements.delete_one({"_id": reading["_id"]})


def _newest_gone(data: Database) -> None:
    data.measurements.delete_many({"timestamp": _newest(data)})


def _set(field: str, value: Any) -> Callable[[Database], None]:
    return lambda data: (
        data.measurements.update_one({"station_id": "07015"}, {"$set": {field: value}}) and None
    )


def _unset(field: str) -> Callable[[Database], None]:
    return lambda data: data.measurements.update_one({"station_id": "07015"}, {"$unset": {field: 1}}) and None


def _report(**changes: Any) -> Callable[[Database], None]:
    return lambda data: data.load_runs.update_one({"_id": "r1"}, {"$set": changes}) and None


def _refuse_one(data: Database) -> None:
    data.load_runs.update_one(
        {"_id": "r1"}, {"$inc": {"totals.read": 1, "totals.rejected": 1, "kept_rejections": 1}}
    )


def _future(data: Database) -> None:
    _set("timestamp", _newest(data) + 400 * DAY)(data)


def _newest(data: Database) -> datetime.datetime:
    return data.measurements.find_one(sort=[("timestamp", -1)])["timestamp"]


MUTATIONS: list[tuple[str, Callable[[Database], object], set[str]]] = [
    ("one document lost", _drop_one, {WRITTEN, GREW, SOURCE}),
    ("one document twice", _repeat_one, {WRITTEN, GREW, UNIQUE}),
    ("one lost and another twice", _drop_one_and_repeat_another, {UNIQUE}),
    ("nothing but stale documents", _only_stale, {WRITTEN, SOURCE, STATIONS, NEWEST, FRESH}),
    ("one station missing", _station_gone, {WRITTEN, GREW, SOURCE, STATIONS}),
    ("one station silent for three days", _station_stale, {WRITTEN, GREW, SOURCE, FRESH}),
    ("the newest readings lost", _newest_gone, {WRITTEN, GREW, SOURCE, NEWEST}),
    ("every fourth reading of a station lost", _gaps, {WRITTEN, GREW, SOURCE, CADENCE}),
    ("one document of another run", _one_other_run, {WRITTEN}),
    ("one value out of range", _set("humidity_pct", 101.0), {RANGES}),
    ("one value that is not a number", _set("temperature_c", float("nan")), {RANGES}),
    ("one reading in the future", _future, {RANGES, SOURCE}),
    ("one value as text", _set("temperature_c", "12.5"), {RANGES}),
    ("one time as text", _set("timestamp", "2026-01-01"), {TYPES, RANGES, SOURCE, CADENCE}),
    ("one value null instead of absent", _set("uv_index", None), {RANGES}),
    ("one field missing", _unset("network"), {TYPES}),
    ("one source unknown", _unset("source.object"), {TYPES}),
    ("one text as number", _set("source.etag", 20), {TYPES}),
    ("one unknown network", _set("network", "elsewhere"), {NETWORKS}),
    (
        "one station without description",
        lambda data: data.stations.delete_one({"_id": "07015"}),
        {DESCRIBED, SIX},
    ),
    ("one station too many", lambda data: data.stations.insert_one({"_id": "x"}), {SIX}),
    ("an index missing", lambda data: data.measurements.drop_index([("run_id", 1)]), {INDEXES}),
    ("a refused row not kept", _refuse_one, {REFUSED}),
    ("a row not accounted for", _report(**{"totals.read": 9999}), {ACCOUNT}),
    ("one more reported than written", _report(written=READINGS + 1), {WRITTEN}),
    ("the report says failed", _report(status="failed"), {NO_REPORT}),
    ("no report", lambda data: data.load_runs.delete_one({"_id": "r1"}), {NO_REPORT}),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """The sample's 4,950 readings, loaded by the real job as run r1."""
    folder = tmp_path_factory.mktemp("mutations")
    _job("sample", "--rows", str(READINGS), "--out", str(folder / "sample"))
    (folder / "mongod").mkdir()
    with running(folder / "mongod") as mongod:
        _job("run", "--source", str(folder / "sample"), MONGO_URI=mongod.uri("loader"))
        yield mongod


def _job(*arguments: str, **environment: str) -> None:
    known = {**os.environ, "MONGO_DB_NAME": DATABASE, "RUN_ID": "r1", **environment}
    subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments], env=known, cwd=ROOT, check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def contract() -> Sequence[Check]:
    variables = {"MONGO_URI": "mongodb+srv://cluster.example.net", "MONGO_URI_SECRET_ARN": "arn"}
    table = load.read(ROOT / load.FILE)
    return load.load(table, "production", {**SandboxFacts.stand_ins(), **variables}, ROOT).verify.checks


@pytest.fixture
def data(loaded: Mongod) -> Iterator[Database]:
    """The database as loaded; whatever a test does to it is undone afterwards."""
    with loaded.client("loader") as client:
        database = client[DATABASE]
        names = ("measurements", "stations", "load_runs")
        kept = {name: list(database[name].find()) for name in names}
        indexes = database["measurements"].index_information()
        yield database
        for name, documents in kept.items():
            database[name].delete_many({})
            database[name].insert_many(documents)
        for name, index in indexes.items():
            database["measurements"].create_index(index["key"], name=name)


def _verified(mongod: Mongod, contract: Sequence[Check]) -> Verification:
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
        return verify(contract, database, VerifyContext("r1", "load_runs", {}, time.time(), env="production"))


def _noticed(verification: Verification) -> set[str]:
    return {result.name for result in verification.checks if not result.ok} or (
        {NO_REPORT} if verification.problem else set()
    )


def test_what_the_job_loaded_is_as_promised(loaded: Mongod, contract: Sequence[Check]) -> None:
    """Untouched, the data that the job loaded passes every check, in production's contract too."""
    verification = _verified(loaded, contract)
    assert verification.ok, _noticed(verification)
    assert verification.counts["measurements"] == READINGS
    assert {result.name for result in verification.checks} == {
        *(WRITTEN, GREW, SOURCE, STATIONS, DESCRIBED, SIX, NEWEST, FRESH, CADENCE),
        *(UNIQUE, TYPES, RANGES, NETWORKS, REFUSED, ACCOUNT, INDEXES),
    }


@pytest.mark.parametrize(("name", "mutate", "expected"), MUTATIONS, ids=[name for name, _, _ in MUTATIONS])
def test_mutations_are_noticed(
    loaded: Mongod,
    contract: Sequence[Check],
    data: Database,
    name: str,
    mutate: Callable[[Database], object],
    expected: set[str],
) -> None:
    """Spoilt data is noticed by exactly the checks that should."""
    mutate(data)
    noticed = _noticed(_verified(loaded, contract))
    print(f"\n| {name} | {'; '.join(sorted(noticed))} |", end="")
    assert noticed == expected


def test_every_check_notices_something() -> None:
    """No check of the contract is there for nothing: each is the one that notices some mutation."""
    noticed = set().union(*(expected for _, _, expected in MUTATIONS))
    assert noticed >= {
        *(WRITTEN, GREW, SOURCE, STATIONS, DESCRIBED, SIX, NEWEST, FRESH, CADENCE),
        *(UNIQUE, TYPES, RANGES, NETWORKS, REFUSED, ACCOUNT, INDEXES),
    }
