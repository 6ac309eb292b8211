"""Writes the documents of stdin, JSON lines, into DATABASE COLLECTION."""

import json
import os
import sys

from pymongo import MongoClient, ReplaceOne

documents = map(json.loads, sys.stdin)
collection = MongoClient(os.environ["MONGO_URI"])[sys.argv[1]][sys.argv[2]]
collection.bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in documents])
