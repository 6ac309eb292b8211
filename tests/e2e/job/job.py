"""Loads ROWS documents of this run and reports how many they were."""

import os
import time
from datetime import UTC, datetime

from pymongo import MongoClient

ROWS = int(os.environ.get("ROWS", "50"))
REPORTED = int(os.environ.get("REPORTED", str(ROWS)))
SECONDS = float(os.environ.get("SECONDS", "0"))

run = os.environ["RUN_ID"]
print(f"run {run} begins", flush=True)
database = MongoClient(os.environ["MONGO_URI"], serverSelectionTimeoutMS=5000)["greenandcoop_weather"]
end = time.monotonic() + SECONDS
for second in range(int(SECONDS)):
    print(f"working, second {second}", flush=True)
    time.sleep(1)
rows = [{"_id": f"{run}-{number}", "run": run, "value": number} for number in range(ROWS)]
for row in rows:
    database["rows"].replace_one({"_id": row["_id"]}, row, upsert=True)
database["runs"].replace_one(
    {"_id": run},
    {"status": "succeeded", "started_at": datetime.now(UTC), "written": REPORTED},
    upsert=True,
)
print(f"run {run}: {REPORTED} rows written", flush=True)
