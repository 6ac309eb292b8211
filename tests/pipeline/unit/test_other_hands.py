"""Files that were made by other hands: read as they are meant, or refused; never read as something else."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest

from pipeline.errors import BrokenObject
from pipeline.gateways.folder import FolderSource
from pipeline.parsers.reading import is_a_stations
from pipeline.stations import load_catalog
from tests.pipeline.workshop import Workshop, csv, documents, jsonl, read, rejections, wu_row

KEY = "station_la_madeleine_FR_050924.csv"
METRIC = ("Time", "Temperature", "Dew Point", "Humidity", "Speed", "Gust", "Pressure")
UNITS = ("", "°C", "°C", "%", "km/h", "km/h", "hPa")
ROW = ("09:10", "17.5", "12", "70", "11", "19", "1009.4")


def lines(*rows: Any, separator: str = ",") -> bytes:
    return "\n".join(separator.join(map(str, row)) for row in rows).encode()


def book(*rows: Any) -> bytes:
    made, content = openpyxl.Workbook(), io.BytesIO()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    made.save(content)
    return content.getvalue()


@pytest.mark.parametrize("pack", [lines, book], ids=["csv", "xlsx"])
@pytest.mark.parametrize("units", [UNITS, ("", "C", "degC", "", "", "", "mbar")])
def test_a_row_of_units_below_the_header_counts(pack: Any, units: tuple[str, ...]) -> None:
    """It is no reading, and its units are those of the bare numbers."""
    key = KEY.replace("csv", "xlsx") if pack is book else KEY
    (found,) = documents(read(key, pack(METRIC, units, ROW)))
    assert (found["temperature_c"], found["pressure_hpa"]) == (17.5, 1009.4)
    assert found["wind_speed_kmh"] == 11


@pytest.mark.parametrize("second", [("", "°C", "17", "%", "", "", ""), ("", "°R", "°C", "%", "", "", "hPa")])
def test_a_row_that_is_not_of_units_only_is_a_row(second: tuple[str, ...]) -> None:
    """It has no time, and so is refused as a row."""
    found = read(KEY, lines(METRIC, second, ROW))
    assert "no_time" in {row.reason for row in rejections(found)}


@pytest.mark.parametrize("again", ["Temperature", "temperature", "Temperature (°F)"])
def test_a_column_that_stands_there_twice_is_not_known(again: str) -> None:
    """Which of the two is meant cannot be known: indoors or outdoors."""
    header = (*METRIC[:1], "Temperature_F" if "F" in again else "Temperature", again, *METRIC[2:])
    with pytest.raises(BrokenObject, match=r"no column Temperature; not known: [Tt]emp"):
        read(KEY, lines(header, ("09:10", "61", "55", "50", "70", "5", "9", "29.8")))


def test_a_column_in_two_units_is_read_in_the_first_and_the_other_is_named() -> None:
    """They say the same."""
    work = Workshop(
        {KEY: lines(("Time", "Temperature_F", "Temperature_C", "Pressure"), ("9:10", 59, 15, 29.8))}
    )
    report = work.run("r1").as_document()
    (found,) = work.values().values()
    assert found["temperature_c"] == 15
    assert report["exit_code"] == 0 and report["unknown_columns"] == {"Temperature_C": 1}


def test_a_humidity_that_is_a_share_is_dropped() -> None:
    """0.7 of a column of percents is no 0.7 %: dropped, and the run is not good."""
    work = Workshop({KEY: csv(*(wu_row(f"1{n}:00:00", humidity=f"0.{n}8") for n in range(9)))})
    report = work.run("r1").as_document()
    assert report["exit_code"] == 3 and report["dropped"] == {"humidity_pct:out_of_range": 9}
    assert not any("humidity_pct" in found for found in work.values().values())


@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_quote_that_is_not_closed_swallows_no_rows_in_silence(place: int) -> None:
    """One row of a hundred would be within the limit; the ninety that it takes along are not."""
    content = csv(*(wu_row(f"{n // 6:02}:{n % 6}5:00") for n in range(100))).decode().split("\n")
    cells = content[11].split(",")
    cells[place] = f'"{cells[place]}'
    content[11] = ",".join(cells)
    work = Workshop({KEY: "\n".join(content).encode()})
    report = work.run("r1").as_document()
    assert report["exit_code"] == 3 and "a quote is not closed" in report["hint"]


def test_airbytes_csv_holds_records_in_one_column() -> None:
    """Without flattening the record is JSON in `_airbyte_data`; twice quoted text is undone too."""
    record = orjson.dumps(wu_row("09:10:00"))
    twice = orjson.dumps(record.decode())
    for text in (record, twice):
        quoted = text.decode().replace('"', '""')
        content = f'_airbyte_raw_id,_airbyte_extracted_at,_airbyte_data\nid,1,"{quoted}"\n'.encode()
        (found,) = documents(read(KEY, content))
        assert found["temperature_c"] == 13.78
    (found,) = documents(read(KEY.replace("csv", "jsonl"), orjson.dumps({"_airbyte_data": twice.decode()})))
    assert found["temperature_c"] == 13.78


@pytest.mark.parametrize(
    "value",
    ["1900-01-01T09:10:00Z", "1899-12-30T09:10:00.000Z", "1/1/1900 9:10", "1/0/1900 9:10:00",
     "30/12/1899 09:10", "12/31/1899 9:10 AM", "0001-01-01T09:10:00", "1970-01-01T09:10:00+00:00",
     "01.01.1904 09:10"],
)  # fmt: skip
def test_a_time_with_the_first_day_of_a_calendar_is_a_time_of_day(value: str) -> None:
    """In every spelling, and a zone that a program has put behind it is none: the clock is the station's."""
    for key, content in ((KEY, csv(wu_row(value))), (KEY.replace("csv", "jsonl"), jsonl(wu_row(value)))):
        (found,) = documents(read(key, content))
        assert found["_id"] == "ILAMAD25@2024-09-05T07:10:00Z"


