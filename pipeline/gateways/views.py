"""Views for those who read the data: joined and summed when they are asked, so they are never out of date."""

from __future__ import annotations

from typing import Any

Stage = dict[str, Any]

_POINT: Stage = {
    "$cond": [
        {"$and": [{"$isNumber": "$station.longitude"}, {"$isNumber": "$station.latitude"}]},
        {"type": "Point", "coordinates": ["$station.longitude", "$station.latitude"]},
        "$$REMOVE",
    ]
}

WEATHER_DATA: list[Stage] = [
    {"$lookup": {"from": "stations", "localField": "station_id", "foreignField": "_id", "as": "station"}},
    {"$set": {"station": {"$first": "$station"}}},
    {
        "$set": {
            "station_name": "$station.name",
            "city": "$station.city",
            "country": "$station.country",
            "elevation_m": "$station.elevation_m",
            "location": _POINT,
        }
    },
    {"$unset": ["station", "run_id", "source"]},
]
"""Each reading with its station's name, city, country, elevation and place (a GeoJSON point)."""


def _of_field(name: str) -> dict[str, Stage]:
    return {f"{name}_{word}": {how: f"${name}"} for word, how in _WORDS.items()}


_WORDS = {"min": "$min", "mean": "$avg", "max": "$max"}
_ON_THE_HOUR: Stage = {
    "$and": [{"$eq": [{"$minute": "$timestamp"}, 0]}, {"$isNumber": "$precipitation_1h_mm"}]
}
_BEFORE: Stage = {"$subtract": ["$timestamp", 1]}
"""A reading on the stroke of midnight tells of the day that ends: the rain of its last hour, for one."""
_ONE_DAY: list[Stage] = [
    {"$match": {"$expr": {"$eq": ["$station_id", "$$id"]}}},
    {
        "$group": {
            "_id": {"$dateTrunc": {"date": _BEFORE, "unit": "day", "timezone": "$$zone"}},
            "readings": {"$sum": 1},
            **_of_field("temperature_c"),
            **_of_field("humidity_pct"),
            **_of_field("pressure_hpa"),
            **_of_field("wind_speed_kmh"),
            "wind_gust_kmh_max": {"$max": "$wind_gust_kmh"},
            "solar_w_m2_mean": {"$avg": "$solar_w_m2"},
            "solar_w_m2_max": {"$max": "$solar_w_m2"},
            "since_midnight": {"$max": "$precipitation_day_mm"},
            "by_hour": {"$sum": {"$cond": [_ON_THE_HOUR, "$precipitation_1h_mm", 0]}},
            "hours": {"$sum": {"$cond": [_ON_THE_HOUR, 1, 0]}},
        }
    },
    {"$setWindowFields": {"output": {"most": {"$max": "$readings"}}}},
]
_MINUTES: Stage = {
    "$dateDiff": {
        "startDate": "$of.day",
        "endDate": {
            "$dateAdd": {"startDate": "$of.day", "unit": "day", "amount": 1, "timezone": "$timezone"}
        },
        "unit": "minute",
    }
}
_EXPECTED: Stage = {
    "$cond": [
        {"$gt": ["$cadence_minutes", 0]},
        {"$divide": [_MINUTES, "$cadence_minutes"]},
        "$of.most",
    ]
}
_RAIN: Stage = {
    "$cond": [
        {"$isNumber": "$of.since_midnight"},
        "$of.since_midnight",
        {"$cond": [{"$gt": ["$of.hours", 0]}, "$of.by_hour", None]},
    ]
}
_SUN: Stage = {"$multiply": ["$of.solar_w_m2_mean", 24]}
_PLAIN = (
    "day",
    "readings",
    *(
        f"{name}_{word}"
        for name in ("temperature_c", "humidity_pct", "pressure_hpa", "wind_speed_kmh")
        for word in _WORDS
    ),
    "wind_gust_kmh_max",
    "solar_w_m2_max",
)

DAILY: list[Stage] = [
    {"$set": {"station_id": "$_id", "timezone": {"$ifNull": ["$timezone", "UTC"]}}},
    {
        "$lookup": {
            "from": "measurements",
            "let": {"id": "$station_id", "zone": "$timezone"},
            "pipeline": [*_ONE_DAY, {"$set": {"day": "$_id"}}],
            "as": "of",
        }
    },
    {"$unwind": "$of"},
    {
        "$project": {
            "_id": 0,
            "station_id": 1,
            "station_name": "$name",
            "timezone": 1,
            **{name: f"$of.{name}" for name in _PLAIN},
            "precipitation_mm": _RAIN,
            "solar_wh_m2": _SUN,
            "completeness": {"$min": [1, {"$divide": ["$of.readings", _EXPECTED]}]},
        }
    },
]
"""A document a station and day of its own zone, which ends with the reading on the stroke of midnight.

`day` is the UTC instant at which the day begins. Rain is the counter since midnight where the station has
one, else the sum of full hours. Completeness is against the station's cadence, else against its fullest day.
"""

VIEWS: dict[str, tuple[str, list[Stage]]] = {
    "weather_data": ("measurements", WEATHER_DATA),
    "daily": ("stations", DAILY),
}
