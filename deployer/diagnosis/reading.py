"""Reads a text as people do: what is a message, what is a frame of a stack, what was only a warning."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_SEARCHED = 8_000  # lines of a long log that are looked at, most of them at its end
MAX_LINES = 160  # that are read of a long log: those that tell of trouble, and its end
_FIRST_LINES, _LAST_LINES = 40, 40
MAX_CHARACTERS = 48_000  # shared out among the lines; a longer line keeps its beginning and its end
MAX_WIDTH = 1_600
MAX_DEPTH = 6  # of objects in a JSON record
EVIDENCE_WIDTH = 400

_TROUBLE = (
    "err", "exception", "fail", "denied", "refus", "timeout", "timed out", "time-out", "time out", "unable",
    "cannot", "can't", "could not", "couldn't", "not ", "no such", "invalid", "missing", "kill", "memory",
    "space", "fatal", "panic", "traceback", "caused", "expired", "exceed", "throttl", "reset", "abort",
    "crash", "unknown", "unauthori", "forbidden",
)  # fmt: skip
_TROUBLE_CODE = re.compile(r"[45]\d\d|[Ee]\d{5}")
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
    r"|at (?:async )?[\w$./:\\-]+:\d+:\d+"
    r"|\"[\w$.<> ]{1,80} \([^()\"]{1,200}:\d+:\d+\)\"|[~^]+\s*$|\.{3} \d+ more)"
)
_PYTHON_FRAME = re.compile(r'^\s*File "[^"]*", line \d+')
_LEVEL = re.compile(
    r"(?:^|[\s\[(|\"':=])(?:(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)|level=(\w+))\b"
)
_LEVEL_WIDTH = 80  # of the beginning of a line, where its level stands
_SURVIVED = re.compile(r"\b(?:retrying|will retry|retry attempt|falling back|ignoring|skipping)\b", re.I)
_LEVEL_WEIGHT = {"TRACE": 0.5, "DEBUG": 0.5, "INFO": 0.75, "WARN": 0.8, "WARNING": 0.8}
_FRAME_WEIGHT = 0.4
_SURVIVED_WEIGHT = 0.8

_FOLDED_STACK = ("Traceback (most recent", "\\n\\tat ", "\\n    at ")
_TEXT_KEYS = (
    "message", "msg", "log", "error", "err", "reason", "detail", "details", "errormessage", "errmsg", "text",
    "failurereason", "statusreason", "stoppedreason",
)  # fmt: skip
_NAME_KEYS = (
    "name",
    "type",
    "code",
    "codename",
    "errortype",
    "errorcode",
    "error_type",
    "error_code",
    "kind",
    "class",
)
_TEXT_ENDINGS = ("message", "msg", "error", "reason", "description", "detail")
_STACK_KEYS = (
    "exc_info", "exception", "stack", "stack_trace", "stacktrace", "traceback", "cause",
)  # fmt: skip
_LEVEL_KEYS = ("level", "levelname", "severity", "lvl")


@dataclass(frozen=True)
class Line:
    """`text` without prefixes, as rules see it; `shown` as printed; `weight` 0 to 1, what it counts."""

    text: str
    shown: str
    weight: float


@dataclass(frozen=True)
class Reading:
    """The lines of a text, JSON log records unfolded, and what stood there before."""

    lines: tuple[Line, ...]
    raw: str

    @property
    def text(self) -> str:
        """The lines as rules see them."""
        return "\n".join(line.text for line in self.lines)


def read(text: str) -> Reading:
    """The lines of a text, each with its weight; of a very long text, its beginning and its end."""
    told = _telling(_ANSI.sub("", text).splitlines())
    lines: list[Line] = []
    frame_indent: int | None = None  # of the Python frame just read: its source line stands deeper
    for shown in _narrowed(list(_unfolded(told))):
        stripped = _PREFIX.sub("", shown)
        indent = len(stripped) - len(stripped.lstrip())
        is_source = frame_indent is not None and indent > frame_indent
        is_frame = is_source or bool(_FRAME.match(stripped))
        frame_indent = indent if _PYTHON_FRAME.match(stripped) else None
        lines.append(Line(stripped, shown.strip(), _FRAME_WEIGHT if is_frame else _weight(shown)))
    return Reading(lines=tuple(lines), raw="\n".join(_narrowed(told)))


def _telling(lines: list[str]) -> list[str]:
    """All lines of a short text; of a long one the last, and before them those that tell of trouble."""
    if len(lines) > MAX_SEARCHED:
        lines = lines[: MAX_SEARCHED // 4] + lines[-MAX_SEARCHED * 3 // 4 :]
    if len(lines) > MAX_LINES:
        before, last = lines[:-_LAST_LINES], lines[-_LAST_LINES:]
        trouble = [line for line in before if _tells_of_trouble(line)]
        if len(trouble) > MAX_LINES - _LAST_LINES:
            trouble = trouble[:_FIRST_LINES] + trouble[-(MAX_LINES - _LAST_LINES - _FIRST_LINES) :]
        lines = trouble + last
    return lines


def _tells_of_trouble(line: str) -> bool:
    lowered = line.lower()
    return any(word in lowered for word in _TROUBLE) or bool(_TROUBLE_CODE.search(line))


def _narrowed(lines: list[str]) -> list[str]:
    width = min(MAX_WIDTH, MAX_CHARACTERS // max(1, len(lines)))
    return [line if len(line) <= width else line[: width * 3 // 4] + line[-width // 4 :] for line in lines]


def _weight(line: str) -> float:
    level = _LEVEL.search(line[:_LEVEL_WIDTH])
    weight = _LEVEL_WEIGHT.get((level.group(1) or level.group(2)).upper(), 1.0) if level else 1.0
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
    end = line.rfind("}") + 1
    if start < 0 or line[end:].strip(" ]\r\t"):
        return []
    try:
        record = json.loads(line[start:end])
    except (ValueError, RecursionError):
        return []
    if not isinstance(record, Mapping):
        return []
    level = next((str(record[key]).upper() for key in _LEVEL_KEYS if isinstance(record.get(key), str)), "")
    parts = [*_texts(record, _TEXT_KEYS), *_texts(record, _STACK_KEYS)]
    if parts and level in _LEVEL_WEIGHT:
        parts[0] = f"{level} {parts[0]}"
    return [part for block in dict.fromkeys(parts) for part in block.splitlines()]


def _texts(record: Mapping[str, object], keys: tuple[str, ...], depth: int = 0) -> Iterator[str]:
    """Every text under one of the keys, however deep, after the name of the error that stands beside it."""
    named = {key.lower(): value for key, value in record.items()}
    name = ": ".join(str(named[key]) for key in _NAME_KEYS if isinstance(named.get(key), str | int))
    for key, value in named.items():
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, Mapping) and depth < MAX_DEPTH:
                yield from _texts(item, keys, depth + 1)
            elif isinstance(item, str) and (
                key in keys or (keys is _TEXT_KEYS and key.endswith(_TEXT_ENDINGS))
            ):
                yield f"{name}: {item}" if name and keys is _TEXT_KEYS else item
