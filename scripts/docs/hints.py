"""Types as a reader of the docs knows them, from the annotations of the code."""

import datetime
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union

from pydantic import BaseModel

from deployer.config import checks
from deployer.config.durations import seconds

DURATION: Final = "duration"

_NAMED: Final[tuple[tuple[Any, str], ...]] = (
    (checks.Value, "value"),
    (checks.Query, "MongoDB document"),
    (checks.Pipeline, "list of MongoDB stages"),
    (checks.Bounds, "[lowest, highest]"),
    (checks.BsonTypes, "BSON type, or a list of them"),
)
_PLAIN: Final[Mapping[Any, str]] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Any: "anything",
    Path: "path",
    datetime.time: "time of day",
}


def spelled(hint: Any) -> str:
    """`tuple[str, ...]` is "list of: text", `Literal["a", "b"]` is "`a` or `b`", and so on.

    LookupError: a type that nobody has found words for yet.
    """
    for named, words in _NAMED:
        if hint == named:
            return words
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return DURATION if _is_duration(arguments[1:]) else spelled(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(spelled(inner) for inner in arguments if inner is not types.NoneType)
    if origin in (tuple, list):
        return f"list of: {spelled(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of: {spelled(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(f"`{member.value}`" for member in hint)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return "table"
    raise LookupError(f"no words for {hint!r}")


def _is_duration(metadata: tuple[Any, ...]) -> bool:
    return any(getattr(item, "func", None) is seconds for item in metadata)
