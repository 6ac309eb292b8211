"""Adds this hour's visitors; knows of no run and writes no report."""

import os
from datetime import UTC, datetime

from pymongo import MongoClient

now = datetime.now(UTC)
rooms = ("hall", "tower", "garden")
documents = [{"room": room, "at": now, "visitors": 7 * number} for number, room in enumerate(rooms, 1)]
MongoClient(os.environ["MONGO_URI"])["museum"]["visitors"].insert_many(documents)
