"""Lengths of time as deploy.toml spells them."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from deployer.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: object) -> object:
    """`"90s"`, `"10m"`, `"6h"`, `"2d"` as seconds; a number is taken as it is."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if match is None:
        raise ValueError('a duration such as "90s", "10m", "6h" or "2d"')
    return float(match[1]) * _UNITS[match[2]]


def of_option(name: str, text: str | None) -> float | None:
    """The duration that a command-line option has. UsageError: it is none."""
    if text is None:
        return None
    try:
        return float(seconds(text))  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(f"{name}: {text!r} is no duration", f"give {error}") from None


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0)]


def spelled(length: float) -> str:
    """Seconds in the largest unit that leaves a readable number: `3d`, `1.5h`, `40s`."""
    for unit, size in reversed(_UNITS.items()):
        if length >= size:
            return f"{length / size:.3g}{unit}"
    return f"{length:.3g}s"
