"""The indexes of the collections, and the views for those who read the data."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database

from pipeline.gateways.mongo import translated
from pipeline.gateways.views import VIEWS

_A_COLLECTION = "a collection"
HISTORY = "measurements_history"
Keys = tuple[tuple[str, int], ...]

INDEXES: dict[str, tuple[Keys, ...]] = {
    "measurements": (
        (("station_id", ASCENDING), ("timestamp", ASCENDING)),
        (("timestamp", ASCENDING),),
        (("run_id", ASCENDING),),
    ),
    "load_runs": ((("started_at", DESCENDING),),),
    "rejected_records": ((("object", ASCENDING),), (("run_id", ASCENDING),)),
    HISTORY: ((("withdrawn_by", ASCENDING),),),
}
"""Besides `_id` of each collection, which for measurements already orders by station and time."""


def create_indexes(database: Database[dict[str, Any]]) -> None:
    with translated():
        for collection, indexes in INDEXES.items():
            models = [IndexModel(list(keys)) for keys in indexes]
            if collection == HISTORY:
                models.append(IndexModel("expires_at", expireAfterSeconds=0))
            database[collection].create_indexes(models)


def missing_indexes(database: Database[dict[str, Any]]) -> list[str]:
    """Indexes that the pipeline makes and that are not there."""
    missing = []
    for collection, indexes in INDEXES.items():
        there = [tuple(facts["key"]) for facts in database[collection].index_information().values()]
        missing += [
            f"{collection}({', '.join(name for name, _ in keys)})" for keys in indexes if keys not in there
        ]
    return missing


def create_views(database: Database[dict[str, Any]]) -> None:
    """Make the views, or change them where an earlier version made them.

    A collection of that name is somebody's own, and stays.
    """
    with translated():
        there = _pipelines(database)
        for name, (collection, pipeline) in VIEWS.items():
            if name not in there:
                database.create_collection(name, viewOn=collection, pipeline=pipeline)
            elif there[name] not in (pipeline, _A_COLLECTION):
                database.command("collMod", name, viewOn=collection, pipeline=pipeline)


def missing_views(database: Database[dict[str, Any]]) -> list[str]:
    """Views that are not there, or of an earlier version; a collection may have the name of one."""
    there = _pipelines(database)
    return [
        f"{name} (a collection has this name)" if there.get(name) == _A_COLLECTION else name
        for name, (_, pipeline) in VIEWS.items()
        if there.get(name) != pipeline
    ]


def _pipelines(database: Database[dict[str, Any]]) -> dict[str, Any]:
    found = database.list_collections(filter={"name": {"$in": list(VIEWS)}})
    return {item["name"]: item["options"].get("pipeline", _A_COLLECTION) for item in found}
