"""Days as people and programs write them: in names of objects and sheets, and in cells.

A day is never invented: what is no day of the calendar, or could be two days, is none.
"""

from __future__ import annotations

import re
import unicodedata
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
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january januari janvier jan janv", "february februari fevrier feb fev fevr",
            "march maart mars mar mrt",
            "april avril apr avr", "may mai mei", "june juni juin jun", "july juli juillet jul juil",
            "august augustus aout aug aou", "september septembre sep sept", "october oktober octobre oct okt",
            "november novembre nov", "december decembre dec",
        ),
        1,
    )
    for word in words.split()
}  # fmt: skip
"""Months in English, French and Dutch, without accents."""
_WEEKDAY = re.compile(
    "mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?|lundi|mardi|mercredi|jeudi|"
    "vendredi|samedi|dimanche|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
)
_MONTH = rf"(?<![a-z])(?:{'|'.join(sorted(_MONTHS, key=len, reverse=True))})(?![a-z])"
_NTH = r"(?:st|nd|rd|th|er|\.)?"
_NAMED = re.compile(
    rf"(?P<mw>{_MONTH})\.?[-_ ]?(?P<dw>\d{{1,2}}){_NTH}(?![\d:h])(?:,?[-_ ]*(?P<yw>(?:19|20)\d\d)(?!\d))?"
    rf"|(?<!\d)(?:(?P<yw2>(?:19|20)\d\d)[-_ ]?(?P<mw2>{_MONTH})[-_ ]?(?P<dw2>\d{{1,2}})(?!\d)"
    rf"|(?P<dw3>\d{{1,2}}){_NTH}[-_ ]?(?P<mw3>{_MONTH})\.?(?:,?[-_ ]*(?P<yw3>(?:19|20)\d\d)(?!\d))?)"
    r"|(?<!\d)(?:"
    rf"(?P<y>(?:19|20)\d\d)(?P<s>[-_./ ])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}})(?!\d){_CLOCK}"
    r"|(?P<d2>\d\d)(?P<s2>[-_./ ])(?P<m2>\d\d)(?P=s2)(?P<y2>(?:19|20)\d\d|\d\d)(?!\d)"
    rf"|(?P<eight>\d{{8}}){_CLOCK}(?!\d)"
    r"|(?P<six>\d{6})(?!\d))"
)
_WORDS = re.compile(
    r"(?:[a-z]+\.?,? )?(?:(?P<d>\d{1,2})(?:st|nd|rd|th|er|\.)?[ -](?P<m>[a-z]{3,9})\.?,?[ -]"
    r"|(?P<m2>[a-z]{3,9})\.? (?P<d2>\d{1,2})(?:st|nd|rd|th)?,? )(?P<y>(?:19|20)\d\d)"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_FIRST_SHORT = 2010
"""Two digits are a year from this one on, where the numbers could also be a date with the year first."""


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


def span_in(text: str, order: Order | None = None, year: int | None = None) -> Span | None:
    """The day or the range of days in a name.

    DDMMYY (20YY), YYYYMMDD, DDMMYYYY, YYYY-MM-DD and DD-MM-YYYY, with other separators too, and months in
    words; with `order` MONTH the month stands first. `year` is that of a day that tells none, as `March-3`.
    The first two different days are a range when they stand in order; more of them, or others, are no day.
    """
    days: list[date] = []
    for found in _NAMED.finditer(_spelled(text)):
        day = _named_day(found, order, year)
        if day is not None and day not in days:
            days.append(day)
    if not days or len(days) > 2 or days != sorted(days):
        return None
    return Span(days[0], days[-1])


def looks_dated(text: str) -> bool:
    """Whether a name has something in the form of a date, even of one that no calendar has."""
    return _NAMED.search(_spelled(text)) is not None


def before_days(text: str) -> str:
    """What stands in a name before its first day, or all of it; without Airbyte's stamp."""
    text = _spelled(text)
    found = _NAMED.search(text)
    return text[: found.start()] if found else text


def year_in(text: str) -> int | None:
    """The one year that stands in a name by itself."""
    years = set(_YEAR.findall(text))
    return int(years.pop()) if len(years) == 1 else None


def is_of_dates(word: str) -> bool:
    """Whether a word is a month, a day of the week or a year."""
    plain = _spelled(word)
    return plain in _MONTHS or any(form.fullmatch(plain) for form in (_WEEKDAY, _YEAR))


def _spelled(text: str) -> str:
    """A name in lower case without accents, and without the stamp of an export."""
    text = _EXPORT.sub(" ", text)
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _named_day(found: re.Match[str], order: Order | None, year: int | None) -> date | None:
    if word := found["mw"] or found["mw2"] or found["mw3"]:
        told = found["yw"] or found["yw2"] or found["yw3"] or year
        return (
            day_of(int(told), _MONTHS[word], int(found["dw"] or found["dw2"] or found["dw3"]))
            if told
            else None
        )
    if found["y"]:
        return day_of(int(found["y"]), int(found["m"]), int(found["d"]))
    if found["eight"]:
        return _eight(found["eight"], order)
    first, second, last = (found["d2"], found["m2"], found["y2"]) if found["y2"] else _pairs(found["six"])
    return _small_first(int(first), int(second), last, order or Order.DAY)


def _pairs(six: str) -> tuple[str, str, str]:
    return six[:2], six[2:4], six[4:]


def _small_first(first: int, second: int, year: str, order: Order) -> date | None:
    """A date whose year stands last. Two digits are none where they would be a year long ago, and the
    numbers a date of today with the year first: `241001`."""
    day, month = (first, second) if order is Order.DAY else (second, first)
    found = day_of(int(year) if len(year) == 4 else 2000 + int(year), month, day)
    if len(year) == 2 and found and found.year < _FIRST_SHORT and first >= _FIRST_SHORT % 100:
        return None if day_of(2000 + first, second, int(year)) else found
    return found


def _eight(text: str, order: Order | None = None) -> date | None:
    """YYYYMMDD, or DDMMYYYY: never both, as no month is called 19 or 20."""
    exact = day_of(int(text[:4]), int(text[4:6]), int(text[6:]))
    return exact or _small_first(int(text[:2]), int(text[2:4]), text[4:], order or Order.DAY)


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
        first, second, year = _pairs(text)
        day = _small_first(int(first), int(second), year, Order.DAY)
        return (day,) if day else ()
    return _written_days(text)


def has_dashes(text: str) -> bool:
    """Whether a text begins with a date of two small numbers and dashes."""
    return re.match(r"\s*\d{1,2}-\d{1,2}-\d", text) is not None


def order_in(text: str) -> Order | None:
    """Which of day and month comes first in a written date, where one of them is too large for a month."""
    found = _SMALL_FIRST.fullmatch(text)
    if found is None or found[2] not in _EITHER:
        return None
    first, second = int(found[1]), int(found[3])
    if (first > 12) == (second > 12):
        return None
    return Order.DAY if first > 12 else Order.MONTH


_ISO = re.compile(r"(\d{4})(?:([-/._])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))")
_SMALL_FIRST = re.compile(r"(\d{1,2})([-/._ ])(\d{1,2})\2(\d{4}|\d\d)")
_EITHER = "/-"
"""With these signs between them day and month change places from country to country."""


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
        first, second = int(found[1]), int(found[3])
        orders = Order if found[2] in _EITHER else (Order.DAY,)
        days = [_small_first(first, second, found[4], order) for order in orders]
        return tuple(dict.fromkeys(day for day in days if day))
    if found := _WORDS.fullmatch(_spelled(text)):
        number = _MONTHS.get(found["m"] or found["m2"])
        exact = day_of(int(found["y"]), number, int(found["d"] or found["d2"])) if number else None
        return (exact,) if exact else ()
    return ()
