"""Airbyte's JSON Lines: one envelope a line, the record under `_airbyte_data`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.model import Rejection
from pipeline.parsers.infoclimat import answer_rows
from pipeline.transform import InfoClimatRows, Layout, ObjectContext, WeatherUndergroundRows

Layouts = dict[tuple[str, ...], Layout | None]


def airbyte_rows(
    lines: Iterable[bytes], context: ObjectContext, amateur: Callable[[], WeatherUndergroundRows | None]
) -> Iterator[Row]:
    """Rows of Weather Underground (a record a line) and InfoClimat (an answer, or a record, a line).

    Raises BrokenObject for bytes that are not UTF-8: the object is not what it says it is.
    """
    records = _Records(context, amateur)
    position = 0
    for line in lines:
        position += 1
        try:
            data = orjson.loads(line)["_airbyte_data"]
        except (ValueError, TypeError, KeyError) as error:
            if line.strip():
                yield _not_an_envelope(position, line, error)
            continue
        if type(data) is dict and "hourly" not in data:
            if (row := records.read(position, data)) is not None:
                yield row
        elif type(data) is dict:
            for row in answer_rows(data, context, position):
                position = max(position, row.position)
                yield row
        else:
            yield Rejection(position, "not_a_record", "_airbyte_data holds no record", _text(line))


class _Records:
    """Chooses the network by the keys of a record, and remembers the layout that goes with them."""

    def __init__(self, context: ObjectContext, amateur: Callable[[], WeatherUndergroundRows | None]) -> None:
        self._context = context
        self._amateur = amateur
        self._table: WeatherUndergroundRows | None = None
        self._infoclimat = InfoClimatRows(context)
        self._layouts: Layouts = {}

    def read(self, position: int, data: dict[str, Any]) -> Row | None:
        keys = tuple(data)
        try:
            layout = self._layouts[keys]
        except KeyError:
            layout = self._layouts[keys] = self._context.converter.layout("weather_underground", keys, "time")
        if layout is None:
            if "dh_utc" in data:
                return self._infoclimat.read(position, data, None)
            return Rejection(position, "unknown_record", "a record of no known network", data)
        if self._table is None:
            self._table = self._amateur()
            if self._table is None:
                raise BrokenObject(
                    "unknown_station", "no pattern of stations.toml matches this object's name"
                )
        return self._table.read(position, data, layout)


def _not_an_envelope(position: int, line: bytes, error: Exception) -> Rejection:
    try:
        line.decode()
    except UnicodeDecodeError as fault:
        raise BrokenObject("not_utf8", f"row {position}: {fault.reason} at byte {fault.start}") from error
    reason = "not_json" if isinstance(error, ValueError) else "not_an_envelope"
    return Rejection(position, reason, f"{error}"[:200], _text(line))


def _text(line: bytes) -> str:
    return line[:2000].decode(errors="replace")
