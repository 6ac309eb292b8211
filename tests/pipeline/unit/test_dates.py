"""Days in names and cells."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipeline.dates import Order, Span, cell_days, order_in, span_in, year_in

DAY = date(2024, 3, 9)


@pytest.mark.parametrize(
    "name",
    ["_090324", "20240309", "2024-03-09", "2024_03_09", "09-03-2024", "09.03.24", "09032024",
     "9 mars 2024", "9_Mar_2024", "March-9-2024", "samedi 9 mars 2024", "2024-mrt-09", "09mar2024",
     "Mars 9, 2024", "x_090324_02a", "20240309T0600", "2024-03-09_06-05-12", "20240309_101024",
     "week of 2024-03-09 (1)"],
)  # fmt: skip
def test_a_day_in_a_name_is_found_in_every_form(name: str) -> None:
    """Also with a time behind it, which is no second day."""
    assert span_in(name) == Span(DAY, DAY)


@pytest.mark.parametrize(
    "name",
    ["090324-150324", "2024-03-09_2024-03-15", "20240309_to_20240315", "du_09-03-2024_au_15-03-2024",
     "20240309-20240315"],
)  # fmt: skip
def test_two_days_in_order_are_a_range(name: str) -> None:
    """Both ends belong to it."""
    assert span_in(name) == Span(DAY, date(2024, 3, 15))


@pytest.mark.parametrize(
    "name",
    ["0903241", "1090324", "310224", "2024-02-30", "week", "2024_03_09_1710000000000_0", "150324-090324",
     "090324_100324_110324", ""],
)  # fmt: skip
def test_a_day_is_never_invented(name: str) -> None:
    """Longer numbers, days that no calendar has, the day of an export, and no ranges give none."""
    assert span_in(name) is None


@pytest.mark.parametrize(
    "value",
    ["2024-03-09", "2024/3/9", "20240309", 20240309, "09.03.2024", "09.03.24", "090324", 45360, 45360.0,
     "45360", "9 March 2024", "Mar 9, 2024", "samedi 9 mars 2024", "9 mrt 2024", "Saturday, March 9, 2024",
     DAY],
)  # fmt: skip
def test_a_date_in_a_cell_is_read_in_every_form(value: Any) -> None:
    """Text with the day or the year first, names of months, Excel's numbers and dates of libraries."""
    assert cell_days(value) == (DAY,)


def test_a_date_that_could_be_two_is_both() -> None:
    """With slashes and dashes day and month may change places, unless only one of the two exists."""
    assert cell_days("09/03/2024") == cell_days("09-03-24") == (DAY, date(2024, 9, 3))
    assert order_in("09/03/2024") is order_in("13.03.2024") is None
    assert (order_in("13-03-2024"), order_in("3/13/24")) == (Order.DAY, Order.MONTH)
    assert cell_days("03/13/2024") == (date(2024, 3, 13),)
    assert cell_days("09/09/2024") == (date(2024, 9, 9),)


@pytest.mark.parametrize("value", ["", "noon", "2024-02-30", 7, 1.5, True, None, "31/31/2024", "1900-01-01"])
def test_what_is_no_date_is_none(value: Any) -> None:
    """Neither is the first day of Excel's calendar, which stands for a time only."""
    assert cell_days(value) == ()


@pytest.mark.parametrize("text", ["240309", "24-03-09", "24.03.09"])
def test_two_digits_that_may_be_a_year_in_front_are_no_day(text: str) -> None:
    """`240309` is no day of 2009 where it may be one of 2024; before that nobody writes the year in front."""
    assert span_in(text) is None and cell_days(text) == ()
    assert span_in("090308") == Span(date(2008, 3, 9), date(2008, 3, 9))


def test_with_the_month_first_names_are_read_so_too() -> None:
    """`date-order` of a station holds for the names of its files."""
    for name in ("030924", "03-09-2024", "03092024", "20240309"):
        assert span_in(name, Order.MONTH) == Span(DAY, DAY)
    assert span_in("310924", Order.MONTH) is None


def test_a_day_without_a_year_needs_one_from_elsewhere() -> None:
    """`March-9` alone is no day, and never one of this year."""
    assert span_in("March-9") is span_in("9 mars") is None
    assert span_in("March-9", year=2024) == span_in("9 mars", year=2024) == Span(DAY, DAY)
    assert year_in("exports/2024/ix") == 2024
    assert year_in("2023/2024") is year_in("12024") is None


@pytest.mark.parametrize(
    "name", ["marche 9", "mayor_9", "summary_3", "decade 9 2024", "mars 2024", "may_12h"]
)
def test_a_word_that_begins_like_a_month_is_none(name: str) -> None:
    """Whole words only; a month without a day is no day either."""
    assert span_in(name, year=2024) is None
