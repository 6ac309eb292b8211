"""Turns evidence into one ranked diagnosis, by the table of rules."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from deployer.diagnosis.model import Diagnosis, Evidence, EvidenceError
from deployer.diagnosis.reading import EVIDENCE_WIDTH, Line, read
from deployer.diagnosis.rule import Rule, compiled
from deployer.diagnosis.rules import RULES
from deployer.model import Cause

MAX_EVIDENCE = 6
MAX_OTHERS = 4
NOTHING_FOUND = Cause(
    failure_class="unknown",
    subcause="no-rule-matches",
    confidence=0.0,
    evidence=(),
    remedy="Read what was saved: `deployer explain <release>`; a cause that you find there wants a rule.",
)


def classify(evidence: Evidence) -> Diagnosis:
    """The causes that one piece of evidence speaks for, ranked."""
    return _diagnosis(_causes(evidence), evidence.id)


def classify_all(pieces: Sequence[Evidence]) -> Diagnosis:
    """One ranked answer for several pieces of evidence of the same failed run.

    A cause that several pieces name keeps the lines of each.
    """
    causes = [cause for piece in pieces for cause in _causes(piece)]
    return _diagnosis(causes, next((piece.id for piece in pieces if piece.id), None))


def _diagnosis(causes: Iterable[Cause], identity: str | None) -> Diagnosis:
    merged: dict[tuple[str, str], Cause] = {}
    for cause in causes:
        key = (cause.failure_class, cause.subcause)
        merged[key] = _merge(merged[key], cause) if key in merged else cause
    ranked = sorted(merged.values(), key=lambda cause: -cause.confidence) or [NOTHING_FOUND]
    return Diagnosis(cause=ranked[0], others=tuple(ranked[1 : 1 + MAX_OTHERS]), id=identity)


def _merge(one: Cause, other: Cause) -> Cause:
    best = one if one.confidence >= other.confidence else other
    lines = tuple(dict.fromkeys(one.evidence + other.evidence))[:MAX_EVIDENCE]
    return replace(best, evidence=lines)


def _causes(evidence: Evidence) -> list[Cause]:
    reading = read(evidence.text)
    seen = _Seen(lines=reading.lines, text=reading.text, surroundings=f"{evidence.channel}\n{reading.raw}")
    found = (_cause(rule, evidence, seen) for rule in RULES if rule.admits(evidence))
    return [cause for cause in found if cause is not None]


@dataclass(frozen=True)
class _Seen:
    lines: tuple[Line, ...]
    text: str
    surroundings: str


def _cause(rule: Rule, evidence: Evidence, seen: _Seen) -> Cause | None:
    if rule.context and not compiled(rule.context).search(seen.surroundings):
        return None
    if rule.unless and compiled(rule.unless).search(seen.surroundings):
        return None
    if not rule.matches:
        return _as_cause(rule, 1.0, (_codes(evidence),))
    pattern = compiled(rule.matches)
    if not pattern.search(seen.text):
        return None
    hits = [(line, match) for line in seen.lines if (match := pattern.search(line.text))]
    if not hits:
        return None
    hits.sort(key=lambda hit: -hit[0].weight)
    shown = dict.fromkeys(_window(line, match.start()) for line, match in hits)
    weight = 1.0 if rule.reads_frames else hits[0][0].weight
    return _as_cause(rule, weight, tuple(shown)[:MAX_EVIDENCE])


def _as_cause(rule: Rule, weight: float, evidence: tuple[str, ...]) -> Cause:
    return Cause(
        failure_class=rule.failure_class,
        subcause=rule.subcause,
        confidence=rule.confidence * weight,
        evidence=evidence,
        remedy=rule.remedy,
        link=rule.link,
        transient=rule.transient,
    )


def _codes(evidence: Evidence) -> str:
    named = {"exit code": evidence.exit_code, "stop code": evidence.stop_code}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)


def _window(line: Line, match_start: int) -> str:
    """The line, or of a very long one the part around the match."""
    if len(line.shown) <= EVIDENCE_WIDTH:
        return line.shown
    start = max(0, match_start + len(line.shown) - len(line.text) - EVIDENCE_WIDTH // 4)
    return line.shown[start : start + EVIDENCE_WIDTH].strip()


def read_evidence(lines: Iterable[str]) -> Iterator[Evidence]:
    """Evidence from JSON lines `{"id", "channel", "text", "exit_code", "stop_code"}`, blank ones left out.

    Raises EvidenceError at the first line that is not such an object.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _evidence(line, number)


def _evidence(line: str, number: int) -> Evidence:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise EvidenceError(f"line {number}: not JSON ({error}); expected one JSON object a line") from error
    if not isinstance(record, dict):
        raise EvidenceError(f"line {number}: expected a JSON object, found {type(record).__name__}")
    return Evidence(
        text=_required_text(record, "text", number),
        channel=_required_text(record, "channel", number),
        exit_code=_whole_number(record, "exit_code", number),
        stop_code=_text(record, "stop_code", number),
        id=_text(record, "id", number),
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
