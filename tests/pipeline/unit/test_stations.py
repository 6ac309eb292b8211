"""Which object is which station, and of which day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.stations import day_in, load_catalog


@pytest.mark.parametrize(
    ("key", "station", "day"),
    [
        ("station_ichtegem_BE.xlsx", "IICHTE19", None),
        ("raw/station_ichtegem_BE_011024.jsonl.gz", "IICHTE19", date(2024, 10, 1)),
        ("station_ichtegem_BE_011024/2025_12_16_1765900000000_0.jsonl", "IICHTE19", date(2024, 10, 1)),
        ("Station_La_Madelaine_FR_2024-10-07.csv", "ILAMAD25", date(2024, 10, 7)),
        ("station_la_madelaine_FR_311324.csv", "ILAMAD25", None),
    ],
)
def test_station_and_day_are_read_in_the_objects_name(key: str, station: str, day: date | None) -> None:
    """Folders count too; the date of an export is not taken for the day of the readings."""
    found = load_catalog().find(key)
    assert found is not None
    assert (found[0].id, found[1]) == (station, day)


def test_an_unknown_name_is_no_station() -> None:
    """No pattern, no station: nothing is guessed."""
    assert load_catalog().find("station_unknown_XX_011024.csv") is None


@pytest.mark.parametrize("name", ["0110241", "1011024", "310224", "2024-02-30", "week"])
def test_a_day_is_never_invented(name: str) -> None:
    """Longer numbers and days that no calendar has give no day."""
    assert day_in(name) is None


def test_a_broken_catalogue_says_where(tmp_path: Path) -> None:
    """A wrong time zone is an error that names the file and the station."""
    path = tmp_path / "stations.toml"
    path.write_text('[X]\nnetwork = "n"\nfiles = ["x*"]\ntimezone = "Europe/Nowhere"\n')
    with pytest.raises(ConfigurationError, match=r"stations\.toml: station X: .*Nowhere"):
        load_catalog(path)
