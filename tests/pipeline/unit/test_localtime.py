"""What cells say of days and times, and the two days a year on which local time is difficult."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.dates import Order
from pipeline.localtime import Cell, LocalDays, NonexistentTime, read_cell, time_of_day
from tests.pipeline.workshop import utc

ZONES = ["Europe/Paris", "Europe/Brussels"]
SPRING, AUTUMN = date(2024, 3, 31), date(2024, 10, 27)
FIRST = date(2024, 10, 1)


def at(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def test_summer_and_winter_have_their_offset() -> None:
    """A time of day is two hours ahead of UTC in summer and one in winter."""
    days = LocalDays(ZoneInfo("Europe/Brussels"))
    assert days.instants(FIRST, at("00:04")) == (utc("2024-09-30T22:04"),)
    assert days.instants(date(2024, 12, 1), at("00:04")) == (utc("2024-11-30T23:04"),)


@pytest.mark.parametrize("zone", ZONES)
def test_the_hour_that_does_not_exist_is_refused(zone: str) -> None:
    """No clock shows 02:00 to 02:59 of the last Sunday of March; before and after all is exact."""
    days = LocalDays(ZoneInfo(zone))
    assert days.instants(SPRING, at("01:59")) == (utc("2024-03-31T00:59"),)
    for minute in range(60):
        with pytest.raises(NonexistentTime, match="does not exist"):
            days.instants(SPRING, at(f"02:{minute}"))
    assert days.instants(SPRING, at("03:00")) == (utc("2024-03-31T01:00"),)
    assert days.instants(SPRING, at("23:59")) == (utc("2024-03-31T21:59"),)


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_of_the_repeated_hour_means_two_instants(zone: str) -> None:
    """Summer time comes first; the hours around it mean one instant each."""
    days = LocalDays(ZoneInfo(zone))
    assert days.instants(AUTUMN, at("02:04")) == (utc("2024-10-27T00:04"), utc("2024-10-27T01:04"))
    assert days.instants(AUTUMN, at("01:59")) == (utc("2024-10-26T23:59"),)
    assert days.instants(AUTUMN, at("03:00")) == (utc("2024-10-27T02:00"),)
    assert days.constant_midnight(AUTUMN) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("00:04:00", "0:04:00"),
        ("23:59", "23:59:00"),
        ("12:04 AM", "0:04:00"),
        ("12:04\xa0PM", "12:04:00"),
        ("1:05:09 p.m.", "13:05:09"),
        ("06h04", "6:04:00"),
        ("00:04:00.750", "0:04:00"),
        ("0.25", "6:00:00"),
        ("1899-12-30 06:04:00", "6:04:00"),
        ("1900-01-01T06:04:00", "6:04:00"),
        ("1970-01-01 06:04", "6:04:00"),
        (time(0, 4), "0:04:00"),
        (time(0, 3, 59, 999_999), "0:04:00"),
        (timedelta(minutes=4), "0:04:00"),
        (utc("1899-12-31T06:30"), "6:30:00"),
        (0.25, "6:00:00"),
    ],
)
def test_a_time_of_day_is_read_in_all_the_ways_a_cell_holds_it(value: Any, shown: str) -> None:
    """Text, Excel times and fractions of a day mean the same; the first day of Excel is no date."""
    assert str(time_of_day(value)) == shown


@pytest.mark.parametrize(
    "value", ["24:00", "12:60", "13:00 AM", "noon", "", None, 1.5, -0.1, 7, True, "2024-10-01", "1" * 99]
)
def test_what_is_no_time_of_day_is_not_guessed(value: Any) -> None:
    """Anything else gives no time."""
    assert time_of_day(value) is None


FOUR = timedelta(minutes=4)
TWO_HOURS = timedelta(hours=2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-10-01 00:04:00", Cell((FIRST,), FOUR)),
        ("2024-10-01T00:04", Cell((FIRST,), FOUR)),
        ("01.10.2024 00:04", Cell((FIRST,), FOUR)),
        ("1 Oct 2024, 00:04", Cell((FIRST,), FOUR)),
        ("10/13/2024 12:04 AM", Cell((date(2024, 10, 13),), FOUR, order=Order.MONTH)),
        ("10/01/2024 12:04 AM", Cell((date(2024, 1, 10), FIRST), FOUR)),
        ("20241001000400", Cell((FIRST,), FOUR)),
        ("45566.25", Cell((FIRST,), timedelta(hours=6))),
        (utc("2024-10-01T00:04:00"), Cell((FIRST,), FOUR)),
        ("2024-10-01T00:04:00+02:00", Cell((FIRST,), FOUR, TWO_HOURS)),
        ("2024-10-01 00:04:00 +0200", Cell((FIRST,), FOUR, TWO_HOURS)),
        ("2024-10-01T00:04+02", Cell((FIRST,), FOUR, TWO_HOURS)),
        ("2024-10-01T00:04:00-0330", Cell((FIRST,), FOUR, -timedelta(hours=3, minutes=30))),
        ("2024-10-01T00:04:00.123Z", Cell((FIRST,), FOUR, timedelta(0))),
        ("2024-10-01 00:04:00 UTC", Cell((FIRST,), FOUR, timedelta(0))),
        ("00:04:00+02:00", Cell((), FOUR, TWO_HOURS)),
        (1_727_741_040, Cell((FIRST,), FOUR, timedelta(0))),
        ("1727741040000", Cell((FIRST,), FOUR, timedelta(0))),
        (datetime(2024, 10, 1, 0, 4, tzinfo=UTC), Cell((FIRST,), FOUR, timedelta(0))),
        ("2024-10-01", Cell((FIRST,))),
        (FIRST, Cell((FIRST,))),
    ],
)
def test_a_cell_tells_day_time_and_offset(value: Any, expected: Cell) -> None:
    """Whatever a cell tells is kept, and nothing is added to it."""
    assert read_cell(value) == expected


@pytest.mark.parametrize("value", ["yesterday", "2024-13-05 00:10:00", "2024-10-01 00:04:00 or so", [], {}])
def test_a_cell_that_is_no_moment_is_none(value: Any) -> None:
    """Half a date is no date."""
    assert read_cell(value) is None
