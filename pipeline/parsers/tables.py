"""Tables with a header: CSV, and the sheets of workbooks."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

from pipeline.columns import Layout
from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.model import Rejection
from pipeline.networks import Network
from pipeline.parsers.documents import record_rows
from pipeline.parsers.raw import Decoder, lines
from pipeline.rows import ObjectRows
from pipeline.units import unit_key

_SEPARATORS = ",;\t|"
_SEARCHED = 30
"""Rows in which the header is looked for: titles and notes may stand above it."""
_MAX_CELLS = 1_000
_ENVELOPE = "_airbyte_data"


def csv_rows(stream: BinaryIO, rows: ObjectRows, networks: Collection[Network] = ()) -> Iterator[Row]:
    """Rows of one CSV, with a usual separator or one of a network's; Airbyte's has records in one column.

    Raises BrokenObject when it has no header, or a quote is not closed.
    """
    others = [network.separator for network in networks if network.separator]
    separators = "".join(dict.fromkeys([*_SEPARATORS, *others]))
    decoder = Decoder()
    text = (decoder.decode(line, number) + "\n" for number, line in enumerate(lines(stream), 1))
    top = list(islice(text, _SEARCHED))
    if top and _ENVELOPE in next(csv.reader(top[:1]), []):
        yield from record_rows(csv.DictReader(chain(top, text)), rows, networks)
        return
    found = _csv_header(top, rows, separators)
    if found is None:
        raise BrokenObject("unknown_format", f"no header with a column of times: {''.join(top[:2])[:120]!r}")
    number, separator, headers, layout = found
    number, layout = _with_units(top, number, separator, headers, layout, rows)
    table = csv.reader(chain(top[number:], text), delimiter=separator)
    try:
        yield from _data_rows(table, rows, layout, headers, number, padded=False)
    except csv.Error as error:
        raise BrokenObject("broken_csv", f"{error}") from error
    yield from rows.finish()


def _csv_header(
    top: Sequence[str], rows: ObjectRows, separators: str
) -> tuple[int, str, list[str], Layout] | None:
    for number, line in enumerate(top, 1):
        for separator in sorted(separators, key=line.count, reverse=True):
            if separator not in line:
                break
            try:
                headers = next(csv.reader([line], delimiter=separator), [])
            except csv.Error:
                continue
            if len(headers) <= _MAX_CELLS and (layout := rows.table(headers)):
                return number, separator, headers, layout
    return None


def _with_units(
    top: Sequence[str], number: int, separator: str, headers: list[str], layout: Layout, rows: ObjectRows
) -> tuple[int, Layout]:
    """The layout with the units of a row below the header, where there is one; that row is read then."""
    cells = next(csv.reader(top[number : number + 1], delimiter=separator), [])
    told = headers_with_units(headers, cells, layout)
    found = rows.table(told) if told else None
    return (number + 1, found) if found else (number, layout)


def headers_with_units(headers: Sequence[str], cells: Sequence[Any], layout: Layout) -> list[str] | None:
    """`Temperature (°C)` for the header Temperature above a cell °C; None for a row that is none of units."""
    units = {place: conversion.field.units for place, conversion in layout.columns}
    told = {
        place: str(cell).strip() for place, cell in enumerate(cells) if cell is not None and str(cell).strip()
    }
    known = [place for place, text in told.items() if unit_key(text) in units.get(place, ())]
    when = {layout.time, layout.date, layout.moment} & told.keys()
    if len(known) < 2 or when or any(place in units and place not in known for place in told):
        return None
    return [f"{name} ({told[place]})" if place in known else name for place, name in enumerate(headers)]


def sheet_rows(sheet: Sequence[Sequence[Any]], rows: ObjectRows, before: int) -> Iterator[Row] | None:
    """Rows of one sheet, numbered from `before` + 1; None when it has no header."""
    for number, row in enumerate(sheet[:_SEARCHED], 1):
        headers = ["" if cell is None else str(cell) for cell in row]
        while headers and not headers[-1].strip():
            headers.pop()
        if len(headers) <= _MAX_CELLS and (layout := rows.table(headers)):
            told = headers_with_units(headers, sheet[number], layout) if number < len(sheet) else None
            if told and (found := rows.table(told)):
                number, layout = number + 1, found
            return _data_rows(sheet[number:], rows, layout, headers, before + number, padded=True)
    return None


def _data_rows(
    table: Iterable[Sequence[Any]],
    rows: ObjectRows,
    layout: Layout,
    headers: list[str],
    before: int,
    *,
    padded: bool,
) -> Iterator[Row]:
    """The rows below a header. One that is cut, or has more cells than the header, is refused."""
    width = len(headers)
    least = next((place for place in range(width, 0, -1) if headers[place - 1].strip()), 0)
    read_row = rows.reader(layout)
    for position, row in enumerate(table, before + 1):
        if not padded and (len(row) != width or "\n" in row[-1]) and any("\n" in cell for cell in row):
            raise BrokenObject(
                "broken_csv", f"row {position} goes on over several lines: a quote is not closed"
            )
        if not padded and len(row) != width:
            if not any(cell.strip() for cell in row):
                rows.context.blank += bool(row)
                continue
            if len(row) < least:
                yield Rejection(position, "short_row", f"{len(row)} cells of {least}: the row is cut", row)
                continue
            if any(cell.strip() for cell in row[width:]):
                yield Rejection(position, "long_row", f"{len(row)} cells, the header has {width}", row)
                continue
        if len(row) < width:
            row = [*row, *[""] * (width - len(row))]
        if (read := read_row(position, row, layout)) is not None:
            if type(read) is Rejection and list(row) == headers:
                continue  # the header once more, where files were put together
            yield read
