"""Proposed checks as TOML, which runs as it stands."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from deployer.verification.suggest import Proposal

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_of(proposal: Proposal) -> str:
    """One table a check, each under a comment with its evidence."""
    tables = []
    for one in proposal.checks:
        lines = [f"# {' '.join(one.evidence.split())}", "[[verify.checks]]"]
        lines += [f"{_key(key)} = {_value(value)}" for key, value in one.check.items()]
        tables.append("\n".join(lines))
    return "\n\n".join(tables) + "\n"


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    """A text, a number, a truth value, a list or a table, on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
