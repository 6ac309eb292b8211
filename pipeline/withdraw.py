"""Removes the documents that an object has left and no longer stands for.

- Another version of the object: after it is loaded, what still names an older version is gone from it.
- The same version under other rules (a corrected time zone): before it is loaded, each document is compared
  with the reading that its row makes today; one that is another now, or none, is withdrawn. So a reading
  never meets the old place of its neighbor.

An object that is broken from some point on says nothing about the rest: nothing is withdrawn then.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice

from pipeline.measurement import Measurement
from pipeline.model import Earlier, Extent, ObjectReport, Stored
from pipeline.ports import Measurements

_BATCH = 1000


class Withdrawal:
    """Withdraws documents of one run; may be used from several threads."""

    def __init__(self, measurements: Measurements, run_id: str) -> None:
        self._measurements = measurements
        self._run_id = run_id

    def moved(self, report: ObjectReport, earlier: Earlier, rows: Iterable[Measurement]) -> None:
        """Withdraw documents of this version whose row is another reading now. Reads `rows` to the end."""
        places = _Places(rows)
        stored = self._measurements.stored(report.key, _scope(earlier))
        self._withdraw(report, (item for item in stored if item.etag == report.etag and not places.has(item)))

    def left_over(self, report: ObjectReport, earlier: Earlier) -> None:
        """Withdraw documents of other versions, unless the counts show that there are none."""
        if report.status in ("quarantined", "unread") or (earlier.extent is None and not earlier.lost):
            return
        tally = report.tally
        confirmed = tally.unchanged + tally.replaced - tally.taken_over
        whole = not earlier.partial and not earlier.lost
        if whole and (earlier.etag == report.etag or confirmed >= earlier.own):
            return
        self._withdraw(report, self._measurements.stored(report.key, _scope(earlier), not_etag=report.etag))

    def _withdraw(self, report: ObjectReport, gone: Iterator[Stored]) -> None:
        extents: dict[str, Extent] = {}
        while batch := list(islice(gone, _BATCH)):
            report.tally.withdrawn += self._measurements.withdraw(report.key, batch, self._run_id)
            for item in batch:
                here = Extent(frozenset({item.station}), item.moment, item.moment)
                extents[item.station] = here.joined(extents.get(item.station))
        report.withdrawn += extents.values()


def _scope(earlier: Earlier) -> Extent | None:
    return None if earlier.lost else earlier.extent


class _Places:
    """Which reading each row is: eight bytes a row, so that memory holds for millions."""

    def __init__(self, rows: Iterable[Measurement]) -> None:
        self._readings = array("q")
        for row in rows:
            missing = row.position + 1 - len(self._readings)
            if missing > 0:
                self._readings.extend([0] * missing)
            self._readings[row.position] = hash(row.id)

    def has(self, item: Stored) -> bool:
        return item.position < len(self._readings) and self._readings[item.position] == hash(item.id)
