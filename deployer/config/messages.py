"""Mistakes in a settings file as sentences: the path of the key, what was expected, what is near."""

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, get_args

from pydantic import BaseModel

FORMER: Final = MappingProxyType(
    {
        "embedded": "sandbox",
        "make-data": "seed-command",
        "transient": "max-elapsed",
        "max-attempts": "max-elapsed",
        "first-wait": "initial-delay",
        "longest-wait": "max-delay",
        "loops": "max-loops",
        "arrows": "max-loops-by-edge",
        "keep": "keep-releases",
        "drain": "drain-timeout",
        "lease": "lock-ttl",
        "within": "max-age",
        "every": "interval",
        "full-scan": "allow-full-scan",
    }
)
"""Keys that were renamed or replaced before the first version: not accepted, but the new name is said."""


def sentence(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One of pydantic's `ValidationError.errors()`, of a `model` whose keys are aliases."""
    location, owner = _resolved(model, error["loc"])
    path = ".".join(f"[{part}]" if isinstance(part, int) else part for part in location).replace(".[", "[")
    match error["type"]:
        case "extra_forbidden":
            return f"{path}: no such key{suggestion(str(location[-1]), keys(owner) if owner else [])}"
        case "missing":
            return f"{path}: missing, and needed"
        case "union_tag_not_found":
            return f"{path}.kind: missing, and needed"
        case "union_tag_invalid":
            tag, known = error["ctx"]["tag"], error["ctx"]["expected_tags"].replace("'", "").split(", ")
            return f"{path}.kind: no such kind{suggestion(tag, known)}"
    message = error["msg"].removeprefix("Value error, ")
    given = "" if isinstance(error["input"], dict | list) else f", not {error['input']!r}"
    return f"{path}: {message[0].lower()}{message[1:]}{given}"


def keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table, as the file spells them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def suggestion(key: str, known: Sequence[str]) -> str:
    """What to append to "no such key": its new name, the nearest of the known ones, else all of them."""
    if FORMER.get(key) in known:
        return f"; it is called {FORMER[key]!r} now"
    near = nearest(key, known)
    if near:
        return f"; did you mean {near!r}?"
    return f"; known here: {', '.join(known)}" if known else ""


def nearest(key: str, known: Sequence[str]) -> str | None:
    return next(iter(difflib.get_close_matches(key, known, n=1, cutoff=0.5)), None)


def _resolved(
    model: type[BaseModel], location: Sequence[str | int]
) -> tuple[list[str | int], type[BaseModel] | None]:
    """The location as the file has it, and the table that the last key stands in.

    Of tables told apart by their `kind`, pydantic puts the kind into the location; it is no key of the file.
    """
    path: list[str | int] = []
    inside: Any = model
    owner: type[BaseModel] | None = None
    for part in location:
        kinds = _by_kind(inside)
        if part in kinds:
            inside = kinds[part]
            continue
        path.append(part)
        owner = _table(inside)
        inside = _member(inside, part)
    return path, owner


def _by_kind(annotation: Any) -> dict[Any, type[BaseModel]]:
    """Of alternative tables, each by the kinds that it is told by; of a single table, nothing."""
    tables = _tables(annotation)
    fields = [(table, table.model_fields.get("kind")) for table in tables if len(tables) > 1]
    return {kind: table for table, field in fields if field for kind in get_args(field.annotation)}


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """Every table among the alternatives of an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for part in get_args(annotation) for table in _tables(part)]


def _table(annotation: Any) -> type[BaseModel] | None:
    return next(iter(_tables(annotation)), None)


def _member(annotation: Any, part: str | int) -> Any:
    """What stands under a key of a table, or in a list."""
    table = _table(annotation)
    if table is None or isinstance(part, int):
        return annotation
    field = next((field for name, field in table.model_fields.items() if (field.alias or name) == part), None)
    return field.annotation if field else None
