"""Chooses how an object is read: by the end of its name, and by what is found in it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.model import Rejection
from pipeline.names import parts_of
from pipeline.parsers.documents import json_lines, json_rows, record_rows
from pipeline.parsers.parquet import parquet_records
from pipeline.parsers.raw import Chunks, Rejoined, first_bytes, lines, whole_text
from pipeline.parsers.tables import csv_rows
from pipeline.parsers.workbooks import workbook_rows
from pipeline.rows import ObjectRows
from pipeline.stations import Catalog
from pipeline.transform import ObjectContext

_WORKBOOKS = ("xlsx", "xlsm", "xls")
_FORMATS = (*_WORKBOOKS, "csv", "tsv", "jsonl", "ndjson", "json", "parquet")
_PACKED = (".gz", ".zip", ".zst", ".bz2", ".xz")
_OTHER_DATA = ("zip", "7z", "rar", "avro", "ods", "xlsb", "orc", "feather", "txt", "dat", "xml", "html")
"""Endings of files that may hold readings, and that are not read."""
_NO_DATA = ("md5", "sha256", "crc", "toml", "md", "yaml", "yml", "log")
_IN_MEMORY, _MAX_ARCHIVE, _MAX_MEMBERS = 2**26, 2**30, 10_000


def format_of(name: str) -> str | None:
    """The format that a name announces, without the endings of packed files; None for other names."""
    name = name.lower()
    while name.endswith(_PACKED):
        name = name.rpartition(".")[0]
    ending = name.rpartition(".")[2]
    hidden = name.rpartition("/")[2].startswith((".", "~$", "__macosx"))
    return ending if ending in _FORMATS and not hidden else None


def is_a_stations(key: str, catalog: Catalog) -> bool:
    """Whether an object in none of these formats is called like a station's file."""
    name = key.rpartition("/")[2]
    ending = name.rpartition(".")[2].lower()
    if name.startswith((".", "~$", "_")) or ending in _NO_DATA:
        return False
    if ending in _OTHER_DATA and (catalog.find(key) is not None or catalog.resembles(name)):
        return True
    return catalog.find(name) is not None


def rows(stream: BinaryIO, context: ObjectContext, catalog: Catalog) -> Iterator[Row]:
    """Measurements and rejections of one object, in bounded memory; a few stand behind later ones.

    Raises BrokenObject where the content becomes unusable; what was yielded before stands.
    """
    key = context.ref.key
    kind = format_of(key)
    head = first_bytes(stream, 4)
    joined = cast(BinaryIO, Rejoined(head, stream))
    if head == b"PK\x03\x04" and kind not in _WORKBOOKS:
        yield from _archive_rows(joined, context, catalog)
        return
    if kind is None:
        raise BrokenObject(
            "unknown_format", f"a station's file that is not read: its name ends in none of {_LIST}"
        )
    yield from _format_rows(kind, joined, ObjectRows(context, catalog, key), catalog)


_LIST = ", ".join(f".{ending}" for ending in _FORMATS)


def _format_rows(kind: str, stream: BinaryIO, rows: ObjectRows, catalog: Catalog) -> Iterator[Row]:
    networks = catalog.networks.by_name.values()
    match kind:
        case "jsonl" | "ndjson":
            yield from json_lines(lines(stream), rows, networks)
        case "json":
            yield from json_rows(whole_text(stream), rows, networks)
        case "parquet":
            yield from record_rows(parquet_records(stream), rows, networks)
        case "csv" | "tsv":
            yield from csv_rows(stream, rows, networks)
        case _:
            yield from workbook_rows(stream, rows)


def _archive_rows(stream: BinaryIO, context: ObjectContext, catalog: Catalog) -> Iterator[Row]:
    """Rows of the files in a ZIP; each file's name stands below the archive's."""
    outer = "/".join(parts_of(context.ref.key))
    before = 0
    try:
        with _spooled(stream) as file, zipfile.ZipFile(file) as archive:
            members = [item for item in archive.infolist() if not item.is_dir() and format_of(item.filename)]
            if not members or len(members) > _MAX_MEMBERS:
                raise BrokenObject("unknown_format", f"a ZIP with {len(members)} files that could be read")
            for item in members:
                with archive.open(item) as content:
                    inner = ObjectRows(context, catalog, f"{outer}/{item.filename}")
                    last = before
                    kind = format_of(item.filename) or ""
                    context.before = before
                    for row in _format_rows(kind, cast(BinaryIO, content), inner, catalog):
                        if type(row) is Rejection:
                            row = replace(row, position=before + row.position)
                        last = max(last, row.position)
                        yield row
                    before = last
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BrokenObject("broken_zip", f"{error}"[:200]) from error


def _spooled(stream: BinaryIO) -> SpooledTemporaryFile[bytes]:
    """The archive where it can be sought in: in memory while it is small."""
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by the caller
    chunks, size = Chunks(stream), 0
    while piece := chunks.read():
        size += len(piece)
        if size > _MAX_ARCHIVE:
            raise BrokenObject("too_large", f"an archive of more than {_MAX_ARCHIVE // 2**20} MB")
        file.write(piece)
    return file
