"""Stations and networks from files that the environment names; what the report says of strange tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import MongoSettings
from tests.pipeline.oracle import stored
from tests.pipeline.process import etl
from tests.pipeline.workshop import csv, wu_row

STATIONS = """
[ILENS12]
network = "weather_underground"
files = ["station_lens_FR*"]
timezone = "Europe/Paris"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [wu_row(f"{hour:02}:04:00") for hour in range(4)]
    (folder / "station_lens_FR_030924.csv").write_bytes(csv(*rows))
    return folder


def test_a_station_of_a_file_is_read_by_every_process(
    mongo: MongoSettings, source: Path, tmp_path: Path
) -> None:
    """Also by workers; a change of the file reaches what is loaded, and nothing else reads it again."""
    path = tmp_path / "stations.toml"
    path.write_text(STATIONS)
    first = etl(mongo, "run", "--source", str(source), "--workers", "2", STATIONS=str(path))
    assert first.code == 0
    assert min(stored(mongo)) == "ILENS12@2024-09-02T22:04:00Z"
    again = etl(mongo, "run", "--source", str(source), STATIONS=str(path))
    assert again.report["object_counts"] == {"skipped": 1}
    path.write_text(STATIONS.replace("Paris", "London"))
    moved = etl(mongo, "run", "--source", str(source), STATIONS=str(path))
    assert moved.code == 0
    assert sorted(stored(mongo)) == [
        f"ILENS12@2024-09-0{day}:04:00Z" for day in ("2T23", "3T00", "3T01", "3T02")
    ]


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "STATIONS",
            STATIONS.replace('["station_lens_FR*"]', '"station_lens_FR*"'),
            "line 4: [ILENS12] files",
        ),
        ("STATIONS", STATIONS + "cadence_minute = 5\n", "line 6: [ILENS12] cadence_minute"),
        ("NETWORKS", '[n]\nzone = "UTC"\ndatetime = "at"\n', "line 1: [n] columns is missing"),
        ("NETWORKS", None, "No such file or directory"),
    ],
)
def test_an_unusable_file_ends_the_run_before_it_reads(
    mongo: MongoSettings, source: Path, tmp_path: Path, variable: str, text: str | None, message: str
) -> None:
    """Exit code 2 with the file and the line, and no document."""
    path = tmp_path / "mine.toml"
    if text is not None:
        path.write_text(text)
    ended = etl(mongo, "run", "--source", str(source), **{variable: str(path)})
    assert ended.code == 2
    assert "mine.toml" in ended.err
    assert message in ended.err
    assert "hint: " in ended.err
    assert not stored(mongo)


def test_the_report_names_columns_days_and_sheets(mongo: MongoSettings, tmp_path: Path) -> None:
    """What was not taken, what was looked for, and rows of another day than the name's."""
    folder = tmp_path / "in"
    folder.mkdir()
    table = "Date,Time,Temperature,Pressure,Battery\n2024-09-02,00:04,50 F,29.9 in,12\n"
    (folder / "station_ichtegem_BE_030924.csv").write_text(table)
    ended = etl(mongo, "run", "--source", str(folder))
    assert ended.code == 0
    assert ended.report["unknown_columns"] == {"Battery": 1}
    assert ended.report["missing_columns"]["Humidity"] == 1
    assert ended.report["other_day"] == 1
    assert "unknown_columns=Battery" in ended.out
    (folder / "station_la_madeleine_FR_030924.csv").write_text(table.replace("Pressure", "Barometer"))
    failed = etl(mongo, "run", "--source", str(folder))
    assert failed.code == 3
    assert "no column Pressure; not known: Barometer, Battery" in failed.err
