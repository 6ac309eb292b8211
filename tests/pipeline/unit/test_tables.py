"""Dates, units and columns as other people write them: read as they are meant, or refused and named."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest

from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.parsers.reading import rows
from pipeline.stations import load_catalog
from tests.pipeline.two_days import DAYS, EXPECTED, NAME, ONE_DAY, TIMES, dated, ids, learned
from tests.pipeline.workshop import context, csv, documents, jsonl, read, rejections, wu_row


def table(records: list[dict[str, Any]], separator: str = ",") -> bytes:
    lines = [records[0].keys(), *(record.values() for record in records)]
    return "\n".join(separator.join(map(str, line)) for line in lines).encode()


@pytest.mark.parametrize(
    "columns",
    [
        {"Date": "{d}"},
        {"date": "{d:%d-%m-%Y}"},
        {"DATE": "{d:%Y%m%d}"},
        {"Date": "{d:%d.%m.%Y}"},
        {"Date": "{d}T00:00:00Z"},
        {"Date": "{d:%-d %B %Y}"},
        {"DateTime": "{d}T{t}"},
        {"date_time": "{d} {t}"},
        {"Datetime": "{d}T{t}+02:00"},
        {"Date": "{d}", "DateTime": "{d}T{t}"},
        {"Date": "{d}", "DateTime": "{d}T00:00:00"},
    ],
)
@pytest.mark.parametrize("name", [NAME, f"{NAME}_export_2024-09-09", f"{NAME}_090924"])
def test_a_rows_own_date_wins_over_the_name(columns: dict[str, str], name: str) -> None:
    """In a column of any case and form; a day in the name that is another one is counted."""
    for key, content in (
        (f"{name}.jsonl", jsonl(*dated(**columns))),
        (f"{name}.csv", table(dated(**columns))),
    ):
        found, known = learned(key, content)
        assert ids(found) == EXPECTED
        assert known.columns.other_day == (6 if name.endswith("_090924") else 0)


def test_day_and_month_change_places_only_where_something_says_so() -> None:
    """With slashes the name decides, then the other rows, then nothing: such rows are refused."""
    american = table(dated(Date="{d:%m/%d/%Y}"))
    assert ids(read(f"{NAME}_2024-09-03_2024-09-04.csv", american)) == EXPECTED
    assert {row.reason for row in rejections(read(f"{NAME}.csv", american))} == {"ambiguous_date"}
    told = {row.reason for row in rejections(read(f"{NAME}_030924.csv", american))}
    assert told <= {"ambiguous_date"}


@pytest.mark.parametrize("form", ["{d:%m/%d/%Y}", "{d:%m-%d-%Y}", "{d:%d/%m/%Y}", "{d:%d-%m-%y}"])
def test_a_date_that_can_be_read_in_one_order_only_speaks_for_the_others(form: str) -> None:
    """Wherever it stands in the object: rows before it have waited for it."""
    days = [date(2024, 8, 11), date(2024, 8, 12), date(2024, 8, 13), date(2024, 9, 1)]
    records = [{**wu_row("10:00:00"), "Date": form.format(d=day)} for day in days]
    for content in (table(records), table(records[::-1])):
        found = documents(read(f"{NAME}.csv", content))
        assert {item["timestamp"].date() for item in found} == set(days)


def test_with_dashes_the_day_comes_first_where_nothing_else_is_said() -> None:
    """The name of the object says more, and so does a date with a thirteenth month."""
    rows_of = table([{**wu_row("10:00:00"), "Date": "10-01-2024"}])
    (found,) = documents(read(f"{NAME}.csv", rows_of))
    assert found["timestamp"].date() == date(2024, 1, 10)
    (found,) = documents(read(f"{NAME}_2024-10-01.csv", rows_of))
    assert found["timestamp"].date() == date(2024, 10, 1)


def test_dates_of_both_orders_in_one_object_are_refused() -> None:
    """Which of the others are of which order cannot be known."""
    records = [{**wu_row("10:00:00"), "Date": day} for day in ("13/08/2024", "08/14/2024", "08/09/2024")]
    refused = rejections(read(f"{NAME}.csv", table(records)))
    assert [row.reason for row in refused] == ["dates_disagree"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**wu_row("00:07:00"), "Date": "2024-09-03", "DateTime": "2024-09-04T00:07:00"}, "dates_disagree"),
        ({**wu_row("00:07:00"), "DateTime": "2024-09-03T05:07:00"}, "times_disagree"),
        ({**wu_row("00:07:00"), "DateTime": "2024-09-03T00:07:00Z"}, "times_disagree"),
        ({**wu_row("00:07:00"), "Date": "soon"}, "bad_time"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(row: dict[str, Any], reason: str) -> None:
    """Which of its dates and times is right cannot be known."""
    (refused,) = rejections(read(f"{NAME}.jsonl", jsonl(row)))
    assert refused.reason == reason


@pytest.mark.parametrize(
    "form", ["{d}T{t}+02:00", "{d} {t}+0200", "{d}T{t}+02", "{d}T{t}.250+02:00", "{d} {t}"]
)
def test_a_time_with_its_date_and_offset_leaves_nothing_open(form: str) -> None:
    """An offset is an instant, whatever the station's zone; without one it is local."""
    records = [wu_row(form.format(d=day, t=shown)) for day in DAYS for shown in TIMES]
    assert ids(read(f"{NAME}.csv", csv(*records))) == EXPECTED


