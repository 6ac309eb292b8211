"""The nouns of a run: objects of the source, rows, counts and reports. Pure data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, TypeGuard

Document = dict[str, Any]
"""A measurement as it stands in MongoDB; `timestamp` is a naive datetime in UTC."""


_STATION_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def is_station_id(value: Any) -> TypeGuard[str]:
    """Letters, digits, `-` and `_`, at most 32: it becomes part of a document's key."""
    return isinstance(value, str) and _STATION_ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object of a source. `key` identifies it, `etag` its content, `modified` (naive UTC) orders it."""

    key: str
    etag: str
    size: int
    modified: datetime
    error: str = ""
    """Why it cannot be read, where the listing shows that already."""
    first_day: date | None = None
    """The first day of its rows, as the object beside it says whose key ends in `.first-day`."""
    suspect: bool = False
    """A run died while it was read: it is read alone, after the others."""

    @property
    def content_etag(self) -> str:
        """The etag of the object alone, without that of the first day beside it."""
        return self.etag.partition("+")[0]


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the documents of an object lie: of these stations, from `first` to `last`."""

    stations: frozenset[str]
    first: datetime
    last: datetime

    def overlaps(self, other: Extent) -> bool:
        near = self.first <= other.last and other.first <= self.last
        return near and not self.stations.isdisjoint(other.stations)

    def joined(self, other: Extent | None) -> Extent:
        """The extent of both."""
        if other is None:
            return self
        stations = self.stations | other.stations
        return Extent(stations, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier load left of an object: `own` documents of the version `etag`, within `extent`.

    `partial`: the load did not reach the object's end, so documents of older versions may be there as well.
    `lost`: a load of it died, so documents may be anywhere. `other_rules`: this version was read by
    other rules than today's. `rejected`: refused rows of it are stored.
    """

    etag: str = ""
    own: int = 0
    extent: Extent | None = None
    partial: bool = False
    lost: bool = False
    other_rules: bool = False
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a document of `measurements` comes from."""

    id: str
    station: str
    moment: datetime
    etag: str
    position: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that did not become a measurement. `position` counts the rows of its object from 1."""

    position: int
    reason: str
    detail: str
    row: Any


@dataclass(slots=True)
class Tally:
    """Counts of rows. Invariant: read = inserted + replaced + unchanged + duplicate + conflict + rejected.

    `conflict`: another row of the same object has the same station and time, and other values. `taken_over`:
    so many of the replaced were another object's rows before. `withdrawn` counts no rows: documents that an
    earlier version of the object had left and that are removed because this one no longer has them.
    """

    read: int = 0
    inserted: int = 0
    replaced: int = 0
    unchanged: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    taken_over: int = 0
    withdrawn: int = 0

    def add(self, other: Tally, times: int = 1) -> None:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + times * getattr(other, item.name))

    @property
    def balanced(self) -> bool:
        return self.read == self.own + self.duplicate + self.conflict + self.rejected

    @property
    def own(self) -> int:
        """Readings whose document is this object's row."""
        return self.inserted + self.replaced + self.unchanged

    @property
    def written(self) -> int:
        """Documents that carry this run's id."""
        return self.inserted + self.replaced

    @property
    def documents(self) -> int:
        """Readings that stand in the database because of these rows, each counted once: those taken over
        from another object are in that one's count already."""
        return self.own - self.taken_over

    def as_dict(self) -> dict[str, int]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tally:
        return cls(**{item.name: int(values.get(item.name, 0)) for item in fields(cls)})


@dataclass(slots=True)
class Columns:
    """What is to be said of the tables of an object: columns by name, and where days came from.

    `other_day`: rows whose own date is not the one in the object's name. `sheets`: those without a
    header, which are not read.
    """

    unknown: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    other_day: int = 0
    sheets: list[str] = field(default_factory=list)

    def as_dict(self) -> Document:
        return {
            "unknown_columns": sorted(self.unknown), "missing_columns": sorted(self.missing),
            "other_day": self.other_day, "skipped_sheets": self.sheets,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Columns:
        return cls(
            set(values.get("unknown_columns", ())), set(values.get("missing_columns", ())),
            values.get("other_day", 0), list(values.get("skipped_sheets", ())),
        )  # fmt: skip


@dataclass(slots=True)
class ObjectReport:
    """What became of one object.

    `loaded`; `empty` (it holds no row); `refused` (no row of it became a reading); `skipped` (read before);
    `quarantined` (its content is unusable from some point on); `unread` (left for the next run); `ignored`.
    """

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
    columns: Columns = field(default_factory=Columns)
    first_detail: str = ""
    """What was said of the first refused row."""
    described: int = 0
    """Stations that the object describes."""
    kept_rejections: int = 0
    """Refused rows that are stored: there is a limit for each object."""
    withdrawn: list[Extent] = field(default_factory=list, compare=False)
    """Where documents were withdrawn that another object may hold as well."""
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
            "degraded": self.degraded, "kept_rejections": self.kept_rejections, "described": self.described,
            "first_detail": self.first_detail, **self.columns.as_dict(),
        }  # fmt: skip

    @property
    def extent(self) -> Extent | None:
        if self.first is None or self.last is None:
            return None
        return Extent(frozenset(self.stations), self.first, self.last)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ObjectReport:
        return cls(
            key=values["key"], etag=values["etag"], status=values["status"], tally=Tally.from_dict(values),
            blank=values["blank"], dropped=Counter(values["dropped"]), reasons=Counter(values["reasons"]),
            stations=set(values["stations"]), first=values["first"], last=values["last"],
            error=values["error"], degraded=values["degraded"], run_id=values.get("run_id", ""),
            kept_rejections=values.get("kept_rejections", 0), described=values.get("described", 0),
            columns=Columns.from_dict(values), first_detail=values.get("first_detail", ""),
        )  # fmt: skip


def by_field(dropped: Counter[str]) -> Counter[str]:
    """How many values of each field were dropped, whatever the reason."""
    counts: Counter[str] = Counter()
    for name, count in dropped.items():
        counts[name.partition(":")[0]] += count
    return counts
