"""What must be true of a database after a load, computed from the source files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymongo import MongoClient

from pipeline.config import MongoSettings
from tests.pipeline.workshop import documents, read

Values = dict[str, dict[str, Any]]


def expected(folder: Path) -> Values:
    """The documents that the files of a folder stand for, without run and source."""
    found: Values = {}
    for path in sorted(folder.rglob("*.*")):
        for document in documents(read(path.relative_to(folder).as_posix(), path.read_bytes())):
            found[document["_id"]] = _values(document)
    return found


def stored(mongo: MongoSettings) -> Values:
    """The documents of the database, without run and source."""
    with MongoClient(mongo.uri) as client:
        return {item["_id"]: _values(item) for item in client[mongo.database]["measurements"].find()}


def _values(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("run_id", "source")}
