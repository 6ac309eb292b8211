"""What is only known at run time in a query: `${RUN_ID}`, `${NOW}`, `${NOW-3d}`, `${REPORT.field}`."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

T = TypeVar("T")
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
_KNOWN: Final = re.compile(r"RUN_ID|NOW(?:[+-]\d+(?:\.\d+)?[smhd])?|REPORT\.[^}]+")
_WRITES: Final = ("$out", "$merge")


def storable(value: T) -> T:
    """A query or pipeline as TOML gives it, its dates as MongoDB has them: in UTC, with a time of day.

    ValueError: it writes, holds a time of day alone, or names a placeholder that there is not.
    """
    mapped: T = _mapped(value, _checked)
    return mapped


def filled(value: T, lookup: Callable[[str], Any]) -> T:
    """The query with its placeholders replaced. A string that is nothing else becomes what it stands for,
    a time or a list for example; within a longer string it becomes text."""

    def leaf(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        alone = _PLACEHOLDER.fullmatch(text)
        if alone is not None:
            return lookup(alone[1])
        return _PLACEHOLDER.sub(lambda match: str(lookup(match[1])), text)

    mapped: T = _mapped(value, leaf)
    return mapped


def utc(moment: float) -> datetime.datetime:
    """Seconds since the epoch as a time."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC)


def _mapped(value: Any, leaf: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mapped(inner, leaf) for key, inner in value.items() if _reads(key)}
    if isinstance(value, list):
        return [_mapped(inner, leaf) for inner in value]
    return leaf(value)


def _reads(key: str) -> bool:
    if key in _WRITES:
        raise ValueError(f"a check only reads; take `{key}` out")
    return True


def _checked(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    if isinstance(value, datetime.time):
        raise ValueError(f"a time of day ({value}) without a date is no value for MongoDB")
    for name in _PLACEHOLDER.findall(value) if isinstance(value, str) else ():
        if not _KNOWN.fullmatch(name):
            raise ValueError(
                f"no placeholder ${{{name}}}; known: ${{RUN_ID}}, ${{NOW-3d}}, ${{REPORT.field}}"
            )
    return value
