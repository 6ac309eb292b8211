"""An object of which runs die: the real command, killed while it reads."""

from __future__ import annotations

from pathlib import Path

from pymongo import MongoClient

from bench.pipeline.data import write_one
from pipeline.config import MongoSettings
from tests.pipeline.process import load, start, wait_for
from tests.pipeline.workshop import csv, wu_row

DEADLY = "a/station_la_madelaine_FR.jsonl"
GOOD = "b/station_ichtegem_BE_011024.csv"


def test_the_third_run_leaves_an_object_alone_that_two_runs_died_of(
    mongo: MongoSettings, tmp_path: Path
) -> None:
    """Killed twice while it is read: the second run has loaded the others before, the third names it."""
    folder = tmp_path / "in"
    write_one(folder / DEADLY, 150_000)
    (folder / "b").mkdir()
    (folder / GOOD).write_bytes(csv(wu_row()))
    with MongoClient(mongo.uri) as client:
        objects = client[mongo.database]["loaded_objects"]
        for deaths in (1, 2):
            run = start(["pipeline", "run", "--source", folder], mongo)
            open_ = {"_id": DEADLY, f"opened.{deaths - 1}": {"$exists": True}}
            wait_for(lambda wanted=open_: objects.find_one(wanted) is not None)  # type: ignore[misc]
            run.kill()
            run.communicate()
        assert objects.count_documents({"_id": GOOD, "status": "loaded"}) == 1
    third = load(mongo, folder)
    assert third.code == 3
    assert third.report["object_counts"] == {"skipped": 1, "quarantined": 1}
    assert f"{DEADLY}: deadly: 2 runs died while it was being read" in third.err
