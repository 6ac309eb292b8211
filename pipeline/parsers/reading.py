"""Chooses how an object is read: by the end of its name, and by what is found in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.parsers.airbyte import airbyte_rows
from pipeline.parsers.infoclimat import infoclimat_rows
from pipeline.parsers.raw import MAX_LINE, lines, whole
from pipeline.parsers.tables import csv_rows, workbook_rows
from pipeline.stations import Catalog
from pipeline.transform import ObjectContext, WeatherUndergroundRows

_FORMATS = ("xlsx", "csv", "jsonl", "ndjson", "json")


def format_of(key: str) -> str | None:
    """The format that a name announces, `.gz` left off; None for objects that are not ours to read."""
    name = key.lower().removesuffix(".gz")
    ending = name.rpartition(".")[2]
    hidden = name.rpartition("/")[2].startswith((".", "~$"))
    return ending if ending in _FORMATS and not hidden else None


def rows(stream: BinaryIO, context: ObjectContext, catalog: Catalog) -> Iterator[Row]:
    """Measurements and rejections of one object, in the order of its rows, in bounded memory.

    Raises BrokenObject where the content becomes unusable; what was yielded before stands.
    """
    key = context.ref.key
    match format_of(key):
        case "jsonl" | "ndjson":
            yield from airbyte_rows(lines(stream), context, lambda: _amateur(context, catalog))
        case "json":
            yield from infoclimat_rows(whole(stream, MAX_LINE), context)
        case "csv":
            yield from csv_rows(stream, context, _require(_amateur(context, catalog)))
        case "xlsx":
            found = catalog.find(key)
            if found is None:
                raise _unknown_station()
            yield from workbook_rows(stream, context, found[0])
        case _:
            raise BrokenObject("unknown_format", "its name ends in no known format")


def _amateur(context: ObjectContext, catalog: Catalog) -> WeatherUndergroundRows | None:
    found = catalog.find(context.ref.key)
    return WeatherUndergroundRows(context, *found) if found else None


def _require(table: WeatherUndergroundRows | None) -> WeatherUndergroundRows:
    if table is None:
        raise _unknown_station()
    return table


def _unknown_station() -> BrokenObject:
    return BrokenObject("unknown_station", "no pattern of stations.toml matches this object's name")
