"""Fills the template of a fix: from the message, then from the configuration, else `<placeholder>`."""

import re
import shlex
from collections.abc import Mapping
from itertools import islice

from deployer.diagnosis.finders import FINDERS

_HOLE = re.compile(r"\{([a-z_]+)\}")
_SAFE = re.compile(r"(?:[\w.@:/+=,%~*-]{1,300}|\d[\d.]{0,12} [KMGT]i?B)\Z", re.ASCII)
_NEVER = re.compile(r"[`\x00-\x1f\x7f$\\\"<>{}|;&]|\*\*\*")
_LAST = ("source_file",)  # of a stack, the frame that counts is the last of the program's own


def fix_of(
    template: str,
    message: str,
    known: Mapping[str, str | None],
    configured: Mapping[str, str],
    frames: str = "",
) -> str:
    """The fix with its values, each one word of a shell.

    From `known`, the named groups of the match; from the message; from the stack's `frames`; from
    `configured`, which deploy.toml says; and where none has it, `<name>` stays to be filled in.
    """

    def value(hole: re.Match[str]) -> str:
        name = hole[1]
        found = known.get(name) or _found(name, message) or _found(name, frames)
        usable = _usable(found) if found else None
        return usable or configured.get(name) or f"<{name.replace('_', '-')}>"

    return _HOLE.sub(value, template)


def _found(name: str, message: str) -> str | None:
    if name not in FINDERS or not message:
        return None
    matches = re.finditer(FINDERS[name], message, re.MULTILINE)
    found = [
        next(filter(None, match.groups()), None)
        for match in (matches if name in _LAST else islice(matches, 1))
    ]
    return found[-1] if found else None


def _usable(value: str) -> str | None:
    """The value as a shell takes it as one word; nothing where it could be read as more than a word."""
    value = value.strip().rstrip(".,:;)").strip()
    if not value or _NEVER.search(value):
        return None
    return value if _SAFE.match(value) else shlex.quote(value)


def holes(template: str) -> tuple[str, ...]:
    """The names that a template asks for."""
    return tuple(dict.fromkeys(_HOLE.findall(template)))
