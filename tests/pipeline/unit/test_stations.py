"""Which object is which station, of which days, and what makes a configuration unusable."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.dates import Span
from pipeline.errors import ConfigurationError
from pipeline.stations import load_catalog

DAY = date(2024, 10, 1)


@pytest.mark.parametrize(
    ("key", "station", "day"),
    [
        ("station_ichtegem_BE.xlsx", "IICHTE19", None),
        ("raw/station_ichtegem_BE_011024.jsonl.gz", "IICHTE19", DAY),
        ("station_ichtegem_BE_011024/2025_12_16_1765900000000_0.jsonl", "IICHTE19", DAY),
        ("Station_La_Madelaine_FR_2024-10-01.csv", "ILAMAD25", DAY),
        ("station-ichtegem-BE-20241001.csv.zip", "IICHTE19", DAY),
        ("station_la_madelaine_FR_311324.csv", "ILAMAD25", None),
        ("station_ichtegem_BE/011024.csv", "IICHTE19", DAY),
        ("station_ichtegem_BE/date=2024-10-01/part-0.parquet", "IICHTE19", DAY),
        ("station_ichtegem_BE/exported=2024-10-01/part-0.csv", "IICHTE19", None),
        ("station_ichtegem_BE_export_011024.csv", "IICHTE19", None),
        ("2024-10-01/station_ichtegem_BE.csv", "IICHTE19", DAY),
        ("2024-10-09/station_ichtegem_BE_011024.csv", "IICHTE19", DAY),
        ("2024/10/01/station_ichtegem_BE.csv", "IICHTE19", DAY),
        ("year=2024/month=10/day=1/station_ichtegem_BE.csv", "IICHTE19", DAY),
        ("2024-10-01_station_ichtegem_BE.csv", "IICHTE19", DAY),
        ("station_ichtegem_BE_week_2024-10-01 (2).csv", "IICHTE19", DAY),
        ("IICHTE19_01-10-2024.csv", "IICHTE19", DAY),
        ("exports/wu-iichte19-20241001T0600.csv", "IICHTE19", DAY),
    ],
)
def test_station_and_day_are_read_in_the_objects_name(key: str, station: str, day: date | None) -> None:
    """Folders count too, inner ones first; the date of an export is not taken for the day of the readings."""
    found = load_catalog().find(key)
    assert found is not None
    assert found.station.id == station
    assert found.span == (None if day is None else Span(day, day))


@pytest.mark.parametrize(
    "key",
    [
        "station_unknown_XX_011024.csv",
        "station_ichtegem_BE2_011024.csv",
        "station_ichtegem_BE_2_011024.csv",
        "station_ichtegem_BE_noord_011024.csv",
        "station_ichtegem_BEST.csv",
        "IICHTE190_2024-10-01.csv",
        "IICHTE19_ILAMAD25.csv",
        "station_ichtegem_BE/station_dunkerque_FR_011024.csv",
        "station_ichtegem_BE/IBERGU12_011024.csv",
    ],
)
def test_a_neighbor_is_not_taken_for_the_station(key: str) -> None:
    """Another town, a second station of the town, another's file in its folder: nothing is guessed."""
    assert load_catalog().find(key) is None


def test_a_range_in_a_name_is_kept() -> None:
    """A week under one name."""
    found = load_catalog().find("station_ichtegem_BE_2024-10-01_2024-10-07.csv")
    assert found is not None
    assert found.span == Span(DAY, date(2024, 10, 7))


GOOD = {
    "network": '"weather_underground"', "timezone": '"Europe/Paris"', "files": '["station_lens_FR*"]',
}  # fmt: skip


def table(**changes: str) -> str:
    """A table of one station; a change to nothing leaves the key out."""
    entries = {
        **GOOD,
        **{key.replace("_", "-") if "_d" in key else key: text for key, text in changes.items()},
    }
    return "[ILENS1]\n" + "".join(f"{key} = {text}\n" for key, text in entries.items() if text)


@pytest.mark.parametrize(
    ("changes", "line", "what"),
    [
        ({"files": '"station_lens_FR*"'}, 4, "must be a list of texts"),
        ({"files": '["*"]'}, 4, "could match the files of other stations"),
        ({"files": '["st*"]'}, 4, "could match the files of other stations"),
        ({"files": '["station_*_FR"]'}, 4, "no other wildcard"),
        ({"network": '"meteo"'}, 2, "is 'meteo'"),
        ({"network": ""}, 1, "network is ''"),
        ({"timezone": '"Europe/Nowhere"'}, 3, "is no time zone"),
        ({"timezone": ""}, 1, "timezone is missing"),
        ({"cadence_minute": "5"}, 5, "is not a key of this table"),
        ({"cadence_minutes": '"5"'}, 5, "must be a number"),
        ({"latitude": '"fifty"'}, 5, "must be a number from -90 to 90"),
        ({"longitude": "512"}, 5, "must be a number from -180 to 180"),
        ({"units": '"metrics"'}, 5, "is 'metrics'"),
        ({"first_day": '"soon"'}, 5, "is 'soon'"),
        ({"without": '["pressure"]'}, 5, "unknown field 'pressure'"),
    ],
)
def test_an_unusable_station_is_named_with_its_line(changes: dict[str, str], line: int, what: str) -> None:
    """Nothing is taken letter by letter, or left out in silence; the message says where and what."""
    with pytest.raises(ConfigurationError) as failure:
        load_catalog(table(**changes), where="mine.toml")
    assert failure.value.message.startswith(f"mine.toml, line {line}: [ILENS1] ")
    assert what in failure.value.message
    assert failure.value.hint


def test_a_misspelt_key_is_told_its_neighbor() -> None:
    """The hint names the key that was meant."""
    with pytest.raises(ConfigurationError) as failure:
        load_catalog(table(cadence_minute="5"))
    assert failure.value.hint == "Did you mean cadence_minutes?"


def test_two_stations_with_one_pattern_are_refused() -> None:
    """A file must not belong to the station that happens to stand first."""
    two = table() + table().replace("ILENS1", "ILENS2")
    with pytest.raises(ConfigurationError, match="matches files of ILENS2"):
        load_catalog(two)


@pytest.mark.parametrize("text", ["[ILENS1", "files = 3", "= 3"])
def test_what_is_no_toml_of_tables_is_refused(text: str) -> None:
    """With the name of the file."""
    with pytest.raises(ConfigurationError, match=r"^mine\.toml"):
        load_catalog(text, where="mine.toml")


def test_a_first_day_is_of_the_objects_that_it_is_for() -> None:
    """One day for all undated objects of a station, or one for each name."""
    text = table(first_day='{ "station_lens_FR.jsonl" = 2024-03-01, "old/*" = "2023-03-01" }')
    catalog = load_catalog(text)
    spans = {
        key: found.span
        for key in ("station_lens_FR.jsonl", "old/station_lens_FR.csv", "station_lens_FR.csv",
                    "old/station_lens_FR_010124.csv")
        if (found := catalog.find(key))
    }  # fmt: skip
    assert list(spans.values()) == [
        Span(date(2024, 3, 1), None), Span(date(2023, 3, 1), None), None,
        Span(date(2024, 1, 1), date(2024, 1, 1)),
    ]  # fmt: skip


def test_another_configuration_has_another_digest() -> None:
    """So that what it says reaches what is loaded already."""
    digests = {
        load_catalog().digest,
        load_catalog(table()).digest,
        load_catalog(table(units='"metric"')).digest,
    }
    assert len(digests) == 3
    assert load_catalog().digest == load_catalog().digest
