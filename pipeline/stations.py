"""The stations that `stations.toml` knows, found by the names of objects."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline import names
from pipeline.dates import Order, Span, cell_days
from pipeline.fields import FIELDS
from pipeline.model import is_station_id
from pipeline.networks import Network, Networks, load_networks
from pipeline.strict_toml import Table, tables_of

METRIC, IMPERIAL = "metric", "imperial"
_ABOUT = ("name", "city", "country", "latitude", "longitude", "elevation_m", "cadence_minutes", "license",
          "source", "url")  # fmt: skip
_RANGES = {
    "latitude": (-90, 90), "longitude": (-180, 180), "elevation_m": (-500, 9000),
    "cadence_minutes": (0.1, 1440),
}  # fmt: skip
_KEYS = (*_ABOUT, "network", "files", "timezone", "units", "date-order", "first-day", "without")


@dataclass(frozen=True, slots=True)
class Station:
    """A station: which files are its own, in which zone it tells the time, what its bare numbers mean.

    `first_days`: (pattern of a key, first day) for objects that tell no day at all.
    """

    id: str
    network: Network
    files: tuple[str, ...]
    zone: ZoneInfo
    about: dict[str, Any]
    metric: bool = False
    order: Order | None = None
    first_days: tuple[tuple[str, date], ...] = ()
    without: frozenset[str] = frozenset()

    def as_document(self) -> dict[str, Any]:
        zone = self.zone.key
        return {"_id": self.id, "network": self.network.stored_as, "timezone": zone, **self.about}

    def first_day(self, key: str) -> date | None:
        """The configured first day of an object that tells none."""
        name = key.rpartition("/")[2]
        for pattern, day in self.first_days:
            if any(fnmatchcase(text.lower(), pattern.lower()) for text in (key, name)):
                return day
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """The station of an object, and the days that its name or the configuration tells."""

    station: Station
    span: Span | None


@dataclass(frozen=True)
class Catalog:
    """All known stations and networks; `digest` tells configurations apart."""

    stations: tuple[Station, ...]
    networks: Networks
    digest: str = field(default="", compare=False)

    def find(self, key: str, first_day: date | None = None) -> Found | None:
        """The station of an object: by its id or by a pattern, in the name first, then in its folders.

        `first_day` is of rows that tell no day, where the key tells none.
        """
        parts = names.parts_of(key)
        for index in reversed(range(len(parts))):
            matched = self._match(names.Part.of(parts[index]))
            if matched is None:
                continue
            station, rest = matched
            if index < len(parts) - 1 and names.names_a_station(parts[-1], self._beginnings):
                return None
            span = names.span_of(parts, index, rest, station.order)
            if span is None and (day := first_day or station.first_day(key)):
                span = Span(day, None)
            return Found(station, span)
        return None

    def resembles(self, name: str) -> bool:
        """Whether a name begins like a station's, or has its id in it, whatever else stands there."""
        part = names.Part.of(name)
        literals = (pattern.removesuffix("*") for station in self.stations for pattern in station.files)
        begins = any(part.plain.startswith(names.plain(text), part.front) for text in literals)
        return begins or not self._by_id.keys().isdisjoint(part.ids())

    def by_id(self, station_id: str) -> Station | None:
        return self._by_id.get(station_id.lower())

    def _match(self, part: names.Part) -> tuple[Station, str] | None:
        """The station that a part names, and what stands beside its name; none where it names two."""
        named = [self._by_id[word] for word in part.ids() if word in self._by_id]
        if named:
            return (named[0], re.sub(named[0].id, " ", part.text, flags=re.I)) if len(named) == 1 else None
        for station in self.stations:
            for pattern in station.files:
                if (rest := part.rest_after(pattern)) is not None:
                    return station, rest
        return None

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        return tuple(
            {names.plain(pattern).split("_")[0] for known in self.stations for pattern in known.files}
        )

    @cached_property
    def _by_id(self) -> dict[str, Station]:
        return {station.id.lower(): station for station in self.stations}


