"""Headers of a table to fields: which column is what, in which unit, and which are not known or not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from pipeline.fields import Conversion, column_name
from pipeline.localtime import Cell, read_cell
from pipeline.measurement import element
from pipeline.networks import Column, Network
from pipeline.units import plain_text, unit_key

Encoding = Conversion[bytes]
"""Raw value -> the field as an element of a document, empty where there is no value."""
_BRACKETS = re.compile(r"(.{0,200}?)\s{0,8}[(\[{]([^)\]}]{0,200})[)\]}]\s{0,8}", re.DOTALL)
_AIRBYTE = ("_airbyte_", "_ab_")
"""Columns that Airbyte puts beside those of the source."""
_KEPT_CELLS = 100_000
_LONGEST = 64
_LONGEST_HEADER = 120
_LAYOUTS = 1_000


class Foreign(bytes):
    """An element whose value had a unit of another system than the bare numbers of its column have."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of a row are: keys of a record, or indexes of a list.

    (key, conversion) of each column in the order of the network; `only_time`: a row tells no day.
    """

    network: Network
    time: Any
    date: Any
    moment: Any
    station: Any
    columns: tuple[tuple[Any, Encoding], ...]
    fields: frozenset[str]
    unknown: tuple[str, ...]
    only_time: bool
    telling: int | None = None
    """Which of the columns tells, by a unit in a cell, of which system the bare numbers of the row are."""
    about: tuple[tuple[str, Any], ...] = ()
    """What is told of the station beside a reading, and where."""

    def by_index(self, headers: Sequence[Any]) -> Layout:
        """The same layout for rows that are lists in the order of `headers`."""

        def place(key: Any) -> Any:
            return None if key is None else headers.index(key)

        return replace(
            self,
            time=place(self.time), date=place(self.date), moment=place(self.moment),
            station=place(self.station),
            columns=tuple((place(key), conversion) for key, conversion in self.columns),
            about=tuple((what, place(key)) for what, key in self.about),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """How a station's tables are read: metric bare numbers, fields left out, station told beside the row."""

    metric: bool = False
    without: frozenset[str] = frozenset()
    station_known: bool = False


