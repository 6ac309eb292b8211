"""A month of ten stations, seven broken in ways of their own: each is found, nothing on the good ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from pipeline.model import Document
from pipeline.reporting.audit import Around, Audit, audit
from pipeline.reporting.findings import Thresholds
from pipeline.reporting.series import Window
from tests.pipeline.fakes import NOON

DAYS = 30
STEP = timedelta(minutes=10)
START = NOON - timedelta(days=DAYS)
GOOD = ("north", "south", "west")


def weather(hours: float) -> tuple[float, float, float, float]:
    """Temperature, pressure, humidity and wind of a region at a time: days, and weather that passes."""
    day, passing = math.sin((hours - 9) / 24 * math.tau), math.sin(hours / 97 * math.tau)
    return (
        12 + 6 * day + 4 * passing, 1013 + 9 * math.sin(hours / 131 * math.tau),
        70 - 15 * day + 8 * passing, 12 + 7 * math.sin(hours / 53 * math.tau) + 3 * day,
    )  # fmt: skip


def station(seed: int, *, late: float = 0.0) -> Iterator[Document]:
    """Readings every ten minutes of a place with its own level and noise. `late`: its clock, in hours."""
    noise = random.Random(seed)
    level = noise.uniform(-1.5, 1.5), noise.uniform(-1, 1), noise.uniform(-6, 6), noise.uniform(0.7, 1.3)
    for number in range(DAYS * 144):
        moment = START + number * STEP
        temperature, pressure, humidity, wind = weather((moment - START) / timedelta(hours=1) - late)
        yield {
            "timestamp": moment,
            "temperature_c": round(temperature + level[0] + noise.gauss(0, 0.3), 1),
            "pressure_hpa": round(pressure + level[1] + noise.gauss(0, 0.2), 1),
            "humidity_pct": round(min(100, humidity + level[2] + noise.gauss(0, 1.5))),
            "wind_speed_kmh": round(max(0.0, wind * level[3] + noise.gauss(0, 2)), 1),
        }


def without(readings: Iterator[Document], name: str) -> Iterator[Document]:
    for reading in readings:
        yield {key: value for key, value in reading.items() if key != name}


def changed(readings: Iterator[Document], name: str, change: Callable[[Any], Any]) -> Iterator[Document]:
    for reading in readings:
        yield {**reading, name: change(reading[name])}


def half(readings: Iterator[Document]) -> Iterator[Document]:
    luck = random.Random(7)
    return (reading for reading in readings if luck.random() < 0.5)


def fleet() -> dict[str, Iterator[Document]]:
    silent = timedelta(days=9)
    return {
        "north": station(1), "south": station(2), "west": station(3),
        "dead": (reading for reading in station(4) if reading["timestamp"] < NOON - silent),
        "cold": without(station(5), "temperature_c"),
        "warm": changed(station(6), "temperature_c", lambda value: value + 8),
        "late": station(7, late=2),
        "stuck": changed(station(8), "humidity_pct", lambda _: 64),
        "half": half(station(9)),
        "knots": changed(station(10), "wind_speed_kmh", lambda value: round(value / 3.6, 1)),
    }  # fmt: skip


@pytest.fixture(scope="module")
def result() -> Audit:
    return audited({name: list(readings) for name, readings in fleet().items()})


def audited(readings: dict[str, list[Document]], **about: Any) -> Audit:
    documents = [{"station_id": name, **reading} for name in sorted(readings) for reading in readings[name]]
    ever = {name: (found[0]["timestamp"], found[-1]["timestamp"]) for name, found in readings.items()}
    stations = [{"_id": name, "network": "infoclimat", "type": "static", **about} for name in readings]
    newest = max(last for _, last in ever.values())
    window = Window(newest - timedelta(days=DAYS), newest, newest)
    return audit(documents, window, Around(stations, ever), Thresholds())


@pytest.mark.parametrize(
    ("name", "check", "severity"),
    [
        ("dead", "dead", "error"),
        ("cold", "missing field", "error"),
        ("warm", "bias", "error"),
        ("late", "clock", "error"),
        ("stuck", "flat line", "error"),
        ("half", "completeness", "error"),
        ("knots", "factor", "warning"),
    ],
)
def test_each_broken_station_is_found(result: Audit, name: str, check: str, severity: str) -> None:
    """The finding names the station, and what is wrong with it."""
    assert (severity, check) in {(finding.severity, finding.check) for finding in result.of(name)}


def test_the_good_stations_have_no_finding_and_stand_last(result: Audit) -> None:
    """Nothing is said of three good stations among seven broken ones."""
    assert [finding for finding in result.findings if finding.station in GOOD] == []
    assert {one.id for one in result.stations[-len(GOOD) :]} == set(GOOD)
    assert all(one.completeness == 1.0 for one in result.stations[-len(GOOD) :])


def test_the_clock_is_told_with_its_direction(result: Audit) -> None:
    """A station whose times are two hours late is two hours behind, and only that one is."""
    (told,) = [finding for finding in result.findings if finding.check == "clock"]
    assert told.message.startswith("its curve is 2 h behind that of the others")


def test_degrees_of_the_other_scale_are_found() -> None:
    """Fahrenheit under the name of Celsius is a bias, however complete the station is."""
    readings = {name: list(station(seed)) for seed, name in enumerate("abcdef")}
    readings["a"] = list(changed(station(0), "temperature_c", lambda value: round(value * 1.8 + 32, 1)))
    found = audited(readings)
    assert [item.station for item in found.findings if item.check == "bias"] == ["a"]


def test_a_copied_station_is_found() -> None:
    """Two stations with the same readings: one of them is not itself."""
    readings = {name: list(station(seed)) for seed, name in enumerate("abcd")}
    readings["d"] = readings["a"]
    (told,) = [item for item in audited(readings).findings if item.check == "copy"]
    assert (told.station, "the same as those of d" in told.message) == ("a", True)


def test_few_stations_are_not_compared() -> None:
    """Two stations that differ say nothing of which is right."""
    readings = {"a": list(station(1)), "b": list(changed(station(2), "temperature_c", lambda v: v + 8))}
    assert audited(readings).findings == []


def test_places_far_apart_are_not_compared() -> None:
    """Stations hundreds of kilometers from each other have weather of their own."""
    readings = {name: list(station(seed)) for seed, name in enumerate("abcdef")}
    readings["a"] = list(changed(station(0), "temperature_c", lambda value: value + 8))
    documents = [{"station_id": name, **one} for name in sorted(readings) for one in readings[name]]
    ever = {name: (found[0]["timestamp"], found[-1]["timestamp"]) for name, found in readings.items()}
    stations = [
        {"_id": name, "latitude": 44.0 + 3 * number, "longitude": 3.0} for number, name in enumerate(readings)
    ]
    window = Window(START, NOON, NOON)
    found = audit(documents, window, Around(stations, ever), Thresholds())
    assert not [item for item in found.findings if item.check == "bias"]


def test_a_station_at_another_height_is_compared_at_its_own() -> None:
    """Eight degrees less on a mountain of 1,200 m are no bias."""
    readings = {name: list(station(seed)) for seed, name in enumerate("abcdef")}
    readings["a"] = list(changed(station(0), "temperature_c", lambda value: value - 7.8))
    documents = [{"station_id": name, **one} for name in sorted(readings) for one in readings[name]]
    ever = {name: (found[0]["timestamp"], found[-1]["timestamp"]) for name, found in readings.items()}
    heights = [{"_id": name, "elevation_m": 1200 if name == "a" else 20} for name in readings]
    found = audit(documents, Window(START, NOON, NOON), Around(heights, ever), Thresholds())
    assert not [item for item in found.findings if item.check == "bias"]
