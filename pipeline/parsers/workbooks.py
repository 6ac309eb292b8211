"""Workbooks, XLSX and XLS: a sheet a day, or sheets whose rows tell their dates."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import python_calamine

from pipeline.dates import looks_dated
from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.model import Rejection
from pipeline.parsers.raw import MAX_WHOLE, whole
from pipeline.parsers.tables import sheet_rows
from pipeline.rows import ObjectRows

_MAX_UNPACKED = 8 * MAX_WHOLE
_FREE_CELLS, _CELLS_EACH = 1_000_000, 4
"""A sheet may have this many places, and beyond that so many for each cell that is there."""
_PIECE = 2**20
_GENERIC = re.compile(r"(?:sheet|feuil|feuille|blad|tabelle|data|table|export)[ _]?\d{0,3}", re.IGNORECASE)
"""Names that spreadsheets give by themselves: such a sheet may be of the day in the workbook's name."""
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")


def workbook_rows(stream: BinaryIO, rows: ObjectRows) -> Iterator[Row]:
    """Rows of every sheet, in the order of the workbook; a sheet's name may be its day.

    Raises BrokenObject when it is no workbook, is cut, or would not fit into memory.
    """
    content = whole(stream)
    if not content.startswith(b"\xd0\xcf\x11\xe0"):
        _check_archive(content)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
    except Exception as error:  # calamine panics with types of its own on damaged files
        raise BrokenObject("broken_workbook", f"{error}"[:200]) from error
    del content
    position = 0
    own, current, read = rows.span, rows.span, 0
    for name in names:
        sheet = _sheet(workbook, name)
        unnamed = (len(names) == 1 and not looks_dated(name)) or _GENERIC.fullmatch(name)
        span = rows.span_of_sheet(name) or (own if unnamed else None)
        if span != current:
            rows.dated(span)
            current = span
        found = sheet_rows(sheet, rows, position)
        if found is not None:
            read += 1
            yield from found
        elif any(cell not in (None, "") for row in sheet for cell in row):
            rows.context.columns.sheets.append(name[:100])
            if looks_dated(name):
                yield Rejection(position + 1, "no_header", f"sheet {name} has no header with a time", name)
        position += len(sheet)
    yield from rows.finish()
    if names and not read and rows.context.columns.sheets:
        raise BrokenObject("unknown_format", f"no header with a column of times in {', '.join(names)[:200]}")


def _sheet(workbook: python_calamine.CalamineWorkbook, name: str) -> list[list[Any]]:
    try:
        return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except Exception as error:
        raise BrokenObject("broken_workbook", f"sheet {name}: {error}"[:200]) from error


def _check_archive(content: bytes) -> None:
    """Look at every part before it is parsed: a cell far away would make the parser take all memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            left = _MAX_UNPACKED
            for item in archive.infolist():
                may_be_a_sheet = item.filename.lower().endswith(".xml")
                with archive.open(item) as part:
                    left -= _check_sheet(part, item.filename, left) if may_be_a_sheet else _size(part, left)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise BrokenObject("broken_workbook", f"no complete XLSX archive: {error}"[:200]) from error
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        raise BrokenObject("broken_workbook", f"no complete XLSX archive: {error}"[:200]) from error


def _size(part: Any, left: int) -> int:
    """The unpacked size of a part."""
    size = 0
    while piece := part.read(_PIECE):
        size += len(piece)
        if size > left:
            raise BrokenObject("too_large", f"unpacks to more than {_MAX_UNPACKED // 2**20} MB")
    return size


def _check_sheet(part: Any, name: str, left: int) -> int:
    """The size of a sheet's XML. Raises BrokenObject when its cells lie too far apart."""
    size = cells = 0
    rows = columns = 1
    tail = b""
    while piece := part.read(_PIECE):
        size += len(piece)
        if size > left:
            raise BrokenObject("too_large", f"unpacks to more than {_MAX_UNPACKED // 2**20} MB")
        text = tail + piece
        cut = text.rfind(b">") + 1
        text, tail = text[:cut], text[cut:][-200:]
        cells += text.count(b"<c ") + text.count(b"<c>")
        for column, row in set(_REFERENCE.findall(text)):
            rows = max(rows, int(row))
            columns = max(columns, _index(column))
        if rows * columns > _FREE_CELLS and rows * columns > _CELLS_EACH * cells + _FREE_CELLS:
            raise BrokenObject(
                "too_large", f"{name} has a cell at row {rows} and column {columns}, and few between"
            )
    return size


def _index(letters: bytes) -> int:
    index = 0
    for letter in letters.upper():
        index = index * 26 + letter - 64
    return max(index, 1)
