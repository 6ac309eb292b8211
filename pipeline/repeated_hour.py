"""The hour that happens twice in autumn: which of the two a row is of.

Rows come in the order in which the station sent them, or the other way round. The rows of the hour are looked
at together:
- Where the time runs against the order of the rows, the other pass begins. In rows from old to new the first
  pass is summer time, in rows from new to old the second one. At the same time twice with other values the
  other pass begins as well.
- One pass only, with rows before it: summer time. With rows after it only: winter time. With neither, as in
  an object for each hour, the name may tell it (`02A`, `02B`, `CEST`, `CET`); else the rows are refused.
- More than two passes are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

LIMIT = 50_000
"""Rows of one repeated hour in one object: more than a second's cadence gives."""


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """A row of the hour: what a clock showed, what it may mean, and the row itself."""

    elapsed: timedelta
    summer: datetime
    winter: datetime
    position: int
    row: Any
    fields: bytes


@dataclass(slots=True)
class RepeatedHour:
    """The rows of one day's repeated hour in one object. `before` and `after`: times of its neighbors."""

    day: date
    before: timedelta | None
    after: timedelta | None = None
    rows: list[RepeatedRow] = field(default_factory=list)

    def resolve(self, *, summer_pass: bool | None) -> list[tuple[RepeatedRow, datetime | None]]:
        """The instant of each row; None where it cannot be known."""
        ascends = self._ascends()
        passes = self._passes(ascends=ascends)
        if len(passes) > 2:
            summers: list[bool | None] = [None] * len(passes)
        elif len(passes) == 2:
            summers = [ascends, not ascends]
        else:
            summers = [self._single_pass(ascends=ascends, told=summer_pass)]
        return [
            (row, None if summer is None else row.summer if summer else row.winter)
            for rows, summer in zip(passes, summers, strict=True)
            for row in rows
        ]

    def _ascends(self) -> bool:
        first, last = self.rows[0].elapsed, self.rows[-1].elapsed
        if self.before is not None:
            return self.before < first
        if self.after is not None:
            return self.after > last
        steps = self._steps()
        return sum(step > timedelta(0) for step in steps) >= sum(step < timedelta(0) for step in steps)

    def _steps(self) -> list[timedelta]:
        return [two.elapsed - one.elapsed for one, two in zip(self.rows, self.rows[1:], strict=False)]

    def _passes(self, *, ascends: bool) -> list[list[RepeatedRow]]:
        passes = [[self.rows[0]]]
        sign = 1 if ascends else -1
        for row, step in zip(self.rows[1:], self._steps(), strict=True):
            again = not step and row.fields != passes[-1][-1].fields and len(passes) == 1
            if step * sign < timedelta(0) or again:
                passes.append([])
            passes[-1].append(row)
        return passes

    def _single_pass(self, *, ascends: bool, told: bool | None) -> bool | None:
        earlier, later = (self.before, self.after) if ascends else (self.after, self.before)
        if told is not None and (earlier is None or later is None):
            return told
        if earlier is not None:
            return True
        return False if later is not None else None
