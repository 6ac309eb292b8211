"""Source objects and ready-made documents for the measurements; deterministic, made in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipeline.sample.formats import envelope, weather_underground_row
from pipeline.sample.weather import STATIONS

A_DAY = 288
_STATION = STATIONS[0]


def _days_from(first: date, count: int) -> list[date]:
    """Days on which no clock changes."""
    days = (first + timedelta(days=number) for number in range(count))
    return [day for day in days if not (day.weekday() == 6 and day.month in (3, 4, 9, 10))]


_DAYS = _days_from(date(2000, 1, 1), 1_500)
_PAST = _days_from(date(1970, 1, 2), 19_000)


def day_lines(number: int, *, dated: bool = False, correction: float = 0.0) -> list[bytes]:
    """Airbyte lines of one local day of IICHTE19; `dated` puts the day into `Time`, too.

    `correction` is added to the wind speed of every tenth reading.
    """
    day = _DAYS[number]
    lines = []
    for slot in range(A_DAY):
        local = datetime.combine(day, time(slot // 12, slot % 12 * 5 + 4))
        row: dict[str, Any] = weather_underground_row(_STATION, local, local)
        if dated:
            row["Time"] = f"{local:%Y-%m-%d %H:%M:%S}"
        if correction and slot % 10 == 0:
            row["Speed"] = f"{slot % 30 + correction:.1f} mph"
        lines.append(orjson.dumps(envelope(f"{number:06}-{slot:05}", 1_765_900_000_000 + slot, row)))
    return lines


def day_name(number: int) -> str:
    return f"station_ichtegem_BE_{_DAYS[number]:%Y-%m-%d}.jsonl"


def write_days(folder: Path, days: int) -> int:
    """An object a day; returns the number of readings."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(days):
        (folder / day_name(number)).write_bytes(b"\n".join(day_lines(number)) + b"\n")
    return days * A_DAY


def write_one(path: Path, readings: int, *, correction: float = 0.0) -> int:
    """One object with all readings, a day after the other; returns its size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for lines in _days(readings, correction):
            file.write(b"\n".join(lines) + b"\n")
    return path.stat().st_size


def _days(readings: int, correction: float) -> Iterator[list[bytes]]:
    """A month of made-up days, over and over under the date of each day."""
    month = [(f"{_DAYS[n]}".encode(), day_lines(n, dated=True, correction=correction)) for n in range(30)]
    number = 0
    while readings > 0:
        made_for, lines = month[number % 30]
        day = f"{_PAST[number]}".encode()
        yield [line.replace(made_for, day) for line in lines[:readings]]
        readings -= len(lines)
        number += 1