def load_catalog(
    stations: str | None = None,
    networks: str | None = None,
    where: str = "pipeline/stations.toml",
    networks_where: str = "networks.toml",
) -> Catalog:
    """The catalog that ships with the package, or the one of these texts of TOML.

    Raises ConfigurationError naming the file, the line and the key that is not usable.
    """
    known = load_networks(networks, networks_where)
    own = resources.files("pipeline").joinpath("stations.toml").read_text("utf-8")
    tables = tables_of(where, own if stations is None else stations)
    found = [_station(table, known) for table in tables]
    _refuse_overlaps(tables, found)
    return Catalog(tuple(found), known, _digest(own if stations is None else stations, known.text))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _station(table: Table, networks: Networks) -> Station:
    name = table.path[0]
    if not is_station_id(name):
        table.refuse("id", "must be letters, digits, `-` and `_`, at most 32")
    table.allow(_KEYS)
    network = networks.by_name[table.choice_of("network", networks.by_name, "")]
    order = table.choice_of("date-order", [*Order, ""], "")
    return Station(
        id=name,
        network=network,
        files=_files(table),
        zone=_zone(table, network),
        about=_about(table),
        metric=table.choice_of("units", (METRIC, IMPERIAL), IMPERIAL) == METRIC,
        order=Order(order) if order else network.order,
        first_days=tuple(_first_days(table)),
        without=_without(table),
    )


def _files(table: Table) -> tuple[str, ...]:
    patterns = table.texts_of("files")
    for pattern in patterns:
        if "*" in pattern[:-1] or any(letter in pattern for letter in "?[]/\\"):
            table.refuse("files", f"has {pattern!r}: a `*` may stand at the end, and no other wildcard")
        if sum(letter.isalnum() for letter in pattern) < 4 or not pattern[-2:-1].isalnum():
            table.refuse("files", f"has {pattern!r}, which could match the files of other stations",
                         "Write the whole name of the station before the `*`.")  # fmt: skip
    return patterns


def _refuse_overlaps(tables: Sequence[Table], stations: Sequence[Station]) -> None:
    """Raises ConfigurationError for a pattern that matches the name of another station."""
    named = [
        (station, text, names.Part.of(text.removesuffix("*")))
        for station in stations
        for text in (station.id, *station.files)
    ]
    for table, station in zip(tables, stations, strict=True):
        for pattern in station.files:
            for other, text, part in named:
                if other is not station and part.rest_after(pattern) is not None:
                    table.refuse("files", f"has {pattern!r}, which matches files of {other.id} ({text})",
                                 "Give each station a name of its own.")  # fmt: skip


def _zone(table: Table, network: Network) -> ZoneInfo:
    if network.zone is not None and "timezone" not in table.values:
        return network.zone
    name = table.text_of("timezone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        table.refuse("timezone", f"is {name!r}, which is no time zone", "Write a name like Europe/Paris.")


def _about(table: Table) -> dict[str, Any]:
    about: dict[str, Any] = {}
    for key in _ABOUT:
        if key in table.values:
            limits = _RANGES.get(key)
            about[key] = table.number_of(key, *limits) if limits else table.text_of(key)
    return about


def _without(table: Table) -> frozenset[str]:
    fields = table.texts_of("without")
    for name in fields:
        if name not in FIELDS:
            table.refuse("without", f"names the unknown field {name!r}", f"Fields are {', '.join(FIELDS)}.")
    return frozenset(fields)


def _first_days(table: Table) -> Iterable[tuple[str, date]]:
    value = table.values.get("first-day")
    if value is None:
        return
    entries = value.items() if isinstance(value, dict) else [("*", value)]
    for pattern, day in entries:
        days = cell_days(day)
        if len(days) != 1 or isinstance(day, int | float):
            table.refuse("first-day", f"is {day!r}", "Write a date as YYYY-MM-DD.")
        yield pattern, days[0]
