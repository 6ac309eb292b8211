"""An answer of the InfoClimat API: `stations` with metadata and licence, `hourly` records by station."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from pipeline.errors import BrokenObject
from pipeline.fields import column_name, infoclimat_fields
from pipeline.measurement import Row
from pipeline.model import Document, Rejection
from pipeline.transform import InfoClimatRows, ObjectContext, is_station_id

_NOT_A_STATION = "_params"
_FIELDS = infoclimat_fields()


def infoclimat_rows(content: bytes, context: ObjectContext) -> Iterator[Row]:
    """Rows of one answer. Raises BrokenObject when the content is no such answer."""
    try:
        answer = orjson.loads(content)
    except ValueError as error:
        reason = "not_utf8" if "utf-8" in str(error).lower() else "not_json"
        raise BrokenObject(reason, f"{error}"[:200]) from error
    if isinstance(answer, dict) and "_airbyte_data" in answer:
        answer = answer["_airbyte_data"]
    if not isinstance(answer, dict) or not isinstance(answer.get("hourly"), dict):
        raise BrokenObject("unknown_format", "no InfoClimat answer: it has no `hourly` by station")
    yield from answer_rows(answer, context, 1)


def answer_rows(answer: dict[str, Any], context: ObjectContext, position: int) -> Iterator[Row]:
    """Rows of a parsed answer; the first one has the given position, the others count up from it.

    Raises BrokenObject when the answer says that a field is in another unit.
    """
    _check_units(answer.get("metadata"))
    listed = answer.get("stations")
    for station in listed if isinstance(listed, list) else ():
        if isinstance(station, dict) and is_station_id(station.get("id")):
            context.stations[station["id"]] = _station_document(station)
    records = InfoClimatRows(context)
    hourly = answer["hourly"]
    if not isinstance(hourly, dict):
        yield Rejection(position, "unknown_record", "`hourly` is no object by station", None)
        return
    for station_id, hours in hourly.items():
        if station_id == _NOT_A_STATION:
            continue
        for hour in hours if isinstance(hours, list) else [hours]:
            if (row := records.read(position, hour, station_id)) is not None:
                yield row
            position += 1


def _check_units(metadata: Any) -> None:
    """`metadata` names the unit of each field.

    Raises BrokenObject for one that is not what we convert from.
    """
    for key, text in metadata.items() if isinstance(metadata, dict) else ():
        field = _FIELDS.get(column_name(key))
        unit = str(text).rpartition(",")[2].strip().lower()
        if field and field.units and field.units.get(unit) != field.units[field.bare]:
            raise BrokenObject("unknown_unit", f"{key} is in {unit!r}, not in {field.bare}")


def _station_document(station: dict[str, Any]) -> Document:
    """What is known about a station; only plain values of the right kind, absent ones left out."""
    licence = station.get("license")
    licence = licence if isinstance(licence, dict) else {}
    texts = {key: licence.get(key) for key in ("license", "url", "source", "metadonnees")}
    numbers = {"latitude": "latitude", "longitude": "longitude", "elevation_m": "elevation"}
    document: Document = {"_id": station["id"], "network": "infoclimat", "timezone": "UTC"}
    document |= {key: station[key] for key in ("name", "type") if isinstance(station.get(key), str)}
    document |= {to: station[key] for to, key in numbers.items() if isinstance(station.get(key), int | float)}
    document["cadence_minutes"] = 60 if station.get("type") == "synop" else 10
    if terms := {key: text for key, text in texts.items() if isinstance(text, str)}:
        document["license"] = terms
    return document
