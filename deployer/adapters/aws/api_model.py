"""Checks the parameters of a call against AWS's own description of its API.

botocore itself checks types, required fields, unknown fields and minimum lengths. The enums, patterns and
maximum lengths of the same model are left to the service; they are checked here, so that a mistake shows
before anything is built (https://botocore.amazonaws.com/v1/documentation/api/latest/reference/loaders.html).
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any


def violations(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """What AWS would refuse, a sentence each with the path of the field; `operation` as the API spells it."""
    from botocore.validate import ParamValidator

    shape = _operation(service, operation)
    report = ParamValidator().validate(parameters, shape)
    found = [_plain(line) for line in report.generate_report().splitlines() if line]
    return [*found, *_limits(parameters, shape, "")]


@cache
def _operation(service: str, operation: str) -> Any:
    from botocore.loaders import create_loader
    from botocore.model import ServiceModel

    description = create_loader().load_service_model(service, "service-2")
    return ServiceModel(description, service).operation_model(operation).input_shape


_WRONG_TYPE = re.compile(
    r"Invalid type for parameter (\S*), value: (.*), type: <class '(\w+)'>, valid types: <class '(\w+)'>.*"
)
_WORDS: Mapping[str, str] = {"int": "a number", "float": "a number", "str": "a text", "bool": "true or false",
                             "list": "a list", "tuple": "a list", "dict": "an object"}  # fmt: skip


def _plain(line: str) -> str:
    """botocore's sentence without Python's words."""
    wrong = _WRONG_TYPE.fullmatch(line)
    if wrong:
        path, value, is_a, wanted = wrong.groups()
        return f"{path}: {value} is {_WORDS.get(is_a, is_a)}, must be {_WORDS.get(wanted, wanted)}"
    return re.sub(r"Unknown parameter in (\S+): \"(\w+)\", must be one of: .*", r"\1: unknown field \2", line)


def _limits(value: Any, shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, inner in value.items():
            if name in shape.members:
                yield from _limits(inner, shape.members[name], f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        yield from _most(len(value), shape, path, "entries")
        for number, inner in enumerate(value):
            label = inner.get("name", number) if isinstance(inner, Mapping) else number
            yield from _limits(inner, shape.member, f"{path}[{label}]")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _limits(inner, shape.value, f"{path}[{key}]")
    elif isinstance(value, str):
        yield from _text(value, shape, path)


def _text(value: str, shape: Any, path: str) -> Iterator[str]:
    yield from _most(len(value), shape, path, "characters")
    allowed = getattr(shape, "enum", ())
    if allowed and value not in allowed:
        yield f"{path}: {value!r} is none of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield f"{path}: {value!r} does not match {pattern}"


def _matches(pattern: str, value: str) -> bool:
    """Patterns are written for Java; one that Python cannot read refuses nothing."""
    readable = pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d")
    try:
        return re.fullmatch(readable, value) is not None
    except re.error:
        return True


def _most(length: int, shape: Any, path: str, what: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and length > most:
        yield f"{path}: has {length} {what}, at most {most} are allowed"
