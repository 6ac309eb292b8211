"""Docker's ignore files, with the semantics of Docker's own matcher (github.com/moby/patternmatcher).

The last pattern that matches decides, `!` includes again, `**` spans folders, and a pattern that matches a
folder matches everything in it."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployer.errors import Failure

Matched = tuple[bool, ...]
"""Which patterns match a folder, in their order: its files inherit them."""

_SPECIAL: Final = frozenset(".$+(){}|^")


@dataclass(frozen=True)
class _Pattern:
    includes: bool
    text: str
    regex: re.Pattern[str]


class IgnoreFile:
    """The patterns of one ignore file. Failure `code`: a pattern that Docker refuses as well."""

    def __init__(self, lines: Iterable[str] = (), name: str = ".dockerignore") -> None:
        self._patterns = [_compiled(pattern, name) for pattern in map(_cleaned, lines) if pattern]
        self._included = [pattern.text for pattern in self._patterns if pattern.includes]
        union = "|".join(f"(?:{pattern.regex.pattern})" for pattern in self._patterns)
        self._any = re.compile(union, re.DOTALL) if union and not self._included else None

    @classmethod
    def read(cls, path: Path) -> "IgnoreFile":
        """The file, which may begin with a byte order mark; a file that is not there ignores nothing."""
        try:
            text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except OSError as error:
            raise Failure("code", f"{path}: cannot be read: {error.strerror}", "make it readable") from error
        return cls(text.split("\n"), path.name)

    def ignores(self, path: str, above: Matched = ()) -> tuple[bool, Matched]:
        """Whether `path` (relative to the context, with slashes) is left out, and what its own files inherit;
        `above` is what its folder has handed down."""
        if self._any is not None or not self._patterns:
            return bool(self._any and self._any.match(path)), ()
        ignored, matched = False, []
        for number, pattern in enumerate(self._patterns):
            match = bool(above) and above[number]
            if not match and pattern.includes == ignored:
                match = pattern.regex.match(path) is not None
            matched.append(match)
            if match:
                ignored = not pattern.includes
        return ignored, tuple(matched)

    def may_include_below(self, folder: str) -> bool:
        """Whether something in an ignored folder can be included again."""
        return any(
            any(sign in text for sign in "*?[\\") or f"{text}/".startswith(f"{folder}/")
            for text in self._included
        )


def _cleaned(line: str) -> tuple[bool, str] | None:
    """(includes, pattern) of one line; None for a comment or nothing."""
    if line.startswith("#") or not (text := line.strip()):
        return None
    includes = text.startswith("!")
    text = text.removeprefix("!").strip()
    if text:
        text = posixpath.normpath(text)
        text = text.lstrip("/") if len(text) > 1 else text
    return includes, text


def _compiled(pattern: tuple[bool, str], name: str) -> _Pattern:
    includes, text = pattern
    try:
        if not text:
            raise ValueError("a pattern without a name")
        return _Pattern(includes, text, re.compile(go_pattern(text), re.DOTALL))
    except (ValueError, re.error) as error:
        shown = f"!{text}" if includes else text
        raise Failure("code", f"{name}: {shown!r} is no pattern: {error}", "correct that line") from error


def go_pattern(text: str) -> str:
    """As moby/patternmatcher compiles it: `**` alone at the end matches all, `**x` any path that ends so."""
    if text.startswith("**") and not set("*?[]\\") & set(text[2:]):
        suffix = text[2:]
        if not suffix:
            return ".*"
        ends = f".*{re.escape(suffix)}\\Z"
        return f"{ends}|{re.escape(suffix[1:])}\\Z" if suffix[0] == "/" else ends
    parts, at = [], 0
    while at < len(text):
        part, at = _translated(text, at)
        parts.append(part)
    return f"{''.join(parts)}\\Z"


def _translated(text: str, at: int) -> tuple[str, int]:
    """The regular expression of the sign at `at`, and where the next one begins."""
    sign = text[at]
    if text.startswith("**", at):
        after = at + 2 + text.startswith("/", at + 2)
        return (".*", after) if after >= len(text) else ("(?:.*/)?", after)
    if sign == "*":
        return "[^/]*", at + 1
    if sign == "?":
        return "[^/]", at + 1
    if sign == "\\":
        if at + 1 == len(text):
            raise ValueError("it ends with a backslash")
        return re.escape(text[at + 1]), at + 2
    if sign == "[":
        return _class(text, at)
    return (f"\\{sign}" if sign in _SPECIAL else sign), at + 1


def _class(text: str, at: int) -> tuple[str, int]:
    """`[abc]`, `[^a-z]`, as in Go: a backslash escapes, the first `]` ends it."""
    end = at + 1
    while end < len(text) and text[end] != "]":
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise ValueError("`[` is not closed")
    inside = text[at + 1 : end]
    negated, inside = inside.startswith("^"), inside.removeprefix("^")
    if not inside:
        raise ValueError("`[]` is empty")
    inside = re.sub(r"([&~|\[])", r"\\\1", inside)
    return f"[{'^' if negated else ''}{inside}]", end + 1
