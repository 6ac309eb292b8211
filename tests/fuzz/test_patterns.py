"""Every regular expression of the program, on what it begins to match again and again: linear time.

Those of the diagnosis table are held to the same in tests/deployer/unit/diagnosis/test_signatures.py.
"""

import importlib
import pkgutil
import re
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from typing import Any

import deployer
import pipeline
from tests.timing import cpu_seconds

SIZES = (1024, 4096, 16384, 65536)
OWN = ("deployer.adapters.local.dockerfile",)
"""What these read is the project's own; nobody else can make it long."""
NOISE = 0.004
"""Seconds below which a measurement says nothing."""


def held(value: Any, seen: set[int], depth: int = 6) -> Iterator[re.Pattern[Any]]:
    """The compiled patterns in a module's values: tables, tuples, our own objects and classes."""
    if id(value) in seen or not depth:
        return
    seen.add(id(value))
    ours = (value if isinstance(value, type) else type(value)).__module__.startswith(("deployer", "pipeline"))
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for inner in (*value.keys(), *value.values()):
            yield from held(inner, seen, depth - 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from held(inner, seen, depth - 1)
    elif ours and hasattr(value, "__dict__"):
        yield from held(dict(vars(value)), seen, depth - 1)


def patterns() -> dict[str, re.Pattern[Any]]:
    """By module and text."""
    found: dict[str, re.Pattern[Any]] = {}
    for package in (deployer, pipeline):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            others = not module.name.endswith("__main__") and ".signatures" not in module.name
            if others and module.name not in OWN:
                values = dict(vars(importlib.import_module(module.name)))
                for pattern in held(values, set()):
                    found.setdefault(str(pattern.pattern), pattern)
    return found


def sample(parsed: Any) -> str:
    """A text that matches, or nearly."""
    return "".join(_sample(str(operator), argument) for operator, argument in parsed)


def _sample(operator: str, argument: Any) -> str:
    match operator:
        case "LITERAL":
            return chr(argument)
        case "IN":
            return _one_of(argument)
        case "BRANCH":
            return sample(argument[1][0])
        case "SUBPATTERN":
            return sample(argument[-1])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return sample(argument[2]) * max(argument[0], 1)
        case "ATOMIC_GROUP":
            return sample(argument)
        case "ASSERT" | "ASSERT_NOT" | "AT":
            return ""
        case _:
            return "a"


def _one_of(choices: list[tuple[Any, Any]]) -> str:
    text = "".join(f"{operator}:{argument};" for operator, argument in choices)
    if "NEGATE" in text:
        excluded = {argument for operator, argument in choices if str(operator) == "LITERAL"}
        return next(sign for sign in "a~%=0" if ord(sign) not in excluded)
    operator, argument = str(choices[0][0]), choices[0][1]
    if operator == "CATEGORY":
        return "0" if "DIGIT" in str(argument) else " " if "SPACE" in str(argument) else "a"
    return chr(argument[0] if operator == "RANGE" else argument)


def worst(parsed: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """(what comes once, what is repeated): each repetition after what leads to it, and all of it again."""
    for operator, argument in parsed:
        name = str(operator)
        if name.endswith("_REPEAT"):
            yield before, sample(argument[2]) or "a"
            yield from worst(argument[2], before)
        elif name in ("SUBPATTERN", "ATOMIC_GROUP", "BRANCH"):
            inner = argument[-1] if name == "SUBPATTERN" else argument
            for branch in argument[1] if name == "BRANCH" else (inner,):
                yield from worst(branch, before)
        before += _sample(name, argument)
    yield "", before[:-1] or "a"


def seconds(pattern: re.Pattern[Any], text: str) -> float:
    """Of a match from the beginning of the text."""
    given: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    return cpu_seconds(lambda: pattern.match(given))


def test_no_pattern_takes_more_than_linear_time() -> None:
    """Four times the text takes about four times as long, not sixteen; ratios, not seconds."""
    found, slow = patterns(), list[tuple[str, str, list[float]]]()
    assert len(found) > 100
    for text, pattern in found.items():
        parsed = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
        for once, again in dict.fromkeys(worst(parsed)):
            took = [NOISE / 8]
            for size in SIZES:
                took.append(max(seconds(pattern, once + (again * size)[:size] + "\n"), NOISE / 8))
                if took[-1] > NOISE and took[-1] > 10 * took[-2]:
                    slow.append((text[:80], f"{once[:20]!r} {again[:20]!r}", [round(t, 4) for t in took]))
                    break
    assert slow == []
