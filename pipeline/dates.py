"""Days as people and programs write them: in names of objects and sheets, and in cells.

A day is never invented: what is no day of the calendar, or could be two days, is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pipeline.units import plain_text

_FIRST, _LAST = date(1950, 1, 1), date(2099, 12, 31)
_EXCEL = date(1899, 12, 30)
_SERIAL = range(20_000, 80_000)
"""Days since the beginning of Excel's calendar: 1954 to 2119."""

_EXPORT = re.compile(r"(?<!\d)\d{4}_\d{2}_\d{2}_\d{12,14}(?:_\d+)?(?!\d)")
"""What Airbyte names a file after: the day of the sync and its milliseconds. No day of readings."""
_CLOCK = r"(?:[T_ -]?(?:[01]\d|2[0-3])[-:h.]?[0-5]\d(?:[-:.]?[0-5]\d)?Z?(?![-\d]))?"
_NAMED = re.compile(
    r"(?<!\d)(?:"
    rf"(?P<y>(?:19|20)\d\d)(?P<s>[-_./ ])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}})(?!\d){_CLOCK}"
    r"|(?P<d2>\d\d)(?P<s2>[-_./ ])(?P<m2>\d\d)(?P=s2)(?P<y2>(?:19|20)\d\d|\d\d)(?!\d)"
    rf"|(?P<eight>\d{{8}}){_CLOCK}(?!\d)"
    r"|(?P<six>\d{6})(?!\d))"
)
_MONTHS = {
    start: number
    for number, starts in enumerate(
        (
            "jan", "feb fév fev", "mar mrt", "apr avr", "may mai mei", "jun juin", "jul juil", "aug aoû aou",
            "sep", "oct okt", "nov", "dec déc",
        ),
        1,
    )
    for start in starts.split()
}  # fmt: skip
_WORDS = re.compile(
    r"(?:[a-zà-ÿ]+\.?,? )?(?:(?P<d>\d{1,2})(?:st|nd|rd|th|er|\.)?[ -](?P<m>[a-zà-ÿ]{3,9})\.?,?[ -]"
    r"|(?P<m2>[a-zà-ÿ]{3,9})\.? (?P<d2>\d{1,2})(?:st|nd|rd|th)?,? )(?P<y>(?:19|20)\d\d)"
)


class Order(StrEnum):
    """Which comes first in a date of two small numbers."""

    DAY = "dmy"
    MONTH = "mdy"


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a name tells: one, or a range, or from one on (`last` is None)."""

    first: date
    last: date | None

    @property
    def single(self) -> date | None:
        return self.first if self.first == self.last else None

    @property
    def is_range(self) -> bool:
        """Whether rows that tell no day are of several ones."""
        return self.last != self.first

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


def day_of(year: int, month: int, day: int) -> date | None:
    """The day, where the calendar has it and weather stations did."""
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if _FIRST <= found <= _LAST else None


def span_in(text: str) -> Span | None:
    """The day or the range of days in a name.

    DDMMYY (20YY), YYYYMMDD, DDMMYYYY, YYYY-MM-DD and DD-MM-YYYY, with other separators too. The first two
    different days are a range when they stand in order; more of them, or others, are no day.
    """
    days: list[date] = []
    for found in _NAMED.finditer(_EXPORT.sub(" ", text)):
        day = _named_day(found)
        if day is not None and day not in days:
            days.append(day)
    if not days or len(days) > 2 or days != sorted(days):
        return None
    return Span(days[0], days[-1])


def looks_dated(text: str) -> bool:
    """Whether a name has something in the form of a date, even of one that no calendar has."""
    return _NAMED.search(_EXPORT.sub(" ", text)) is not None


def before_days(text: str) -> str:
    """What stands in a name before its first day, or all of it; without Airbyte's stamp."""
    text = _EXPORT.sub(" ", text)
    found = _NAMED.search(text)
    return text[: found.start()] if found else text


def _named_day(found: re.Match[str]) -> date | None:
    if found["y"]:
        return day_of(int(found["y"]), int(found["m"]), int(found["d"]))
    if found["y2"]:
        year = int(found["y2"])
        return day_of(year if year > 99 else 2000 + year, int(found["m2"]), int(found["d2"]))
    if found["eight"]:
        return _eight(found["eight"])
    six = found["six"]
    return day_of(2000 + int(six[4:]), int(six[2:4]), int(six[:2]))


def _eight(text: str) -> date | None:
    """YYYYMMDD, or DDMMYYYY: never both, as no month is called 19 or 20."""
    return day_of(int(text[:4]), int(text[4:6]), int(text[6:])) or day_of(
        int(text[4:]), int(text[2:4]), int(text[:2])
    )


def cell_days(value: Any) -> tuple[date, ...]:
    """The days that a cell may mean: none, one, or two where day and month could change places.

    Of two the one with the day first comes first. Knows dates of all libraries, Excel's day numbers and text.
    """
    if isinstance(value, datetime):
        return (value.date(),) if value.year > 1904 else ()
    if isinstance(value, date):
        return (value,) if value.year > 1904 else ()
    if isinstance(value, bool) or value is None:
        return ()
    if isinstance(value, float):
        if not value.is_integer():
            return ()
        value = int(value)
    text = re.sub(r"\.0+$", "", plain_text(value))
    if text.isdecimal() and len(text) == 5:
        return (_EXCEL + timedelta(days=int(text)),) if int(text) in _SERIAL else ()
    if text.isdecimal() and len(text) == 6:
        day = day_of(2000 + int(text[4:]), int(text[2:4]), int(text[:2]))
        return (day,) if day else ()
    return _written_days(text)


_ISO = re.compile(r"(\d{4})(?:([-/._])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))")
_SMALL_FIRST = re.compile(r"(\d{1,2})([-/._ ])(\d{1,2})\2(\d{4}|\d\d)")


def _written_days(text: str) -> tuple[date, ...]:
    if found := _ISO.fullmatch(text):
        month, day = found[3] or found[5], found[4] or found[6]
        exact = day_of(int(found[1]), int(month), int(day))
        if exact is None and found[5]:
            exact = _eight(text)
        return (exact,) if exact else ()
    if text.isdecimal() and len(text) == 8:
        exact = _eight(text)
        return (exact,) if exact else ()
    if found := _SMALL_FIRST.fullmatch(text):
        year = int(found[4]) if len(found[4]) == 4 else 2000 + int(found[4])
        first, second = int(found[1]), int(found[3])
        days = [day_of(year, second, first)]
        if found[2] == "/":
            days.append(day_of(year, first, second))
        return tuple(dict.fromkeys(day for day in days if day))
    if found := _WORDS.fullmatch(text):
        number = _MONTHS.get((found["m"] or found["m2"])[:3]) or _MONTHS.get((found["m"] or found["m2"])[:4])
        exact = day_of(int(found["y"]), number, int(found["d"] or found["d2"])) if number else None
        return (exact,) if exact else ()
    return ()
