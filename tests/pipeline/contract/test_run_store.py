"""The run store in a real mongod: runs that died, refused rows, loaded objects."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from pipeline.config import MongoSettings
from pipeline.fingerprint import Code
from pipeline.gateways.run_store import MongoRunStore
from pipeline.model import Earlier, Extent, ObjectRef, ObjectReport, Rejection, Tally
from tests.pipeline.fakes import NOON

REF = ObjectRef("a.csv", "v1", 10, NOON)


@pytest.fixture
def database(mongo: MongoSettings) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient(mongo.uri) as client:
        yield client[mongo.database]


@pytest.fixture
def run_store(database: Database[dict[str, Any]]) -> MongoRunStore:
    made = store(database)
    made.create_schema()
    return made


CODE = Code("code 1", "rules 1")


def store(database: Database[dict[str, Any]], attempt: str = "now", code: Code = CODE) -> MongoRunStore:
    return MongoRunStore(database, lambda: NOON, code, "folder", attempt)


def close(run_store: MongoRunStore, report: ObjectReport, run_id: str, etag: str = "v1") -> None:
    """An object from its opening to its end."""
    earlier = run_store.open_objects([ObjectRef(report.key, etag, 10, NOON)], run_id)
    run_store.close_objects([report], earlier, run_id)


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
    ended = NOON + timedelta(hours=1)
    run_store.end_run({"_id": "r", "status": "succeeded", "error": None, "started_at": ended})
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
    close(run_store, report, "r")
    assert run_store.loaded([REF]) == {"a.csv": report}
    assert run_store.loaded([ObjectRef("a.csv", "v2", 10, NOON)]) == {}
    close(run_store, ObjectReport("a.csv", "v1", "quarantined"), "r")
    assert run_store.loaded([REF]) == {}


def test_other_code_has_loaded_nothing_yet(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """What another version of the rules made of an object says nothing of this one's: it is read again."""
    close(run_store, ObjectReport("a.csv", "v1", "loaded", Tally(read=1, inserted=1)), "r")
    assert store(database, code=Code("code 2", "rules 1")).loaded([REF]) == {}
    (held,) = run_store.loaded([REF]).values()
    assert held.run_id == "r"