class Converter:
    """The conversions of one process: what it learned about one object's values serves the next."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.cells: dict[Any, Cell] = {}
        self.clocks: dict[Any, timedelta] = {}
        """Cells that tell a time of day and nothing else."""
        self.days: dict[Any, date] = {}
        """Cells that tell one day and nothing else, not even whether day or month comes first."""
        self._conversions: dict[tuple[str, str, str, bool], Encoding] = {}
        self._layouts: dict[tuple[str, Use, tuple[Any, ...]], Layout | None] = {}

    def layout(self, network: Network, headers: Sequence[Any], use: Use = Use()) -> Layout | None:
        """The layout of a table of this network; None when it is none: no time, no station, or no field."""
        key = (network.name, use, tuple(headers))
        try:
            return self._layouts[key]
        except KeyError:
            pass
        if len(self._layouts) >= _LAYOUTS:
            self._layouts.clear()
        made = self._layouts[key] = self._made_layout(network, headers, use)
        return made

    def cell(self, value: Any) -> Cell | None:
        """`localtime.read_cell`, remembered; raises TypeError for a value that is no cell."""
        known = self.cells.get(value)
        if known is not None:
            return known
        known = self._read_cell(value)
        if known is not None and (known.elapsed is None or not known.days):
            self._keep(value, known)
        return known

    def _keep(self, value: Any, cell: Cell) -> None:
        """A cell of a day or of a time; those of both are each another one."""
        if len(self.cells) >= _KEPT_CELLS:
            for kept in (self.cells, self.clocks, self.days):
                kept.clear()
        self.cells[value] = cell
        if cell.clock is not None:
            self.clocks[value] = cell.clock
        elif len(cell.days) == 1 and cell.elapsed is None and cell.order is None:
            self.days[value] = cell.days[0]

    def take_dropped(self) -> Counter[str]:
        taken = Counter(self.dropped)
        self.dropped.clear()
        return taken

    def _read_cell(self, value: Any) -> Cell | None:
        """Most texts are a day and a time of day that were met before, each for itself."""
        if type(value) is str and 16 <= len(value) <= _LONGEST and value[10] in " T":
            day, clock = self.cells.get(value[:10]), self.cells.get(value[11:])
            if day and clock and day.elapsed is None and not clock.days and len(day.days) == 1:
                return Cell(day.days, clock.elapsed, clock.offset, day.order)
            read = read_cell(value)
            if read is not None and read.days and value[:10] not in self.cells:
                self._keep(value[:10], Cell(read.days, order=read.order))
            if read is not None and read.days and value[11:] not in self.cells:
                self._keep(value[11:], Cell((), read.elapsed, read.offset))
            return read
        return read_cell(value)

    def _made_layout(self, network: Network, headers: Sequence[Any], use: Use) -> Layout | None:
        names: dict[str, Any] = {}
        for header in headers:
            names.setdefault(column_name(header), header)
        time, date, moment, station = (
            next((names[name] for name in wanted if name in names), None)
            for wanted in (network.time, network.date, network.datetime, network.station_id)
        )
        if (time is None and moment is None) or (
            network.station_id and station is None and not use.station_known
        ):
            return None
        told = {time, date, moment, station}
        matched: dict[str, tuple[Any, Column, str | None]] = {}
        unknown, twice = [], set()
        for header in headers:
            if header in told or not str(header).strip() or str(header).startswith(_AIRBYTE):
                continue
            match = column_of(str(header), network.columns)
            if match is not None and (first := matched.get(match[0].field.name)):
                if first[1] is match[0]:
                    unknown.append(str(header).strip()[:100])
                    if unit_key(first[2] or "") == unit_key(match[1] or ""):
                        twice.add(match[0].field.name)
            elif match is not None:
                matched[match[0].field.name] = (header, *match)
            elif not network.ignores_all and column_name(header) not in network.ignore:
                unknown.append(str(header).strip()[:100])
        metric = use.metric or _is_metric(matched.values())
        found = {
            name: (header, self._conversion(network, column, unit, metric=metric))
            for name, (header, column, unit) in matched.items()
            if name not in use.without and name not in twice
        }
        if not found and network.station_id:
            return None
        fields = {column.field.name: None for column in network.columns.values()}
        columns = tuple(found[name] for name in fields if name in found)
        only_time = date is None and moment is None
        about = tuple((what, header) for what, header in network.about.items() if header in headers)
        telling = next((place for place, (_, made) in enumerate(columns) if made.field.telling), None)
        if not any(conversion.doubtful for _, conversion in columns):
            telling = None
        return Layout(network, time, date, moment, station, columns, frozenset(found), tuple(unknown),
                      only_time, telling, about)  # fmt: skip

    def _conversion(self, network: Network, column: Column, unit: str | None, *, metric: bool) -> Encoding:
        bare = unit or column.bare(metric=metric)
        doubtful = unit is None and column.unit != column.metric
        key = (network.name, column.header, unit_key(bare), doubtful)
        known = self._conversions.get(key)
        if known is None:
            words = {**dict.fromkeys(network.missing), **column.words}
            make = partial(_element, column.field.name)
            foreign = Foreign if column.field.telling else None
            known = self._conversions[key] = Conversion(
                column.field, bare, self.dropped, make, words, foreign=foreign, doubtful=doubtful
            )
        return known


def _is_metric(matched: Iterable[tuple[Any, Column, str | None]]) -> bool:
    """Whether the headers that tell a unit tell metric ones only: the others of the table are so too."""
    told = [
        column.field.units.get(unit_key(unit)) == column.field.units.get(unit_key(column.metric))
        for _, column, unit in matched
        if unit and unit_key(column.unit) != unit_key(column.metric)
    ]
    return bool(told) and all(told)


def _element(name: str, value: float | int | None) -> bytes:
    return b"" if value is None else element(name, value)


def column_of(header: str, columns: Mapping[str, Column]) -> tuple[Column, str | None] | None:
    """The column that a header names, and the unit that it tells.

    `Temperature_C`, `Pressure (hPa)` and `Speed km/h` tell one. A unit that the field does not have is none
    that we could convert: the column is then not known.
    """
    if len(header) > _LONGEST_HEADER:
        return None
    name = column_name(header)
    if (found := _BRACKETS.fullmatch(header)) and (column := columns.get(column_name(found[1]))):
        if not unit_key(found[2]) and "°" in plain_text(found[2]):
            return column, None
        return (column, found[2]) if unit_key(found[2]) in column.field.units else None
    if name in columns:
        return columns[name], None
    words = re.split(r"[^a-z0-9/%^]+", plain_text(header).replace("°", " "))
    for number in range(len(words) - 1, 0, -1):
        column = columns.get(column_name("".join(words[:number])))
        unit = "".join(words[number:])
        if column and unit_key(unit) in column.field.units:
            return column, unit
    for length in range(len(name) - 1, 1, -1):
        column, unit = columns.get(name[:length]), name[length:]
        if column and (exact := _spelling(unit, column)):
            return column, exact
    return None


def _spelling(unit: str, column: Column) -> str | None:
    """The unit whose letters and digits these are."""
    return next((known for known in column.field.units if re.sub(r"[^a-z0-9]", "", known) == unit), None)
