"""Local time to UTC, and the two days a year on which it is difficult."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.localtime import DayClock, NonexistentTime, local_moment, time_of_day, utc_moment
from tests.pipeline.workshop import utc

ZONES = ["Europe/Paris", "Europe/Brussels"]
SPRING, AUTUMN = date(2024, 3, 31), date(2024, 10, 27)


def at(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def test_summer_and_winter_have_their_offset() -> None:
    """A time of day is two hours ahead of UTC in summer and one in winter."""
    zone = ZoneInfo("Europe/Brussels")
    assert DayClock(date(2024, 10, 1), zone).utc(at("00:04")) == utc("2024-09-30T22:04")
    assert DayClock(date(2024, 12, 1), zone).utc(at("00:04")) == utc("2024-11-30T23:04")


@pytest.mark.parametrize("zone", ZONES)
def test_the_hour_that_does_not_exist_is_refused(zone: str) -> None:
    """No clock shows 02:00 to 02:59 of the last Sunday of March; before and after all is exact."""
    clock = DayClock(SPRING, ZoneInfo(zone))
    assert clock.utc(at("01:59")) == utc("2024-03-31T00:59")
    for minute in range(60):
        with pytest.raises(NonexistentTime, match="does not exist"):
            clock.utc(at(f"02:{minute}"))
    assert clock.utc(at("03:00")) == utc("2024-03-31T01:00")
    assert clock.utc(at("23:59")) == utc("2024-03-31T21:59")


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_of_25_hours_gives_300_different_instants_in_order(zone: str) -> None:
    """A reading every five minutes: each one of the repeated hour is kept, in the right order."""
    clock = DayClock(AUTUMN, ZoneInfo(zone))
    shown = [at(f"{hour}:{minute}") for hour in (0, 1, 2, 2, *range(3, 24)) for minute in range(4, 60, 5)]
    instants = [clock.utc(elapsed) for elapsed in shown]
    assert len(instants) == 300
    steps = {after - before for before, after in pairwise(instants)}
    assert steps == {timedelta(minutes=5)}
    assert instants[0] == utc("2024-10-26T22:04")


@pytest.mark.parametrize("zone", ZONES)
def test_a_repeated_hour_that_is_shown_once_is_summer_time(zone: str) -> None:
    """Where the time never steps back the first pass is meant."""
    clock = DayClock(AUTUMN, ZoneInfo(zone))
    assert [clock.utc(at(text)) for text in ("02:04", "02:59", "03:04")] == [
        utc("2024-10-27T00:04"), utc("2024-10-27T00:59"), utc("2024-10-27T02:04"),
    ]  # fmt: skip


def test_a_day_that_is_repeated_gives_the_same_instants_twice() -> None:
    """A bulletin that stands twice in one object must not be taken for another hour."""
    clock = DayClock(AUTUMN, ZoneInfo("Europe/Paris"))
    day = [at(f"{hour}:{minute}") for hour in (1, 2, 2, 3) for minute in (0, 30)]
    assert [clock.utc(item) for item in day] == [clock.utc(item) for item in day]


def test_the_same_time_twice_in_a_row_is_no_step_back() -> None:
    """A doubled row of the repeated hour is the same instant."""
    clock = DayClock(AUTUMN, ZoneInfo("Europe/Paris"))
    assert clock.utc(at("02:04")) == clock.utc(at("02:04"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("00:04:00", "0:04:00"),
        ("23:59", "23:59:00"),
        ("12:04 AM", "0:04:00"),
        ("12:04\xa0PM", "12:04:00"),
        ("1:05:09 p.m.", "13:05:09"),
        (time(0, 4), "0:04:00"),
        (time(0, 3, 59, 999_999), "0:04:00"),
        (utc("1899-12-31T06:30"), "6:30:00"),
        (0.25, "6:00:00"),
    ],
)
def test_a_time_of_day_is_read_in_all_the_ways_a_cell_holds_it(value: Any, shown: str) -> None:
    """Text, Excel times and fractions of a day mean the same."""
    assert str(time_of_day(value)) == shown


@pytest.mark.parametrize(
    "value", ["24:00", "12:60", "13:00 AM", "noon", "", None, 1.5, -0.1, 7, "2024-10-01"]
)
def test_what_is_no_time_of_day_is_not_guessed(value: Any) -> None:
    """Anything else gives no time."""
    assert time_of_day(value) is None


def test_a_cell_may_carry_its_own_local_date() -> None:
    """A full local date with time is used as it stands; one with an offset is not local."""
    assert local_moment("2024-10-01 00:04:00") == utc("2024-10-01T00:04")
    assert local_moment("2024-10-01T00:04:00Z") is None
    assert local_moment("01/10/2024") is None


def test_a_moment_of_infoclimat_is_utc() -> None:
    """`dh_utc` needs a date and a time; a date alone would invent a midnight."""
    assert utc_moment("2024-10-05 00:10:00") == utc("2024-10-05T00:10")
    assert utc_moment("2024-10-05T02:10:00+02:00") == utc("2024-10-05T00:10")
    assert utc_moment("2024-10-05") is None
    assert utc_moment("2024-13-05 00:10:00") is None
    assert utc_moment(1_728_086_400) is None
