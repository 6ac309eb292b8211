"""The day of rows that tell a time only, and the hour that happens twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipeline.clock import NamedDay, Refused, days_of_range
from pipeline.dates import Span
from pipeline.model import Rejection
from tests.pipeline.workshop import csv, documents, read, rejections, wu_row

DAY = date(2024, 5, 3)


def placed(span: Span, *shown: str) -> list[date | None]:
    """The day of each time, None where it is refused."""
    order, days = NamedDay(span), list[date | None]()
    for text in shown:
        hours, minutes = text.split(":")
        try:
            days.append(order.place(timedelta(hours=int(hours), minutes=int(minutes))))
        except Refused as error:
            assert error.reason == "time_steps_back"
            days.append(None)
    return days


@pytest.mark.parametrize(
    "shown",
    [
        ("00:04", "06:04", "12:04", "23:59"),
        ("23:55", "23:50", "18:00", "00:05"),
        ("00:09", "00:04", "00:14", "00:50", "01:20", "08:00"),
        ("02:00", "02:55", "02:00", "02:55", "03:00"),
        ("11:04", "12:04", "11:30", "13:00"),
    ],
    ids=["old to new", "new to old", "first rows swapped", "repeated hour", "an hour's disorder"],
)
def test_a_day_goes_on_while_its_clock_does(shown: tuple[str, ...]) -> None:
    """In either direction; less than an hour against it is disorder, not another day."""
    assert placed(Span(DAY, DAY), *shown) == [DAY] * len(shown)


@pytest.mark.parametrize(
    "shown",
    [("00:04", "18:04", "00:04", "06:04", "18:04"), ("23:50", "12:00", "23:50", "12:00", "00:10")],
    ids=["old to new", "new to old"],
)
def test_a_clock_that_begins_anew_is_refused_from_there(shown: tuple[str, ...]) -> None:
    """A second day under the name of one is no reading of that day, nor is what follows."""
    assert placed(Span(DAY, DAY), *shown) == [DAY, DAY, None, None, None]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [((0, 9, 18, 0, 9, 0), [3, 3, 3, 4, 4, 5]), ((0, 9, 0, 18, 9, 0), [5, 4, 4, 3, 3, 3])],
    ids=["old to new", "new to old"],
)
def test_after_a_first_day_the_days_follow(hours: tuple[int, ...], expected: list[int]) -> None:
    """A configured first day goes on with the next one where the clock begins anew."""
    days = days_of_range(Span(DAY, None), [timedelta(hours=hour) for hour in hours])
    assert [day.day for day in days or []] == expected


@pytest.mark.parametrize(
    "hours", [(0, 12, 0, 12, 0, 12), (12, 0, 12, 0, 12, 0)], ids=["old to new", "new to old"]
)
def test_a_range_is_filled_when_as_many_days_begin(hours: tuple[int, ...]) -> None:
    """Its last day belongs to the last rows, or to the first ones of a list from new to old."""
    days = days_of_range(Span(DAY, DAY + timedelta(days=2)), [timedelta(hours=hour) for hour in hours])
    expected = [3, 3, 4, 4, 5, 5]
    assert [day.day for day in days or []] == (expected if hours[0] == 0 else expected[::-1])


def test_a_range_with_a_missing_day_places_no_row() -> None:
    """Which day is missing cannot be known."""
    times = [timedelta(hours=hour) for hour in (0, 12, 0, 12)]
    assert days_of_range(Span(DAY, DAY + timedelta(days=2)), times) is None


def instants(name: str, *shown: str) -> list[str]:
    """The times of the documents of one object of Ichtegem, in the order of their rows."""
    rows = [wu_row(time, temp=f"{40 + number} °F") for number, time in enumerate(shown)]
    found = sorted(documents(read(name, csv(*rows))), key=lambda item: item["source"]["position"])
    return [f"{item['timestamp']:%H:%M}" for item in found]


AUTUMN = "station_ichtegem_BE_291023.csv"
HOUR = ("02:00", "02:30")
BACK = HOUR[::-1]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (("01:30", *HOUR, *HOUR, "03:00"), ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"]),
        (("03:00", *BACK, *BACK, "01:30"), ["02:00", "01:30", "01:00", "00:30", "00:00", "23:30"]),
        (("01:30", *HOUR, "03:00"), ["23:30", "00:00", "00:30", "02:00"]),
        (("03:00", *BACK, "01:30"), ["02:00", "00:30", "00:00", "23:30"]),
        (("01:30", *HOUR), ["23:30", "00:00", "00:30"]),
        ((*HOUR, "03:00"), ["01:00", "01:30", "02:00"]),
        (("01:00", "02:00", "02:00", "03:00"), ["23:00", "00:00", "01:00", "02:00"]),
        ((*HOUR, *HOUR), ["00:00", "00:30", "01:00", "01:30"]),
    ],
    ids=["both", "both, new to old", "once is summer", "once, new to old", "only the rows before",
         "only those after", "a reading an hour", "nothing else"],
)  # fmt: skip
def test_the_repeated_hour_is_told_by_the_order_of_its_rows(
    shown: tuple[str, ...], expected: list[str]
) -> None:
    """Each of the two passes has its instants, whichever way the rows run."""
    assert instants(AUTUMN, *shown) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("station_ichtegem_BE_291023_02A.csv", ["00:00", "00:30"]),
        ("station_ichtegem_BE_291023_02b.csv", ["01:00", "01:30"]),
        ("station_ichtegem_BE_291023_CEST.csv", ["00:00", "00:30"]),
        ("station_ichtegem_BE_291023_CET.csv", ["01:00", "01:30"]),
    ],
)
def test_an_object_for_one_pass_may_say_which_in_its_name(name: str, expected: list[str]) -> None:
    """Hourly objects of that night."""
    assert instants(name, *HOUR) == expected


@pytest.mark.parametrize("shown", [HOUR, HOUR * 3], ids=["one pass", "three passes"])
def test_a_repeated_hour_that_nothing_tells_is_refused(shown: tuple[str, ...]) -> None:
    """One pass alone could be either; there are no three."""
    found = read(AUTUMN, csv(*[wu_row(time) for time in shown]))
    assert not documents(found)
    assert {row.reason for row in rejections(found)} == {"ambiguous_local_time"}


def test_a_doubled_row_of_the_repeated_hour_is_one_instant() -> None:
    """The same time with the same values is the same reading twice, not the other pass."""
    found = read(AUTUMN, csv(*[wu_row(time) for time in ("01:55", "02:00", "02:00", "03:00")]))
    assert [f"{item['timestamp']:%H:%M}" for item in documents(found)].count("00:00") == 2
    assert not [row for row in found if isinstance(row, Rejection)]
