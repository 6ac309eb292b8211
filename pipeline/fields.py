"""Fields of a measurement: units, physical ranges, and the conversion of one raw value.

Values are converted with exact decimal arithmetic and rounded half to even to `digits` decimals, which keeps
more than the resolution of the source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeVar

from pipeline import units
from pipeline.units import SAME, Scale, Units, plain_text, unit_key

_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
Words = Mapping[str, float | None]
WIND_WORDS: Words = {
    **{point.lower(): index * 22.5 for index, point in enumerate(_POINTS)},
    "north": 0.0, "east": 90.0, "south": 180.0, "west": 270.0,
    "nord": 0.0, "est": 90.0, "sud": 180.0, "ouest": 270.0, "noord": 0.0, "oost": 90.0, "zuid": 180.0,
    "calm": None, "variable": None, "var": None, "calme": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `measurements`: inclusive physical range in its own unit, decimals kept, units understood.

    `telling`: a bare number that is impossible in the unit of its column and possible in another one says
    that the column is in that other unit. `share`: a value between 0 and 1 is no percentage but a share.
    """

    name: str
    low: float
    high: float
    units: Units
    digits: int = 2
    words: Words = field(default_factory=dict)
    whole: bool = False
    telling: bool = False
    share: bool = False


FIELDS: Mapping[str, Field] = {
    item.name: item
    for item in (
        Field("temperature_c", -90, 60, units.TEMPERATURE),
        Field("dew_point_c", -90, 60, units.TEMPERATURE),
        Field("humidity_pct", 0, 100, units.PERCENT, share=True),
        Field("wind_direction_deg", 0, 360, units.DEGREES, words=WIND_WORDS),
        Field("wind_speed_kmh", 0, 410, units.SPEED),
        Field("wind_gust_kmh", 0, 410, units.SPEED),
        Field("pressure_hpa", 850, 1090, units.PRESSURE, telling=True),
        Field("precipitation_rate_mm_h", 0, 2500, units.RATE_MM, 3),
        Field("precipitation_day_mm", 0, 2000, units.LENGTH_MM, 3),
        Field("precipitation_1h_mm", 0, 500, units.LENGTH_MM, 3),
        Field("precipitation_3h_mm", 0, 2000, units.LENGTH_MM, 3),
        Field("uv_index", 0, 45, units.COUNT),
        Field("solar_w_m2", 0, 1800, units.IRRADIANCE),
        Field("visibility_m", 0, 200_000, units.METRES),
        Field("snow_depth_cm", 0, 1200, units.CENTIMETRES),
        Field("cloud_cover_okta", 0, 9, units.EIGHTHS, whole=True),
        Field("weather_code", 0, 99, units.CODE, whole=True),
    )
}
"""All fields by name, in the order of the documentation."""

_NUMBER = r"[+-]?(?:\d{1,3}(?:[ ']\d{3})+|\d+(?:[.,]\d{3})*|)(?:[.,]\d*)?(?:e[+-]?\d{1,2})?"
_VALUE = re.compile(rf"({_NUMBER})\s*([^\d\s.,+-].*|/8|1/8)?", re.DOTALL)
_ABSENT = frozenset({"", "--", "-", "n/a", "na", "null", "none", "---", "—", "–", "nan"})
_SIMPLE = re.compile(r"[+-]?\d+(?:\.\d+)?")
_CACHED, _SPELLINGS = 50_000, 1_000
_LONGEST = 64
"""A cell with more characters than this is no number with a unit."""
Made = TypeVar("Made")


class OtherUnit(Exception):
    """A number says that a column is in another unit than is taken for its bare numbers."""


