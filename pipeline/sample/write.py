"""Writes the sample: what each station's owner would download, and Airbyte's copies of a part of it.

station_ichtegem_BE.xlsx                   the last week, a sheet a day
station_ichtegem_BE_DDMMYY.csv             its days before
station_la_madelaine_FR_DDMMYY.csv[.gz]    a file a day, every other one gzipped
infoclimat_YYYY-MM-DD.json[.gz]            a file a week, every other one gzipped
airbyte/station_..._DDMMYY.jsonl[.gz]      copies of the last days of both amateur stations
airbyte/infoclimat.jsonl.gz                a copy of the last InfoClimat file
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import ConfigurationError
from pipeline.sample.formats import COLUMNS, blank_row, envelope, infoclimat_answer, weather_underground_row
from pipeline.sample.weather import STATIONS, SampleStation, readings
from pipeline.stations import load_catalog

_WEEK = timedelta(days=7)
_COPIED_DAYS = 2
_FILES = {"IICHTE19": "station_ichtegem_BE", "ILAMAD25": "station_la_madelaine_FR"}

Days = dict[date, list[dict[str, Any]]]


def write_sample(count: int, out: Path, end: datetime) -> dict[str, int]:
    """Write `count` distinct readings that end at `end` (naive UTC); returns how many rows and files it made.

    Raises ConfigurationError when the folder cannot be written.
    """
    moments = readings(count, end)
    files: dict[str, bytes] = {}
    copies = _write_amateurs(moments, end, files) + _write_infoclimat(moments, end, files)
    try:
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(
            f"--out {out}: {error.strerror}", "Name a folder that can be written."
        ) from error
    return {"readings": sum(map(len, moments.values())), "copies": copies, "files": len(files)}


def _write_amateurs(
    moments: dict[SampleStation, list[datetime]], end: datetime, files: dict[str, bytes]
) -> int:
    copies = 0
    for station in STATIONS:
        if station.id not in _FILES or not moments[station]:
            continue
        days = _local_days(station, moments[station])
        base = _FILES[station.id]
        recent = sorted(days)[-7:] if station.id == "IICHTE19" else []
        if recent:
            files[f"{base}.xlsx"] = _workbook({day: days[day] for day in recent})
        for number, day in enumerate(day for day in sorted(days) if day not in recent):
            name = f"{base}_{day:%d%m%y}.csv"
            zipped = station.id == "ILAMAD25" and number % 2 == 1
            files[name + ".gz" * zipped] = _zip(_csv(days[day]), zipped=zipped)
        for number, day in enumerate(sorted(days)[-_COPIED_DAYS:]):
            name = f"airbyte/{base}_{day:%d%m%y}.jsonl"
            files[name + ".gz" * (number % 2)] = _zip(_airbyte(days[day], day, end), zipped=number % 2 == 1)
            copies += len(days[day])
    return copies


def _write_infoclimat(
    moments: dict[SampleStation, list[datetime]], end: datetime, files: dict[str, bytes]
) -> int:
    own = {station: times for station, times in moments.items() if station.network == "infoclimat" and times}
    if not own:
        return 0
    first = min(times[0] for times in own.values())
    answer: dict[str, Any] = {}
    number, until = 0, end
    while until >= first:
        week = {station: [t for t in times if until - _WEEK < t <= until] for station, times in own.items()}
        content = infoclimat_answer({station: times for station, times in week.items() if times})
        if content["stations"]:
            zipped = number % 2 == 1
            files[f"infoclimat_{until:%Y-%m-%d}.json" + ".gz" * zipped] = _zip(
                orjson.dumps(content), zipped=zipped
            )
            answer = answer or content
            number += 1
        until -= _WEEK
    line = orjson.dumps(envelope("infoclimat-00000", _milliseconds(end), answer)) + b"\n"
    files["airbyte/infoclimat.jsonl.gz"] = _zip(line, zipped=True)
    return sum(len(hours) for station, hours in answer["hourly"].items() if station != "_params")


def _local_days(station: SampleStation, moments: Iterable[datetime]) -> Days:
    """Rows by local day, in the order of time, as the station's own site shows them."""
    zone = next(known.zone for known in load_catalog().stations if known.id == station.id)
    days: Days = {}
    for moment in moments:
        local = moment.replace(tzinfo=UTC).astimezone(zone)
        days.setdefault(local.date(), []).append(weather_underground_row(station, moment, local))
    return days


def _workbook(days: Days) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for day, rows in days.items():
        sheet = book.create_sheet(f"{day:%d%m%y}")
        sheet.append(list(COLUMNS))
        sheet.append([None] * len(COLUMNS))
        for row in rows:
            time = datetime.strptime(row["Time"], "%H:%M:%S").time()  # noqa: DTZ007 - a time of day has no zone
            sheet.append([time, *list(row.values())[1:]])
    content = io.BytesIO()
    book.save(content)
    return _without_clock(content)


def _without_clock(workbook: io.BytesIO) -> bytes:
    """The same workbook without the moment at which it was made, so that equal data are equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(workbook) as made, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in made.namelist():
            part = re.sub(rb"(<dcterms:\w+[^>]*>)[^<]*", rb"\g<1>2020-01-01T00:00:00Z", made.read(name))
            kept.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _airbyte(rows: list[dict[str, Any]], day: date, end: datetime) -> bytes:
    extracted = _milliseconds(end)
    lines = [
        orjson.dumps(envelope(f"{day:%d%m%y}-{number:05}", extracted + number, row))
        for number, row in enumerate([blank_row(), *rows])
    ]
    return b"\n".join(lines) + b"\n"


def _zip(content: bytes, *, zipped: bool) -> bytes:
    return gzip.compress(content, mtime=0) if zipped else content


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
