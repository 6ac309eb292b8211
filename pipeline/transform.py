"""Rows of a source to measurements. Pure: no file, no network, no clock.

Rules for a row:
- only empty cells: not a reading; counted as `blank`, outside the accounting;
- a date or time that cannot be known, or that lies more than a day ahead of the run: refused;
- no usable value in any field: refused;
- a bare number that says that its column is in another unit: refused, and the rows after it until one fits;
- one unusable value: the field is absent and counted, the rest of the row stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from pipeline.clock import AMBIGUOUS, NamedDay, Refused, RowDates, days_of_range
from pipeline.columns import Converter, Foreign, Layout
from pipeline.dates import Order, Span, has_dashes
from pipeline.errors import BrokenObject
from pipeline.fields import OtherUnit
from pipeline.localtime import Cell, LocalDays, NonexistentTime
from pipeline.measurement import Origin, Row, Series
from pipeline.model import Columns, Document, ObjectRef, Rejection, is_station_id
from pipeline.names import summer_pass
from pipeline.repeated_hour import LIMIT, RepeatedHour, RepeatedRow
from pipeline.stations import Station

_EMPTY = (None, "")
_NOTHING = Cell()
_BETWEEN = (" ", "T")
"""Between the day and the time of a cell of both."""
_HELD = 200_000
"""Rows of one object that may wait for the rows after them."""
_NAMES = 100
"""Columns that are not known, told by name."""


@dataclass(slots=True)
class ObjectContext:
    """What the rows of one object share, and what is learned while they are read."""

    ref: ObjectRef
    run_id: str
    not_after: datetime
    converter: Converter
    before: int = 0
    """Rows of the files before this one, where the object is an archive."""
    blank: int = 0
    columns: Columns = field(default_factory=Columns)
    stations: dict[str, Document] = field(default_factory=dict)
    described: int = 0
    """Descriptions of stations that stand beside the readings, or without any."""
    origin: Origin = field(init=False)

    def __post_init__(self) -> None:
        self.origin = Origin(self.run_id, self.ref)

    def meet(self, layout: Layout) -> None:
        """Take note of the columns of a layout."""
        if len(self.columns.unknown) < _NAMES:
            self.columns.unknown.update(layout.unknown)

    def describe(self, station: Any) -> bool:
        """Take a station's description of InfoClimat; whether it is one."""
        if not isinstance(station, dict) or not is_station_id(station.get("id")):
            return False
        if "name" not in station and not {"latitude", "longitude"} <= station.keys():
            return False
        self.stations[station["id"]] = _station_document(station)
        self.described += 1
        return True

    def finish(self, series: Series, moment: datetime, fields: bytes, position: int, row: Any) -> Row:
        """The measurement, unless it holds no value or lies ahead."""
        if not fields:
            return Rejection(position, "no_values", "no field of this row holds a usable value", row)
        if moment > self.not_after:
            return Rejection(position, "in_the_future", f"{moment} is ahead of this run", row)
        return series.at(moment, fields, self.before + position)


