"""What a cell says of a moment, and local time to UTC, summer time included."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.dates import Order, cell_days, order_in
from pipeline.units import plain_text

_OFFSET = r"(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?"
_CLOCK = re.compile(rf"(\d{{1,2}})[:h](\d{{2}})(?::(\d{{2}})(?:[.,]\d+)?)?\s*(?:([ap])\.?m\.?)?\s*{_OFFSET}")
_COMPACT = re.compile(rf"(\d{{8}})t?(\d{{2}})(\d{{2}})(\d{{2}})?{_OFFSET}")
_EPOCH = re.compile(r"(1\d{9})(\d{3})?")
_NUMBER = re.compile(r"\d{0,5}\.\d+")
_PARTED = re.compile(r"(.*?\d)(?:t|, *| +|[ t]at )(\d{1,2}[:h]\d{2}.*)", re.DOTALL)
_MIDNIGHT, _DAY = timedelta(0), timedelta(days=1)
_ONLY_A_TIME = re.compile(
    r"(?:1899[-/.]12[-/.]3[01]|1900[-/.]0?1[-/.]0?[01]|(?:0001|1904|1970)[-/.]0?1[-/.]0?1"
    r"|(?:3[01][-/.]12|12[-/.]3[01])[-/.](?:18)?99|(?:0?[01][-/.]0?1|0?1[-/.]0?0)[-/.](?:19)?00"
    r"|0?1[-/.]0?1[-/.](?:1904|1970|0001))"
)
"""The day of a cell with a time only, as spreadsheets and what reads them write it; its zone is none."""


class NonexistentTime(ValueError):
    """The clocks were put forward over this local time."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell says: the days that it may mean, the time of day, and the offset from UTC."""

    days: tuple[date, ...] = ()
    elapsed: timedelta | None = None
    offset: timedelta | None = None
    order: Order | None = None
    """Which of day and month comes first, where the cell itself shows it."""
    clock: timedelta | None = field(init=False, compare=False, repr=False)
    """The time of day of a cell that tells nothing else."""

    def __post_init__(self) -> None:
        alone = not self.days and self.offset is None
        object.__setattr__(self, "clock", self.elapsed if alone else None)


def read_cell(value: Any) -> Cell | None:
    """A date, a time of day, or both; None when the cell is neither.

    Knows text of many forms (ISO 8601 with and without offset, 12 hours, day first, names of months), cells
    of spreadsheets, Excel's numbers, and seconds since 1970.
    """
    if isinstance(value, datetime):
        days, elapsed = cell_days(value), time_of_day(value.time())
        return Cell(days, elapsed, value.utcoffset()) if days else Cell(elapsed=elapsed)
    if isinstance(value, date):
        return Cell(cell_days(value))
    if isinstance(value, time | timedelta):
        elapsed = time_of_day(value)
        return None if elapsed is None else Cell(elapsed=elapsed)
    if isinstance(value, bool) or value is None or not isinstance(value, int | float | str):
        return None
    text = plain_text(value)
    return _read_text(text) if len(text) <= 64 else None


def _read_text(text: str) -> Cell | None:
    if clock := _written_time(text):
        return clock
    if text == "0":
        return Cell(elapsed=_MIDNIGHT)
    if days := cell_days(text):
        return Cell(days, order=order_in(text))
    if found := _COMPACT.fullmatch(text):
        hour, minute, second = found[2], found[3], found[4] or "00"
        clock = _written_time(f"{hour}:{minute}:{second}{found[5] or ''}")
        days = cell_days(found[1])
        return Cell(days, clock.elapsed, clock.offset) if clock and days else None
    if found := _EPOCH.fullmatch(text):
        moment = datetime.fromtimestamp(int(found[1]), UTC)
        return Cell((moment.date(),), time_of_day(moment.time()), _MIDNIGHT)
    if _NUMBER.fullmatch(text):
        return _excel_number(text)
    found = _PARTED.fullmatch(text)
    clock = _written_time(found[2]) if found else None
    if found is None or clock is None:
        return None
    if _ONLY_A_TIME.fullmatch(found[1]):
        return Cell(elapsed=clock.elapsed)
    days = cell_days(found[1])
    return Cell(days, clock.elapsed, clock.offset, order_in(found[1])) if days else None


def _excel_number(text: str) -> Cell | None:
    """`45566.25` is a day and a quarter of it, `0.25` a quarter of some day."""
    whole, _, rest = text.partition(".")
    elapsed = timedelta(seconds=round(float(f"0.{rest}") * 86400))
    if elapsed >= _DAY:
        return None
    if int(whole or 0) == 0:
        return Cell(elapsed=elapsed)
    days = cell_days(whole)
    return Cell(days, elapsed) if days else None


def time_of_day(value: Any) -> timedelta | None:
    """What a clock shows, as elapsed time since midnight; None when the value is no time of day."""
    if isinstance(value, time):
        return timedelta(
            hours=value.hour, minutes=value.minute, seconds=round(value.second + value.microsecond / 1e6)
        )
    if isinstance(value, timedelta):
        return value if _MIDNIGHT <= value < _DAY else None
    cell = read_cell(value)
    return cell.elapsed if cell and not cell.days and cell.offset is None else None


def _written_time(text: str) -> Cell | None:
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4] == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return Cell((), timedelta(hours=hour, minutes=minute, seconds=second), _offset(found[5]))


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return _MIDNIGHT
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return -size if text[0] == "-" else size


class LocalDays:
    """The days of one zone: where their midnight is in UTC, and what a time of day means on them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._midnights: dict[date, datetime | None] = {}

    def constant_midnight(self, day: date) -> datetime | None:
        """The naive UTC instant of a day's midnight, unless the clocks change on that day."""
        try:
            return self._midnights[day]
        except KeyError:
            pass
        midnight = datetime.combine(day, time())
        start = self._offset_at(midnight)
        constant = start == self._offset_at(midnight + _DAY)
        if len(self._midnights) > 10_000:
            self._midnights.clear()
        known = self._midnights[day] = midnight - start if constant else None
        return known

    def instants(self, day: date, elapsed: timedelta) -> tuple[datetime, ...]:
        """What a clock's time means: one naive UTC instant, or in the repeated hour two, summer time first.

        Raises NonexistentTime for the hour that is left out in spring.
        """
        midnight = self.constant_midnight(day)
        if midnight is not None:
            return (midnight + elapsed,)
        local = datetime.combine(day, time()) + elapsed
        first, second = self._offset_at(local), self._offset_at(local.replace(fold=1))
        if first < second:
            raise NonexistentTime(f"{local:%H:%M:%S} does not exist on {day} in {self.zone.key}")
        return (local - first,) if first == second else (local - first, local - second)

    def local_time(self, moment: datetime) -> timedelta:
        """What a local clock shows at a naive UTC instant."""
        shown = time_of_day(moment.replace(tzinfo=UTC).astimezone(self.zone).time())
        return shown if shown is not None else _MIDNIGHT

    def _offset_at(self, local: datetime) -> timedelta:
        return local.replace(tzinfo=self.zone).utcoffset() or _MIDNIGHT