@pytest.mark.parametrize("sheet", ["September-5", "5 septembre", "5_sept_2024", "Thu 5 Sep 2024"])
@pytest.mark.parametrize("name", ["station_la_madeleine_FR_2024", "2024/station_la_madeleine_FR"])
def test_a_sheet_named_by_day_and_month_is_of_the_year_of_its_workbook(name: str, sheet: str) -> None:
    """Without a year anywhere it is of no day."""
    made, content = openpyxl.Workbook(), io.BytesIO()
    only = made.active
    assert only is not None
    only.title = sheet
    for row in (wu_row().keys(), wu_row("09:10:00").values()):
        only.append(list(row))
    made.save(content)
    (found,) = documents(read(f"{name}.xlsx", content.getvalue()))
    assert found["timestamp"].date() == date(2024, 9, 5)
    if "2024" not in sheet:
        refused = rejections(read("station_la_madeleine_FR.xlsx", content.getvalue()))
        assert [row.reason for row in refused] == ["no_date"]


@pytest.mark.parametrize(
    "name", ["station_la_madeleine_FR_5 septembre 2024", "station_la_madeleine_FR Thu, Sept 5, 2024",
             "2024/station_la_madeleine_FR_September-5", "station_la_madeleine_FR/2024-sep-05/rows"],
)  # fmt: skip
def test_a_month_in_words_is_a_day_in_a_name(name: str) -> None:
    """With its year, or with one elsewhere in the key."""
    (found,) = documents(read(f"{name}.csv", csv(wu_row("09:10:00"))))
    assert found["_id"] == "ILAMAD25@2024-09-05T07:10:00Z"


def test_a_name_that_is_not_utf8_stops_nothing(tmp_path: Path) -> None:
    """It is named and left for the next run."""
    (tmp_path / KEY).write_bytes(csv(wu_row()))
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/station_la_madeleine_FR_\xe9t\xe9.csv")).write_bytes(b"x")
    found = {ref.key: ref.error for ref in FolderSource(tmp_path).list()}
    assert found == {KEY: "", r"station_la_madeleine_FR_\xe9t\xe9.csv": "its name is not UTF-8: rename it"}


@pytest.mark.parametrize(
    "name", ["station_la_madeleine_FR_Q3.7z", "backup ILAMAD25 final.rar", "ILAMAD25.ods"]
)
def test_a_file_that_begins_like_a_stations_is_not_ignored(name: str) -> None:
    """Its format is not read, whatever else stands in its name: it is named."""
    assert is_a_stations(name, load_catalog())
    assert not is_a_stations("holiday.7z", load_catalog())


@pytest.mark.parametrize("form", ["<c r='XFD1048576' t='n'><v>1</v></c>", '<c r = "xfd1048576"><v>1</v></c>'])
@pytest.mark.parametrize("place", ["xl/worksheets/sheet1.xml", "xl/elsewhere/data.xml"])
def test_a_cell_far_away_is_seen_in_every_spelling(form: str, place: str) -> None:
    """Whatever part the sheet is, and however the reference is written."""
    content = io.BytesIO(book(METRIC, ROW))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(place.replace("sheet1", "sheet2"), f"<worksheet><row>{form}</row></worksheet>")
    with pytest.raises(BrokenObject, match="too_large"):
        read(KEY.replace("csv", "xlsx"), content.getvalue())


UNDATED = "station_la_madeleine_FR.csv"
NIGHT = csv(wu_row("22:10:00"), wu_row("23:10:00"), wu_row("00:10:00"))


def test_an_object_beside_it_tells_the_first_day() -> None:
    """`x.csv.first-day` holds a date: the rows are of it and the days after, and the two are one object."""
    work = Workshop({UNDATED: NIGHT, f"{UNDATED}.first-day": b"\xef\xbb\xbf2024-09-05\n"})
    report = work.run("r1").as_document()
    assert sorted(work.values()) == [
        "ILAMAD25@2024-09-05T20:10:00Z", "ILAMAD25@2024-09-05T21:10:00Z", "ILAMAD25@2024-09-05T22:10:00Z"
    ]  # fmt: skip
    assert report["object_counts"] == {"loaded": 1}
    assert set(work.run("r2").as_document()["object_counts"]) == {"skipped"}


def test_another_first_day_moves_the_rows() -> None:
    """A corrected day is another version of the object; without it the rows are of no day."""
    work = Workshop({UNDATED: NIGHT, f"{UNDATED}.first-day": b"2024-09-05"})
    work.run("r1")
    work.source.objects[f"{UNDATED}.first-day"] = b"2024-09-01"
    work.run("r2")
    assert {id_[9:19] for id_ in work.values()} == {"2024-09-01"}
    del work.source.objects[f"{UNDATED}.first-day"]
    assert work.run("r3").as_document()["exit_code"] == 3
    assert work.values() == {}


@pytest.mark.parametrize("text", [b"soon", b"", b"01/02/2024", b"2024-09-05 and more" * 9, b"\xff\xfe"])
def test_a_first_day_that_is_none_leaves_the_object_unread(text: bytes) -> None:
    """With its name; the others load, and the exit code says so."""
    work = Workshop({UNDATED: NIGHT, f"{UNDATED}.first-day": text, KEY: csv(wu_row())})
    report = work.run("r1").as_document()
    assert (report["exit_code"], report["written"]) == (5, 1)
    assert f"{UNDATED}.first-day: it is no date such as 2024-10-01" in report["hint"]
