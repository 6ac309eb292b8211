"""Evidence from a file: JSON lines that say where each was seen, or any log as it is."""

import json
from collections.abc import Iterable, Iterator

from deployer.diagnosis.model import Evidence, EvidenceError
from deployer.diagnosis.signature import CHANNELS

_START = 4_096  # bytes of a file that tell what it is
_BOM = b"\xef\xbb\xbf"


def is_evidence(start: bytes) -> bool:
    """Whether a file that begins so holds JSON lines of evidence, and not a log (of JSON records or not)."""
    first = next(
        (line for line in start[:_START].removeprefix(_BOM).split(b"\n") if line.strip()), b""
    ).strip()
    return first.startswith(b"{") and b'"channel"' in first and (b'"text"' in first or len(first) < _START)


def read_evidence(lines: Iterable[str]) -> Iterator[Evidence]:
    """Evidence from JSON lines `{"channel", "text", "exit_code", "stop_code", "container", "id"}`, blank
    ones left out. Raises EvidenceError at the first line that is not such an object."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _evidence(line.removeprefix("\ufeff"), number)


def checked_channel(channel: str, where: str) -> str:
    """The channel; EvidenceError, which names those that there are, for any other word."""
    if channel not in CHANNELS:
        raise EvidenceError(f'{where}: there is no channel "{channel:.60}"; one of {", ".join(CHANNELS)}')
    return channel


def _evidence(line: str, number: int) -> Evidence:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"line {number}: not JSON ({error}); expected one JSON object a line") from error
    if not isinstance(record, dict):
        raise EvidenceError(f"line {number}: expected a JSON object, found {type(record).__name__}")
    return Evidence(
        text=_required_text(record, "text", number),
        channel=checked_channel(_required_text(record, "channel", number), f"line {number}"),
        exit_code=_whole_number(record, "exit_code", number),
        stop_code=_text(record, "stop_code", number),
        id=_text(record, "id", number),
        container=_text(record, "container", number),
    )


def _required_text(record: dict[str, object], key: str, number: int) -> str:
    value = _text(record, key, number)
    if value is None:
        raise EvidenceError(f'line {number}: "{key}" is missing; expected a text')
    return value


def _text(record: dict[str, object], key: str, number: int) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value
    raise EvidenceError(f'line {number}: "{key}" must be a text, found {value!r:.60}')


def _whole_number(record: dict[str, object], key: str, number: int) -> int | None:
    value = record.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise EvidenceError(f'line {number}: "{key}" must be a whole number, found {value!r:.60}')
