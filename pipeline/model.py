"""The nouns of a run: objects of the source, rows, counts and reports. Pure data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

Document = dict[str, Any]
"""A measurement as it stands in MongoDB; `timestamp` is a naive datetime in UTC."""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object of a source. `key` identifies it, `etag` its content, `modified` (naive UTC) orders it."""

    key: str
    etag: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that did not become a measurement. `position` counts the rows of its object from 1."""

    position: int
    reason: str
    detail: str
    row: Any


@dataclass(slots=True)
class Tally:
    """Counts of rows. Invariant: read = inserted + replaced + unchanged + duplicate + rejected.

    `taken_over` says of how many of the replaced another object's row had stood in the database before.
    """

    read: int = 0
    inserted: int = 0
    replaced: int = 0
    unchanged: int = 0
    duplicate: int = 0
    rejected: int = 0
    taken_over: int = 0

    def add(self, other: Tally) -> None:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    @property
    def balanced(self) -> bool:
        return self.read == self.inserted + self.replaced + self.unchanged + self.duplicate + self.rejected

    @property
    def written(self) -> int:
        """Documents that carry this run's id."""
        return self.inserted + self.replaced

    @property
    def documents(self) -> int:
        """Readings that stand in the database because of these rows, each counted once: those taken over
        from another object are in that one's count already."""
        return self.inserted + self.replaced + self.unchanged - self.taken_over

    def as_dict(self) -> dict[str, int]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tally:
        return cls(**{item.name: int(values.get(item.name, 0)) for item in fields(cls)})


@dataclass(slots=True)
class ObjectReport:
    """What became of one object: `loaded`, `skipped` (loaded before), `quarantined` or `ignored`."""

    key: str
    etag: str
    status: str
    tally: Tally = field(default_factory=Tally)
    blank: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    stations: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    error: str | None = None
    degraded: bool = False
    """A part was acknowledged by the primary alone, because no majority of members was there."""
    run_id: str = field(default="", compare=False)
    """The run that closed it, where it comes out of the run store."""

    def saw(self, first: datetime, last: datetime) -> None:
        """Widen the span of time that was seen."""
        self.first = min(first, self.first or first)
        self.last = max(last, self.last or last)

    def as_dict(self) -> Document:
        return {
            "key": self.key, "etag": self.etag, "status": self.status, **self.tally.as_dict(),
            "blank": self.blank, "dropped": dict(self.dropped), "reasons": dict(self.reasons),
            "stations": sorted(self.stations), "first": self.first, "last": self.last, "error": self.error,
            "degraded": self.degraded,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ObjectReport:
        return cls(
            key=values["key"], etag=values["etag"], status=values["status"], tally=Tally.from_dict(values),
            blank=values["blank"], dropped=Counter(values["dropped"]), reasons=Counter(values["reasons"]),
            stations=set(values["stations"]), first=values["first"], last=values["last"],
            error=values["error"], degraded=values["degraded"], run_id=values.get("run_id", ""),
        )  # fmt: skip