class Conversion(dict[Hashable, Made]):
    """Raw value -> what `make` makes of the field's value (None where there is none); remembers it.

    A bare number has the unit `bare`. A value that cannot be read or is outside the field's range is counted
    in `dropped` (as `field:reason`), each time anew, and is none: only values that are right are remembered.
    Raises OtherUnit for a bare number that is impossible in its unit and right in another one, where the
    field is a telling one.

    `foreign` marks what is made of a value with a unit that is not `bare`; `doubtful`: bare numbers of this
    column may be of another system of units.
    """

    def __init__(
        self,
        wanted: Field,
        bare: str,
        dropped: Counter[str],
        make: Callable[[float | int | None], Made],
        words: Words | None = None,
        *,
        foreign: Callable[[Made], Made] | None = None,
        doubtful: bool = False,
    ) -> None:
        super().__init__()
        self.field = wanted
        self._bare = wanted.units.get(unit_key(bare), SAME)
        self._bare_name = bare
        self._dropped = dropped
        self._make = make
        self._foreign = foreign
        self.doubtful = doubtful
        self._scales: dict[str, Scale | None] = {}
        self._words = {**wanted.words, **(words or {})}

    def __missing__(self, raw: Hashable) -> Made:
        text = plain_text(raw) if raw is not None else ""
        if text in self._words:
            return self._keep(raw, self._words[text])
        if text in _ABSENT:
            return self._keep(raw, None)
        found = None if isinstance(raw, bool) or len(text) > _LONGEST else _VALUE.fullmatch(text)
        scale = self._scale_of(found[2]) if found else None
        exact = self._exact(found[1], scale) if found and scale else None
        if found is None or exact is None:
            if text.startswith("--") or unit_key(text) in self.field.units:
                return self._keep(raw, None)
            return self._drop("out_of_range" if text.isdecimal() else "unreadable")
        if not self._within(exact):
            if not found[2] and self.field.telling:
                self._suspect(found[1])
            return self._drop("out_of_range")
        return self._keep(raw, self._rounded(exact), foreign=scale != self._bare)

    def is_bare(self, raw: Hashable) -> bool:
        """Whether a cell holds a number without a unit."""
        found = _VALUE.fullmatch(plain_text(raw)[:_LONGEST])
        return bool(found and found[1] and not found[2])

    def _scale_of(self, unit: str | None) -> Scale | None:
        if not unit:
            return self._bare
        try:
            return self._scales[unit]
        except KeyError:
            pass
        scale = self.field.units.get(unit_key(unit)) if unit.strip("° ") else self._bare
        if len(self._scales) < _SPELLINGS:
            self._scales[unit] = scale
        return scale

    def _exact(self, number: str, scale: Scale) -> Decimal | None:
        """The value in the field's unit; None for a number that means two things, or none.

        `1,012` may be a thousand and twelve, or one with three decimals: what is possible is meant.
        """
        before, factor, after = scale
        if _SIMPLE.fullmatch(number):
            return (Decimal(number) + before) * factor + after
        values = [(value + before) * factor + after for value in _readings(number)]
        if len(values) < 2:
            return values[0] if values else None
        possible = [value for value in values if self._within(value)]
        return possible[0] if len(possible) == 1 else None if possible else values[0]

    def _suspect(self, number: str) -> None:
        for name, other in self.field.units.items():
            if other != self._bare and (exact := self._exact(number, other)) and self._within(exact):
                what = self.field.name.partition("_")[0]
                raise OtherUnit(f"{number} without a unit is no {what} in {self._bare_name} but in {name}")

    def _within(self, exact: Decimal) -> bool:
        return self.field.low <= exact <= self.field.high and not (self.field.share and 0 < exact < 1)

    def _rounded(self, exact: Decimal) -> float | int:
        if self.field.whole:
            return int(exact.to_integral_value(ROUND_HALF_EVEN))
        return float(exact.quantize(Decimal(1).scaleb(-self.field.digits), ROUND_HALF_EVEN)) + 0.0

    def _drop(self, reason: str) -> Made:
        self._dropped[f"{self.field.name}:{reason}"] += 1
        return self._make(None)

    def _keep(self, raw: Hashable, value: float | int | None, *, foreign: bool = False) -> Made:
        if len(self) >= _CACHED:
            self.clear()
        made = self._make(value)
        if foreign and self._foreign is not None:
            made = self._foreign(made)
        if type(raw) is not str or len(raw) <= _LONGEST:
            self[raw] = made
        return made


def _readings(number: str) -> list[Decimal]:
    """What a written number may mean: spaces and apostrophes part thousands; commas and points may."""
    text = re.sub("[ ']", "", number)
    if not any(letter.isdigit() for letter in text):
        return []
    commas, points = text.count(","), text.count(".")
    if commas and points:
        decimal = max(",.", key=text.rfind)
        if text.count(decimal) > 1:
            return []
        return [Decimal(text.replace("," if decimal == "." else ".", "").replace(",", "."))]
    if commas > 1 or points > 1:
        return [Decimal(re.sub("[,.]", "", text))]
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        return [Decimal(text.replace(",", "")), Decimal(text.replace(",", "."))]
    return [Decimal(text.replace(",", "."))]


def column_name(header: Any) -> str:
    """A column header as lower-case letters and digits only: `Precip. Rate.` is `preciprate`."""
    return re.sub(r"[^a-z0-9]", "", plain_text(header))
