"""The rows of one object: which network a table or record is of, and the station of each row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from pipeline.columns import Layout, Use
from pipeline.dates import Span, cell_days, span_in, year_in
from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.model import Document, Rejection, is_station_id
from pipeline.networks import Network
from pipeline.stations import Catalog, Found, Station
from pipeline.transform import ObjectContext, StationRows, plain_number

_STATIONS, _LAYOUTS, _HELD, _COLUMNS = 10_000, 1_000, 2_000, 1_000
"""Stations in one object, shapes of records that are remembered, records that wait for a column, columns."""
_EMPTY = (None, "")
ReadRow = Callable[[int, Any, Layout], Row | None]


class ObjectRows:
    """Rows of one object. After the last one call `finish`: some rows wait for others."""

    def __init__(self, context: ObjectContext, catalog: Catalog, name: str) -> None:
        self.context = context
        self._catalog = catalog
        self._name = name
        self._found = catalog.find(name, context.ref.first_day)
        self._known: StationRows | None = None
        self._by_id: dict[str, StationRows] = {}
        self._layouts: dict[tuple[str, ...], tuple[Layout | None, bool]] = {}
        self.plain: dict[tuple[str, ...], tuple[ReadRow, Layout]] = {}
        """Shapes of records of the object's own station: read without another question, as most are."""
        self._below: dict[tuple[str, ...], Layout] = {}
        self._seen: dict[str, set[str]] = {}
        self._complete: set[str] = set()
        self._held: list[tuple[int, Any, Layout, str | None]] = []
        self._late: list[Row] = []

    @property
    def span(self) -> Span | None:
        return self._found.span if self._found else None

    def span_of_sheet(self, name: str) -> Span | None:
        """The day or days in a sheet's name; a day without a year is of the year in the object's name."""
        order = self._found.station.order if self._found else None
        if span := span_in(name, order, year_in(name) or year_in(self._name)):
            return span
        days = cell_days(name)
        return Span(days[0], days[0]) if len(days) == 1 else None

    def dated(self, span: Span | None) -> None:
        """The rows from here on are of these days, as the name of their sheet says."""
        self._late += self._known.finish() if self._known else []
        self._known = None
        if self._found is not None:
            self._found = Found(self._found.station, span)

    def table(self, headers: Sequence[str]) -> Layout | None:
        """The layout of a table; None when these are no headers of one.

        Raises BrokenObject for a table of a known network whose station is not known, or without a column
        that it cannot do without.
        """
        layout = self._layout(headers)
        if layout is None or (not layout.fields and len([text for text in headers if text.strip()]) < 3):
            return None
        self._take_in(layout)
        if missing := self._missing(layout.network, layout.fields):
            raise BrokenObject("missing_columns", missing)
        self._complete.add(layout.network.name)
        return layout.by_index(headers)

    def record(self, position: int, record: dict[str, Any]) -> Row | None:
        """One record that names its columns itself."""
        keys = tuple(record)
        try:
            layout, nested = self._layouts[keys]
        except KeyError:
            layout, nested = self._record_layout(keys, record)
        if nested:
            record = flat(record)
            layout = self._layout(tuple(record))
            if layout is not None:
                self._take_in(layout)
        if layout is None:
            return self._other_record(position, record)
        row = self.read(position, record, layout)
        own = layout.station is None and not nested and layout.network.name in self._complete
        if own and self._known is not None and len(self.plain) < _LAYOUTS:
            self.plain[keys] = self._known.read, layout
        return row

    def answer_record(
        self, position: int, record: dict[str, Any], network: Network, station: str
    ) -> Row | None:
        """One record that stands below its station's id."""
        keys = tuple(record)
        layout = self._below.get(keys)
        if layout is None:
            layout = self.context.converter.layout(network, keys, Use(station_known=True))
            if layout is None and all(value in _EMPTY for value in record.values()):
                self.context.blank += 1
                return None
            if layout is None:
                told = " or ".join(network.datetime)
                return Rejection(position, "no_time", f"no {told} in the record", record)
            self._take_in(layout)
            if len(self._below) < _LAYOUTS:
                self._below[keys] = layout
        return self.read(position, record, layout, station)

    def _other_record(self, position: int, record: dict[str, Any]) -> Row | None:
        """A blank record, the description of a station, or one that is refused."""
        own = {key: value for key, value in record.items() if not key.startswith("_airbyte_")}
        if all(value in _EMPTY for value in own.values()):
            self.context.blank += 1
            return None
        if self.context.describe(own):
            return None
        return Rejection(position, "unknown_record", "a record of no known network", record)

    def reader(self, layout: Layout) -> ReadRow:
        """What reads the rows of a table with this layout, without another question for each."""
        if layout.station is None and layout.network.name in self._complete:
            return (self._known or self._named_rows()).read
        return self.read

    def read(self, position: int, row: Any, layout: Layout, station: str | None = None) -> Row | None:
        """One row, addressed as its layout says; None for a blank one and for one that has to wait."""
        if layout.network.name not in self._complete:
            self._held.append((position, row, layout, station))
            if len(self._held) >= _HELD and (missing := self._missing(layout.network)):
                raise BrokenObject("missing_columns", missing)
            return None
        if layout.station is None and station is None:
            known = self._known or self._named_rows()
            return known.read(position, row, layout)
        return self._read_named(position, row, layout, station)

    def finish(self) -> list[Row]:
        """The rows that waited. Raises BrokenObject where a column was in none of the rows."""
        for network in {layout.network.name: layout.network for _, _, layout, _ in self._held}.values():
            if missing := self._missing(network):
                raise BrokenObject("missing_columns", missing)
        late, self._late = self._late, []
        for rows in (self._known, *self._by_id.values()):
            late += rows.finish() if rows else []
        return late

    def _read_named(self, position: int, row: Any, layout: Layout, station: str | None) -> Row | None:
        named = row[layout.station] if layout.station is not None else station
        if named in _EMPTY:
            named = station
        elif type(named) is int:
            named = str(named)
        if type(named) is str and station in (None, named) and (known := self._by_id.get(named)):
            return known.read(position, row, layout)
        if named is None and all(row[key] in _EMPTY for key, _ in layout.columns):
            self.context.blank += 1
            return None
        if not is_station_id(named) or (station is not None and named != station):
            return Rejection(position, "no_station", f"{named!r} does not name the station", row)
        if len(self._by_id) >= _STATIONS:
            raise BrokenObject("too_many_stations", f"more than {_STATIONS} stations in one object")
        rows = self._by_id[named] = self._rows_of(named, row, layout)
        return rows.read(position, row, layout)

    def _rows_of(self, named: str, row: Any, layout: Layout) -> StationRows:
        """The rows of a station that is named in the rows; the network's zone is theirs."""
        network, known = layout.network, self._catalog.by_id(named)
        if known is not None and known.network.stored_as == network.stored_as:
            self.context.stations[known.id] = known.as_document()
            station = replace(known, network=network, zone=network.zone or known.zone)
            return StationRows(self.context, station, None)
        if network.zone is None:
            raise BrokenObject("unknown_station", f"{named} is not in stations.toml, and so has no time zone")
        about: Document = {"_id": named, "network": network.stored_as, "timezone": network.zone.key}
        about |= _about(row, layout)
        self.context.stations.setdefault(named, about)
        return StationRows(self.context, Station(named, network, (), network.zone, {}), None)

    def _named_rows(self) -> StationRows:
        if self._found is None:
            raise unknown_station()
        station = self._found.station
        self._known = StationRows(self.context, station, self._found.span)
        self.context.stations[station.id] = station.as_document()
        return self._known

    def _record_layout(self, keys: tuple[str, ...], record: dict[str, Any]) -> tuple[Layout | None, bool]:
        nested = any(type(value) is dict for value in record.values())
        layout = self._layout(tuple(flat(record))) if nested else None
        nested = layout is not None and bool(layout.network.station_id)
        layout = layout if nested else self._layout(keys)
        if layout is not None:
            self._take_in(layout)
        if len(self._layouts) >= _LAYOUTS:
            self._layouts.clear()
        self._layouts[keys] = layout, nested
        return layout, nested

    def _layout(self, headers: Sequence[str]) -> Layout | None:
        converter = self.context.converter
        if len(headers) > _COLUMNS:
            return None
        for network in self._catalog.networks.self_naming:
            if layout := converter.layout(network, headers):
                return layout
        if self._found is not None:
            station = self._found.station
            use = Use(station.metric, station.without)
            return None if station.network.station_id else converter.layout(station.network, headers, use)
        for network in self._catalog.networks.by_name.values():
            if (layout := converter.layout(network, headers)) and layout.fields:
                raise unknown_station()
        return None

    def _take_in(self, layout: Layout) -> None:
        """Take note of the columns of a layout; the rows that waited for one of them are read."""
        network = layout.network
        seen = self._seen.setdefault(network.name, set())
        self.context.meet(layout)
        if layout.fields <= seen and network.name in self._complete:
            return
        seen |= layout.fields
        self.context.columns.missing.update(
            network.column_of(column.field.name) for column in network.columns.values()
        )
        self.context.columns.missing.difference_update(network.column_of(name) for name in seen)
        if network.name not in self._complete and not self._missing(network):
            self._complete.add(network.name)
            held, self._held = self._held, []
            for item in held:
                if (row := self.read(*item)) is not None:
                    self._late.append(row)

    def _missing(self, network: Network, fields: Collection[str] | None = None) -> str | None:
        """Which columns that are needed are not there, or not among these fields, and which are not known."""
        there = self._seen.get(network.name, ()) if fields is None else fields
        without = self._found.station.without if self._found else frozenset()
        wanted = [name for name in network.required if name not in without]
        missing = [network.column_of(name) for name in wanted if name not in there]
        if not missing:
            return None
        unknown = ", ".join(sorted(self.context.columns.unknown)[:12]) or "none"
        return f"no column {' and no '.join(missing)}; not known: {unknown}"


def unknown_station() -> BrokenObject:
    return BrokenObject("unknown_station", "its name is no id and no pattern of stations.toml")


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with the fields of its inner objects beside its own: `metric.temp`."""
    made: dict[str, Any] = {}
    for key, value in record.items():
        if type(value) is dict:
            made.update({f"{key}.{inner}": item for inner, item in value.items()})
        else:
            made[key] = value
    return made


def _about(row: Any, layout: Layout) -> Document:
    """What a row says of its station."""
    about: Document = {}
    for what, key in layout.about:
        value = row[key]
        if what == "name" and isinstance(value, str) and value.strip():
            about[what] = value.strip()[:100]
        elif what != "name" and (number := plain_number(value)) is not None:
            about[what] = number
    return about
