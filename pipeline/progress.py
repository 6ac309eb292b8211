"""What a run says while it works: troubled and large objects one by one, small ones by the hundred.

In a log a line every few seconds, on a terminal a bar; see `pipeline.terminal`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from pipeline.model import ObjectReport, Tally
from pipeline.report import TROUBLED

Say = Callable[..., None]
SINGLE, POOLED, NAMED = 20, 100, 20
"""Small objects with a line of their own; small objects of one line after these; troubled ones by name."""
_LARGE = 2_000  # rows


@dataclass(slots=True)
class Counts:
    """How far a run is; may be read and changed from several threads.

    `live`: rows are counted as they are read, not when their object is done.
    """

    live: bool = False
    objects: int = 0
    listed: int = 0
    rows: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add_rows(self, rows: int) -> None:
        with self._lock:
            self.rows += rows

    def add_object(self, rows: int) -> None:
        with self._lock:
            self.objects += 1
            self.rows += 0 if self.live else rows

    def add_listed(self) -> None:
        with self._lock:
            self.listed += 1


class Progress:
    """Turns what becomes of objects into lines. `counts` is for who shows how far it is."""

    def __init__(self, say: Say, counts: Counts | None = None) -> None:
        self.counts = counts or Counts()
        self._say = say
        self._single = 0
        self._named: Counter[str] = Counter()
        self._pool: Counter[str] = Counter()
        self._tally = Tally()
        self._dropped = 0

    def listed(self) -> None:
        self.counts.add_listed()

    def object(self, report: ObjectReport) -> None:
        """What became of an object."""
        self.counts.add_object(report.tally.read)
        if report.status in TROUBLED:
            self._named[report.status] += 1
            if self._named[report.status] <= NAMED:
                self._line(report)
        elif report.tally.read >= _LARGE or self._single < SINGLE:
            self._single += report.tally.read < _LARGE
            self._line(report)
        else:
            self._pool[report.status] += 1
            self._tally.add(report.tally)
            self._dropped += report.dropped.total()
            if self._pool.total() == POOLED:
                self._summary()

    def end(self, statuses: Counter[str]) -> None:
        """What was not said yet: the last small objects, more troubled ones, and those that were left out."""
        if self._pool:
            self._summary()
        for status in (*TROUBLED, "missing"):
            if self._named[status] > NAMED:
                self._say(status, more=self._named[status] - NAMED)
        for status in ("skipped", "ignored", "excluded"):
            if statuses[status]:
                self._say(status, objects=statuses[status])

    def missing(self, key: str) -> None:
        """An object that an earlier run has read is no longer in the source."""
        self._named["missing"] += 1
        if self._named["missing"] <= NAMED:
            self._say("missing", key=key, hint=f"forecast-etl forget {key}")

    def _line(self, report: ObjectReport) -> None:
        more: dict[str, Any] = {"dropped": report.dropped.total()} if report.dropped.total() else {}
        if report.status == "refused":
            more["reasons"] = ", ".join(f"{name}: {count}" for name, count in report.reasons.most_common(3))
        columns = report.columns
        for name, found in (("unknown_columns", sorted(columns.unknown)), ("skipped_sheets", columns.sheets)):
            if found:
                more[name] = ", ".join(found[:12])
        if columns.other_day:
            more["other_day"] = columns.other_day
        if report.described and not report.tally.read:
            more["stations"] = report.described
        if report.error:
            more["error"] = report.error
        self._say(report.status, key=report.key, **_counts(report.tally), **more)

    def _summary(self) -> None:
        facts = _counts(self._tally) | ({"dropped": self._dropped} if self._dropped else {})
        self._say("objects", **self._pool, **facts)
        self._pool.clear()
        self._tally, self._dropped = Tally(), 0


def _counts(tally: Tally) -> dict[str, int]:
    """The counts that are not 0, `read` in any case."""
    return {name: count for name, count in tally.as_dict().items() if count or name == "read"}