def test_refused_rows_mirror_the_last_load(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """The same row again takes the place of its entry; rows that a later load did not refuse are gone."""
    rows = [(REF, Rejection(n, "bad_time", "why", {"Time": "noon", "x": object()})) for n in (1, 2)]
    run_store.add_rejections(rows, "r1")
    run_store.add_rejections(rows, "r1")
    close(run_store, ObjectReport("a.csv", "v1", "loaded", Tally(read=2, rejected=2)), "r1")
    assert database["rejected_records"].count_documents({"run_id": "r1"}) == 2
    assert run_store.rejected_objects() == {"a.csv"}
    run_store.add_rejections(rows[:1], "r2")
    close(run_store, ObjectReport("a.csv", "v2", "loaded", Tally(read=2, inserted=1, rejected=1)), "r2", "v2")
    (left,) = database["rejected_records"].find()
    assert (left["position"], left["run_id"]) == (1, "r2")


def test_what_an_earlier_load_left_of_an_object(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """Its version, how many documents and where; other rules are told apart for the same version only."""
    assert run_store.open_objects([REF], "r1") == {}
    report = ObjectReport(
        "a.csv", "v1", "loaded", Tally(read=2, inserted=2), stations={"S"}, first=NOON, last=NOON
    )
    close(run_store, report, "r1")
    (earlier,) = run_store.open_objects([REF], "r2").values()
    assert earlier == Earlier("v1", 2, Extent(frozenset({"S"}), NOON, NOON))
    other = store(database, code=Code("code 2", "rules 2"))
    assert other.open_objects([REF], "r3")["a.csv"].other_rules
    assert not other.open_objects([ObjectRef("a.csv", "v2", 10, NOON)], "r3")["a.csv"].other_rules


def test_where_a_broken_version_left_documents_of_the_one_before(run_store: MongoRunStore) -> None:
    """What it could not read may still stand: the next load looks at the places of both."""
    later = NOON + timedelta(days=1)
    whole = ObjectReport("a.csv", "v1", "loaded", Tally(2, 2), stations={"S"}, first=NOON, last=later)
    cut = ObjectReport("a.csv", "v2", "quarantined", Tally(1, 1), stations={"S"}, first=NOON, last=NOON)
    close(run_store, whole, "r1")
    close(run_store, cut, "r2", "v2")
    (earlier,) = run_store.open_objects([REF], "r3").values()
    assert (earlier.partial, earlier.extent) == (True, Extent(frozenset({"S"}), NOON, later))


def test_objects_that_were_read_side_by_side_are_not_all_to_blame(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """Two dead runs with several open objects: each counts once, until one of them dies of it alone."""
    other = ObjectRef("b.csv", "v1", 10, NOON)
    for number in (1, 2):
        begin(database, f"dead {number}", [REF, other], pid=GONE)
    run_store.begin_run({"_id": "now", "status": "running", "started_at": NOON})
    assert run_store.deaths() == {("a.csv", "v1"): 1, ("b.csv", "v1"): 1}
    begin(database, "dead 3", [other], pid=GONE)
    run_store.begin_run({"_id": "now", "status": "running", "started_at": NOON})
    assert run_store.deaths() == {("a.csv", "v1"): 1, ("b.csv", "v1"): 3}


def begin(
    database: Database[dict[str, Any]], run_id: str, refs: Sequence[ObjectRef] = (REF,), *, pid: int
) -> MongoRunStore:
    """A run that reads these objects together, in a process of this host."""
    begun = store(database, attempt=run_id)
    begun.begin_run({"_id": run_id, "status": "running", "started_at": NOON, "error": None})
    begun.open_objects(refs, run_id)
    database["load_runs"].update_one({"_id": run_id}, {"$set": {"pid": pid}})
    return begun


GONE = 2**22 - 1


def test_objects_that_were_read_when_runs_died_are_counted(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """Two dead runs count; one that is alive, one that ended in order, and another version do not."""
    for number in (1, 2):
        begin(database, f"dead {number}", pid=GONE)
    begin(database, "alive", pid=os.getpid())
    stopped = begin(database, "stopped", pid=os.getpid())
    stopped.end_run({"_id": "stopped", "status": "failed", "error": "stopped by SIGTERM"})
    run_store.begin_run({"_id": "now", "status": "running", "started_at": NOON})
    assert run_store.deaths() == {("a.csv", "v1"): 2}
    assert store(database, code=Code("code 2", "rules 1")).deaths() == {}
    close(run_store, ObjectReport("a.csv", "v1", "loaded", Tally(1, 1)), "now")
    assert run_store.deaths() == {}


def test_a_load_that_died_may_have_left_documents_anywhere(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """The same version leaves what this load writes as well; another one has to be looked for everywhere."""
    begin(database, "dead", pid=GONE)
    assert not run_store.open_objects([REF], "now")["a.csv"].lost
    assert run_store.open_objects([ObjectRef("a.csv", "v2", 10, NOON)], "now")["a.csv"].lost


def test_an_object_that_cannot_be_read_keeps_its_entry(run_store: MongoRunStore) -> None:
    """It still counts as what it was before; the run leaves no trace of a death."""
    close(run_store, ObjectReport("a.csv", "v1", "loaded", Tally(1, 1)), "r1")
    close(run_store, ObjectReport("a.csv", "v1", "unread", error="archived"), "r2")
    assert run_store.loaded([REF])["a.csv"].tally.inserted == 1
    assert run_store.deaths() == {}
    assert list(run_store.keys("folder")) == ["a.csv"]
    assert list(run_store.keys("another")) == []


def test_a_forgotten_object_is_unknown_and_its_neighbor_is_read_again(
    run_store: MongoRunStore, database: Database[dict[str, Any]]
) -> None:
    """Objects whose readings overlap are found, however many there are."""
    for key, hours in (("a.csv", 0), ("b.csv", 1), ("c.csv", 48)):
        first, last = NOON + timedelta(hours=hours), NOON + timedelta(hours=hours + 2)
        close(
            run_store,
            ObjectReport(key, "v1", "loaded", Tally(1, 1), stations={"S"}, first=first, last=last),
            "r",
        )
    there = Extent(frozenset({"S"}), NOON, NOON + timedelta(hours=2))
    assert run_store.overlapping([("a.csv", there)]) == {"b.csv"}
    assert run_store.forget("a.csv", ["b.csv"])
    assert not run_store.forget("a.csv", [])
    refs = [ObjectRef(key, "v1", 10, NOON) for key in ("a.csv", "b.csv", "c.csv")]
    assert set(run_store.loaded(refs)) == {"c.csv"}
