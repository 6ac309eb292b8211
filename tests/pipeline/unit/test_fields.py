"""Values: units, rounding, absence, physical ranges."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from pipeline.fields import Conversion, column_name, infoclimat_fields, weather_underground_fields

WU, IC = weather_underground_fields(), infoclimat_fields()


def plain(value: float | int | None) -> float | int | None:
    return value


@pytest.mark.parametrize(
    ("column", "raw", "expected"),
    [
        ("temperature", "56.8\xa0°F", 13.78),
        ("temperature", "32 °F", 0.0),
        ("temperature", "-40°F", -40.0),
        ("temperature", "13,5 °C", 13.5),
        ("temperature", 56.8, 13.78),
        ("dewpoint", "31.9 °F", -0.06),
        ("humidity", "87\xa0%", 87.0),
        ("speed", "8.2\xa0mph", 13.2),
        ("speed", "100 mph", 160.93),
        ("gust", "250 mph", 402.34),
        ("speed", "10 m/s", 36.0),
        ("speed", "200 kt", 370.4),
        ("pressure", "29.48\xa0in", 998.31),
        ("pressure", "29.92\xa0in", 1013.21),
        ("pressure", "1013.2 hPa", 1013.2),
        ("precipaccum", "0.01\xa0in", 0.254),
        ("preciprate", "0.12\xa0in", 3.048),
        ("uv", 2, 2.0),
        ("solar", "805.4\xa0w/m²", 805.4),
        ("wind", "WSW", 247.5),
        ("wind", "North", 0.0),
        ("wind", "West", 270.0),
    ],
)
def test_a_value_of_weather_underground_is_converted_exactly(column: str, raw: Any, expected: float) -> None:
    """Imperial values with their unit become metric ones, rounded half to even to the stated decimals."""
    assert Conversion(WU[column], Counter(), plain)[raw] == expected


def test_rounding_is_half_to_even_in_decimal() -> None:
    """A value that lies exactly between two is rounded as decimal numbers are, not as their binary images."""
    assert Conversion(IC["temperature"], Counter(), plain)["2.675"] == float(Decimal("2.68"))
    assert Conversion(IC["temperature"], Counter(), plain)["2.665"] == float(Decimal("2.66"))


@pytest.mark.parametrize("raw", [None, "", "  ", "--", "N/A", "°F", "-- °F", "null"])
def test_what_is_missing_is_absent_and_nothing_is_counted(raw: Any) -> None:
    """An empty cell is no value: not 0, not NaN, and no fault either."""
    dropped: Counter[str] = Counter()
    assert Conversion(WU["temperature"], dropped, plain)[raw] is None
    assert not dropped


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("-999.9 °F", "out_of_range"),
        ("999 °F", "out_of_range"),
        ("9" * 400, "out_of_range"),
        ("mild", "unreadable"),
        ("56.8 furlongs", "unreadable"),
        ("nan", "unreadable"),
        ("inf", "unreadable"),
        (True, "unreadable"),
    ],
)
def test_a_sentinel_or_nonsense_is_dropped_and_counted_each_time(raw: Any, why: str) -> None:
    """Impossible values never pass as data, and the same one twice is counted twice."""
    dropped: Counter[str] = Counter()
    conversion = Conversion(WU["temperature"], dropped, plain)
    assert conversion[raw] is None
    assert conversion[raw] is None
    assert dropped == {f"temperature_c:{why}": 2}


@pytest.mark.parametrize("field", [*WU.values(), *IC.values()], ids=lambda field: field.name)
def test_the_limits_of_a_range_belong_to_it(field: Any) -> None:
    """Each field keeps its own lowest and highest value and drops what lies beyond, given in its own unit."""
    unit = next((name for name, scale in field.units.items() if scale[:2] == (0, 1)), "")
    dropped: Counter[str] = Counter()
    conversion = Conversion(field, dropped, plain)
    for limit, beyond in ((field.low, field.low - 1), (field.high, field.high + 1)):
        assert conversion[f"{limit} {unit}".strip()] == limit
        assert conversion[f"{beyond} {unit}".strip()] is None
    assert sum(dropped.values()) == 2


def test_weather_codes_are_whole_numbers() -> None:
    """A code or a cloud cover in eighths is an integer in the document."""
    assert isinstance(Conversion(IC["tempsomm"], Counter(), plain)["61"], int)
    assert Conversion(IC["nebulosite"], Counter(), plain)["8"] == 8


def test_a_conversion_does_not_remember_without_end() -> None:
    """Ever new values do not make the memory of a conversion grow without limit."""
    conversion = Conversion(IC["visibilite"], Counter(), plain)
    for number in range(120_000):
        assert conversion[f"{number}"] == number
    assert len(conversion) <= 50_000


def test_column_names_are_compared_by_letters_and_digits() -> None:
    """Airbyte and CSV exports write the same column with other punctuation."""
    assert column_name("Precip. Rate.") == column_name("Precip__Rate_") == "preciprate"
