"""Units: how they are spelled, and the factor of each to the unit of a field.

Factors: 1 mi = 1.609344 km and 1 in = 25.4 mm (international yard, 1959); 1 inHg = 25.4 x 133.322387415 Pa
(conventional millimetre of mercury, ISO 80000-4).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

Scale = tuple[Decimal, Decimal, Decimal]
"""(before, factor, after): a value v of this unit is (v + before) x factor + after in ours."""
Units = Mapping[str, Scale]
"""Spelling of a unit, as `unit_key` gives it, to its scale."""


def _scale(factor: str = "1", before: str = "0", after: str = "0") -> Scale:
    return Decimal(before), Decimal(factor), Decimal(after)


def _spelled(**scales: tuple[str, Scale]) -> dict[str, Scale]:
    """Each scale under all its spellings, which are separated by spaces."""
    return {name: scale for names, scale in scales.values() for name in names.split()}


SAME = _scale()
_INCH = _scale("25.4")
_FAHRENHEIT = (Decimal(-32), Decimal(5) / Decimal(9), Decimal(0))

TEMPERATURE = _spelled(
    celsius=("c celsius degc degreesc", SAME),
    fahrenheit=("f fahrenheit degf degreesf", _FAHRENHEIT),
    kelvin=("k kelvin", _scale(before="-273.15")),
)
SPEED = _spelled(
    kmh=("km/h kmh kph kmph", SAME),
    mph=("mph mi/h mih", _scale("1.609344")),
    ms=("m/s ms mps ms-1", _scale("3.6")),
    knot=("kt kts kn knot knots", _scale("1.852")),
)
PRESSURE = _spelled(
    hpa=("hpa mb mbar millibar millibars", SAME),
    inhg=("in inhg inch inches \" ''", _scale("33.86388640341")),
    mmhg=("mmhg torr", _scale("1.33322387415")),
    pa=("pa", _scale("0.01")),
    kpa=("kpa", _scale("10")),
)
LENGTH_MM = _spelled(
    mm=("mm l/m2 kg/m2", SAME), inch=("in inch inches \" ''", _INCH), cm=("cm", _scale("10"))
)
RATE_MM = {
    **LENGTH_MM,
    **_spelled(
        mm=("mm/h mm/hr mmh mmhr mmph", SAME),
        inch=("in/h in/hr inh inhr iph inph inches/hr inches/h", _INCH),
        cm=("cm/h cm/hr", _scale("10")),
    ),
}
PERCENT = _spelled(percent=("% percent pct %rh rh", SAME))
DEGREES = _spelled(degree=("deg degree degrees degn", SAME))
IRRADIANCE = _spelled(
    watt=("w/m2 wm2 w/m^2 wm^2 wm-2 w/sqm w/mý", SAME),
    kilowatt=("kw/m2 kwm2", _scale("1000")),
)
METRES = _spelled(
    metre=("m meter meters metre metres", SAME),
    km=("km", _scale("1000")),
    mile=("mi mile miles", _scale("1609.344")),
)
CENTIMETRES = _spelled(
    cm=("cm", SAME), mm=("mm", _scale("0.1")), m=("m", _scale("100")), inch=("in", _scale("2.54"))
)
CODE = _spelled(code=("code", SAME))
EIGHTHS = _spelled(okta=("okta oktas octa octas eighths 1/8 /8", SAME), percent=("%", _scale("0.08")))
COUNT = _spelled(index=("index", SAME))

_DEGREE_SIGNS = re.compile("[°º˚ᵒ∘øÂ�]|¡(?=[cf])")
"""The sign, its look-alikes, what other code pages make of it, and what wrong decoding leaves of it."""


_PLAIN = {0x2212: "-", 0x2019: "'"}
"""Minus sign and apostrophe."""


def plain_text(raw: object) -> str:
    """A cell's text in lower case: entities, no-break and thin spaces, full-width and minus signs made plain.

    Degree signs of all kinds become `°`, also in `º` and `&deg;`.
    """
    text = str(raw)
    if text.isascii() and "&" not in text:
        return text.strip().lower()
    text = html.unescape(text) if "&" in text else text
    text = _DEGREE_SIGNS.sub("°", text.replace("℃", "°C").replace("℉", "°F"))
    return unicodedata.normalize("NFKC", text).translate(_PLAIN).strip().lower()


def unit_key(text: str) -> str:
    """A unit as it is looked up: no degree sign, space, dot or underscore. `°F` is `f`, `w/m²` is `w/m2`."""
    return re.sub(r"[°\s._·]", "", plain_text(text))
