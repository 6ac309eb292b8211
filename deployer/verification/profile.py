"""What a sample of documents shows: their fields, with types, values and how sure that is."""

import datetime
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_Z: Final = 1.96
"""Of a normal distribution, for 95 %."""
_DEPTH: Final = 2
_MOST_VALUES: Final = 60
_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "bool"),
    (str, "string"),
    (int, "number"),
    (float, "number"),
    (datetime.datetime, "date"),
    (list, "array"),
    (Mapping, "object"),
    (bytes, "binData"),
)
_BSON_TYPES: Final = {"ObjectId": "objectId", "Decimal128": "number", "Int64": "number"}
KNOWN_TYPES: Final = frozenset(("bool", "string", "number", "date", "array", "object", "objectId", "null"))


@dataclass
class FieldProfile:
    """One field, by its dotted path. `values`: how often each text occurs, until there are too many."""

    path: str
    present: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    low: float | None = None
    newest: datetime.datetime | None = None
    times: set[datetime.datetime] = field(default_factory=set)
    many: bool = False

    def add(self, value: Any) -> None:
        self.present += 1
        kind = type_of(value)
        self.types[kind] += 1
        if kind == "string" and not self.many:
            self.values[value] += 1
            self.many = len(self.values) > _MOST_VALUES
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.low = value if self.low is None else min(self.low, value)
        if isinstance(value, datetime.datetime):
            time = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
            self.times.add(time)
            self.newest = time if self.newest is None else max(self.newest, time)

    @property
    def only(self) -> str:
        """Its type; "" if there are several."""
        return next(iter(self.types)) if len(self.types) == 1 else ""


def type_of(value: Any) -> str:
    """The BSON type, as checks of kind `types` name it; all numbers are `number`."""
    if value is None:
        return "null"
    named = _BSON_TYPES.get(type(value).__name__)
    return named or next((name for kind, name in _TYPES if isinstance(value, kind)), type(value).__name__)


def profiles(documents: Sequence[Mapping[str, Any]]) -> dict[str, FieldProfile]:
    """Every field of the sample, by its path."""
    found: dict[str, FieldProfile] = {}
    for document in documents:
        for path, value in flat(document):
            found.setdefault(path, FieldProfile(path)).add(value)
    return found


def flat(document: Mapping[str, Any], prefix: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """The fields with their dotted paths; names with a dot or a dollar sign are left out."""
    for name, value in document.items():
        if not isinstance(name, str) or "." in name or name.startswith("$") or not name:
            continue
        if isinstance(value, Mapping) and value and depth > 1:
            yield from flat(value, f"{prefix}{name}.", depth - 1)
        else:
            yield f"{prefix}{name}", value


def at_least_share(found: int, of: int) -> float:
    """The share that is met with 95 % confidence, by Wilson's interval: few documents promise little.
    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval"""
    if not of:
        return 0.0
    share, square = found / of, _Z * _Z
    middle = share + square / (2 * of)
    spread = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return (middle - spread) / (1 + square / of)
