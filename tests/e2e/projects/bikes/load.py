"""Loads the daily counts, and reports how many they were."""

import csv
import os
from datetime import UTC, datetime


def rows(path: str, run: str) -> list[dict]:
    with open(path) as file:
        return [
            {"_id": f"{row['day']} {row['place']}", "run_id": run, **row, "bikes": int(row["bikes"])}
            for row in csv.DictReader(file)
        ]


def main() -> None:
    from pymongo import MongoClient, ReplaceOne

    run, begun = os.environ["RUN_ID"], datetime.now(UTC)
    database = MongoClient(os.environ["MONGO_URI"])[os.environ["MONGO_DB"]]
    loaded = rows("counts.csv", run)
    database.counts.bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in loaded])
    database.runs.insert_one({"_id": run, "status": "succeeded", "started_at": begun, "loaded": len(loaded)})
    print(f"{len(loaded)} counts loaded")


if __name__ == "__main__":
    main()
