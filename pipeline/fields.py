"""Fields of a measurement: source columns, units, physical ranges, and the conversion of one raw value.

Values are converted with exact decimal arithmetic and rounded half to even to `digits` decimals, which keeps
more than the resolution of the source. Factors: 1 mi = 1.609344 km and 1 in = 25.4 mm (international yard,
1959); 1 inHg = 25.4 x 133.322387415 Pa (conventional millimetre of mercury, ISO 80000-4).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeVar

Scale = tuple[Decimal, Decimal, Decimal]
"""(before, factor, after): a value v of this unit is (v + before) x factor + after in ours."""


def _scale(factor: str = "1", before: str = "0", after: str = "0") -> Scale:
    return Decimal(before), Decimal(factor), Decimal(after)


def _fahrenheit() -> Scale:
    return Decimal(-32), Decimal(5) / Decimal(9), Decimal(0)


SAME = _scale()
TEMPERATURE = {
    "°c": SAME,
    "c": SAME,
    "degc": SAME,
    "°f": _fahrenheit(),
    "f": _fahrenheit(),
    "degf": _fahrenheit(),
}
SPEED = {"km/h": SAME, "kmh": SAME, "mph": _scale("1.609344"), "m/s": _scale("3.6"), "kt": _scale("1.852")}
PRESSURE = {
    "hpa": SAME,
    "mb": SAME,
    "mbar": SAME,
    "in": _scale("33.86388640341"),
    "inhg": _scale("33.86388640341"),
}
LENGTH_MM = {"mm": SAME, "in": _scale("25.4"), "cm": _scale("10")}
RATE_MM = {**LENGTH_MM, "mm/h": SAME, "mm/hr": SAME, "in/h": _scale("25.4"), "in/hr": _scale("25.4")}
PERCENT = {"%": SAME}
DEGREES = {"°": SAME, "deg": SAME}
IRRADIANCE = {"w/m²": SAME, "w/m2": SAME, "w/m^2": SAME}
METRES = {"m": SAME, "km": _scale("1000")}
CENTIMETRES = {"cm": SAME, "mm": _scale("0.1"), "m": _scale("100")}
COUNT: dict[str, Scale] = {}

_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
WIND_WORDS: Mapping[str, float | None] = {
    **{point.lower(): index * 22.5 for index, point in enumerate(_POINTS)},
    "north": 0.0, "east": 90.0, "south": 180.0, "west": 270.0,
    "calm": None, "variable": None, "var": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `measurements`.

    Inclusive physical range in its own unit, decimals kept, unit of a bare number.
    """

    name: str
    low: float
    high: float
    units: Mapping[str, Scale]
    bare: str = ""
    digits: int = 2
    words: Mapping[str, float | None] = field(default_factory=dict)
    whole: bool = False


def weather_underground_fields() -> dict[str, Field]:
    """Column of a Weather Underground table, as letters and digits only, to field.

    Bare numbers are imperial.
    """
    return {
        "temperature": Field("temperature_c", -90, 60, TEMPERATURE, "°f"),
        "dewpoint": Field("dew_point_c", -90, 60, TEMPERATURE, "°f"),
        "humidity": Field("humidity_pct", 0, 100, PERCENT, "%"),
        "wind": Field("wind_direction_deg", 0, 360, DEGREES, "°", words=WIND_WORDS),
        "speed": Field("wind_speed_kmh", 0, 410, SPEED, "mph"),
        "gust": Field("wind_gust_kmh", 0, 410, SPEED, "mph"),
        "pressure": Field("pressure_hpa", 850, 1090, PRESSURE, "in"),
        "preciprate": Field("precipitation_rate_mm_h", 0, 2500, RATE_MM, "in", 3),
        "precipaccum": Field("precipitation_mm", 0, 2000, LENGTH_MM, "in", 3),
        "uv": Field("uv_index", 0, 45, COUNT),
        "solar": Field("solar_w_m2", 0, 1800, IRRADIANCE, "w/m²"),
    }