class StationRows:
    """Rows of one station in one object. After the last one call `finish`: some rows wait for others."""

    def __init__(self, context: ObjectContext, station: Station, span: Span | None) -> None:
        self._context = context
        self._station = station
        self._clocks = context.converter.clocks
        self._days = LocalDays(station.zone)
        self._span = span
        self._order = NamedDay(span) if span else None
        self._midnight = self._days.constant_midnight(span.single) if span and span.single else None
        self._dates = RowDates(self._days, span, station.order)
        self._series = Series(station.id, station.network.stored_as, context.origin)
        self._not_after = context.not_after
        self._doubt = ""
        self._waiting: list[tuple[int, Any, Layout, timedelta]] = []
        self._undecided: list[tuple[int, Any, Layout]] = []
        self._hour: RepeatedHour | None = None
        self._before: tuple[date, timedelta] | None = None
        self.ready: list[Row] = []
        """Rows that waited and are done; `finish` gives them too."""

    def read(self, position: int, row: Any, layout: Layout) -> Row | None:
        """One row, addressed as the layout says; None for a blank one and for one that has to wait."""
        try:
            moment = None if self._doubt or self._undecided else self._known_moment(row, layout)
            if moment is not None:
                values = [conversion[row[key]] for key, conversion in layout.columns]
                if layout.telling is not None and type(values[layout.telling]) is Foreign:
                    _check_bare(row, layout)
                fields = b"".join(values)
                if fields and moment <= self._not_after:
                    return self._series.at(moment, fields, self._context.before + position)
                return self._context.finish(self._series, moment, fields, position, row)
            return self._read(position, row, layout)
        except Refused as error:
            if error.reason == AMBIGUOUS and len(self._undecided) < _HELD:
                self._undecided.append((position, row, layout))
                return None
            return self._refuse(position, error, row, layout)
        except OtherUnit as error:
            self._doubt = f"{error}: set units of {self._station.id} in stations.toml, or write the unit"
            return Rejection(position, "other_unit", self._doubt, row)
        except NonexistentTime as error:
            return Rejection(position, "nonexistent_local_time", str(error), row)
        except (TypeError, OverflowError) as error:
            return Rejection(position, "malformed", f"a cell holds no plain value: {error}", row)

    def _known_moment(self, row: Any, layout: Layout) -> datetime | None:
        """The instant of most rows: their cells were met before, each for itself, and leave nothing open."""
        days, clocks = self._context.converter.days, self._clocks
        if layout.date is not None:
            day = None if layout.moment is not None else days.get(row[layout.date])
            elapsed = clocks.get(row[layout.time])
        else:
            text = row[layout.time if layout.only_time else layout.moment]
            elapsed = clocks.get(text) if layout.only_time else None
            if elapsed is not None:
                return self._next_of_named_day(elapsed)
            if type(text) is not str or text[10:11] not in _BETWEEN or (layout.moment and layout.time):
                return None
            day, elapsed = days.get(text[:10]), clocks.get(text[11:])
        midnight = self._days.constant_midnight(day) if day is not None else None
        if midnight is None or day is None or elapsed is None:
            return None
        if self._span is not None and day not in self._span:
            self._context.columns.other_day += 1
        return midnight + elapsed

    def _next_of_named_day(self, elapsed: timedelta) -> datetime | None:
        order, midnight = self._order, self._midnight
        if order is None or midnight is None or order.last is None or elapsed < order.last:
            return None
        order.last = elapsed
        return midnight + elapsed

    def _decide(self) -> None:
        """The rows that waited for a date that tells whether day or month comes first."""
        undecided, self._undecided = self._undecided, []
        for position, row, layout in undecided:
            if (read := self.read(position, row, layout)) is not None:
                self.ready.append(read)

    def finish(self) -> list[Row]:
        """The rows that waited, when the object has no more."""
        if self._undecided and all(_has_dashes(row, layout) for _, row, layout in self._undecided):
            self._dates.order = Order.DAY
            self._decide()
        for position, row, layout in self._undecided:
            try:
                self._read(position, row, layout)
            except Refused as error:
                self.ready.append(Rejection(position, error.reason, f"{error}", row))
        self._undecided = []
        span, waiting = self._span, self._waiting
        self._waiting = []
        if waiting and span is not None:
            days = days_of_range(span, [elapsed for *_, elapsed in waiting])
            for index, (position, row, layout, elapsed) in enumerate(waiting):
                if days is None:
                    detail = f"the times of the rows do not begin anew once for each day to {span.last}"
                    self.ready.append(Rejection(position, "range_not_filled", detail, row))
                elif (read := self._placed(position, row, layout, days[index], elapsed)) is not None:
                    self.ready.append(read)
        self._close_hour(None)
        ready, self.ready = self.ready, []
        return ready

    def _read(self, position: int, row: Any, layout: Layout) -> Row | None:
        moment, clock, day = (self._cell(row, key) for key in (layout.moment, layout.time, layout.date))
        own, elapsed, offset = self._dates.combine(moment, clock, day)
        if self._undecided and self._dates.order is not None:
            self._decide()
        if own is None:
            if self._order is None:
                raise Refused(
                    "no_date", f"neither the object's name nor the row says which day {elapsed} is of"
                )
            if self._span is not None and self._span.is_range:
                self._wait(position, row, layout, elapsed)
                return None
            own = self._order.place(elapsed)
        elif self._span is not None and own not in self._span:
            self._context.columns.other_day += 1
        if offset is not None:
            instant = datetime.combine(own, time()) + elapsed - offset
            return self._context.finish(self._series, instant, self._fields(row, layout), position, row)
        return self._placed(position, row, layout, own, elapsed)

    def _placed(self, position: int, row: Any, layout: Layout, day: date, elapsed: timedelta) -> Row | None:
        instants = self._days.instants(day, elapsed)
        fields = self._fields(row, layout)
        if len(instants) == 1:
            if self._days.constant_midnight(day) is None:
                self._close_hour((day, elapsed))
            return self._context.finish(self._series, instants[0], fields, position, row)
        hour = self._hour
        if hour is None or hour.day != day:
            self._close_hour(None)
            before = self._before[1] if self._before and self._before[0] == day else None
            hour = self._hour = RepeatedHour(day, before)
        hour.rows.append(RepeatedRow(elapsed, instants[0], instants[1], position, row, fields))
        if len(hour.rows) > LIMIT:
            raise BrokenObject("too_many_rows", f"more than {LIMIT} rows in the repeated hour of {day}")
        return None

    def _close_hour(self, after: tuple[date, timedelta] | None) -> None:
        """The rows of a repeated hour are complete: the row after them is of another hour."""
        self._before = after or self._before
        if self._hour is None:
            return
        hour, self._hour = self._hour, None
        hour.after = after[1] if after and after[0] == hour.day else None
        for row, moment in hour.resolve(summer_pass=summer_pass(self._context.ref.key)):
            self.ready.append(
                self._context.finish(self._series, moment, row.fields, row.position, row.row)
                if moment is not None
                else Rejection(row.position, "ambiguous_local_time", _twice(hour, row), row.row)
            )

    def _fields(self, row: Any, layout: Layout) -> bytes:
        values = [conversion[row[key]] for key, conversion in layout.columns]
        if layout.telling is not None and type(values[layout.telling]) is Foreign:
            _check_bare(row, layout)
        fields = b"".join(values)
        if self._doubt:
            telling = [conversion[row[key]] for key, conversion in layout.columns if conversion.field.telling]
            if not any(telling):
                raise OtherUnit(self._doubt.partition(": set units")[0])
            self._doubt = ""
        return fields

    def _cell(self, row: Any, key: Any) -> Cell:
        if key is None or (value := row[key]) in _EMPTY:
            return _NOTHING
        cell = self._context.converter.cell(value)
        if cell is None:
            if isinstance(value, str) and value.strip() in ("", "--"):
                return _NOTHING
            raise Refused("bad_time", f"{value!r} is no time of day, and no date")
        return cell

    def _wait(self, position: int, row: Any, layout: Layout, elapsed: timedelta) -> None:
        self._waiting.append((position, row, layout, elapsed))
        if len(self._waiting) > _HELD:
            raise BrokenObject("too_many_rows", f"more than {_HELD} rows that tell no date")

    def _refuse(self, position: int, error: Refused, row: Any, layout: Layout) -> Rejection | None:
        if error.reason == "no_time" and all(_is_blank(row[key]) for key, _ in layout.columns):
            self._context.blank += 1
            return None
        return Rejection(position, error.reason, f"{error}", row)


