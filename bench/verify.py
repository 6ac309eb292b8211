"""How long the shipped contract takes on many documents: `make bench-verify`, or with `ARGS=DOCUMENTS`.

Starts a mongod of its own, fills `measurements` as the job would, in six stations, with the job's indexes,
and verifies it with every check of deploy.toml's production environment.
"""

import datetime
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymongo import WriteConcern
from pymongo.database import Database

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.config import load
from deployer.sandbox import SandboxFacts
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

ROOT = Path(__file__).parents[1]
CADENCES = {"07015": 60, "00052": 10, "000R5": 10, "STATIC0010": 10, "IICHTE19": 5, "ILAMAD25": 5}
BATCH = 20_000


def main(wanted: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as mongod,
        mongod.client("loader") as client,
    ):
        database = client[DATABASE]
        begun = time.perf_counter()
        number = fill(database, wanted)
        print(f"{number:,} documents in {time.perf_counter() - begun:.0f} s")
        show("r1 wrote them all", mongod, "r1")
        month = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
        written = (
            database["measurements"]
            .update_many({"timestamp": {"$gt": month}}, {"$set": {"run_id": "r2"}})
            .modified_count
        )
        first = database["load_runs"].find_one({"_id": "r1"}) or {}
        counts = {**first["totals"], "read": written, "inserted": written}
        database["load_runs"].insert_one({**first, "_id": "r2", "totals": counts, "written": written})
        show(f"r2 wrote {written:,} of them", mongod, "r2")


def show(name: str, mongod: Mongod, run_id: str) -> None:
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database:
        context = VerifyContext(run_id, "load_runs", {}, time.time(), env="production", occasion="later")
        begun, worked = time.perf_counter(), mongod.cpu_seconds()
        verification = verify(contract(), database, context)
        seconds, worked = time.perf_counter() - begun, mongod.cpu_seconds() - worked
    verdict = "ok" if verification.ok else f"NOT OK {verification.problem}"
    print(
        f"{name}: {seconds:.1f} s, in which mongod worked {worked:.1f} s on {os.cpu_count()} cores: {verdict}"
    )
    for result in sorted(verification.checks, key=lambda result: -result.seconds):
        print(f"  {result.seconds:7.2f} s  {'ok ' if result.ok else 'BAD'} {result.name}: {result.found}")


def contract() -> Any:
    variables = {"MONGO_URI": "mongodb+srv://cluster.example.net", "MONGO_URI_SECRET_ARN": "arn"}
    table = load.read(ROOT / load.FILE)
    return load.load(table, "production", {**SandboxFacts.stand_ins(), **variables}, ROOT).verify.checks


def fill(database: Database[dict[str, Any]], wanted: int) -> int:
    """About `wanted` documents: every station at its cadence, over as many days back as that takes."""
    readings_a_day = sum(24 * 60 // cadence for cadence in CADENCES.values())
    end = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
    start = end - datetime.timedelta(days=wanted / readings_a_day)
    measurements = database.get_collection("measurements", write_concern=WriteConcern(1))
    measurements.create_index([("station_id", 1), ("timestamp", 1)])
    measurements.create_index([("run_id", 1)])
    number, batch = 0, []
    for document in readings(start, end):
        batch.append(document)
        if len(batch) == BATCH:
            measurements.insert_many(batch, ordered=False)
            number, batch = number + len(batch), []
    measurements.insert_many(batch, ordered=False)
    number += len(batch)
    database["stations"].insert_many({"_id": station} for station in CADENCES)
    database.create_collection("rejected_records")
    report(database, number, start, end)
    return number


def readings(start: datetime.datetime, end: datetime.datetime) -> Iterator[dict[str, Any]]:
    for station, cadence in CADENCES.items():
        moment = start.replace(minute=0, second=0, microsecond=0)
        while moment <= end:
            yield {
                "_id": f"{station}@{moment:%Y-%m-%dT%H:%M:%SZ}",
                "station_id": station,
                "timestamp": moment,
                "network": "infoclimat" if cadence > 5 else "weather_underground",
                "temperature_c": 7.6,
                "dew_point_c": 5.9,
                "humidity_pct": 89.0,
                "wind_speed_kmh": 3.6,
                "wind_gust_kmh": 7.2,
                "wind_direction_deg": 90.0,
                "pressure_hpa": 1020.7,
                "precipitation_day_mm": 0.0,
                "run_id": "r1",
                "source": {"object": f"{station}.json", "etag": "20bc3-18eb17d24c48590c", "position": 1},
            }
            moment += datetime.timedelta(minutes=cadence)


def report(
    database: Database[dict[str, Any]], number: int, start: datetime.datetime, end: datetime.datetime
) -> None:
    counts = {
        "read": number,
        "inserted": number,
        "replaced": 0,
        "unchanged": 0,
        "duplicate": 0,
        "rejected": 0,
    }
    database["load_runs"].insert_one(
        {
            "_id": "r1",
            "status": "succeeded",
            "started_at": end,
            "totals": counts,
            "written": number,
            "documents": number,
            "stations": list(CADENCES),
            "first_timestamp": start.replace(minute=0, second=0, microsecond=0),
            "last_timestamp": end,
        }
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
