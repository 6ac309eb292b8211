"""What people read of a load: views, reports; and what is done to the database besides loading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from pipeline.config import MongoSettings
from tests.pipeline.mongod import Mongod, initiate
from tests.pipeline.process import Ended, etl, load
from tests.pipeline.workshop import csv, utc, wu_row

DAY, COPY = "station_ichtegem_BE_011024.csv", "copy/station_ichtegem_BE_011024.csv"


@pytest.fixture
def database(mongo: MongoSettings) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient(mongo.uri) as client:
        yield client[mongo.database]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A local day, a reading an hour, with rain that adds up since midnight."""
    rows = []
    for hour in range(24):
        row = wu_row(f"{hour:02}:04:00", temp=f"{50 + hour} °F", solar=f"{10 * hour} w/m²")
        rows.append(row | {"Precip. Accum.": f"{hour / 100:.2f} in"})
    (tmp_path / DAY).write_bytes(csv(*rows))
    return tmp_path


def report(mongo: MongoSettings, *arguments: str) -> Ended:
    return etl(mongo, "report", *arguments, "--output", "json")


def test_readings_come_with_their_station_in_one_view(
    mongo: MongoSettings, database: Database[dict[str, Any]], folder: Path
) -> None:
    """`weather_data`: name, town, height and a GeoJSON point stand in each document."""
    assert load(mongo, folder).code == 0
    (found,) = database["weather_data"].find({"_id": "IICHTE19@2024-09-30T22:04:00Z"})
    assert (found["station_name"], found["city"], found["elevation_m"]) == ("WeerstationBS", "Ichtegem", 15)
    assert found["location"] == {"type": "Point", "coordinates": [2.999, 51.092]}
    assert found["temperature_c"] == 10.0
    assert "source" not in found


def test_days_are_summed_up_in_one_view(
    mongo: MongoSettings, database: Database[dict[str, Any]], folder: Path
) -> None:
    """`daily`: a day of the station's own zone, its extremes, rain, sun, and how complete it is."""
    load(mongo, folder)
    database["measurements"].insert_many(
        {"station_id": "07015", "timestamp": utc(f"2024-10-01T{hour:02}:00:00"), "precipitation_1h_mm": 0.5}
        for hour in range(1, 24)
    )
    database["stations"].insert_one({"_id": "07015", "name": "Lesquin", "cadence_minutes": 60})
    (garden,) = database["daily"].find({"station_id": "IICHTE19"})
    assert garden["day"] == utc("2024-09-30T22:00:00")
    assert (garden["readings"], garden["temperature_c_min"], garden["temperature_c_max"]) == (24, 10.0, 22.78)
    assert garden["precipitation_mm"] == pytest.approx(0.23 * 25.4)
    assert garden["solar_w_m2_max"] == 230
    assert garden["completeness"] == pytest.approx(24 / 288)
    (airport,) = database["daily"].find({"station_id": "07015"})
    assert (airport["precipitation_mm"], airport["completeness"]) == (11.5, pytest.approx(23 / 24))


def test_an_object_is_forgotten_and_its_copy_takes_its_place(
    mongo: MongoSettings, database: Database[dict[str, Any]], folder: Path
) -> None:
    """All its readings leave, into the history; the next run reads the object that has them as well."""
    (folder / "copy").mkdir()
    (folder / COPY).write_bytes((folder / DAY).read_bytes())
    load(mongo, folder)
    owner = database["measurements"].find_one({}, {"source.object": 1})
    assert owner is not None
    key = owner["source"]["object"]
    (folder / key).unlink()
    gone = etl(mongo, "forget", key, "--source", folder)
    assert (gone.code, gone.report["withdrawn"]) == (0, 24)
    assert gone.report["read_again"] == [{DAY: COPY, COPY: DAY}[key]]
    assert database["measurements"].count_documents({}) == 0
    assert database["measurements_history"].count_documents({"withdrawn_by": gone.report["run_id"]}) == 24
    again = load(mongo, folder)
    assert (again.report["totals"]["inserted"], again.report["missing"]["objects"]) == (24, 0)
    assert etl(mongo, "forget", "nothing.csv", "--source", folder).code == 3


