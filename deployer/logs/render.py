"""A log event as a line for people: JSON becomes text with its fields, levels get their colour. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from deployer.release.ports import LogEvent

_LEVELS: Final = ("level", "levelname", "severity", "log_level", "lvl")
_MESSAGES: Final = ("message", "msg", "event", "text")
_TIMES: Final = ("timestamp", "@timestamp", "time", "ts", "asctime", "datetime")
"""Names under which structured loggers put these; the time is CloudWatch's own then."""

_COLOURS: Final = {
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

_CONTROL: Final = re.compile(
    r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])|[\x00-\x08\x0b-\x1f\x7f]"
)
"""Escape sequences and control characters but tab and newline: a log must not steer the terminal."""


@dataclass(frozen=True)
class Style:
    """`timestamps`: UTC, milliseconds. `colour`: ANSI colours, for a terminal only."""

    timestamps: bool = False
    colour: bool = False


def line(event: LogEvent, style: Style, label: str = "") -> str:
    """`label` tells streams apart where several are shown."""
    text = event.text
    if text.startswith("{"):
        level, text = _structured(text)
    else:
        found = _LEVEL.search(text, 0, _LEVEL_WITHIN) if style.colour else None
        level = found[1] if found else ""
    if not text.isprintable():
        text = _CONTROL.sub("", text)
    if style.colour and level in _COLOURS:
        text = f"\x1b[{_COLOURS[level]}m{text}\x1b[0m"
    if style.timestamps:
        text = f"{stamp(event.time)} {text}"
    return f"[{label}] {text}" if label else text


def stamp(time: float) -> str:
    """`2026-11-24T21:49:29.123Z`."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _structured(text: str) -> tuple[str, str]:
    """(level, "LEVEL message  key=value ..."); what is not a JSON object stays as it is."""
    try:
        record = json.loads(text)
    except ValueError:
        return "", text
    if not isinstance(record, dict):
        return "", text
    rest = dict(record)
    level = str(_take(rest, _LEVELS) or "").upper()
    message = _take(rest, _MESSAGES)
    for name in _TIMES:
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
