"""Documents of earlier versions become what this one writes. Each step finds only what is not yet done."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from pipeline.gateways.schema import HISTORY
from pipeline.model import Document

_NEW_NAMES = {"weather_underground": "precipitation_day_mm", "infoclimat": "precipitation_1h_mm"}
"""`precipitation_mm` was the rain since local midnight in one network, that of the last hour in the other."""
_COLLECTIONS = ("measurements", HISTORY)


def two_rains(database: Database[dict[str, Any]], *, dry_run: bool) -> Document:
    """Rename `precipitation_mm` by network; a document that has the new field already loses the old one."""
    renamed: dict[str, int] = {}
    for network, name in _NEW_NAMES.items():
        renamed[name] = 0
        for collection in _COLLECTIONS:
            found = database[collection]
            old = {"network": network, "precipitation_mm": {"$exists": True}}
            if dry_run:
                renamed[name] += found.count_documents(old)
                continue
            done = found.update_many(
                old | {name: {"$exists": False}}, {"$rename": {"precipitation_mm": name}}
            )
            again = found.update_many(old, {"$unset": {"precipitation_mm": ""}})
            renamed[name] += done.modified_count + again.modified_count
    others = {"network": {"$nin": list(_NEW_NAMES)}, "precipitation_mm": {"$exists": True}}
    left = database["measurements"].count_documents(others)
    return {"renamed": renamed, "left": left}
