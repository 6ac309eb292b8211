"""Airbyte's ways, answers of InfoClimat, and networks that are tables of a file."""

from __future__ import annotations

import gzip
import io
from typing import Any

import orjson
import pytest

from pipeline.errors import BrokenObject
from pipeline.parsers.reading import rows
from pipeline.stations import load_catalog
from tests.pipeline.two_days import NAME, ONE_DAY, TIMES, ids, learned
from tests.pipeline.workshop import answer, context, documents, hour, jsonl, read, rejections, wu_row


def envelopes(record: dict[str, Any]) -> list[Any]:
    """One record in each of Airbyte's ways, and in none."""
    text = orjson.dumps(record).decode()
    return [
        {"_airbyte_raw_id": "r", "_airbyte_extracted_at": 1, "_airbyte_meta": {"changes": []}, **record},
        {"_airbyte_ab_id": "r", "_airbyte_emitted_at": 1, "_airbyte_data": text},
        {"_airbyte_raw_id": "r", "_airbyte_data": record},
        record,
    ]


@pytest.mark.parametrize("kind", range(4), ids=["flattened", "text", "envelope", "bare"])
def test_every_way_in_which_airbyte_writes_is_read(kind: int) -> None:
    """Root-level flattening, a record as text, an envelope, or none; answers and records."""
    lines = b"\n".join(orjson.dumps(envelopes(wu_row(shown))[kind]) for shown in TIMES)
    found, known = learned(f"{NAME}_030924.jsonl", lines)
    assert ids(found) == ONE_DAY
    assert not known.columns.unknown
    whole = answer(hour("00052", "2024-09-03 00:00:00"), hour("00052", "2024-09-03 00:10:00"))
    assert len(ids(read("x.jsonl", orjson.dumps(envelopes(whole)[kind])))) == 2
    assert len(ids(read("x.jsonl", orjson.dumps(envelopes(hour("00052", "2024-09-03 00:00:00"))[kind])))) == 1


def test_parts_of_an_answer_may_be_text() -> None:
    """Hours, records and stations that a connector wrote as strings."""
    whole = answer(hour("00052", "2024-09-03 00:00:00"), hour("00052", "2024-09-03 00:10:00"))
    as_text = {
        key: orjson.dumps(value).decode() if key != "status" else value for key, value in whole.items()
    }
    records = {
        **whole,
        "hourly": {"00052": [orjson.dumps(item).decode() for item in whole["hourly"]["00052"]]},
    }
    for content in (as_text, records):
        assert len(ids(read("x.json", orjson.dumps(content)))) == 2


STATION = {
    "id": "STATIC0010",
    "name": "H",
    "latitude": 50.7,
    "longitude": "2.5",
    "elevation": 22,
    "type": "static",
}


@pytest.mark.parametrize(
    "content",
    [
        orjson.dumps({"status": "OK", "stations": [STATION], "hourly": []}),
        orjson.dumps({"stations": [STATION]}),
        orjson.dumps([STATION]),
        orjson.dumps(STATION),
    ],
)
@pytest.mark.parametrize("key", ["x.json", "x.jsonl"])
def test_stations_without_readings_are_taken_in(content: bytes, key: str) -> None:
    """An answer with `stations` only, a list, or a station a line: described, and no row is refused."""
    found, known = learned(key, content)
    assert not found
    assert known.stations["STATIC0010"] == {
        "_id": "STATIC0010", "network": "infoclimat", "timezone": "UTC", "name": "H", "type": "static",
        "latitude": 50.7, "longitude": 2.5, "elevation_m": 22,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"status": "NOK", "errors": ["quota exceeded"], "data": []}, "quota exceeded"),
        ({"status": "error", "message": "unknown station 99"}, "unknown station 99"),
        ({"error": {"code": 403, "message": "no access"}}, "403; no access"),
        (
            {"success": False, "errors": [{"error": {"code": "C1", "message": "Invalid key."}}]},
            "C1; Invalid key.",
        ),
        ({"status": "KO"}, "status KO"),
    ],
)
def test_an_answer_that_is_an_error_is_told_in_its_own_words(content: dict[str, Any], words: str) -> None:
    """As the reason of its quarantine, and of its refusal in a file of many answers."""
    with pytest.raises(BrokenObject) as failure:
        read("x.json", orjson.dumps(content))
    assert (failure.value.reason, failure.value.detail) == ("error_answer", words)
    (refused,) = rejections(read("x.jsonl", jsonl(content)))
    assert (refused.reason, refused.detail) == ("error_answer", words)


