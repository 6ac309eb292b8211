"""The report of a run: one entry of `load_runs`, and the last line on stdout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from pipeline import __version__
from pipeline.errors import DataError, PipelineError, Stopped
from pipeline.model import Document, ObjectReport, Tally

LISTED = 5_000
PRINTED = 200
"""Objects listed in `load_runs` and in the last line; `loaded_objects` has them all."""


@dataclass(slots=True)
class RunReport:
    """Counts are sums over the objects read by this run; skipped ones bring their `previous` counts."""

    run_id: str
    source: str
    started_at: datetime
    executor: str
    full: bool
    max_rejected: float
    may_be_empty: bool = False
    total: Tally = field(default_factory=Tally)
    previous: Tally = field(default_factory=Tally)
    blank: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    stations: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    objects: list[Document] = field(default_factory=list)
    error: PipelineError | Stopped | None = None
    finished_at: datetime | None = None
    measurements: int | None = None
    degraded: bool = False

    def add(self, report: ObjectReport) -> None:
        """Take in what became of one object."""
        self.statuses[report.status] += 1
        self.total.add(report.tally)
        self.blank += report.blank
        self.degraded |= report.degraded
        self.dropped.update(report.dropped)
        self.reasons.update(report.reasons)
        self._saw(report)
        self._list(report.as_dict())

    def add_skipped(self, before: ObjectReport) -> None:
        """Take in an object that an earlier run loaded: its counts are kept apart."""
        self.statuses["skipped"] += 1
        self.previous.add(before.tally)
        self._saw(before)
        entry = ObjectReport(before.key, before.etag, "skipped").as_dict()
        times = {"stations": sorted(before.stations), "first": before.first, "last": before.last}
        self._list({**entry, **times, "previous": before.tally.as_dict()})

    def verdict(self) -> PipelineError | Stopped | None:
        """Why the run as a whole is not good, or None."""
        if self.error:
            return self.error
        read = self.total.read + self.previous.read
        if not read and self.may_be_empty and not self.statuses["quarantined"]:
            return None
        if not read:
            return DataError(
                f"nothing loaded: no reading in {self.source}", "Is it the right folder or prefix?"
            )
        if quarantined := self.statuses["quarantined"]:
            return DataError(
                f"{quarantined} objects are quarantined", "See `error` of the objects in this report."
            )
        refused = self.total.rejected + self.previous.rejected
        if refused == read:
            return DataError(f"nothing loaded: all {read} rows were refused ({self._top()})", _REFUSED_HINT)
        if refused / read > self.max_rejected:
            return DataError(
                f"{refused} of {read} rows were refused, more than {self.max_rejected:.1%} ({self._top()})",
                _REFUSED_HINT,
            )
        return None

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
            "measurements": self.measurements, "stations": sorted(self.stations),
            "first_timestamp": self.first, "last_timestamp": self.last,
            "blank": self.blank, "dropped": dict(self.dropped), "rejected_reasons": dict(self.reasons),
            "object_counts": dict(self.statuses), "objects": self.objects,
            "objects_omitted": sum(self.statuses.values()) - len(self.objects),
            "degraded": self.degraded,
            "executor": self.executor, "full": self.full, "pipeline_version": __version__,
        }  # fmt: skip

    def _saw(self, report: ObjectReport) -> None:
        self.stations |= report.stations
        if report.first and report.last:
            self.first = min(report.first, self.first or report.first)
            self.last = max(report.last, self.last or report.last)

    def _list(self, entry: Document) -> None:
        if len(self.objects) < LISTED or entry["status"] == "quarantined":
            self.objects.append(entry)

    def _top(self) -> str:
        return ", ".join(f"{reason}: {count}" for reason, count in self.reasons.most_common(3))


_REFUSED_HINT = "See `rejected_records`; after a fix run `forecast-etl retry-rejected`."


def last_line(document: Document) -> Document:
    """The report as it is printed: `run_id` for `_id`, and at most `PRINTED` objects, troubled ones first."""
    objects = sorted(document["objects"], key=lambda item: item["status"] != "quarantined")
    rest = {key: value for key, value in document.items() if key != "_id"}
    return {
        "event": "report",
        "run_id": document["_id"],
        **rest,
        "objects": objects[:PRINTED],
        "objects_omitted": document["objects_omitted"] + max(len(objects) - PRINTED, 0),
    }
