"""Tables with a header: CSV, and the sheets of workbooks."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

from pipeline.columns import Layout
from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.model import Rejection
from pipeline.parsers.raw import Decoder, lines
from pipeline.rows import ObjectRows

_SEPARATORS = ",;\t|"
_SEARCHED = 30
"""Rows in which the header is looked for: titles and notes may stand above it."""
_MAX_CELLS = 1_000


def csv_rows(stream: BinaryIO, rows: ObjectRows, others: Iterable[str] = ()) -> Iterator[Row]:
    """Rows of one CSV, with a usual separator or one of these. Raises BrokenObject when it has no header."""
    separators = "".join(dict.fromkeys([*_SEPARATORS, *others]))
    decoder = Decoder()
    text = (decoder.decode(line, number) + "\n" for number, line in enumerate(lines(stream), 1))
    top = list(islice(text, _SEARCHED))
    found = _csv_header(top, rows, separators)
    if found is None:
        raise BrokenObject("unknown_format", f"no header with a column of times: {''.join(top[:2])[:120]!r}")
    number, separator, headers, layout = found
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


def sheet_rows(sheet: Sequence[Sequence[Any]], rows: ObjectRows, before: int) -> Iterator[Row] | None:
    """Rows of one sheet, numbered from `before` + 1; None when it has no header."""
    for number, row in enumerate(sheet[:_SEARCHED], 1):
        headers = ["" if cell is None else str(cell) for cell in row]
        while headers and not headers[-1].strip():
            headers.pop()
        if len(headers) <= _MAX_CELLS and (layout := rows.table(headers)):
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
