"""What the loads said of the data: the last runs, and objects that wait for a fix. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.model import Document, by_field


@dataclass(slots=True)
class Loads:
    """`last` is the newest entry of `load_runs`; counts are over the newest load of each object."""

    last: Document | None = None
    read: int = 0
    rejected: int = 0
    conflicts: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    @property
    def ended(self) -> datetime | None:
        return self.last.get("finished_at") if self.last else None


def loads_of(last: Document | None, objects: Iterable[Document]) -> Loads:
    """Sum up the entries of `loaded_objects`."""
    loads = Loads(last)
    for item in objects:
        if "unread" in item:
            loads.unread.append((item["_id"], str(item["unread"]["error"])))
        if item.get("status") == "quarantined":
            loads.quarantined.append((item["_id"], str(item["error"])))
        loads.read += item.get("read", 0)
        loads.rejected += item.get("rejected", 0)
        loads.conflicts += item.get("conflict", 0)
        loads.dropped += by_field(Counter(item.get("dropped", {})))
        loads.reasons += Counter(item.get("reasons", {}))
    return loads
