"""The quality audit: what the readings of all stations look like, and what is wrong with them. Pure.

Findings are errors (they decide the exit code) or warnings. The station with the gravest ones comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.model import Document
from pipeline.reporting.findings import Finding, Thresholds, of_fleet, of_loads, of_station
from pipeline.reporting.loads import Loads
from pipeline.reporting.neighbors import differences
from pipeline.reporting.series import StationSeries, Window

Ever = Mapping[str, tuple[datetime, datetime]]
"""First and last reading of all times, by station."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known besides the readings of the window."""

    stations: Iterable[Document]
    ever: Ever
    loads: Loads = field(default_factory=Loads)
    missing_indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole audit; stations with the worst first."""

    window: Window
    stations: list[StationSeries]
    loads: Loads
    missing_indexes: tuple[str, ...]
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    def of(self, station: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.station == station]


def audit(documents: Iterable[Document], window: Window, around: Around, thresholds: Thresholds) -> Audit:
    """Audit measurements sorted by station and time. Stations without a reading are reported too."""
    known = {station["_id"]: station for station in around.stations}
    window = _shortened(window, around.ever)
    seen = {
        id_: StationSeries(id_, known.get(id_, {}), window, around.ever.get(id_))
        for id_ in sorted({*known, *around.ever})
    }
    for document in documents:
        seen[document["station_id"]].see(document)
    series = list(seen.values())
    findings = [finding for one in series for finding in of_station(one, thresholds)]
    findings += of_fleet(series, list(differences([one for one in series if one.readings])))
    findings += of_loads(around.loads, thresholds)
    findings += [
        Finding("error", "indexes", None, f"index {name} is missing") for name in around.missing_indexes
    ]
    findings.sort(key=lambda finding: finding.severity)
    weight = Counter[str | None]()
    for finding in findings:
        weight[finding.station] += 100 if finding.severity == "error" else 1
    series.sort(key=lambda one: (-weight[one.id], one.completeness, one.id))
    return Audit(window, series, around.loads, around.missing_indexes, findings)


def _shortened(window: Window, ever: Ever) -> Window:
    """No reading is expected before the first of all stations."""
    first = min((first for first, _ in ever.values()), default=window.since)
    return Window(max(window.since, first - timedelta(seconds=1)), window.until, window.now)
