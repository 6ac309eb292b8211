"""What is only known at run time in a query: `${RUN_ID}`, `${NOW}`, `${NOW-3d}`."""

import datetime
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from deployer.verification.durations import seconds

T = TypeVar("T")
_WHOLE: Final = re.compile(r"\$\{NOW(?:([+-])([^}]+))?\}")
_NAMED: Final = re.compile(r"\$\{([^}]*)\}")
_KNOWN: Final = ("RUN_ID",)
_WRITES: Final = ("$out", "$merge")


def storable(value: T) -> T:
    """A query or pipeline as TOML gives it, with its dates as MongoDB has them.

    ValueError: it writes, holds a time of day, or names a placeholder that there is not.
    """
    _refuse(value)
    return _map(value, lambda leaf: leaf)


def filled(value: T, names: Mapping[str, str], now: float) -> T:
    """The query with its placeholders replaced; a string that is only `${NOW-3d}` becomes a time."""

    def leaf(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        moment = _WHOLE.fullmatch(text)
        if moment is not None:
            shift = float(str(seconds(moment[2]))) if moment[2] else 0.0
            return utc(now - shift if moment[1] == "-" else now + shift)
        return _NAMED.sub(lambda match: names[match[1]], text)

    return _map(value, leaf)


def utc(moment: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC)


def _map(value: Any, leaf: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _map(inner, leaf) for key, inner in value.items()}
    if isinstance(value, list):
        return [_map(inner, leaf) for inner in value]
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    return leaf(value)


def _refuse(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _WRITES:
                raise ValueError(f"a check only reads; take `{key}` out")
            _refuse(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse(inner)
    elif isinstance(value, datetime.time):
        raise ValueError(f"a time of day ({value}) without a date is no value for MongoDB")
    elif isinstance(value, str) and not _WHOLE.fullmatch(value):
        unknown = [name for name in _NAMED.findall(value) if name not in _KNOWN]
        if unknown:
            raise ValueError(f"no placeholder ${{{unknown[0]}}}; known: ${{RUN_ID}}, ${{NOW}}, ${{NOW-3d}}")
    elif isinstance(value, str):
        moment = _WHOLE.fullmatch(value)
        if moment and moment[2]:
            seconds(moment[2])
