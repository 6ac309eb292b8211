"""Rows of a source to measurements. Pure: no file, no network, no clock.

Rules for a row:
- only empty cells: not a reading; counted as `blank`, outside the accounting;
- a date or time that cannot be known, or that lies more than a day ahead of the run: refused;
- no usable value in any field: refused;
- one unusable value: the field is absent and counted, the rest of the row stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeGuard

from pipeline.fields import Conversion, Field, column_name, infoclimat_fields, weather_underground_fields
from pipeline.localtime import DayClock, NonexistentTime, local_moment, time_of_day, utc_moment
from pipeline.measurement import Origin, Row, Series, element
from pipeline.model import Document, ObjectRef, Rejection
from pipeline.stations import Station

_EMPTY = (None, "")
Encoding = Conversion[bytes]
"""Raw value -> the field as an element of a document, empty where there is no value."""
_STATION_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of a row are.

    The key (or index) of its time, and (key, conversion) of the others in the order of the document.
    """

    time: Any
    columns: tuple[tuple[Any, Encoding], ...]


class Converter:
    """The conversions of one process: what it learned about one object's values serves the next."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.times: dict[Any, timedelta] = {}
        self._networks = {
            "weather_underground": self._conversions(weather_underground_fields()),
            "infoclimat": self._conversions(infoclimat_fields()),
        }

    def layout(self, network: str, keys: Sequence[Any], time_column: str) -> Layout | None:
        """The layout of rows with these column headers; None when there is no time among them.

        Columns are addressed by header in mappings and by index in sequences: see `by_index`.
        """
        known = self._networks[network]
        names: dict[str, Any] = {}
        for key in keys:
            names.setdefault(column_name(key), key)
        if time_column not in names:
            return None
        columns = tuple((names[name], conversion) for name, conversion in known.items() if name in names)
        return Layout(names[time_column], columns)

    def time_of_day(self, value: Any) -> timedelta | None:
        """`localtime.time_of_day`, remembered; raises TypeError for a value that is no cell."""
        known = self.times.get(value)
        if known is None and (known := time_of_day(value)) is not None and len(self.times) < 100_000:
            self.times[value] = known
        return known

    def take_dropped(self) -> Counter[str]:
        taken = Counter(self.dropped)
        self.dropped.clear()
        return taken

    def _conversions(self, fields: dict[str, Field]) -> dict[str, Encoding]:
        return {
            column: Conversion(item, self.dropped, partial(_element, item.name))
            for column, item in fields.items()
        }


def _element(name: str, value: float | int | None) -> bytes:
    return b"" if value is None else element(name, value)


def by_index(layout: Layout, headers: Sequence[Any]) -> Layout:
    """The same layout for rows that are sequences in the order of `headers`."""
    columns = tuple((headers.index(key), conversion) for key, conversion in layout.columns)
    return Layout(headers.index(layout.time), columns)


@dataclass(slots=True)
class ObjectContext:
    """What the rows of one object share, and what is learned while they are read."""

    ref: ObjectRef
    run_id: str
    not_after: datetime
    converter: Converter
    blank: int = 0
    stations: dict[str, Document] = field(default_factory=dict)
    origin: Origin = field(init=False)

    def __post_init__(self) -> None:
        self.origin = Origin(self.run_id, self.ref)

    def finish(self, series: Series, moment: datetime, fields: bytes, position: int, row: Any) -> Row:
        """The measurement, unless it holds no value or lies ahead."""
        if not fields:
            return Rejection(position, "no_values", "no field of this row holds a usable value", row)
        if moment > self.not_after:
            return Rejection(position, "in_the_future", f"{moment} is ahead of this run", row)
        return series.at(moment, fields, position)


class WeatherUndergroundRows:
    """Rows of one amateur station; the day comes from the object's or sheet's name, or stands in the row."""

    def __init__(self, context: ObjectContext, station: Station, day: date | None) -> None:
        self._context = context
        self._station = station
        self._dated: tuple[str, DayClock | None] = ("", None)
        self._dated_start = ""
        self._dated_midnight: datetime | None = None
        self._clock = DayClock(day, station.zone) if day else None
        self._midnight = self._clock.constant_midnight if self._clock else None
        self._times = context.converter.times
        self._series = Series(station.id, station.network, context.origin)
        context.stations[station.id] = station.as_document()

    def read(self, position: int, row: Any, layout: Layout) -> Row | None:
        """One row, addressed as the layout says; None for a blank one. Millions a minute go through here."""
        try:
            value = row[layout.time]
            moment = self._known_moment(value) or self._moment(value)
            if isinstance(moment, str):
                return self._refuse(position, moment, row, layout)
            fields = b"".join([conversion[row[key]] for key, conversion in layout.columns])
        except NonexistentTime as error:
            return Rejection(position, "nonexistent_local_time", str(error), row)
        except (TypeError, OverflowError) as error:
            return Rejection(position, "malformed", f"a cell holds no plain value: {error}", row)
        return self._context.finish(self._series, moment, fields, position, row)

    def _known_moment(self, value: Any) -> datetime | None:
        """The instant of a time that was met before, on a day on which no clock changes: most of them."""
        elapsed = self._times.get(value)
        if elapsed is not None:
            return self._midnight + elapsed if self._midnight is not None else None
        midnight = self._dated_midnight
        if midnight is None or type(value) is not str or len(value) < 16 or value[:11] != self._dated_start:
            return None
        elapsed = self._times.get(value[11:])
        return midnight + elapsed if elapsed is not None else None

    def _moment(self, value: Any) -> datetime | str:
        """The instant of a row, or the reason why it has none."""
        if isinstance(value, str) and len(value) >= 16 and value[10] in " T":
            clock = self._clock_of(value[:10])
            elapsed = self._context.converter.time_of_day(value[11:])
            if clock and elapsed is not None:
                return clock.utc(elapsed)
        elapsed = self._context.converter.time_of_day(value)
        if elapsed is not None:
            return self._clock.utc(elapsed) if self._clock else "no_date"
        local = local_moment(value)
        if local is None:
            return "no_time" if value in _EMPTY else "bad_time"
        midnight = local.replace(hour=0, minute=0, second=0)
        clock = self._clock_of(f"{local:%Y-%m-%d}")
        return clock.utc(local - midnight) if clock else "bad_time"

    def _clock_of(self, day: str) -> DayClock | None:
        """The clock of a day that stands in the rows; kept while rows of the same day follow."""
        if self._dated[0] != day:
            try:
                self._dated = (day, DayClock(date.fromisoformat(day), self._station.zone))
            except ValueError:
                self._dated = (day, None)
            clock = self._dated[1]
            self._dated_start = f"{day} "
            self._dated_midnight = clock.constant_midnight if clock else None
        return self._dated[1]

    def _refuse(self, position: int, reason: str, row: Any, layout: Layout) -> Rejection | None:
        if reason == "no_time" and all(row[key] in _EMPTY for key, _ in layout.columns):
            self._context.blank += 1
            return None
        return Rejection(position, reason, _REASONS[reason].format(row[layout.time]), row)


_REASONS = {
    "no_date": "neither the object's name nor the row says which day {!r} is of",
    "no_time": "the row has values but no time",
    "bad_time": "{!r} is no time of day",
}


class InfoClimatRows:
    """Hourly records of InfoClimat; times are UTC, the station stands in the record or above it."""

    def __init__(self, context: ObjectContext) -> None:
        self._context = context
        self._layout = _layouts(context.converter, "infoclimat", "dhutc")
        self._series: dict[str, Series] = {}

    def read(self, position: int, row: Any, station: str | None) -> Row | None:
        if not isinstance(row, dict):
            return Rejection(position, "not_a_record", f"expected an object, found {type(row).__name__}", row)
        named = row.get("id_station", station)
        if not any(value not in _EMPTY for value in row.values()):
            self._context.blank += 1
            return None
        if not is_station_id(named) or (station is not None and named != station):
            return Rejection(position, "no_station", f"id_station {named!r} does not name the station", row)
        layout = self._layout(tuple(row))
        moment = utc_moment(row[layout.time]) if layout else None
        if layout is None or moment is None:
            return Rejection(position, "no_date", "dh_utc holds no date with a time", row)
        try:
            fields = b"".join([conversion[row[key]] for key, conversion in layout.columns])
        except TypeError as error:
            return Rejection(position, "malformed", f"a value is no plain value: {error}", row)
        return self._context.finish(self._series_of(named), moment, fields, position, row)

    def _series_of(self, station: str) -> Series:
        known = self._series.get(station)
        if known is None:
            known = self._series[station] = Series(station, "infoclimat", self._context.origin)
            about = {"_id": station, "network": "infoclimat", "timezone": "UTC"}
            self._context.stations.setdefault(station, about)
        return known


def is_station_id(value: Any) -> TypeGuard[str]:
    """Letters, digits, `-` and `_`, at most 32: it becomes part of a document's key."""
    return isinstance(value, str) and _STATION_ID.fullmatch(value) is not None


def _layouts(
    converter: Converter, network: str, time_column: str
) -> Callable[[tuple[str, ...]], Layout | None]:
    known: dict[tuple[str, ...], Layout | None] = {}

    def layout(keys: tuple[str, ...]) -> Layout | None:
        if keys not in known:
            known[keys] = converter.layout(network, keys, time_column)
        return known[keys]

    return layout
