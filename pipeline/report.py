"""The report of a run: one entry of `load_runs`, and the last line on stdout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from pipeline import __version__
from pipeline.errors import PipelineError, Stopped
from pipeline.model import Document, ObjectReport, Tally, by_field
from pipeline.verdict import verdict

LISTED = 5_000
PRINTED = 200
"""Objects listed in `load_runs` and in the last line; `loaded_objects` has them all."""
TROUBLED = ("unread", "quarantined", "refused")
_MISSED = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares above which a run is not good: refused rows, values of one field that could not be used, and
    rows that conflict with another row of their object."""

    rejected: float = 0.05
    dropped: float = 0.05
    conflicts: float = 0.05


@dataclass(slots=True)
class RunReport:
    """Counts are sums over the objects read by this run; skipped ones bring their `previous` counts."""

    run_id: str
    source: str
    started_at: datetime
    executor: str
    full: bool
    limits: Limits = field(default_factory=Limits)
    may_be_empty: bool = False
    total: Tally = field(default_factory=Tally)
    previous: Tally = field(default_factory=Tally)
    blank: int = 0
    described: int = 0
    kept_rejections: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    previous_dropped: Counter[str] = field(default_factory=Counter)
    previous_reasons: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    stations: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    objects: dict[str, Document] = field(default_factory=dict)
    spoiled: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Objects with more dropped values of a field than allowed: field, how many, of how many rows."""
    first_refusal: str = ""
    """What was said of a refused row, and of which object."""
    unknown_columns: Counter[str] = field(default_factory=Counter)
    missing_columns: Counter[str] = field(default_factory=Counter)
    """Columns by name, and of how many objects: not known, or looked for and not there."""
    other_day: int = 0
    """Rows whose own date is not the one in the object's name."""
    skipped_sheets: list[str] = field(default_factory=list)
    missing: int = 0
    missing_keys: list[str] = field(default_factory=list)
    """Objects that earlier runs have read and that are no longer in the source; some of them by name."""
    error: PipelineError | Stopped | None = None
    finished_at: datetime | None = None
    measurements: int | None = None
    degraded: bool = False

    def add(self, report: ObjectReport) -> None:
        """Take in what became of one object."""
        self._count(report, 1)
        self.degraded |= report.degraded
        self._saw(report)
        self._list(report.as_dict())

    def add_skipped(self, before: ObjectReport) -> None:
        """Take in an object that an earlier run loaded: its counts are kept apart."""
        self._count_skipped(before, 1)
        self._saw(before)
        entry = ObjectReport(before.key, before.etag, "skipped").as_dict()
        times = {"stations": sorted(before.stations), "first": before.first, "last": before.last}
        self._list({**entry, **times, "previous": before.tally.as_dict()})

    def replace(self, before: ObjectReport, now: ObjectReport) -> None:
        """Take in an object that was read once more, in place of what was said of it first."""
        if before.run_id == self.run_id:
            now.tally.withdrawn += before.tally.withdrawn
            self._count(before, -1)
        else:
            self._count_skipped(before, -1)
        self.objects.pop(now.key, None)
        self.add(now)

    def add_missing(self, key: str) -> None:
        """An object that is no longer in the source."""
        self.missing += 1
        if len(self.missing_keys) < _MISSED:
            self.missing_keys.append(key)

    def verdict(self) -> PipelineError | Stopped | None:
        """Why the run is not good, or None."""
        return self.error or verdict(self)

    def as_document(self) -> Document:
        """The entry of `load_runs`; `status` is running until `finished_at` is set."""
        verdict = self.verdict() if self.finished_at else None
        status = "running" if self.finished_at is None else "failed" if verdict else "succeeded"
        return {
            "_id": self.run_id, "status": status, "exit_code": verdict.exit_code if verdict else 0,
            "error": verdict.message if verdict else None, "hint": verdict.hint if verdict else None,
            "source": self.source, "started_at": self.started_at, "finished_at": self.finished_at,
            "seconds": (self.finished_at - self.started_at).total_seconds() if self.finished_at else None,
            "totals": self.total.as_dict(), "previous": self.previous.as_dict(),
            "written": self.total.written, "documents": self.total.documents + self.previous.documents,
            "grown": self.total.inserted - self.total.withdrawn,
            "measurements": self.measurements, "stations": sorted(self.stations),
            "first_timestamp": self.first, "last_timestamp": self.last,
            "blank": self.blank, "dropped": _sorted(self.dropped), "rejected_reasons": _sorted(self.reasons),
            "kept_rejections": self.kept_rejections,
            "unknown_columns": _sorted(self.unknown_columns),
            "missing_columns": _sorted(self.missing_columns),
            "other_day": self.other_day, "skipped_sheets": self.skipped_sheets,
            "object_counts": _sorted(self.statuses), "objects": list(self.objects.values()),
            "objects_omitted": sum(self.statuses.values()) - len(self.objects),
            "missing": {"objects": self.missing, "keys": self.missing_keys},
            "degraded": self.degraded,
            "executor": self.executor, "full": self.full, "pipeline_version": __version__,
        }  # fmt: skip

    def _count(self, report: ObjectReport, times: int) -> None:
        self.statuses[report.status] += times
        self.total.add(report.tally, times)
        self.blank += times * report.blank
        self.described += times * report.described
        self.kept_rejections += times * report.kept_rejections
        _add(self.dropped, report.dropped, times)
        _add(self.reasons, report.reasons, times)
        self._count_columns(report, times)
        self._note_refusal(report)
        self._spoiled(report)

    def _count_skipped(self, before: ObjectReport, times: int) -> None:
        self.statuses["skipped"] += times
        self.previous.add(before.tally, times)
        self.described += times * before.described
        _add(self.previous_dropped, before.dropped, times)
        _add(self.previous_reasons, before.reasons, times)
        self._note_refusal(before)
        self._spoiled(before)

    def _count_columns(self, report: ObjectReport, times: int) -> None:
        columns = report.columns
        _add(self.unknown_columns, Counter(columns.unknown), times)
        _add(self.missing_columns, Counter(columns.missing), times)
        self.other_day += times * columns.other_day
        if times > 0 and len(self.skipped_sheets) < _MISSED:
            self.skipped_sheets += [f"{report.key}: {name}" for name in columns.sheets]

    def _note_refusal(self, report: ObjectReport) -> None:
        if report.first_detail and not self.first_refusal:
            self.first_refusal = f"{report.key}: {report.first_detail}"

    def _spoiled(self, report: ObjectReport) -> None:
        """One column that cannot be read shows in its object, however many others are good."""
        self.spoiled.pop(report.key, None)
        rows = report.tally.read - report.tally.rejected
        for name, count in by_field(report.dropped).most_common(1):
            if count >= _ENOUGH and count > self.limits.dropped * rows:
                self.spoiled[report.key] = (name, count, rows)

    def _saw(self, report: ObjectReport) -> None:
        self.stations |= report.stations
        if report.first and report.last:
            self.first = min(report.first, self.first or report.first)
            self.last = max(report.last, self.last or report.last)

    def _list(self, entry: Document) -> None:
        if len(self.objects) < LISTED or entry["status"] in TROUBLED:
            self.objects[entry["key"]] = entry


_ENOUGH = 4
"""Dropped values of a field in one object that are more than a mishap."""


def _add(counter: Counter[str], more: Counter[str], times: int) -> None:
    for name, count in more.items():
        counter[name] += times * count


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in counter.most_common() if count}


def last_line(document: Document) -> Document:
    """The report as it is printed: `run_id` for `_id`, and at most `PRINTED` objects, troubled ones first."""
    objects = sorted(document["objects"], key=lambda item: item["status"] not in TROUBLED)
    rest = {key: value for key, value in document.items() if key != "_id"}
    return {
        "event": "report",
        "run_id": document["_id"],
        **rest,
        "objects": objects[:PRINTED],
        "objects_omitted": document["objects_omitted"] + max(len(objects) - PRINTED, 0),
    }
