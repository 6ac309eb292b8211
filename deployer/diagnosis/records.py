"""A line that is, or ends in, a JSON record: its level and its messages, at any depth within bounds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deployer.diagnosis.lines import level_named, narrowed

LARGE = 200_000  # characters of a record of which the words of trouble are looked for too
MAX_NODES = 20_000  # of one record that are visited
MAX_DEPTH = 40
MAX_TEXTS = 24
MAX_TEXT = 8_000

_TEXT_KEYS = frozenset([
    "message", "msg", "log", "error", "err", "reason", "reasons", "detail", "details", "errmsg", "text",
    "cause", "exception", "exc_info", "stack", "stacktrace", "stack_trace", "traceback", "errorstring",
    "summary", "event", "output", "stderr", "body", "description", "status_reason",
])  # fmt: skip
_TEXT_ENDINGS = ("message", "msg", "error", "reason", "description", "detail", "exception", "trace")
_NAME_KEYS = frozenset([
    "name", "type", "code", "codename", "errortype", "errorcode", "error_type", "error_code",
    "errortypes", "class", "exception_class", "kind", "__type",
])  # fmt: skip
_LEVEL_KEYS = frozenset(["level", "levelname", "severity", "lvl", "log_level", "loglevel", "s"])
_NUMBERED = {10: "DEBUG", 20: "INFO", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "ERROR"}  # bunyan, pino
_MONGOD = {"F": "ERROR", "E": "ERROR", "W": "WARN", "I": "INFO", "D": "DEBUG"}


@dataclass(frozen=True, slots=True)
class Record:
    """The level and the texts of one JSON object, each text after the name of the error beside it."""

    level: str
    texts: tuple[str, ...]


def record_of(line: str) -> Record | None:
    """The record in a line; None when there is none, or none with a text in it."""
    start, end = line.find("{"), line.rfind("}") + 1
    if start < 0 or end - start < 8 or start > 400 or line[end:].strip(" ]\r\t\n,'\""):
        return None
    try:
        found = json.loads(line[start:end])
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, Mapping):
        return None
    texts = tuple(dict.fromkeys(_texts(found)))[:MAX_TEXTS]
    if end - start > LARGE:  # not all of it is visited
        texts = (*texts, narrowed(line[start:end]))
    return Record(_level(found), texts) if texts else None


def _level(record: Mapping[str, object]) -> str:
    for key, value in record.items():
        if key.lower() in _LEVEL_KEYS:
            if isinstance(value, int):
                return _NUMBERED.get(value, "")
            if isinstance(value, str):
                return _MONGOD.get(value, "") if key == "s" else level_named(value)
    return ""


def _texts(record: object) -> Iterator[str]:
    """Every text that speaks; lists last, by a stack of our own: no recursion, no endless record."""
    waiting: list[tuple[str, object, int]] = [("", record, 0)]
    visited = 0
    while waiting and visited < MAX_NODES:
        key, value, depth = waiting.pop()
        visited += 1
        if isinstance(value, Mapping):
            named = _name(value)
            listed = sorted(list(value.items())[:MAX_NODES], key=lambda pair: not isinstance(pair[1], list))
            for inner, item in (*listed[: _lists(listed)], *reversed(listed[_lists(listed) :])):
                lowered = str(inner).lower()
                if isinstance(item, str):
                    if item and (lowered in _TEXT_KEYS or lowered.endswith(_TEXT_ENDINGS)):
                        waiting.append(("=" + named, item, depth))
                elif depth < MAX_DEPTH:
                    waiting.append((lowered, item, depth + 1))
        elif isinstance(value, list):
            waiting.extend(
                (key, item, depth + 1) for item in reversed(value[:MAX_NODES]) if depth < MAX_DEPTH
            )
        elif isinstance(value, str) and (key.startswith("=") or key in _TEXT_KEYS):
            text = value if len(value) <= MAX_TEXT else narrowed(value)
            named = key.removeprefix("=") if key.startswith("=") else ""
            yield f"{named}: {text}" if named and named not in text else text


def _lists(items: Sequence[tuple[object, object]]) -> int:
    """How many of the items, lists first, are lists: these are looked at last."""
    return sum(isinstance(item, list) for _, item in items)


def _name(record: Mapping[str, object]) -> str:
    """The name or code of the error beside a message, as `Throttling: ...` would print it."""
    found = [
        f"code {value}" if isinstance(value, int) else value
        for key, value in list(record.items())[:60]
        if isinstance(value, str | int) and not isinstance(value, bool) and str(key).lower() in _NAME_KEYS
    ]
    return ": ".join(str(part)[:80] for part in found)
