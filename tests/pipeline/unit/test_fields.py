"""Values: units, rounding, absence, physical ranges."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from pipeline.fields import FIELDS, Conversion, Field, OtherUnit, column_name
from pipeline.networks import load_networks

NETWORKS = load_networks().by_name
WU, IC = NETWORKS["weather_underground"].columns, NETWORKS["infoclimat"].columns
Value = float | int | None


def plain(value: Value) -> Value:
    return value


def conversion(column: str, dropped: Counter[str] | None = None) -> Conversion[Value]:
    """The conversion of a column of Weather Underground, or else of InfoClimat."""
    found = WU.get(column) or IC[column]
    return Conversion(found.field, found.unit, Counter() if dropped is None else dropped, plain)


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
    assert conversion(column)[raw] == expected


def test_rounding_is_half_to_even_in_decimal() -> None:
    """A value that lies exactly between two is rounded as decimal numbers are, not as their binary images."""
    metric = Conversion(FIELDS["temperature_c"], "°C", Counter(), plain)
    assert metric["2.675"] == float(Decimal("2.68"))
    assert metric["2.665"] == float(Decimal("2.66"))


@pytest.mark.parametrize("raw", [None, "", "  ", "--", "N/A", "°F", "-- °F", "null"])
def test_what_is_missing_is_absent_and_nothing_is_counted(raw: Any) -> None:
    """An empty cell is no value: not 0, not NaN, and no fault either."""
    dropped: Counter[str] = Counter()
    assert conversion("temperature", dropped)[raw] is None
    assert not dropped


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("-999.9 °F", "out_of_range"),
        ("999 °F", "out_of_range"),
        ("9" * 400, "out_of_range"),
        ("mild", "unreadable"),
        ("56.8 furlongs", "unreadable"),
        ("1,5,0 °F", "unreadable"),
        ("inf", "unreadable"),
        (True, "unreadable"),
    ],
)
def test_a_sentinel_or_nonsense_is_dropped_and_counted_each_time(raw: Any, why: str) -> None:
    """Impossible values never pass as data, and the same one twice is counted twice."""
    dropped: Counter[str] = Counter()
    temperature = conversion("temperature", dropped)
    assert temperature[raw] is None
    assert temperature[raw] is None
    assert dropped == {f"temperature_c:{why}": 2}


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_the_limits_of_a_range_belong_to_it(field: Field) -> None:
    """Each field keeps its own lowest and highest value and drops what lies beyond, given in its own unit."""
    unit = next((name for name, scale in field.units.items() if scale[:2] == (0, 1)), "")
    dropped: Counter[str] = Counter()
    made = Conversion(field, unit, dropped, plain)
    for limit, beyond in ((field.low, field.low - 1), (field.high, field.high + 1)):
        assert made[f"{limit} {unit}"] == limit
        assert made[f"{beyond} {unit}"] is None
    assert sum(dropped.values()) == 2


def test_weather_codes_are_whole_numbers() -> None:
    """A code or a cloud cover in eighths is an integer in the document."""
    assert isinstance(conversion("tempsomm")["61"], int)
    assert conversion("nebulosite")["8"] == 8


def test_a_conversion_does_not_remember_without_end() -> None:
    """Ever new values do not make the memory of a conversion grow without limit."""
    visibility = conversion("visibilite")
    for number in range(120_000):
        assert visibility[f"{number}"] == number
    assert len(visibility) <= 50_000


def test_a_long_text_is_neither_read_nor_remembered() -> None:
    """A cell of many characters costs no memory, whether it means nothing or a number."""
    temperature = conversion("temperature")
    for length in range(65, 200):
        assert temperature["1" * length] is None
        assert temperature[" " * length] is None
    assert not temperature


@pytest.mark.parametrize(
    ("column", "raw", "expected"),
    [
        ("temperature", "50.0 ºF", 10.0),
        ("temperature", "50.0 ˚F", 10.0),
        ("temperature", "50.0 &deg;F", 10.0),
        ("temperature", "50.0&nbsp;&#176;F", 10.0),
        ("temperature", "50.0 Â°F", 10.0),
        ("temperature", "50.0 ℉", 10.0),
        ("temperature", "50.0 deg F", 10.0),
        ("temperature", "10 Celsius", 10.0),
        ("temperature", "\N{MINUS SIGN}40 °F", -40.0),
        ("temperature", "283.15 K", 10.0),
        ("humidity", "71 °%", 71.0),
        ("speed", "5.0 °mph", 8.05),
        ("speed", "8,05 km/h", 8.05),
        ("pressure", "29.90 °in", 1012.53),
        ("pressure", '29.90"', 1012.53),
        ("pressure", "29.90 inHg", 1012.53),
        ("pressure", "1,012.5 hPa", 1012.5),
        ("pressure", "1.012,5 hPa", 1012.5),
        ("pressure", "1\u202f012,5 hPa", 1012.5),
        ("pressure", "1'012.5 mbar", 1012.5),
        ("pressure", "1,012 hPa", 1012.0),
        ("pressure", "29,900 in", 1012.53),
        ("pressure", "101250 Pa", 1012.5),
        ("precipaccum", ".10 in", 2.54),
        ("precipaccum", "2.5 l/m²", 2.5),
        ("solar", "1,012.0 W/m^2", 1012.0),
        ("wind", "270°", 270.0),
    ],
)
def test_a_value_is_understood_in_every_spelling(column: str, raw: str, expected: float) -> None:
    """Look-alikes of signs, entities, parted thousands and decimal commas mean what a reader sees."""
    dropped: Counter[str] = Counter()
    assert conversion(column, dropped)[raw] == expected
    assert not dropped


def test_a_number_that_means_two_things_is_dropped() -> None:
    """`1,012` W/m² could be one or a thousand: both are possible, so it is neither."""
    dropped: Counter[str] = Counter()
    assert conversion("solar", dropped)["1,012"] is None
    assert dropped == {"solar_w_m2:unreadable": 1}


@pytest.mark.parametrize(
    ("unit", "raw"),
    [("inHg", "1012.5"), ("inHg", 1012.5), ("hPa", "29.9"), ("hPa", 101_250), ("inHg", "760")],
)
def test_a_bare_pressure_tells_that_its_column_is_in_another_unit(unit: str, raw: Any) -> None:
    """1012.5 is no pressure in inches: the table is metric, and its temperatures would be taken for °F."""
    pressure = Conversion(FIELDS["pressure_hpa"], unit, Counter(), plain)
    with pytest.raises(OtherUnit, match="without a unit"):
        pressure[raw]


def test_a_sentinel_of_pressure_tells_nothing_of_units() -> None:
    """-999 is a pressure in no unit: the field is dropped and the row stands."""
    dropped: Counter[str] = Counter()
    assert conversion("pressure", dropped)["-999"] is None
    assert dropped == {"pressure_hpa:out_of_range": 1}


def test_column_names_are_compared_by_letters_and_digits() -> None:
    """Airbyte and CSV exports write the same column with other punctuation."""
    assert column_name("Precip. Rate.") == column_name("Precip__Rate_") == "preciprate"
