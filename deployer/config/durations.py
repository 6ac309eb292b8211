"""Lengths of time as deploy.toml spells them."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: object) -> object:
    """`"90s"`, `"10m"`, `"6h"`, `"2d"` as seconds; a number is taken as it is."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if match is None:
        raise ValueError('a duration such as "90s", "10m", "6h" or "2d"')
    return float(match[1]) * _UNITS[match[2]]


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0)]


def spelled(length: float) -> str:
    """Seconds in the largest unit that leaves a readable number: `3d`, `1.5h`, `40s`."""
    for unit, size in reversed(_UNITS.items()):
        if length >= size:
            return f"{length / size:.3g}{unit}"
    return f"{length:.3g}s"
