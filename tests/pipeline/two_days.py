"""Two days of readings of one station, for tests of what files look like."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from pipeline.measurement import Measurement, Row
from pipeline.parsers.reading import rows
from pipeline.stations import load_catalog
from pipeline.transform import ObjectContext
from tests.pipeline.workshop import context, wu_row

NAME = "station_la_madeleine_FR"
DAYS = ("2024-09-03", "2024-09-04")
TIMES = ("00:07:00", "11:07:00", "23:52:00")
EXPECTED = {
    f"ILAMAD25@{moment}Z"
    for moment in ("2024-09-02T22:07:00", "2024-09-03T09:07:00", "2024-09-03T21:52:00",
                   "2024-09-03T22:07:00", "2024-09-04T09:07:00", "2024-09-04T21:52:00")
}  # fmt: skip
ONE_DAY = {id_ for id_ in EXPECTED if id_ < "ILAMAD25@2024-09-03T22"}


def learned(key: str, content: bytes) -> tuple[list[Row], ObjectContext]:
    """All rows of an object, and what was learned of it."""
    known = context(key)
    return list(rows(io.BytesIO(content), known, load_catalog())), known


def ids(found: list[Row]) -> set[str]:
    return {row.id for row in found if isinstance(row, Measurement)}


def dated(**columns: str) -> list[dict[str, Any]]:
    """Two days of rows, each with further columns made of its day and time."""
    return [
        wu_row(shown) | {name: text.format(d=day, t=shown) for name, text in columns.items()}
        for day in map(date.fromisoformat, DAYS)
        for shown in TIMES
    ]  # fmt: skip
