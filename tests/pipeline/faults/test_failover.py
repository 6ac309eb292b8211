"""The primary goes away in the middle of a load: the run ends well, nothing is lost, nothing is twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from pipeline.gateways.folder import FolderSource
from pipeline.model import Tally
from tests.pipeline.faults.conftest import READINGS, ReplicaSet
from tests.pipeline.oracle import expected, stored
from tests.pipeline.process import Ended, end, load, start, wait_for

Break = Callable[[ReplicaSet, MongoClient[dict[str, Any]]], None]


def kill_primary(replica_set: ReplicaSet, client: MongoClient[dict[str, Any]]) -> None:
    assert client.primary
    replica_set.on_port(client.primary[1]).kill()


def step_down(replica_set: ReplicaSet, client: MongoClient[dict[str, Any]]) -> None:
    client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)


@pytest.mark.parametrize("fault", [kill_primary, step_down])
def test_a_load_outlives_its_primary(replica_set: ReplicaSet, much: Path, fault: Break) -> None:
    """SIGKILL, and a step-down, while readings arrive: exit 0 and exactly the documents of the files."""
    ended = _load_with(replica_set, much, fault, _a_tenth_is_there)
    assert (ended.code, ended.err) == (0, "")
    totals = Tally.from_dict(ended.report["totals"])
    assert totals.balanced
    assert totals.inserted == ended.report["written"] == READINGS
    assert ended.report["degraded"] == (fault is kill_primary)
    settings = replica_set.settings()
    assert stored(settings) == expected(much)
    with MongoClient(settings.uri) as client:
        run = client[settings.database]["load_runs"].find_one({"_id": "broken"})
        assert run is not None
        assert run["status"] == "succeeded"
        assert client[settings.database]["measurements"].count_documents({"run_id": "broken"}) == READINGS


@pytest.mark.parametrize("fault", [kill_primary, step_down])
def test_a_second_version_outlives_the_primary(replica_set: ReplicaSet, much: Path, fault: Break) -> None:
    """The same readings under new versions of all objects: each ends under the new one, and is unchanged."""
    settings = replica_set.settings()
    assert load(settings, much, RUN_ID="before").code == 0
    for path in much.rglob("*.*"):
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    ended = _load_with(replica_set, much, fault, _an_object_is_done)
    assert (ended.code, ended.err) == (0, "")
    totals = Tally.from_dict(ended.report["totals"])
    assert totals.balanced
    assert (totals.unchanged, totals.written) == (READINGS, 0)
    assert stored(settings) == expected(much)
    versions = {ref.key: ref.etag for ref in FolderSource(much).list()}
    with MongoClient(settings.uri) as client:
        for item in client[settings.database]["measurements"].find():
            assert item["run_id"] == "before"
            assert item["source"]["etag"] == versions[item["source"]["object"]]


def _load_with(
    replica_set: ReplicaSet, source: Path, fault: Break, begun: Callable[[Database[dict[str, Any]]], bool]
) -> Ended:
    """Start a load, break something when a part of it is done, and wait for its end."""
    settings = replica_set.settings()
    process = start(["pipeline", "run", "--source", source], settings, RUN_ID="broken")
    with MongoClient(settings.uri) as client:
        wait_for(lambda: begun(client[settings.database]))
        fault(replica_set, client)
        assert process.poll() is None, "the load had ended before anything was broken"
    return end(process)


def _a_tenth_is_there(database: Database[dict[str, Any]]) -> bool:
    return database["measurements"].estimated_document_count() > READINGS / 10


def _an_object_is_done(database: Database[dict[str, Any]]) -> bool:
    return database["loaded_objects"].count_documents({"run_id": "broken"}) > 0
