"""Whether a run as a whole is good, and if not, why: the first reasons are said, not only counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.errors import DataError, PipelineError, SourceError
from pipeline.model import by_field

if TYPE_CHECKING:
    from pipeline.report import RunReport

_NAMED = 3


def verdict(report: RunReport) -> PipelineError | None:
    """Why the run is not good, or None: what cannot be read, then what is unusable, then shares."""
    read = report.total.read + report.previous.read
    nothing = "" if read else f"nothing loaded: no reading in {report.source}"
    troubled = [*_unread(report), *_quarantined(report)]
    if troubled:
        error = troubled[0]
        parts = [nothing, *(other.message for other in troubled)]
        error.message = "; ".join(part for part in parts if part)
        error.hint = " ".join(other.hint for other in troubled)
        return error
    if not read:
        if report.may_be_empty or report.described:
            return None
        return DataError(nothing, "Is it the right folder or prefix?")
    return _shares(report, read)


def _unread(report: RunReport) -> list[PipelineError]:
    count = report.statuses["unread"]
    if not count:
        return []
    message = f"{_objects(count)} could not be read: {_keys(report, 'unread', count)}"
    return [SourceError(message, f"{_first(report, 'unread', count)} The next run tries again.")]


def _quarantined(report: RunReport) -> list[PipelineError]:
    count = report.statuses["quarantined"]
    if not count:
        return []
    verb = "is" if count == 1 else "are"
    message = f"{_objects(count)} {verb} quarantined: {_keys(report, 'quarantined', count)}"
    return [DataError(message, _first(report, "quarantined", count))]


def _objects(count: int) -> str:
    return f"{count:,} object" if count == 1 else f"{count:,} objects"


def _keys(report: RunReport, status: str, count: int) -> str:
    found = [item["key"] for item in report.objects.values() if item["status"] == status][:_NAMED]
    return ", ".join(found) + (", ..." if count > len(found) else "")


def _first(report: RunReport, status: str, count: int) -> str:
    """The first of these objects with their reasons."""
    found = [item for item in report.objects.values() if item["status"] == status][:_NAMED]
    named = [f"{item['key']}: {_without(item['key'], item['error'])}" for item in found]
    rest = f"; and {count - len(found):,} more" if count > len(found) else ""
    return "; ".join(named) + rest + "."


def _without(key: str, error: str) -> str:
    return error.removeprefix(f"{key}: ").rstrip(".")


def _refused_hint(report: RunReport) -> str:
    first = f"{report.first_refusal.rstrip('.')}. " if report.first_refusal else ""
    return f"{first}See `rejected_records`; after a fix run `forecast-etl retry-rejected`."


def _shares(report: RunReport, read: int) -> PipelineError | None:
    refused = report.total.rejected + report.previous.rejected
    reasons = _top(report.reasons + report.previous_reasons)
    if refused == read:
        return DataError(f"nothing loaded: all {read:,} rows were refused ({reasons})", _refused_hint(report))
    if refused / read > report.limits.rejected:
        return DataError(
            f"{refused:,} of {read:,} rows were refused, more than {report.limits.rejected:.1%} ({reasons})",
            _refused_hint(report),
        )
    conflicts = report.total.conflict + report.previous.conflict
    if conflicts / read > report.limits.conflicts:
        return DataError(
            f"{conflicts:,} of {read:,} rows conflict with another row of the same object, station and time, "
            f"more than {report.limits.conflicts:.1%}",
            "The last of them stands. See `conflict` of the objects in this report, and --max-conflicts.",
        )
    return _dropped(report, read - refused)


def _dropped(report: RunReport, rows: int) -> PipelineError | None:
    dropped = report.dropped + report.previous_dropped
    for name, count in by_field(dropped).most_common(1):
        if count > max(report.limits.dropped * rows, 1):
            return DataError(
                f"{count:,} values of {name} in {rows:,} readings were dropped, more than "
                f"{report.limits.dropped:.1%} ({_top(dropped)})",
                _DROPPED_HINT,
            )
    for key, (name, count, of) in report.spoiled.items():
        more = f"; so are {len(report.spoiled) - 1:,} other objects" if len(report.spoiled) > 1 else ""
        return DataError(
            f"{key}: {count:,} values of {name} in {of:,} readings were dropped, more than "
            f"{report.limits.dropped:.1%}{more}",
            _DROPPED_HINT,
        )
    return None


_DROPPED_HINT = (
    "Is the column in another unit? See `dropped` of the objects in this report, and --max-dropped."
)


def _top(counts: Counter[str]) -> str:
    return ", ".join(f"{reason}: {count:,}" for reason, count in counts.most_common(3))
