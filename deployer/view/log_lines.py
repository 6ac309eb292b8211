"""A log event as a line for people: JSON becomes text with its fields, levels get their color. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from deployer.view.text import harmless_lines

_LEVELS: Final = ("level", "levelname", "severity", "log_level", "lvl")
_MESSAGES: Final = ("message", "msg", "event", "text")
_TIMES: Final = ("timestamp", "@timestamp", "time", "ts", "asctime", "datetime")
"""Names under which structured loggers put these; the time is CloudWatch's own then."""

_COLORS: Final = {
    "ERROR": 31,
    "CRITICAL": 31,
    "FATAL": 31,
    "WARN": 33,
    "WARNING": 33,
    "DEBUG": 2,
    "TRACE": 2,
}
_LEVEL: Final = re.compile(r"\b(CRITICAL|FATAL|ERROR|WARNING|WARN|DEBUG|TRACE)\b")
_LEVEL_WITHIN: Final = 80
"""Characters from the start in which a plain line's level is looked for."""


@dataclass(frozen=True)
class Style:
    """`timestamps`: UTC, milliseconds. `color`: ANSI colors, for a terminal only."""

    timestamps: bool = False
    color: bool = False


def line(time: float, text: str, style: Style, label: str = "") -> str:
    """`label` tells streams apart where several are shown."""
    if text.startswith("{"):
        level, text = _structured(text)
    else:
        found = _LEVEL.search(text, 0, _LEVEL_WITHIN) if style.color else None
        level = found[1] if found else ""
    if not text.isprintable():
        # A carriage return, with which a progress bar overwrites itself, begins a line here.
        text = harmless_lines(text.rstrip("\r").replace("\r\n", "\n").replace("\r", "\n"))
    if style.color and level in _COLORS:
        text = f"\x1b[{_COLORS[level]}m{text}\x1b[0m"
    if style.timestamps:
        text = f"{stamp(time)} {text}"
    return f"[{label}] {text}" if label else text


def stamp(time: float) -> str:
    """`2026-11-24T21:49:29.123Z`."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _structured(text: str) -> tuple[str, str]:
    """(level, "LEVEL message  key=value ..."); what is not a JSON object stays as it is."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return "", text
    if not record:
        return "", text
    rest = dict(record)
    level = str(_take(rest, _LEVELS) or "").upper()
    message = _take(rest, _MESSAGES)
    for name in _TIMES if message is not None else ():
        rest.pop(name, None)
    words = [level, "" if message is None else _value(message), *_fields(rest)]
    return level, " ".join(word for word in words if word)


def _take(record: dict[str, Any], names: tuple[str, ...]) -> Any:
    name = next((name for name in names if name in record), None)
    return None if name is None else record.pop(name)


def _fields(record: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_value(value)}" for name, value in record.items()]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
