"""Local time of day to UTC, summer time included.

Rules (tested for Europe/Paris and Europe/Brussels):
- The hour that does not exist in spring: no instant, the row is refused.
- The hour that happens twice in autumn: rows come in the order in which the station sent them. They are
  summer time until the time of day steps back inside that hour; from there on they are winter time. A row
  outside the hour starts anew, so that a bulletin repeated in one object gives the same instants twice.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp])?\.?(?:[Mm]\.?)?")
_MIDNIGHT = timedelta(0)


class NonexistentTime(ValueError):
    """The clocks were put forward over this local time."""


class DayClock:
    """Turns the times of one local day into UTC, in the order of its rows.

    `constant_midnight` is the UTC instant of its midnight, unless the clocks change on this day.
    """

    def __init__(self, day: date, zone: ZoneInfo) -> None:
        self.day = day
        self._zone = zone
        self._midnight = datetime.combine(day, time())
        start = self._offset(self._midnight)
        constant = start == self._offset(self._midnight + timedelta(days=1))
        self.constant_midnight = self._midnight - start if constant else None
        self._previous: timedelta | None = None
        self._stepped_back = False

    def utc(self, elapsed: timedelta) -> datetime:
        """The naive UTC instant of a time of day given as what a clock shows since midnight."""
        if self.constant_midnight is not None:
            return self.constant_midnight + elapsed
        local = self._midnight + elapsed
        first, second = self._offset(local), self._offset(local.replace(fold=1))
        if first < second:
            raise NonexistentTime(f"{local:%H:%M:%S} does not exist on {self.day} in {self._zone.key}")
        if first == second:
            self._previous, self._stepped_back = None, False
            return local - first
        self._stepped_back = self._stepped_back or (self._previous is not None and elapsed < self._previous)
        self._previous = elapsed
        return local - (second if self._stepped_back else first)

    def _offset(self, local: datetime) -> timedelta:
        return local.replace(tzinfo=self._zone).utcoffset() or _MIDNIGHT


def time_of_day(value: Any) -> timedelta | None:
    """What a clock shows, as elapsed time since midnight; None when the cell is no time of day.

    Knows `datetime.time`, a cell that Excel dates 1899/1900, a fraction of a day, `HH:MM[:SS]` and `H:MM AM`.
    """
    if isinstance(value, datetime):
        return time_of_day(value.time()) if value.year <= 1900 else None
    if isinstance(value, time):
        return timedelta(
            hours=value.hour, minutes=value.minute, seconds=round(value.second + value.microsecond / 1e6)
        )
    if isinstance(value, timedelta):
        return value if _MIDNIGHT <= value < timedelta(days=1) else None
    if isinstance(value, float):
        return timedelta(seconds=round(value * 86400)) if 0 <= value < 1 else None
    return _written_time(value.replace("\xa0", " ").strip()) if isinstance(value, str) else None


def _written_time(text: str) -> timedelta | None:
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4] in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second)


def local_moment(value: Any) -> datetime | None:
    """A cell that carries its own local date as well as the time of day; None otherwise."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("\xa0", " ").strip())
        except ValueError:
            return None
    if isinstance(value, datetime) and value.tzinfo is None and value.year > 1900:
        return value.replace(microsecond=0)
    return None


def utc_moment(value: Any) -> datetime | None:
    """An InfoClimat `dh_utc` as a naive UTC datetime; None when it is not a date with a time."""
    if not isinstance(value, str) or len(value) < 16:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=0)
