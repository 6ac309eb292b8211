"""One reading as each source writes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pipeline.sample.weather import STATIONS, SampleStation, weather

COLUMNS = (
    "Time", "Temperature", "Dew Point", "Humidity", "Wind", "Speed", "Gust", "Pressure",
    "Precip. Rate.", "Precip. Accum.", "UV", "Solar",
)  # fmt: skip
_WORDS = ("North", "NNE", "NE", "ENE", "East", "ESE", "SE", "SSE",
          "South", "SSW", "SW", "WSW", "West", "WNW", "NW", "NNW")  # fmt: skip
_LICENCES = {
    "static": {
        "license": "CC BY",
        "url": "https://creativecommons.org/licenses/by/2.0/fr/",
        "source": "infoclimat.fr",
    },
    "synop": {
        "license": "Etalab Open License",
        "url": "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
        "source": "Meteo-France via infoclimat.fr",
    },
}
_UNITS = {
    "temperature": "temperature,degC",
    "pression": "mean sea level pressure,hPa",
    "humidite": "relative humidity,%",
    "point_de_rosee": "dewpoint,degC",
    "visibilite": "horizontal visibility,m",
    "vent_moyen": "mean wind speed,km/h",
    "vent_rafales": "wind gust,km/h",
    "vent_direction": "wind direction,deg",
    "pluie_3h": "precipitation over 3h,mm",
    "pluie_1h": "precipitation over 1h,mm",
    "neige_au_sol": "snow depth,cm",
    "nebulosite": "Ncloud cover,octats",
    "temps_omm": "present weather,http://www.infoclimat.fr/stations-meteo/ww.php",
}


def weather_underground_row(station: SampleStation, moment: datetime, local: datetime) -> dict[str, Any]:
    """A row in imperial units, with the no-break space before the unit that the site writes."""
    now = weather(station, moment)
    values: tuple[Any, ...] = (
        f"{local:%H:%M:%S}",
        f"{now.temperature_c * 9 / 5 + 32:.1f}\xa0°F",
        f"{now.dew_point_c * 9 / 5 + 32:.1f}\xa0°F",
        f"{now.humidity_pct}\xa0%",
        _WORDS[round(now.direction_deg / 22.5) % 16] if now.wind_kmh else "",
        f"{now.wind_kmh / 1.609344:.1f}\xa0mph",
        f"{now.gust_kmh / 1.609344:.1f}\xa0mph",
        f"{now.pressure_hpa / 33.86388640341:.2f}\xa0in",
        f"{now.rain_rate_mm_h / 25.4:.2f}\xa0in",
        f"{now.rain_mm / 25.4:.2f}\xa0in",
        now.uv,
        f"{now.solar_w_m2:g}\xa0w/m²",
    )
    return dict(zip(COLUMNS, values, strict=True))


def blank_row() -> dict[str, Any]:
    return dict.fromkeys(COLUMNS)


def infoclimat_hour(station: SampleStation, moment: datetime) -> dict[str, Any]:
    """A record in metric units, every value as text; what a station has no sensor for is null or missing."""
    now = weather(station, moment)
    hour: dict[str, Any] = {
        "id_station": station.id,
        "dh_utc": f"{moment:%Y-%m-%d %H:%M:%S}",
        "temperature": f"{now.temperature_c:g}",
        "pression": f"{now.pressure_hpa:g}",
        "humidite": str(now.humidity_pct),
        "point_de_rosee": f"{now.dew_point_c:g}",
        "vent_moyen": f"{now.wind_kmh:g}",
        "vent_rafales": f"{now.gust_kmh:g}" if station.type == "synop" else None,
        "vent_direction": str(now.direction_deg),
        "pluie_3h": None,
        "pluie_1h": f"{now.rain_rate_mm_h:g}" if moment.minute == 0 else None,
    }
    if station.type == "synop":
        cloud = {
            "nebulosite": "8" if now.rain_rate_mm_h else "",
            "temps_omm": "61" if now.rain_rate_mm_h else None,
        }
        hour |= {"visibilite": "6000" if now.rain_rate_mm_h else "30000", "neige_au_sol": None, **cloud}
    return hour


def infoclimat_answer(hours: dict[SampleStation, Iterable[datetime]]) -> dict[str, Any]:
    """An answer of the API for some stations."""
    present = {
        station: [infoclimat_hour(station, moment) for moment in moments]
        for station, moments in hours.items()
    }
    return {
        "status": "OK",
        "errors": [],
        "data": [],
        "stations": [_about(station) for station in STATIONS if present.get(station)],
        "metadata": _UNITS,
        "hourly": {
            **{station.id: rows for station, rows in present.items() if rows},
            "_params": list(_UNITS),
        },
    }


def envelope(raw_id: str, extracted_at_ms: int, data: dict[str, Any]) -> dict[str, Any]:
    """A record as Airbyte's S3 destination writes it."""
    return {
        "_airbyte_raw_id": raw_id,
        "_airbyte_extracted_at": extracted_at_ms,
        "_airbyte_meta": {"changes": []},
        "_airbyte_generation_id": 0,
        "_airbyte_data": data,
    }


def _about(station: SampleStation) -> dict[str, Any]:
    return {
        "id": station.id,
        "name": station.name,
        "latitude": station.latitude,
        "longitude": station.longitude,
        "elevation": station.elevation_m,
        "type": station.type,
        "license": _LICENCES[station.type],
    }