SYNOP = (
    b"numer_sta;date;pmer;dd;ff;t;td;u;vv;ww;n;raf10;rr1;rr3;ht_neige;extra\n"
    b"07015;20240903060000;101230;240;4.100000;287.350000;285.250000;87;20000;2;75;7.200000;-0.100000;1.2;mq;9\n"
    b"07005;20240903060000;mq;mq;mq;mq;mq;mq;mq;mq;mq;mq;mq;mq;mq;9\n"
)


def test_meteo_france_synop_is_a_table_of_networks_toml() -> None:
    """Kelvin, pascal and metres a second; `mq` is no value, -0.1 mm of rain is a trace."""
    found, known = learned("synop.202409.csv.gz", gzip.compress(SYNOP))
    (document,) = documents(found)
    values = {
        name: value for name, value in document.items() if name not in ("run_id", "source", "timestamp")
    }
    assert values == {
        "_id": "07015@2024-09-03T06:00:00Z", "station_id": "07015", "network": "meteofrance_synop",
        "temperature_c": 14.2, "dew_point_c": 12.1, "humidity_pct": 87.0, "wind_direction_deg": 240.0,
        "wind_speed_kmh": 14.76, "wind_gust_kmh": 25.92, "pressure_hpa": 1012.3, "precipitation_1h_mm": 0.0,
        "precipitation_3h_mm": 1.2, "visibility_m": 20000.0, "cloud_cover_okta": 6, "weather_code": 2,
    }  # fmt: skip
    assert [row.reason for row in rejections(found)] == ["no_values"]
    assert not known.columns.unknown


def observation(system: str, **values: float) -> dict[str, Any]:
    return {
        "stationID": "ILAMAD25", "obsTimeUtc": "2024-09-03T06:04:59Z", "obsTimeLocal": "2024-09-03 08:04:59",
        "neighborhood": "La Madeleine", "epoch": 1725343499, "lat": 50.66, "lon": 3.07, "winddir": 250,
        "humidity": 88, "uv": 1.0, "solarRadiation": 55.2, "qcStatus": 1, system: values,
    }  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [
        observation("metric", temp=14.0, dewpt=12.0, windSpeed=9.0, windGust=15.0, pressure=1010.0,
                    precipRate=0.25, precipTotal=2.54),
        observation("imperial", temp=57.2, dewpt=53.6, windSpeed=5.5923, windGust=9.3206, pressure=29.82527,
                    precipRate=0.00984, precipTotal=0.1),
        observation("metric_si", temp=14.0, dewpt=12.0, windSpeed=2.5, windGust=4.1667, pressure=1010.0,
                    precipRate=0.25, precipTotal=2.54),
    ],
    ids=["metric", "imperial", "si"],
)  # fmt: skip
def test_the_api_of_weather_underground_gives_the_stations_own_readings(record: dict[str, Any]) -> None:
    """In each system of units the same document, of the station as the tables have it."""
    for key, content in (("pws.json", {"observations": [record]}), ("pws.jsonl", record)):
        (document,) = documents(read(key, orjson.dumps(content)))
        assert document["_id"] == "ILAMAD25@2024-09-03T06:04:59Z"
        assert document["network"] == "weather_underground"
        names = ("temperature_c", "dew_point_c", "wind_speed_kmh", "wind_gust_kmh", "pressure_hpa",
                 "precipitation_rate_mm_h", "precipitation_day_mm", "wind_direction_deg")  # fmt: skip
        assert [document[name] for name in names] == [14.0, 12.0, 9.0, 15.0, 1010.0, 0.25, 2.54, 250.0]


OWN_NETWORK = """
[village]
zone = "station"
separator = "~"
date = "jour"
time = "heure"
date-order = "dmy"
missing = ["nc"]
required = ["temperature_c"]
[village.columns]
temp = { field = "temperature_c", unit = "°C" }
"vent moyen" = { field = "wind_speed_kmh", unit = "m/s" }
"""
OWN_STATION = '[V1]\nnetwork = "village"\nfiles = ["village_nord*"]\ntimezone = "Europe/Paris"\n'


def test_a_network_of_ones_own_is_a_table() -> None:
    """Columns, units, zone and separator of a file, and no code."""
    content = b"jour~heure~temp~vent moyen\n03/09/2024~00:07~14.2~2.5\n03/09/2024~00:17~nc~3\n"
    known = context("village_nord.csv")
    found = documents(rows(io.BytesIO(content), known, load_catalog(OWN_STATION, OWN_NETWORK)))
    assert [(item["_id"], item.get("temperature_c"), item["wind_speed_kmh"]) for item in found] == [
        ("V1@2024-09-02T22:07:00Z", 14.2, 9.0), ("V1@2024-09-02T22:17:00Z", None, 10.8),
    ]  # fmt: skip