def infoclimat_fields() -> dict[str, Field]:
    """Key of an InfoClimat hourly record, as letters and digits only, to field. Numbers are metric."""
    return {
        "temperature": Field("temperature_c", -90, 60, TEMPERATURE, "°c"),
        "pointderosee": Field("dew_point_c", -90, 60, TEMPERATURE, "°c"),
        "humidite": Field("humidity_pct", 0, 100, PERCENT, "%"),
        "ventdirection": Field("wind_direction_deg", 0, 360, DEGREES, "°"),
        "ventmoyen": Field("wind_speed_kmh", 0, 410, SPEED, "km/h"),
        "ventrafales": Field("wind_gust_kmh", 0, 410, SPEED, "km/h"),
        "pression": Field("pressure_hpa", 850, 1090, PRESSURE, "hpa"),
        "pluie1h": Field("precipitation_mm", 0, 2000, LENGTH_MM, "mm", 3),
        "pluie3h": Field("precipitation_3h_mm", 0, 2000, LENGTH_MM, "mm", 3),
        "visibilite": Field("visibility_m", 0, 200_000, METRES, "m"),
        "neigeausol": Field("snow_depth_cm", 0, 1200, CENTIMETRES, "cm"),
        "nebulosite": Field("cloud_cover_okta", 0, 9, COUNT, whole=True),
        "tempsomm": Field("weather_code", 0, 99, COUNT, whole=True),
    }


_VALUE = re.compile(r"([+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d{1,2})?)\s*([^\d\s].*)?")
_ABSENT = frozenset({"", "--", "-", "n/a", "na", "null", "none"})
_CACHED = 50_000
Made = TypeVar("Made")


class Conversion(dict[Hashable, Made]):
    """Raw value -> what `make` makes of the field's value (None where there is none); remembers it.

    A value that cannot be read or is outside the field's range is counted in `dropped` (as `field:reason`),
    each time anew, and is none: only values that are right are remembered.
    """

    def __init__(
        self, wanted: Field, dropped: Counter[str], make: Callable[[float | int | None], Made]
    ) -> None:
        super().__init__()
        self._field = wanted
        self._dropped = dropped
        self._make = make

    def __missing__(self, raw: Hashable) -> Made:
        text = str(raw).replace("\xa0", " ").strip().lower() if raw is not None else ""
        if text in _ABSENT or text in self._field.units or text.startswith("--"):
            return self._keep(raw, None)
        if text in self._field.words:
            return self._keep(raw, self._field.words[text])
        found = None if isinstance(raw, bool) else _VALUE.fullmatch(text)
        scale = self._scale_of(found[2]) if found else None
        if found is None or scale is None:
            self._dropped[f"{self._field.name}:unreadable"] += 1
            return self._make(None)
        before, factor, after = scale
        exact = (Decimal(found[1].replace(",", ".")) + before) * factor + after
        if not self._field.low <= exact <= self._field.high:
            self._dropped[f"{self._field.name}:out_of_range"] += 1
            return self._make(None)
        return self._keep(raw, self._rounded(exact))

    def _scale_of(self, unit: str | None) -> Scale | None:
        if unit is None:
            return self._field.units.get(self._field.bare, SAME)
        return self._field.units.get(unit)

    def _rounded(self, exact: Decimal) -> float | int:
        if self._field.whole:
            return int(exact.to_integral_value(ROUND_HALF_EVEN))
        return float(exact.quantize(Decimal(1).scaleb(-self._field.digits), ROUND_HALF_EVEN)) + 0.0

    def _keep(self, raw: Hashable, value: float | int | None) -> Made:
        if len(self) >= _CACHED:
            self.clear()
        made = self[raw] = self._make(value)
        return made


def column_name(header: Any) -> str:
    """A column header as lower-case letters and digits only: `Precip. Rate.` is `preciprate`."""
    return re.sub(r"[^a-z0-9]", "", str(header).lower())
