"""The same readings in every shape in which they are downloaded, exported and synchronized."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import orjson

from pipeline.sample.formats import COLUMNS, blank_row, envelope

Days = dict[date, list[dict[str, Any]]]
Files = dict[str, bytes]
Shape = Callable[[str, Days, Any], Files]


def days_of(workbook: bytes) -> Days:
    """The rows of a workbook with a sheet a day (DDMMYY), as text where a connector would write text."""
    days: Days = {}
    for sheet in openpyxl.load_workbook(io.BytesIO(workbook), read_only=True):
        day = datetime.strptime(sheet.title, "%d%m%y").date()  # noqa: DTZ007 - a day has no zone
        cells = sheet.iter_rows(min_row=2, values_only=True)
        rows = [dict(zip(COLUMNS, line, strict=False)) for line in cells if any(line)]
        days[day] = [{**row, "Time": f"{row['Time']:%H:%M:%S}"} for row in rows if row["Time"] != "Time"]
    return days


def csv_a_day(name: str, days: Days, answer: Any) -> Files:
    return {f"{name}_{day:%d%m%y}.csv": _csv(rows) for day, rows in days.items()} | {
        "infoclimat.json": orjson.dumps(answer)
    }


def gzipped(name: str, days: Days, answer: Any) -> Files:
    return {f"{key}.gz": gzip.compress(content) for key, content in csv_a_day(name, days, answer).items()}


def folder_a_station(name: str, days: Days, answer: Any) -> Files:
    files = {f"{name}/date={day}/part-0.csv": _csv(rows) for day, rows in days.items()}
    return files | {"00052/answer.json": orjson.dumps(answer)}


def airbyte_with_dates(name: str, days: Days, answer: Any) -> Files:
    """All days in one stream, each row with its date; the file is named after the day of the sync."""
    rows = [blank_row()]
    for day, of_day in days.items():
        rows += [{**row, "Date": f"{day}", "DateTime": f"{day}T{row['Time']}"} for row in of_day]
    last = max(days)
    return {
        f"{name}/{last:%Y_%m_%d}_1728345600000_0.jsonl": _lines([envelope("r", 1, row) for row in rows]),
        "infoclimat.jsonl": _lines([envelope("r", 1, answer)]),
    }


def root_level(name: str, days: Days, answer: Any) -> Files:
    """Root-level flattening, a file a day; InfoClimat's records a line each."""
    files = {
        f"{name}_{day:%Y%m%d}.jsonl": _lines([{"_airbyte_raw_id": "r", **row} for row in rows])
        for day, rows in days.items()
    }
    hours = [hour for key, hours in answer["hourly"].items() if key != "_params" for hour in hours]
    return files | {"infoclimat.jsonl": _lines([{"_airbyte_raw_id": "r", **hour} for hour in hours])}


def one_range(name: str, days: Days, answer: Any) -> Files:
    """All days in one table without dates, under a name that tells the first and the last."""
    rows = [row for of_day in days.values() for row in of_day]
    return {f"{name}_{min(days)}_{max(days)}.csv": _csv(rows), "infoclimat.json": orjson.dumps([answer])}


SHAPES: list[Shape] = [
    csv_a_day, gzipped, folder_a_station, airbyte_with_dates, root_level, one_range,
]  # fmt: skip


def _csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [";".join(COLUMNS), *(";".join(_cell(row.get(name)) for name in COLUMNS) for row in rows)]
    return "\n".join(lines).encode() + b"\n"


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _lines(records: list[Any]) -> bytes:
    return b"\n".join(map(orjson.dumps, records)) + b"\n"


def write(files: Files, folder: Path) -> None:
    for key, content in files.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