def test_a_withdrawn_reading_is_kept_for_as_long_as_is_said(
    mongo: MongoSettings, database: Database[dict[str, Any]], folder: Path
) -> None:
    """The history names the reading and the run, and when MongoDB removes it; with 0 nothing is kept."""
    load(mongo, folder)
    lines = (folder / DAY).read_text().splitlines()
    (folder / DAY).write_text("\n".join(lines[:-1]) + "\n")
    assert load(mongo, folder, "--keep-history", "7d").report["totals"]["withdrawn"] == 1
    (kept,) = database["measurements_history"].find()
    assert kept["reading"] == "IICHTE19@2024-10-01T21:04:00Z"
    assert (kept["expires_at"] - kept["withdrawn_at"]).days == 7
    (folder / DAY).write_text("\n".join(lines[:-2]) + "\n")
    assert load(mongo, folder, "--keep-history", "0").report["totals"]["withdrawn"] == 1
    assert database["measurements_history"].count_documents({}) == 1
    assert load(mongo, folder, "--keep-history", "soon").code == 2


def test_a_migration_is_counted_first_and_does_no_harm_twice(
    mongo: MongoSettings, database: Database[dict[str, Any]]
) -> None:
    """The rain of earlier versions becomes one of two fields by network; indexes and views are made."""
    database["measurements"].insert_many(
        [
            {"_id": "a", "network": "weather_underground", "precipitation_mm": 1.5},
            {"_id": "b", "network": "infoclimat", "precipitation_mm": 0.2},
            {"_id": "c", "network": "infoclimat", "precipitation_mm": 9.9, "precipitation_1h_mm": 0.4},
        ]
    )
    dry = etl(mongo, "migrate", "--dry-run").report
    assert dry["renamed"] == {"precipitation_day_mm": 1, "precipitation_1h_mm": 2}
    assert database["measurements"].count_documents({"precipitation_mm": {"$exists": True}}) == 3
    assert etl(mongo, "migrate").report["renamed"] == dry["renamed"]
    documents = {item.pop("_id"): item for item in database["measurements"].find({}, {"network": 0})}
    assert documents == {
        "a": {"precipitation_day_mm": 1.5},
        "b": {"precipitation_1h_mm": 0.2},
        "c": {"precipitation_1h_mm": 0.4},
    }
    again = etl(mongo, "migrate").report
    assert (again["renamed"], again["indexes"], again["views"]) == (
        {"precipitation_day_mm": 0, "precipitation_1h_mm": 0},
        [],
        [],
    )


def test_access_times_are_held_to_limits(mongo: MongoSettings, sample: Path) -> None:
    """Five ways of reading, each by an index; without a document there is nothing to measure."""
    assert report(mongo, "performance").code == 3
    load(mongo, sample)
    ended = report(mongo, "performance")
    assert ended.code == 0
    taken = ended.report["accesses"]
    assert len(taken) == 5
    assert all(item["documents"] and item["met"] for item in taken)
    assert "COLLSCAN" not in {item["plan"] for item in taken}


def test_replication_is_measured_on_each_secondary(tmp_path: Path) -> None:
    """A write is seen on the secondary and leaves nothing behind; without a primary the stage is named."""
    members = [Mongod(tmp_path / "one"), Mongod(tmp_path / "two")]
    try:
        for member in members:
            member.start()
        initiate(members)
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in members)
        settings = MongoSettings(f"mongodb://{hosts}/?replicaSet=rs0", "replicated")
        ended = report(settings, "replication")
        (primary, secondary) = ended.report["members"]
        assert (ended.code, primary["state"], secondary["met"]) == (0, "primary", True)
        assert secondary["seen_ms"] > 0
        with MongoClient(settings.uri) as client:
            assert client["replicated"]["replication_probes"].count_documents({}) == 0
        members[1].kill()
        ended = report(settings, "replication")
        assert (ended.code, "replica-set failed" in ended.err) == (4, True)
    finally:
        for member in members:
            member.stop()


def test_a_set_of_one_member_is_said_to_replicate_nothing(mongo: MongoSettings) -> None:
    """Not good, and why."""
    ended = report(mongo, "replication")
    assert ended.code == 1
    assert json.loads(ended.out)["problem"] == "the set has one member: nothing is replicated"


def test_a_collection_with_the_name_of_a_view_is_left_alone(
    mongo: MongoSettings, database: Database[dict[str, Any]], folder: Path
) -> None:
    """Data of somebody's own: the load goes on, and the migration names it."""
    database["weather_data"].insert_one({"_id": "mine"})
    assert load(mongo, folder).code == 0
    assert database["weather_data"].count_documents({}) == 1
    assert etl(mongo, "migrate", "--dry-run").report["views"] == ["weather_data (a collection has this name)"]