def _check_bare(row: Any, layout: Layout) -> None:
    """Raises OtherUnit when a bare number stands beside a value in a unit of another system."""
    told = row[layout.columns[layout.telling or 0][0]]
    for key, conversion in layout.columns:
        if conversion.doubtful and conversion.is_bare(row[key]):
            name = conversion.field.name
            raise OtherUnit(f"{name} {row[key]} without a unit beside {told} may be of its system of units")


def _has_dashes(row: Any, layout: Layout) -> bool:
    """Whether a date is written as 3-4-2024: where nothing tells the order, the day comes first."""
    keys = (layout.date, layout.moment, layout.time)
    return any(key is not None and has_dashes(str(row[key])) for key in keys)


def _is_blank(value: Any) -> bool:
    return value in _EMPTY or (isinstance(value, str) and not value.strip())


def _twice(hour: RepeatedHour, row: RepeatedRow) -> str:
    return f"{row.elapsed} happened twice on {hour.day}: write an offset, or 02A or 02B in the object's name"


def _station_document(station: dict[str, Any]) -> Document:
    """What is known about a station; only plain values of the right kind, absent ones left out."""
    license_ = station.get("license")
    license_ = license_ if isinstance(license_, dict) else {}
    texts = {key: license_.get(key) for key in ("license", "url", "source", "metadonnees")}
    numbers = {"latitude": "latitude", "longitude": "longitude", "elevation_m": "elevation"}
    document: Document = {"_id": station["id"], "network": "infoclimat", "timezone": "UTC"}
    document |= {key: station[key] for key in ("name", "type") if isinstance(station.get(key), str)}
    for name, key in numbers.items():
        if (number := plain_number(station.get(key))) is not None:
            document[name] = number
    if terms := {key: text for key, text in texts.items() if isinstance(text, str)}:
        document["license"] = terms
    return document


def plain_number(value: Any) -> float | int | None:
    """A coordinate or a height as a number, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = value if isinstance(value, int | float) else float(value)
    except ValueError:
        return None
    return number if -1000 < number < 10_000 else None