@pytest.mark.parametrize("day", ["1900-01-01T", "1899-12-30 ", "1899-12-31T", "1904-01-01 "])
def test_the_first_day_of_a_spreadsheet_is_no_date(day: str) -> None:
    """A cell with a time only, written as text: the day stands in the name."""
    content = jsonl(*[wu_row(f"{day}{shown}") for shown in TIMES])
    assert ids(read(f"{NAME}_030924.jsonl", content)) == ONE_DAY
    assert {row.reason for row in rejections(read(f"{NAME}.jsonl", content))} == {"no_date"}


HEADERS = {
    "underscores": "Time;Temperature_C;Dew_Point_C;Humidity_%;Wind;Speed_kmh;Gust_kmh;Pressure_hPa;"
    "Precip_Rate_mm;Precip_Accum_mm;UV;Solar_w/m2",
    "brackets": "TIME;temperature (°C);DEW POINT [°C];Humidity (%);Wind;Speed (km/h);Gust (km/h);"
    "Pressure (mbar);Precip. Rate. (mm/h);Precip. Accum. (mm);UV Index;Solar (W/m²)",
    "run together": "time;TemperatureC;DewpointC;humidity;wind;SpeedKmh;Gust km/h;PressurehPa;"
    "PrecipRate mm;PrecipAccum mm;uv;solarWm2",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_a_unit_in_the_header_is_that_of_the_column(header: str) -> None:
    """Spelled, cased and spaced as scrapers and spreadsheets do."""
    row = "00:07:00;14.2;11.1;73;West;9.0;15.5;1008.4;0.4;2.6;1;12"
    (document,) = documents(read(f"{NAME}_030924.csv", f"{header}\n{row}\n".encode()))
    names = ("temperature_c", "dew_point_c", "wind_speed_kmh", "wind_gust_kmh", "pressure_hpa",
             "precipitation_rate_mm_h", "precipitation_day_mm", "solar_w_m2")  # fmt: skip
    assert [document[name] for name in names] == [14.2, 11.1, 9.0, 15.5, 1008.4, 0.4, 2.6, 12.0]


@pytest.mark.parametrize(
    ("header", "expected"),
    [("Pressure (hPa);Temperature;Speed", 9.0), ("Pressure;Temperature;Speed (km/h)", 9.0)],
)
def test_a_table_that_tells_metric_units_is_metric(header: str, expected: float) -> None:
    """The columns beside them, whose headers tell nothing, are not taken for imperial ones."""
    content = f"Time;{header}\n00:07:00;1008.4;14.2;9.0\n".encode()
    (document,) = documents(read(f"{NAME}_030924.csv", content))
    values = [document[name] for name in ("pressure_hpa", "temperature_c", "wind_speed_kmh")]
    assert values == [1008.4, 14.2, expected]


def test_renamed_columns_quarantine_the_object_with_their_names() -> None:
    """Neither an empty document nor a guess: the message says what is missing and what is not known."""
    content = b"Time,Temp Out,Dew Point,Bar,Pressure (kN)\n00:07:00,14 C,11 C,1008,3\n"
    with pytest.raises(BrokenObject) as failure:
        read(f"{NAME}_030924.csv", content)
    assert failure.value.reason == "missing_columns"
    assert failure.value.detail == (
        "no column Temperature and no Pressure; not known: Bar, Pressure (kN), Temp Out"
    )


def test_renamed_keys_of_records_load_nothing() -> None:
    """As in a table, though each record names its columns anew."""
    records = [{"Time": shown, "Temp": "50 °F", "Dew Point": "41 °F"} for shown in TIMES]
    known = context(f"{NAME}_030924.jsonl")
    seen: list[Row] = []
    with pytest.raises(BrokenObject, match="missing_columns: no column Temperature"):
        seen.extend(rows(io.BytesIO(jsonl(*records)), known, load_catalog()))
    assert not seen


def test_a_column_that_some_records_leave_out_is_not_missing() -> None:
    """Airbyte leaves out what is null: the records before the first full one are read as well."""
    bare = {"Time": TIMES[0], "Humidity": "70 %"}
    found = read(f"{NAME}_030924.jsonl", jsonl(bare, wu_row(TIMES[1]), wu_row(TIMES[2])))
    assert ids(found) == ONE_DAY


def test_unknown_and_missing_columns_are_told_by_name() -> None:
    """Beside a table that is read: what was not taken, and what it does not have."""
    content = b"Time,Temperature,Pressure,Battery,Solar\n00:07:00,50 F,29.9 in,12,4\n"
    _, known = learned(f"{NAME}_030924.csv", content)
    assert known.columns.unknown == {"Battery"}
    assert {"Dew Point", "Humidity"} <= known.columns.missing
    assert "Solar" not in known.columns.missing


def test_strange_headers_cost_no_time() -> None:
    """A header of very many characters, and a record of very many keys, are none that we know."""
    wide = {f"key{number}": number for number in range(5_000)}
    (refused,) = rejections(read(f"{NAME}_030924.jsonl", jsonl({**wu_row(), **wide})))
    assert refused.reason == "unknown_record"
    header = "Time,Temperature,Pressure," + " " * 50_000 + "("
    found, known = learned(f"{NAME}_030924.csv", f"{header}\n00:07:00,50 F,29.9 in,1\n".encode())
    assert len(ids(found)) == 1
    assert max(map(len, known.columns.unknown)) <= 100


def metric_rows() -> bytes:
    bare = {
        "temp": "13.8",
        "dew": "11.0",
        "speed": "8.0",
        "gust": "14.5",
        "precip._r": "0.0",
        "precip._a": "1.2",
    }
    pressures = zip(TIMES, ("1012.5", "", "1011"), strict=True)
    return csv(*[wu_row(shown, **bare, pressure=pressure) for shown, pressure in pressures])


def test_bare_metric_numbers_are_refused_in_an_imperial_column() -> None:
    """Also the row between, which tells no pressure: 13.8 would be -10 °C."""
    found = read(f"{NAME}_030924.csv", metric_rows())
    assert not documents(found)
    assert [row.reason for row in rejections(found)] == ["other_unit"] * 3
    assert "units of ILAMAD25" in rejections(found)[0].detail


@pytest.mark.parametrize(
    ("temperature", "pressure", "refused"),
    [("13.8", "1012.5 hPa", 1), ("13.8 °C", "1012.5 hPa", 0), ("50.1", "29.9 in", 0), ("50.1", "29.9", 0)],
)
def test_a_bare_number_beside_a_metric_one_is_refused(temperature: str, pressure: str, refused: int) -> None:
    """13.8 beside 1012.5 hPa is no temperature in °F; alone, or with its unit, each is what it says."""
    content = f"Time;Temperature;Pressure\n00:07:00;{temperature};{pressure}\n".encode()
    found = read(f"{NAME}_030924.csv", content)
    assert [row.reason for row in rejections(found)] == ["other_unit"] * refused
    assert len(documents(found)) == 1 - refused


def test_a_metric_station_has_metric_numbers() -> None:
    """`units` of the station; a unit in a cell still wins."""
    text = f'''
        [ILAMAD25]
        network = "weather_underground"
        files = ["{NAME}*"]
        timezone = "Europe/Paris"
        units = "metric"
    '''
    known = context(f"{NAME}_030924.csv")
    first = documents(rows(io.BytesIO(metric_rows()), known, load_catalog(text)))[0]
    assert (first["temperature_c"], first["pressure_hpa"], first["wind_speed_kmh"]) == (13.8, 1012.5, 8.0)
    assert first["precipitation_day_mm"] == 1.2


@pytest.mark.parametrize(
    "columns",
    [{"Date": "{d}"}, {"DateTime": "{d} {t}", "Time": ""}, {"Time": "{d}T{t}"}, {"Time": "{d} {t}"}],
)
def test_cells_that_were_met_before_mean_the_same(columns: dict[str, str]) -> None:
    """The second day of a station takes the short way; a day that is not the name's is counted on it too."""
    records = [
        wu_row(shown) | {name: text.format(d=day, t=shown) for name, text in columns.items()}
        for day in (*DAYS, *DAYS)
        for shown in TIMES
    ]
    found, known = learned(f"{NAME}_040924.jsonl", jsonl(*records))
    assert ids(found) == EXPECTED and len(found) == 12
    assert known.columns.other_day == 6


def test_the_short_way_stops_at_the_clock_change() -> None:
    """On such a day each row is looked at: an hour happens twice, or not at all."""
    clocks = ("01:10:00", "02:10:00", "02:40:00", "02:20:00", "03:10:00")
    records = [{**wu_row(shown), "Date": day} for day in ("2023-10-28", "2023-10-29") for shown in clocks]
    records.append({**wu_row("02:10:00"), "Date": "2023-03-26"})
    found = read(f"{NAME}.jsonl", jsonl(*records))
    assert ids(found) >= {"ILAMAD25@2023-10-29T00:40:00Z", "ILAMAD25@2023-10-29T01:20:00Z"}
    assert {row.reason for row in rejections(found)} == {"nonexistent_local_time"}
