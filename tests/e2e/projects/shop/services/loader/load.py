"""Loads the exchange rates that the services share."""

import json
import os
from pathlib import Path

from pymongo import MongoClient

rates = MongoClient(os.environ["MONGO_URI"])["shop"]["rates"]
for currency, rate in json.loads(Path("/app/rates.json").read_text()).items():
    rates.replace_one({"_id": currency}, {"rate": rate, "run_id": os.environ["RUN_ID"]}, upsert=True)
