"""The amateur stations that `stations.toml` knows, found by the name of an object."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import ConfigurationError

_DAY = re.compile(r"(?<!\d)(?:(\d{2})(\d{2})(\d{2})|(\d{4})-(\d{2})-(\d{2}))(?!\d)")
_SUFFIX = re.compile(r"\.(xlsx|csv|jsonl|ndjson|json)(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Station:
    """An amateur station: where it is, which files are its own, in which zone it tells the time."""

    id: str
    network: str
    files: tuple[str, ...]
    zone: ZoneInfo
    about: dict[str, Any]

    def as_document(self) -> dict[str, Any]:
        return {"_id": self.id, "network": self.network, "timezone": self.zone.key, **self.about}


@dataclass(frozen=True, slots=True)
class Catalog:
    """All known stations, in the order of the file: the first pattern that matches wins."""

    stations: tuple[Station, ...]

    def find(self, key: str) -> tuple[Station, date | None] | None:
        """The station of an object, and the local day in its name where there is one."""
        for part in reversed(list(_parts(key))):
            for station in self.stations:
                for pattern in station.files:
                    if fnmatchcase(part.lower(), pattern.lower()):
                        return station, day_in(part[len(pattern.split("*")[0]) :])
        return None


def _parts(key: str) -> Iterator[str]:
    for part in re.split(r"[/\\]", key):
        yield _SUFFIX.sub("", part)


def day_in(text: str) -> date | None:
    """The day that a name carries, DDMMYY (20YY) or YYYY-MM-DD.

    None if it carries none or an impossible one.
    """
    found = _DAY.search(text)
    if not found:
        return None
    day, month, short_year, year, iso_month, iso_day = found.groups()
    try:
        return (
            date(int(year), int(iso_month), int(iso_day))
            if year
            else date(2000 + int(short_year), int(month), int(day))
        )
    except ValueError:
        return None


def load_catalog(path: Path | None = None) -> Catalog:
    """Read the catalogue that ships with the package, or another one.

    Raises ConfigurationError naming the file and the station when an entry is not usable.
    """
    where = str(path or "pipeline/stations.toml")
    try:
        text = (
            path.read_text("utf-8")
            if path
            else resources.files("pipeline").joinpath("stations.toml").read_text("utf-8")
        )
        entries = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{where}: {error}", "Give a TOML file with one table a station.") from error
    return Catalog(tuple(_station(where, name, entry) for name, entry in entries.items()))


def _station(where: str, name: str, entry: Any) -> Station:
    try:
        about = dict(entry)
        return Station(
            id=name,
            network=about.pop("network"),
            files=tuple(about.pop("files")),
            zone=ZoneInfo(about.pop("timezone")),
            about=about,
        )
    except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigurationError(
            f"{where}: station {name}: {error}", "It needs network, files and a valid timezone."
        ) from error
