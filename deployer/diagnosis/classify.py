"""Turns evidence into one ranked diagnosis, by the table of signatures."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from deployer.diagnosis.events import Event, cut
from deployer.diagnosis.matching import Hit, Index, Seen, recognized, spoken_of
from deployer.diagnosis.model import Diagnosis, Evidence
from deployer.diagnosis.sieve import sifted
from deployer.diagnosis.signature import CLIENT_ERROR, ENGINE, LINE, PYMONGO, TASK_LOG, Signature
from deployer.diagnosis.signatures import whole_table
from deployer.diagnosis.signatures.parties import PARTIES, Party
from deployer.diagnosis.values import fix_of
from deployer.model import Cause

MAX_EVIDENCE = 6
MAX_OTHERS = 4
MAX_EVENTS = 2_000

_LEVEL_WEIGHT = {"DEBUG": 0.6, "INFO": 0.8, "WARN": 0.9}
_SURVIVED = 0.55  # a warning after which the program went on to another failure
_EARLIER = 0.9  # an error after which it went on to another
_TRIED_AGAIN = {
    "WARN": 0.42,
    "INFO": 0.3,
    "DEBUG": 0.3,
}  # a line that says itself that it is tried again, and the log goes on
_QUIET = 0.88  # of a signature that may speak on a line with level INFO
_PASSED = 0.6  # of one that may speak on a warning after which the log goes on
_BY_CODE = 0.66  # an exit code alone has more than one reason
_GENERAL_CODES = (1, 2, 3, 4, 5, 101, 255)
_GENERAL = 0.25
_RETRIED = re.compile(
    r"\bretrying\b|\bwill retry\b|\bretry \d|\battempt \d{1,3} ?(?:/|of)|falling back", re.I
)
_LOGS = (TASK_LOG, PYMONGO, CLIENT_ERROR, *ENGINE)  # where most lines tell of nothing wrong

NOTHING_FOUND = Cause(
    failure_class="unknown",
    subcause="no-signature",
    confidence=0.0,
    evidence=(),
    remedy="No known failure was found; read the log to its end: `deployer logs`.",
)

Values = Mapping[str, str]
"""What a fix may need and the message may not say: region, cluster, repository, by the names of the holes."""


def classify(evidence: Evidence, configured: Values | None = None) -> Diagnosis:
    """The causes that one piece of evidence speaks for, ranked."""
    return classify_all((evidence,), configured)


def classify_all(pieces: Sequence[Evidence], configured: Values | None = None) -> Diagnosis:
    """One ranked answer for several pieces of evidence of the same failed run.

    A cause that several pieces name keeps the lines of each.
    """
    causes = [
        cause
        for piece in pieces
        for cause in _causes(piece, _events((piece.text.encode("utf-8", "replace"),)), configured or {})
    ]
    return _diagnosis(causes, next((piece.id for piece in pieces if piece.id), None))


def classify_log(blocks: Iterable[bytes], evidence: Evidence, configured: Values | None = None) -> Diagnosis:
    """The same for a log of any length that is read as it comes; `evidence` says where it was seen."""
    return _diagnosis(_causes(evidence, _events(blocks), configured or {}), evidence.id)


def diagnosed(message: str, pieces: Sequence[Evidence], node: str, configured: Values | None = None) -> Cause:
    """The best explanation of these pieces of evidence of one failure, seen at `node` of a release."""
    found = classify_all(pieces, configured).cause
    lines = found.evidence or tuple(piece.text for piece in pieces if piece.text)[:3]
    return found.with_(message=message, evidence=lines, node=node)


def _events(blocks: Iterable[bytes]) -> list[Event]:
    """The events; of very many those that say that something is wrong, the first and the last of them."""
    kept = list(cut(sifted(blocks)))
    if len(kept) > MAX_EVENTS:
        half = MAX_EVENTS // 2
        loud, last = [event for event in kept[:-half] if not event.quiet], kept[-half:]
        kept = [*(loud if len(loud) <= 2 * half else loud[:half] + loud[-half:]), *last]
    return kept


def _diagnosis(causes: Iterable[Cause], identity: str | None) -> Diagnosis:
    merged: dict[tuple[str, str], Cause] = {}
    for cause in causes:
        key = (cause.failure_class, cause.subcause)
        merged[key] = _merge(merged[key], cause) if key in merged else cause
    ranked = sorted(merged.values(), key=lambda cause: -cause.confidence)
    if not ranked:
        return Diagnosis(cause=NOTHING_FOUND, id=identity)
    if ranked[0].confidence < LINE:
        return Diagnosis(cause=_doubtful(ranked[0]), others=tuple(ranked[:MAX_OTHERS]), id=identity)
    return Diagnosis(cause=ranked[0], others=tuple(ranked[1 : 1 + MAX_OTHERS]), id=identity)


def _doubtful(best: Cause) -> Cause:
    """Below the line the class is `unknown`, so that no decision follows a guess."""
    guess = f"it looks most like {best.failure_class}/{best.subcause}"
    remedy = f"Nothing that was seen decides; {guess}. {best.remedy}"
    return replace(best, failure_class="unknown", subcause="no-signature", remedy=remedy, transient=False)


def _merge(one: Cause, other: Cause) -> Cause:
    best = one if one.confidence >= other.confidence else other
    lines = tuple(dict.fromkeys(best.evidence + one.evidence + other.evidence))[:MAX_EVIDENCE]
    return replace(best, evidence=lines)


@dataclass(frozen=True)
class _Weighed:
    """An event with what it counts; `lived_on` where the log goes on after it as if nothing were."""

    event: Event
    factor: float
    lived_on: bool

    @property
    def needed(self) -> float:
        """What a signature must weigh to speak in a log on a line that is quiet, or a warning that passed."""
        if self.event.quiet:
            return _QUIET
        return _PASSED if self.event.level == "WARN" and self.lived_on else 0.0

    def weight_of(self, hit: Hit) -> float:
        """What a hit in this event counts: a line that is tried again, and is not the last word, little."""
        again = _TRIED_AGAIN.get(self.event.level, 1.0)
        again = again if self.lived_on and _RETRIED.search(hit.part.text) else 1.0
        return self.factor * hit.weight * again


def _weighed(events: list[Event]) -> Iterator[_Weighed]:
    """Each event by its level, and less when the program lived on to another failure."""
    failures = [at for at, event in enumerate(events) if _fails(event)]
    quiet = [at for at, event in enumerate(events) if event.quiet]
    last, last_quiet = max(failures, default=-1), max(quiet, default=-1)
    last_quiet_before = max((at for at in quiet if at < last), default=-1)
    for at, event in enumerate(events):
        factor = _LEVEL_WEIGHT.get(event.level, 1.0)
        if at < last and at < last_quiet_before:
            factor *= _SURVIVED if event.level in ("WARN", "INFO", "DEBUG") else _EARLIER
        yield _Weighed(event, factor, at < last_quiet)


def _fails(event: Event) -> bool:
    return not event.quiet and (event.level == "ERROR" or event.kind in ("traceback", "block"))


def _causes(evidence: Evidence, events: list[Event], configured: Values) -> Iterator[Cause]:
    table = _table(evidence.channel)
    for weighed in _weighed(events):
        if not weighed.event.healthy:
            yield from _of_event(table, evidence, weighed, configured)
    for signature in table.by_code:
        if weight := _weight_by_code(signature, evidence):
            remedy = fix_of(signature.fix, evidence.text[-4000:], {}, configured)
            yield _cause(signature, weight, _codes(evidence), remedy, evidence.container or "")


def _weight_by_code(signature: Signature, evidence: Evidence) -> float:
    if evidence.stop_code in signature.stop_codes:
        return signature.weight
    if evidence.exit_code in signature.exit_codes:
        return _GENERAL if evidence.exit_code in _GENERAL_CODES else min(signature.weight, _BY_CODE)
    return 0.0


def _of_event(table: "_Table", evidence: Evidence, weighed: _Weighed, configured: Values) -> Iterator[Cause]:
    event = weighed.event
    seen = Seen(event, evidence.channel)
    container = evidence.container or event.service
    needed = weighed.needed if evidence.channel in _LOGS else 0.0
    for signature in table.signatures.candidates(seen):
        if signature.weight < needed:
            continue
        if hit := recognized(signature, seen):
            weight = signature.weight * weighed.weight_of(hit)
            remedy = fix_of(signature.fix, seen.text, hit.known, configured, event.frames)
            yield _cause(signature, weight, hit.shown, remedy, container)
    for party in () if needed else table.parties:
        if hit := spoken_of(party, seen):
            remedy = fix_of(party.fix, seen.text, {}, configured)
            yield _cause(party, weighed.weight_of(hit), hit.shown, remedy, container)


def _cause(said: Signature | Party, weight: float, line: str, remedy: str, container: str) -> Cause:
    return Cause(
        failure_class=said.failure_class,
        subcause=said.subcause,
        confidence=weight,
        evidence=(line,),
        remedy=remedy,
        link=said.source if isinstance(said, Signature) else None,
        transient=said.transient,
        container=container,
    )


def _codes(evidence: Evidence) -> str:
    named = {"exit code": evidence.exit_code, "stop code": evidence.stop_code}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)


@dataclass(frozen=True)
class _Table:
    """What may speak on one channel."""

    signatures: Index
    by_code: tuple[Signature, ...]
    parties: tuple[Party, ...]


@lru_cache(maxsize=16)
def _table(channel: str) -> _Table:
    admitted = tuple(signature for signature in whole_table() if channel in signature.channels)
    return _Table(
        signatures=Index(s for s in admitted if s.pattern or s.texts or s.names),
        by_code=tuple(s for s in admitted if s.by_code),
        parties=tuple(party for party in PARTIES if channel in party.channels),
    )
