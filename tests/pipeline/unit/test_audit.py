"""The quality audit over made-up measurements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from pipeline.model import Document
from pipeline.reporting.audit import Audit, Thresholds, Window, audit
from pipeline.reporting.page import page
from tests.pipeline.fakes import NOON

STATION = {
    "_id": "S",
    "name": "A <b>station</b>",
    "cadence_minutes": 10,
    "license": {"license": "CC BY", "source": "x"},
}


def series(count: int = 300, **changes: Any) -> list[Document]:
    """Readings every ten minutes up to noon; `changes` as functions of the number of a reading."""
    start = NOON - timedelta(minutes=10 * (count - 1))
    return [
        {
            "station_id": "S",
            "timestamp": start + timedelta(minutes=10 * n),
            "temperature_c": 10 + n % 3,
            "pressure_hpa": 1000 + n % 5,
            "wind_speed_kmh": 0.0,
            **{name: change(n) for name, change in changes.items()},
        }
        for n in range(count)
    ]


def look(documents: list[Document], **thresholds: Any) -> Audit:
    window = Window(NOON - timedelta(days=30), NOON, NOON)
    return audit(documents, [STATION], window, [], Thresholds(**thresholds))


def found(result: Audit) -> Iterator[tuple[str, str]]:
    return ((finding.severity, finding.check) for finding in result.findings)


def test_a_good_series_has_no_findings() -> None:
    """Complete, in range, varying, fresh; a calm is not a frozen sensor."""
    result = look(series())
    assert result.ok
    assert not result.findings
    (station,) = result.stations
    assert (station.readings, station.expected, station.completeness) == (300, 300, 1.0)
    assert sum(station.expected_on(day) for day in station.days) == 300


def test_missing_readings_are_a_gap_and_below_the_threshold_an_error() -> None:
    """A gap is a warning with its place; too little is an error."""
    documents = [item for n, item in enumerate(series()) if not 100 <= n < 120]
    result = look(documents)
    assert list(found(result)) == [("warning", "gaps")]
    assert "2024-10-07 02:40:00 to 2024-10-07 06:10:00" in result.findings[0].message
    assert list(found(look(documents, min_completeness=0.99))) == [("error", "completeness")]


def test_doubled_readings_are_an_error() -> None:
    """Two readings of one second must not be."""
    documents = series()
    assert ("error", "duplicates") in found(
        look(sorted([*documents, documents[5]], key=lambda d: d["timestamp"]))
    )


def test_values_out_of_range_are_an_error() -> None:
    """What is in the database is held to the same ranges as what goes in."""
    assert ("error", "ranges") in found(look(series(temperature_c=lambda n: 99 if n == 7 else 10 + n % 3)))


def test_a_frozen_sensor_and_a_jump_are_found() -> None:
    """One value for many hours, and a change that weather does not make."""
    assert ("warning", "frozen") in found(look(series(temperature_c=lambda n: 10 if n < 60 else n % 3)))
    assert ("error", "jumps") in found(look(series(temperature_c=lambda n: 40 if n == 7 else 10 + n % 3)))


def test_freshness_is_an_error_only_where_it_is_asked_for() -> None:
    """Old data are a warning; with a limit they are an error; data from the future always are."""
    old = [{**item, "timestamp": item["timestamp"] - timedelta(days=5)} for item in series()]
    assert list(found(look(old))) == [("warning", "freshness")]
    assert list(found(look(old, max_age=timedelta(hours=6)))) == [("error", "freshness")]
    ahead = [{**item, "timestamp": item["timestamp"] + timedelta(days=5)} for item in series()]
    assert ("error", "freshness") in found(look(ahead))


def test_a_station_without_readings_and_a_missing_index_are_reported() -> None:
    """Nothing is passed over in silence."""
    window = Window(NOON - timedelta(days=30), NOON, NOON)
    result = audit([], [STATION], window, ["measurements(run_id)"], Thresholds())
    assert list(found(result)) == [("warning", "completeness"), ("error", "indexes")]
    assert not result.ok


def test_the_page_is_whole_and_needs_nothing_from_elsewhere() -> None:
    """A calendar square for each day, four curves where there are data, text escaped, no address outside."""
    text = page(look(series(humidity_pct=lambda n: 50 + n % 9)))

    class Counter(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []
            self.squares = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append(tag)
            self.squares += tag == "i" and any(name == "title" for name, _ in attrs)

    parser = Counter()
    parser.feed(text)
    assert parser.squares == 3
    assert parser.tags.count("svg") == 4
    assert "A &lt;b&gt;station&lt;/b&gt;" in text
    assert "http" not in text
    assert "src=" not in text
