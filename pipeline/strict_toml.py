"""TOML files of tables, read strictly: what is wrong is said with the line that it stands in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from pipeline.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file; every complaint names the file, the line and the table."""

    where: str
    text: str
    path: tuple[str, ...]
    values: dict[str, Any]

    def allow(self, keys: Iterable[str]) -> None:
        """Raises ConfigurationError for a key that is none of these."""
        known = sorted(keys)
        for key in self.values:
            if key not in known:
                close = get_close_matches(key, known, 1)
                self.refuse(key, "is not a key of this table", f"Did you mean {close[0]}?" if close else
                            f"Keys are {', '.join(known)}.")  # fmt: skip

    def text_of(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; without a default it must be there."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (key in self.values and not value.strip()):
            self.refuse(key, "is missing" if value is None else f"must be a text, not {value!r}")
        return value

    def texts_of(self, key: str, *, one_will_do: bool = False) -> tuple[str, ...]:
        """A list of texts, none of them empty; an absent key is an empty one."""
        value = self.values.get(key, [])
        if one_will_do and isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self.refuse(key, f"must be a list of texts, not {value!r}", f'Write {key} = ["..."].')
        return tuple(value)

    def number_of(self, key: str, low: float, high: float) -> float | int | None:
        """A number in a range, or None where the key is absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.refuse(key, f"must be a number from {low:g} to {high:g}, not {value!r}")
        return value

    def choice_of(self, key: str, choices: Iterable[str], default: str) -> str:
        value = self.values.get(key, default)
        if value not in (known := sorted(choices)):
            self.refuse(key, f"is {value!r}", f"It is one of {', '.join(known)}.")
        return str(value)

    def table_of(self, key: str) -> Table:
        """The table under a key; an empty one where the key is absent."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, f"must be a table, not {value!r}")
        return Table(self.where, self.text, (*self.path, key), value)

    def refuse(self, key: str, what: str, hint: str = "") -> NoReturn:
        """Raises ConfigurationError with the line of the key, or that of the table."""
        line = _line_of(self.text, self.path, key)
        name = ".".join(self.path)
        raise ConfigurationError(f"{self.where}, line {line}: [{name}] {key} {what}", hint or _HINT)


_HINT = "See docs/how-to/add-a-station.md and docs/how-to/add-a-network.md."


def tables_of(where: str, text: str) -> list[Table]:
    """The tables of a file by their names. Raises ConfigurationError for what is no TOML of tables."""
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{where}: {error}", "Give a TOML file of tables.") from error
    root = Table(where, text, (), parsed)
    for name, value in parsed.items():
        if not isinstance(value, dict):
            root.refuse(name, "stands outside a table")
    return [Table(where, text, (name,), value) for name, value in parsed.items()]


def _line_of(text: str, path: tuple[str, ...], key: str) -> int:
    """The line of a key of a table; of the table's header when the key has none; 1 when neither is found."""
    here: tuple[str, ...] = ()
    header = 1
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[+\s*(.+?)\s*\]+\s*(?:#.*)?$", line):
            here = _keys(found[1])
            if here == path:
                header = number
            continue
        if found := re.match(
            r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""", line
        ):
            dotted = (*here, *_keys(found[1]))
            if dotted[: len(path) + 1] == (*path, key):
                return number
            if dotted == path:
                header = number
    return header


def _keys(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(r"""\"[^\"]*\"|'[^']*'|[\w-]+""", text))
