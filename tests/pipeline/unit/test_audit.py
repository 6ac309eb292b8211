"""The quality audit over made-up measurements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from pipeline.model import Document
from pipeline.reporting.audit import Around, Audit, audit
from pipeline.reporting.findings import Thresholds
from pipeline.reporting.loads import loads_of
from pipeline.reporting.page import page
from pipeline.reporting.series import Window
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


def look(documents: list[Document], about: Document = STATION, **thresholds: Any) -> Audit:
    window = Window(NOON - timedelta(days=30), NOON, NOON)
    times = [document["timestamp"] for document in documents]
    ever = {"S": (times[0], times[-1])} if times else {}
    inside = [document for document in documents if document["timestamp"] > window.since]
    return audit(inside, window, Around([about], ever), Thresholds(**thresholds))


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
    assert ("warning", "flat line") in found(look(series(temperature_c=lambda n: 10 if n < 60 else n % 3)))
    assert ("error", "jumps") in found(look(series(temperature_c=lambda n: 40 if n == 7 else 10 + n % 3)))


def test_freshness_is_an_error_only_where_it_is_asked_for() -> None:
    """Old data are a warning; with a limit they are an error; data from the future always are."""
    old = [{**item, "timestamp": item["timestamp"] - timedelta(days=5)} for item in series()]
    assert ("warning", "freshness") in found(look(old))
    assert ("error", "freshness") in found(look(old, max_age=timedelta(hours=6)))
    ahead = [{**item, "timestamp": item["timestamp"] + timedelta(days=5)} for item in series()]
    assert ("error", "freshness") in found(look(ahead))


def test_a_station_without_readings_and_a_missing_index_are_reported() -> None:
    """Nothing is passed over in silence."""
    window = Window(NOON - timedelta(days=30), NOON, NOON)
    around = Around([STATION], {}, missing_indexes=("measurements(run_id)",))
    result = audit([], window, around, Thresholds())
    assert list(found(result)) == [("error", "indexes"), ("warning", "dead")]
    assert not result.ok


def test_the_page_is_whole_and_needs_nothing_from_elsewhere() -> None:
    """A square for each day, four curves where there are data, text escaped, no address outside."""
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


def test_a_station_that_fell_silent_is_dead_however_complete_it_was() -> None:
    """Completeness is of the whole window; without one reading in it the station is dead all the same."""
    old = [{**item, "timestamp": item["timestamp"] - timedelta(days=10)} for item in series(3000)]
    result = look(old)
    assert {("error", "dead"), ("error", "completeness")} <= set(found(result))
    (one,) = result.stations
    assert one.completeness < 0.7
    (gone,) = look(
        [{**item, "timestamp": item["timestamp"] - timedelta(days=40)} for item in series()]
    ).findings
    assert (gone.severity, gone.check) == ("error", "dead")


def test_a_field_that_went_missing_is_an_error() -> None:
    """Complete readings without a temperature for the last days, and without one at all."""
    documents = series(3000)
    for item in documents[2000:]:
        del item["temperature_c"]
    assert ("error", "missing field") in found(look(documents))
    never = [{k: v for k, v in item.items() if k != "temperature_c"} for item in documents]
    assert "not one reading has a temperature" in [item.message for item in look(never).findings]


def test_a_cadence_that_nobody_told_is_learned() -> None:
    """Every fifteen minutes is complete, and so is every hour; a told cadence is held to."""
    for step in (15, 60, 6):
        documents = series(600, wind_speed_kmh=lambda n: n % 3)
        for n, item in enumerate(documents):
            item["timestamp"] = NOON - timedelta(minutes=step * (599 - n))
        result = look(documents, {"_id": "S"})
        assert result.ok
        assert result.stations[0].completeness == 1.0
    assert ("error", "completeness") in found(look(series(600)[::2]))


@pytest.mark.parametrize(
    ("name", "value", "hours", "expected"),
    [
        ("wind_speed_kmh", 0, 40, False),
        ("wind_speed_kmh", 0, 80, True),
        ("temperature_c", 0, 12, False),
        ("temperature_c", 0, 30, True),
        ("humidity_pct", 100, 40, False),
        ("humidity_pct", 61, 30, True),
        ("humidity_pct", 100, 90, True),
    ],
)
def test_a_flat_line_is_told_from_calm_fog_and_melting_snow(
    name: str, value: float, hours: int, *, expected: bool
) -> None:
    """One value for longer than weather keeps it, at 0 and at 100 as well."""
    lively = {"wind_speed_kmh": lambda n: n % 3, name: lambda n: value if n < hours * 6 else 5 + n % 4}
    readings = series(900, **lively)
    assert expected == ("flat line" in {finding.check for finding in look(readings).findings})


def test_what_the_loads_said_stands_beside_the_readings() -> None:
    """A failed run, an object that waits for a fix, and dropped values are findings, on the page too."""
    objects = [
        {"_id": "a.csv", "status": "quarantined", "error": "broken_gzip: <cut>"},
        {"_id": "b.csv", "status": "loaded", "read": 100, "rejected": 3, "reasons": {"bad_time": 3},
         "dropped": {"pressure_hpa:out_of_range": 40}},
    ]  # fmt: skip
    loads = loads_of({"_id": "r9", "status": "failed", "error": "MongoDB went away"}, objects)
    window = Window(NOON - timedelta(days=2), NOON, NOON)
    documents = series()
    ever = {"S": (documents[0]["timestamp"], NOON)}
    result = audit(documents, window, Around([STATION], ever, loads), Thresholds())
    assert [item.severity for item in result.findings if item.check == "loads"] == ["error"] * 3 + ["warning"]
    text = page(result)
    assert "broken_gzip: &lt;cut&gt;" in text
    assert "40 values of pressure were dropped" in text
    assert "3 of 100 rows are refused (bad_time: 3)" in text


def test_the_curves_have_values_and_leave_partial_hours_out() -> None:
    """Round values on the upright axis; an hour that has only begun is not drawn."""
    result = look(series(3000, temperature_c=lambda n: 10 + n % 30 / 10))
    text = page(result)
    assert re.findall(r"text-anchor=end>([\d.]+)<", text)[:3] == ["10", "11", "12"]
    means = result.stations[0].means("temperature_c")
    assert max(means) == NOON - timedelta(hours=1)


def test_a_field_that_comes_once_an_hour_is_not_missing() -> None:
    """Rain that only the full hour has, and a day of which the window holds a single reading."""
    documents = series(450, precipitation_1h_mm=lambda n: 0.2)
    for item in documents:
        if item["timestamp"].minute:
            del item["precipitation_1h_mm"]
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    alone = {**documents[-1], "timestamp": midnight, "precipitation_1h_mm": 0.0}
    assert "missing field" not in {check for _, check in found(look([*documents, alone]))}
