"""When a row was measured: from its own cells, the name of its object, and the order of the rows.

Rules:
- A row's own date wins over the name's. Its cells must not contradict each other: then it is refused.
- A time with an offset, or in UTC, is an instant.
- Rows that tell the time of day only are of the day in the name. Where that day's clock is put back (or, in
  rows that run from new to old, forward) by more than an hour, another day begins: the rows from there are
  refused. After a configured first day they are of the next day. A range of days in a name is filled only
  when as many days begin as it has.
- The hour that does not exist in spring: refused.
- The hour that happens twice in autumn: see `repeated_hour`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from pipeline.dates import Order, Span
from pipeline.localtime import Cell, LocalDays

HOUR = timedelta(hours=1)
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


AMBIGUOUS = "ambiguous_date"


class Refused(Exception):
    """A row has no moment; `reason` is a stable word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class RowDates:
    """Brings together what the cells of one row say."""

    def __init__(self, days: LocalDays, span: Span | None, order: Order | None) -> None:
        self._days = days
        self._span = span
        self.order = order
        """Which of day and month comes first; None while nothing has told."""

    def combine(
        self, moment: Cell, clock: Cell, day: Cell
    ) -> tuple[date | None, timedelta, timedelta | None]:
        """The local date (None where no cell tells it), the time of day, and its offset from UTC where told.

        Of the cells of the columns for both, for the time, and for the date. Raises Refused.
        """
        if moment.elapsed is not None and clock.elapsed is not None:
            moment = self._without_contradiction(moment, clock)
        told = next((cell for cell in (clock, moment, day) if cell.elapsed is not None), None)
        if told is None or told.elapsed is None:
            raise Refused("no_time", "the row has values but no time")
        for cell in (moment, clock, day):
            if cell.order is not None:
                self._meet(cell.order)
        exact = next((cell for cell in (moment, clock) if cell.days and cell.offset is not None), None)
        if exact is not None and exact.elapsed is not None:
            return self._one_of(exact.days), exact.elapsed, exact.offset
        found = {self._one_of(cell.days) for cell in (moment, clock, day) if cell.days}
        if len(found) > 1:
            raise Refused("dates_disagree", f"the row tells {' and '.join(map(str, sorted(found)))}")
        return (found.pop() if found else None), told.elapsed, told.offset

    def _without_contradiction(self, moment: Cell, clock: Cell) -> Cell:
        """The cell of both, without its time where that is the midnight of a date."""
        if moment.elapsed is None or clock.elapsed is None or clock.days:
            return moment
        if moment.offset is not None and clock.offset is None:
            instant = datetime.combine(self._one_of(moment.days), time()) + moment.elapsed - moment.offset
            shown = self._days.local_time(instant)
        else:
            shown = moment.elapsed
        if abs(shown - clock.elapsed) < _MINUTE:
            return moment
        if not moment.elapsed:
            return Cell(moment.days)
        raise Refused("times_disagree", f"the row tells the local times {shown} and {clock.elapsed}")

    def _meet(self, order: Order) -> None:
        """A date that can be read in one order only: it holds for the others of the object too."""
        if self.order is None:
            self.order = order
        elif self.order is not order:
            raise Refused("dates_disagree", f"day and month change places: other dates are {self.order}")

    def _one_of(self, days: Sequence[date]) -> date:
        """The day that is meant where day and month could change places: as others of the object say."""
        if len(days) == 1:
            return days[0]
        if self.order is None and self._span is not None:
            named = [day for day in days if day in self._span]
            if len(named) == 1:
                self.order = Order.DAY if named[0] == days[0] else Order.MONTH
        if self.order is None:
            raise Refused(
                AMBIGUOUS,
                f"{days[0]} or {days[1]}: set date-order of the station in stations.toml",
            )
        return days[0] if self.order is Order.DAY else days[1]


class NamedDay:
    """The day of rows that tell a time of day only, in the order in which they stand.

    `last` is the latest time of an object in ascending order, None while the order is not known or descends:
    a time that is not before it needs no question.
    """

    def __init__(self, span: Span) -> None:
        self.day = span.first
        self._first: timedelta | None = None
        self._high = self._low = self._previous = timedelta(0)
        self._descends = False
        self._ended = False
        self.last: timedelta | None = None

    def place(self, elapsed: timedelta) -> date:
        """The day of the next row. Raises Refused from where the day is over."""
        if self.last is not None and elapsed >= self.last:
            self.last = elapsed
            return self.day
        if self._first is None:
            self._first = self._high = self._low = self._previous = self.last = elapsed
            return self.day
        if self.last is not None:
            self._high = self.last
            if self._high == self._first and elapsed < self._first:
                self._descends, self.last = True, None
        if self._ended or self._steps_too_far(elapsed):
            self._ended, self.last = True, None
            raise Refused(
                "time_steps_back", f"{elapsed} after the end of {self.day}: the row is of another day"
            )
        self._low, self._high = min(self._low, elapsed), max(self._high, elapsed)
        self._previous = elapsed
        if not self._descends:
            self.last = self._high
        return self.day

    def _steps_too_far(self, elapsed: timedelta) -> bool:
        if not self._descends:
            return elapsed < self._high - HOUR
        if elapsed <= self._low + HOUR:
            return False
        if self._high - self._low <= HOUR and elapsed - self._previous <= HOUR:
            self._descends = False  # a few rows at the start stood out of order, no more
            return False
        return True


def days_of_range(span: Span, times: Sequence[timedelta]) -> list[date] | None:
    """The days of rows that tell a time of day only, from a first day on; None where they do not fit.

    They fit a range when the clock begins anew as often as it has further days.
    """
    steps = [after - before for before, after in pairwise(times)]
    ascends = sum(step > timedelta(0) for step in steps) >= sum(step < timedelta(0) for step in steps)
    sign = 1 if ascends else -1
    index, days = 0, []
    for step in (timedelta(0), *steps):
        index += step * sign < -HOUR
        days.append(index)
    if span.last is not None and index != (span.last - span.first).days:
        return None
    return [span.first + (number if ascends else index - number) * _DAY for number in days]
