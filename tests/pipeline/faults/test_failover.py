"""The primary goes away in the middle of a load: the run ends well, nothing is lost, nothing is twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from pipeline.config import MongoSettings
from pipeline.model import Tally
from tests.pipeline.faults.conftest import READINGS, ReplicaSet
from tests.pipeline.oracle import expected, stored
from tests.pipeline.process import Ended, end, start

Break = Callable[[ReplicaSet, MongoClient[dict[str, Any]]], None]


def kill_primary(replica_set: ReplicaSet, client: MongoClient[dict[str, Any]]) -> None:
    assert client.primary
    replica_set.on_port(client.primary[1]).kill()


def step_down(replica_set: ReplicaSet, client: MongoClient[dict[str, Any]]) -> None:
    client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)


@pytest.mark.parametrize("fault", [kill_primary, step_down])
def test_a_load_outlives_its_primary(replica_set: ReplicaSet, much: Path, fault: Break) -> None:
    """SIGKILL, and a step-down, while readings arrive: exit 0 and exactly the documents of the files."""
    ended = _load_with(replica_set, much, fault)
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


def _load_with(replica_set: ReplicaSet, source: Path, fault: Break) -> Ended:
    """Start a load, break something when a part of it has arrived, and wait for its end."""
    settings = replica_set.settings()
    process = start(["pipeline", "run", "--source", source], settings, RUN_ID="broken")
    with MongoClient(settings.uri) as client:
        _wait_for_a_part(client, settings)
        fault(replica_set, client)
        assert process.poll() is None, "the load had ended before anything was broken"
    return end(process)


def _wait_for_a_part(client: MongoClient[dict[str, Any]], settings: MongoSettings) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if client[settings.database]["measurements"].estimated_document_count() > READINGS / 10:
                return
        except PyMongoError:
            pass
        time.sleep(0.01)
    raise AssertionError("no reading arrived within a minute")
