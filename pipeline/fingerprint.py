"""Which code this is: what it makes of a file can change with any of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
_RULES = (
    "clock", "columns", "dates", "fields", "localtime", "measurement", "names", "networks",
    "repeated_hour", "rows", "stations", "transform", "units", "parsers/",
)  # fmt: skip
"""Modules that decide which reading a row is."""


@dataclass(frozen=True, slots=True)
class Code:
    """16 hexadecimal digits over this package, and over the part of it that says which reading a row is."""

    package: str
    rules: str


def code_with(configuration: str) -> Code:
    """The code, with the stations and networks that it is told of."""
    package, rules = _of_modules()
    return Code(_digest([package, configuration]), _digest([rules, configuration]))


@cache
def _of_modules() -> tuple[str, str]:
    files = {path.relative_to(_ROOT).as_posix(): path for path in _ROOT.rglob("*.py")}
    texts = {name: f"{name}\0{files[name].read_text('utf-8')}" for name in sorted(files)}
    rules = [text for name, text in texts.items() if name.startswith(_RULES)]
    return _digest(texts.values()), _digest(rules)


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]
