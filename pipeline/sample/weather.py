"""Made-up weather: smooth, plausible, and a pure function of station and time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

_EPOCH = datetime(2020, 1, 1)  # noqa: DTZ001 - naive UTC, as everywhere in this package
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class SampleStation:
    """A station of the sample; `offset_minutes` is where in the hour its readings begin."""

    id: str
    name: str
    network: str
    cadence_minutes: int
    offset_minutes: int
    latitude: float
    longitude: float
    elevation_m: int
    type: str = "static"


STATIONS = (
    SampleStation("IICHTE19", "WeerstationBS", "weather_underground", 5, 4, 51.092, 2.999, 15),
    SampleStation("ILAMAD25", "La Madeleine", "weather_underground", 5, 4, 50.659, 3.07, 23),
    SampleStation("07015", "Lille-Lesquin", "infoclimat", 60, 0, 50.575, 3.092, 47, "synop"),
    SampleStation("00052", "Armentières", "infoclimat", 10, 0, 50.689, 2.877, 16),
    SampleStation("000R5", "Bergues", "infoclimat", 10, 0, 50.968, 2.441, 17),
    SampleStation("STATIC0010", "Hazebrouck", "infoclimat", 10, 0, 50.734, 2.545, 31),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """Metric values at one place and moment."""

    temperature_c: float
    dew_point_c: float
    humidity_pct: int
    wind_kmh: float
    gust_kmh: float
    direction_deg: int
    pressure_hpa: float
    rain_rate_mm_h: float
    rain_mm: float
    uv: int
    solar_w_m2: float


def readings(count: int, end: datetime) -> dict[SampleStation, list[datetime]]:
    """The last `count` moments (naive UTC) up to `end` at which a station reports, in the order of time."""
    backwards = merge(
        *(_moments(station, end) for station in STATIONS), key=lambda item: item[0], reverse=True
    )
    chosen: dict[SampleStation, list[datetime]] = {station: [] for station in STATIONS}
    firsts = [next(_moments(station, end)) for station in STATIONS] if count >= len(STATIONS) else []
    for moment, index in firsts:
        chosen[STATIONS[index]].append(moment)
    rest = (item for item in backwards if item not in firsts)
    for moment, index in islice(rest, count - len(firsts)):
        chosen[STATIONS[index]].append(moment)
    return {station: sorted(moments) for station, moments in chosen.items()}


def _moments(station: SampleStation, end: datetime) -> Iterator[tuple[datetime, int]]:
    step = timedelta(minutes=station.cadence_minutes)
    first = _EPOCH + timedelta(minutes=station.offset_minutes)
    moment = first + (end - first) // step * step
    index = STATIONS.index(station)
    while True:
        yield moment, index
        moment -= step


def weather(station: SampleStation, moment: datetime) -> Weather:
    """Slow waves of pressure and season, a daily wave of sun and warmth, showers while pressure is low."""
    days = (moment - _EPOCH).total_seconds() / _DAY_S
    place = station.latitude + station.longitude / 10
    season = -math.cos(2 * math.pi * (days - 20) / 365.25)
    sun = max(0.0, math.sin(2 * math.pi * (days % 1 - 0.25)))
    front = math.sin(2 * math.pi * days / 5.3 + place) + 0.4 * math.sin(2 * math.pi * days / 1.7)
    flutter = math.sin(days * 977 + place * 50)
    temperature = 11 + 7 * season + 5 * (sun - 0.3) + 1.5 * front + 0.3 * flutter
    humidity = round(min(99.0, max(30.0, 82 - 22 * sun - 6 * front)))
    wind = max(0.0, 14 - 7 * front + 3 * flutter)
    raining = front < -0.9
    return Weather(
        temperature_c=round(temperature, 1),
        dew_point_c=round(temperature - (100 - humidity) / 5, 1),
        humidity_pct=humidity,
        wind_kmh=round(wind, 1),
        gust_kmh=round(wind * 1.5 + 1.5, 1),
        direction_deg=round((225 + 60 * front + 20 * flutter) % 360),
        pressure_hpa=round(1013 + 12 * front - (station.elevation_m % 10) / 10, 1),
        rain_rate_mm_h=round(2 * abs(flutter), 1) if raining else 0.0,
        rain_mm=round(5 * (days % 1), 1) if raining else 0.0,
        uv=round((4 + 3 * season) * sun * 0.7),
        solar_w_m2=round((450 + 300 * season) * sun, 1),
    )
