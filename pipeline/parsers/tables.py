"""Weather Underground tables: workbooks with a sheet a day, and one CSV a day."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import python_calamine

from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.parsers.raw import MAX_WHOLE, lines, whole
from pipeline.stations import Station, day_in
from pipeline.transform import Layout, ObjectContext, WeatherUndergroundRows, by_index

_MAX_UNPACKED = 8 * MAX_WHOLE


def workbook_rows(stream: BinaryIO, context: ObjectContext, station: Station) -> Iterator[Row]:
    """Rows of every sheet, in the order of the workbook; the sheet's name is the day (DDMMYY).

    Raises BrokenObject when it is no workbook, is cut, or unpacks to more than 512 MB.
    """
    content = whole(stream)
    _check_archive(content)
    position = 0
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
    except Exception as error:  # calamine panics with types of its own on damaged files
        raise BrokenObject("broken_workbook", f"{error}"[:200]) from error
    for name in names:
        table = WeatherUndergroundRows(context, station, day_in(name))
        sheet = _sheet(workbook, name)
        yield from _table_rows(sheet, table, context, position)
        position += len(sheet)


def _sheet(workbook: python_calamine.CalamineWorkbook, name: str) -> list[list[Any]]:
    try:
        return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except Exception as error:
        raise BrokenObject("broken_workbook", f"sheet {name}: {error}"[:200]) from error


def _check_archive(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise BrokenObject("broken_workbook", f"no complete XLSX archive: {error}") from error
    if size > _MAX_UNPACKED:
        raise BrokenObject("too_large", f"unpacks to {size // 2**20} MB")


def csv_rows(stream: BinaryIO, context: ObjectContext, table: WeatherUndergroundRows) -> Iterator[Row]:
    """Rows of one CSV.

    Comma, semicolon or tab, as its header shows. Raises BrokenObject when it has no header.
    """
    text = _decoded(lines(stream))
    header = next(text, "")
    delimiter = max(",;\t", key=header.count)
    try:
        yield from _table_rows(csv.reader(_with(header, text), delimiter=delimiter), table, context, 0)
    except csv.Error as error:
        raise BrokenObject("broken_csv", f"{error}") from error


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _decoded(raw: Iterable[bytes]) -> Iterator[str]:
    encoding = "utf-8-sig"
    for number, line in enumerate(raw, 1):
        try:
            yield line.decode(encoding) + "\n"
        except UnicodeDecodeError as error:
            raise BrokenObject("not_utf8", f"line {number}: {error.reason} at byte {error.start}") from error
        encoding = "utf-8"


def _table_rows(
    rows: Iterable[Sequence[Any]], table: WeatherUndergroundRows, context: ObjectContext, before: int
) -> Iterator[Row]:
    """Rows below the first header row (the first that names a time), numbered from `before` + 1."""
    layout: Layout | None = None
    width = 0
    for position, row in enumerate(rows, before + 1):
        if layout is None:
            if not any(cell not in (None, "") for cell in row):
                continue
            headers = [str(cell) for cell in row]
            named = context.converter.layout("weather_underground", headers, "time")
            if named is None:
                raise BrokenObject("unknown_format", f"no column `Time` in {headers[:12]}")
            layout, width = by_index(named, headers), len(headers)
            continue
        if len(row) < width:
            row = [*row, *[""] * (width - len(row))]
        if (read := table.read(position, row, layout)) is not None:
            yield read
