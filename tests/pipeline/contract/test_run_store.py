"""The run_store in a real mongod: runs that died, refused rows, loaded objects."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from pipeline.config import MongoSettings
from pipeline.gateways.run_store import MongoRunStore
from pipeline.model import ObjectRef, ObjectReport, Rejection, Tally
from tests.pipeline.fakes import NOON

REF = ObjectRef("a.csv", "v1", 10, NOON)


@pytest.fixture
def database(mongo: MongoSettings) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient(mongo.uri) as client:
        yield client[mongo.database]


@pytest.fixture
def run_store(database: Database[dict[str, Any]]) -> MongoRunStore:
    made = MongoRunStore(database, lambda: NOON, "code 1")
    made.create_indexes()
    return made


@pytest.mark.parametrize(
    ("silent", "host", "pid", "status"),
    [
        (timedelta(seconds=30), "elsewhere", 1, "running"),
        (timedelta(seconds=61), "elsewhere", 1, "failed"),
        (timedelta(seconds=1), socket.gethostname(), os.getpid(), "running"),
        (timedelta(seconds=1), socket.gethostname(), 2**22 - 1, "failed"),
    ],
    ids=["alive elsewhere", "silent elsewhere", "alive here", "gone here"],
)
def test_only_a_run_that_died_is_closed(
    run_store: MongoRunStore,
    database: Database[dict[str, Any]],
    silent: timedelta,
    host: str,
    pid: int,
    status: str,
) -> None:
    """Silence of a minute, or a process of this host that is gone; a run that is alive is left alone."""
    entry = {"_id": "other", "status": "running", "heartbeat_at": NOON - silent, "host": host, "pid": pid}
    database["load_runs"].insert_one(entry)
    run_store.begin_run({"_id": "mine", "status": "running", "started_at": NOON})
    other = database["load_runs"].find_one({"_id": "other"})
    assert other is not None
    assert other["status"] == status


def test_a_run_that_starts_again_keeps_its_first_start(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """The same id again is another attempt of the same run."""
    for hours in (0, 1):
        run_store.begin_run({"_id": "r", "status": "running", "started_at": NOON + timedelta(hours=hours)})
    run_store.end_run({"_id": "r", "status": "succeeded", "started_at": NOON + timedelta(hours=1)})
    entry = database["load_runs"].find_one({"_id": "r"})
    assert entry is not None
    assert (entry["attempts"], entry["started_at"], entry["status"]) == (2, NOON, "succeeded")


def test_an_object_is_loaded_only_under_its_etag(run_store: MongoRunStore) -> None:
    """What was remembered comes back as it was.

    Another version, and a quarantined object, count as not loaded.
    """
    report = ObjectReport(
        "a.csv", "v1", "loaded", Tally(read=3, inserted=2, rejected=1), reasons=Counter(bad_time=1)
    )
    run_store.close_object(report, "r")
    assert run_store.loaded([REF]) == {"a.csv": report}
    assert run_store.loaded([ObjectRef("a.csv", "v2", 10, NOON)]) == {}
    run_store.close_object(ObjectReport("a.csv", "v1", "quarantined"), "r")
    assert run_store.loaded([REF]) == {}


def test_other_code_has_loaded_nothing_yet(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """What another version of the rules made of an object says nothing of this one's: it is read again."""
    run_store.close_object(ObjectReport("a.csv", "v1", "loaded", Tally(read=1, inserted=1)), "r")
    assert MongoRunStore(database, lambda: NOON, "code 2").loaded([REF]) == {}
    (held,) = run_store.loaded([REF]).values()
    assert held.run_id == "r"


def test_refused_rows_mirror_the_last_load(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """The same row again takes the place of its entry; rows that a later load did not refuse are gone."""
    rows = [Rejection(n, "bad_time", "why", {"Time": "noon", "x": object()}) for n in (1, 2)]
    run_store.add_rejections(REF, "r1", rows)
    run_store.add_rejections(REF, "r1", rows)
    run_store.close_object(ObjectReport("a.csv", "v1", "loaded", Tally(read=2, rejected=2)), "r1")
    assert database["rejected_records"].count_documents({"run_id": "r1"}) == 2
    assert run_store.rejected_objects() == {"a.csv"}
    run_store.add_rejections(REF, "r2", rows[:1])
    run_store.close_object(ObjectReport("a.csv", "v2", "loaded", Tally(read=2, inserted=1, rejected=1)), "r2")
    (left,) = database["rejected_records"].find()
    assert (left["position"], left["run_id"]) == (1, "r2")
