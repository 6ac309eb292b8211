"""Reads a text as people do: what is a message, what is a frame of a stack, what was only a warning."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_LINES = 4000  # of a long log, the first quarter and the last three quarters of these are read
EVIDENCE_WIDTH = 400

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PREFIX = re.compile(
    r"^(?:"
    r"#\d+ (?:\d+\.\d+ )?"  # BuildKit: step and seconds
    r"|[\w.-]+\s+\| "  # Compose: service name
    r"|\[?\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]? "  # a timestamp
    r")+"
)
_FRAME = re.compile(
    r'^\s*(?:File "[^"]*", line \d+|at [\w$.<>\[\]/@ ]+\('
    r"|at (?:async )?[\w$./:\\-]+:\d+:\d+|[~^]+\s*$|\.{3} \d+ more)"
)
_PYTHON_FRAME = re.compile(r'^\s*File "[^"]*", line \d+')
_LEVEL = re.compile(r"^\W*(?:\S+\W+){0,6}?(?:level=)?\"?(DEBUG|INFO|WARN|WARNING|TRACE)\b[\]\":\s|\[/-]")
_SURVIVED = re.compile(r"\b(?:retrying|will retry|retry attempt|falling back|ignoring|skipping)\b", re.I)
_LEVEL_WEIGHT = {"TRACE": 0.5, "DEBUG": 0.5, "INFO": 0.75, "WARN": 0.9, "WARNING": 0.9}
_FRAME_WEIGHT = 0.4
_SURVIVED_WEIGHT = 0.8

_FOLDED_STACK = ("Traceback (most recent", "\\n\\tat ", "\\n    at ")
_TEXT_KEYS = ("message", "msg", "log", "error", "err", "reason", "detail", "errorMessage", "Message")
_STACK_KEYS = (
    "exc_info", "exception", "stack", "stack_trace", "stackTrace", "stacktrace", "traceback", "cause",
)  # fmt: skip
_LEVEL_KEYS = ("level", "levelname", "severity", "lvl")


@dataclass(frozen=True)
class Line:
    """`text` without prefixes, as rules see it; `shown` as printed; `weight` 0 to 1, what it counts."""

    text: str
    shown: str
    weight: float


def read(text: str) -> tuple[Line, ...]:
    """The lines of a text, JSON log records unfolded, each with its weight."""
    lines: list[Line] = []
    frame_indent: int | None = None  # of the Python frame just read: its source line stands deeper
    for shown in _unfolded(_ends_of(_ANSI.sub("", text).splitlines())):
        stripped = _PREFIX.sub("", shown)
        indent = len(stripped) - len(stripped.lstrip())
        is_source = frame_indent is not None and indent > frame_indent
        is_frame = is_source or bool(_FRAME.match(stripped))
        frame_indent = indent if _PYTHON_FRAME.match(stripped) else None
        lines.append(Line(stripped, shown.strip(), _FRAME_WEIGHT if is_frame else _weight(shown)))
    return tuple(lines)


def _ends_of(lines: list[str]) -> list[str]:
    if len(lines) <= MAX_LINES:
        return lines
    return lines[: MAX_LINES // 4] + lines[-(MAX_LINES * 3 // 4) :]


def _weight(line: str) -> float:
    level = _LEVEL.match(line[:160])
    weight = _LEVEL_WEIGHT[level.group(1)] if level else 1.0
    return weight * _SURVIVED_WEIGHT if _SURVIVED.search(line) else weight


def _unfolded(lines: list[str]) -> Iterator[str]:
    for line in lines:
        record = _json_record(line)
        if record:
            yield from record
        elif any(mark in line for mark in _FOLDED_STACK) and "\\n" in line:
            yield from line.replace("\\n", "\n").replace("\\t", "\t").splitlines()
        else:
            yield line


def _json_record(line: str) -> list[str]:
    """The text of a JSON log record, its level before the message; nothing when it is not one."""
    start = line.find("{")
    if start < 0 or not line.rstrip().endswith("}"):
        return []
    try:
        record = json.loads(line[start:])
    except (ValueError, RecursionError):
        return []
    if not isinstance(record, Mapping):
        return []
    level = next((str(record[key]).upper() for key in _LEVEL_KEYS if isinstance(record.get(key), str)), "")
    messages = [part for key in _TEXT_KEYS for part in _strings(record.get(key))]
    stacks = [part for key in _STACK_KEYS for part in _strings(record.get(key))]
    if not messages and not stacks:
        return []
    first = [f"{level} {part}".strip() if level in _LEVEL_WEIGHT else part for part in messages]
    return [part for block in dict.fromkeys(first + stacks) for part in block.splitlines()]


def _strings(value: object) -> Iterator[str]:
    """Every text inside a field that is a text, a list of texts, or an error object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, Mapping):
        name = value.get("name") or value.get("type") or value.get("code")
        message = value.get("message") or value.get("errmsg") or value.get("Message")
        if isinstance(message, str):
            yield f"{name}: {message}" if isinstance(name, str) else message
        for key in _STACK_KEYS:
            yield from _strings(value.get(key))
