"""Whether a signature, or a party, recognizes an event, and by which of its lines."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from deployer.diagnosis.events import Event, Part
from deployer.diagnosis.lines import tells_of_failure
from deployer.diagnosis.signature import Signature, compiled
from deployer.diagnosis.signatures.parties import ABOUT, BESIDE, Party, is_the_programs_own

EVIDENCE_WIDTH = 400
_LONG_TEXT = 20_000
_FRAMES = 0.5  # found in the stack of an event that says nothing
_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{3,60}")


@dataclass(frozen=True)
class Seen:
    """An event as signatures look at it; `channel` says where it was seen."""

    event: Event
    channel: str

    @cached_property
    def text(self) -> str:
        """What was said, line by line."""
        return self.event.text

    @cached_property
    def lowered(self) -> str:
        """The same in lower case."""
        return self.text.lower()

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The identifiers in it."""
        return frozenset(_TOKEN.findall(self.text))

    @cached_property
    def telling(self) -> tuple[Part, ...]:
        """The lines that tell of a failure; none where only the program's own text can be wrong."""
        if is_the_programs_own(self.text):
            return ()
        return tuple(part for part in self.event.parts if tells_of_failure(part.text))

    @cached_property
    def around(self) -> str:
        """Where `within` and `without` look: the channel's name, the message and the stack, nothing else."""
        return f"{self.channel}\n{self.text}\n{self.event.frames}"


@dataclass(frozen=True)
class Hit:
    """The line that was recognized, the values that the pattern named, and what of its weight counts."""

    part: Part
    known: Mapping[str, str | None] = field(default_factory=dict)
    weight: float = 1.0
    words: str = ""

    @property
    def shown(self) -> str:
        """The line, or of a long one what stands around the words that were recognized."""
        whole = self.part.shown
        if len(whole) <= EVIDENCE_WIDTH:
            return whole
        start = max(0, whole.find(self.words) - EVIDENCE_WIDTH // 4)
        return whole[start : start + EVIDENCE_WIDTH].strip()


def recognized(signature: Signature, seen: Seen) -> Hit | None:
    """The hit of a signature; None where it, its context or its ecosystem is not there."""
    event = seen.event
    if signature.ecosystem and event.ecosystem and signature.ecosystem != event.ecosystem:
        return None
    place, known = _place(signature, seen), {}
    if signature.pattern and (match := compiled(signature.pattern).search(seen.text)):
        place, known = match.start(), match.groupdict()
    if place >= 0:
        return _in_message(signature, seen, place, known) if _fits(signature, seen) else None
    if event.frames and (signature.frames or not event.parts):
        return _in_frames(signature, seen)
    return None


def spoken_of(party: Party, seen: Seen) -> Hit | None:
    """The hit of a party: a line that tells of a failure names it, or another line beside one does."""
    about = next((part for part in seen.telling if party.named_in(part.text)), None)
    if about:
        return Hit(about, weight=party.weight)
    if seen.telling and party.named_in(seen.text):
        return Hit(seen.telling[-1], weight=BESIDE * party.weight / ABOUT)
    return None


class Index:
    """Which of many signatures are worth a search in an event: each needs one of its literals there, and a
    literal is looked for where its rarest three characters are."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        self._all = tuple(signatures)
        literals = [_literals(signature) for signature in self._all]
        common = Counter(three for found in literals for literal in found for three in _threes(literal))
        self._always = [at for at, found in enumerate(literals) if not found]
        self._by_threes: dict[str, list[tuple[str, int]]] = {}
        for at, found in enumerate(literals):
            for literal in found:
                rarest = min(_threes(literal), key=lambda three: (common[three], three))
                self._by_threes.setdefault(rarest, []).append((literal, at))

    def candidates(self, seen: Seen) -> Iterable[Signature]:
        """Those signatures, in the order of the table; all where a stack or a very long text is searched."""
        if seen.event.frames or len(seen.text) > _LONG_TEXT:
            return self._all
        places = set(self._always)
        for three in self._by_threes.keys() & _threes(seen.lowered):
            places.update(at for literal, at in self._by_threes[three] if literal in seen.lowered)
        return [self._all[at] for at in sorted(places)]


def _threes(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}


def _literals(signature: Signature) -> list[str]:
    """Of which one stands in every text that the signature recognizes; none where that is not known."""
    if signature.pattern and not signature.anchors:
        return []
    found = [*signature.anchors, *signature.all_texts, *(name.lower() for name in signature.all_names)]
    return found if all(len(literal) >= 3 for literal in found) else []


def _place(signature: Signature, seen: Seen) -> int:
    """Where a name or a fixed text of the signature stands first, or -1."""
    places = [seen.text.find(name) for name in signature.all_names & seen.tokens]
    places += [seen.lowered.find(fixed) for fixed in signature.all_texts]
    return min((place for place in places if place >= 0), default=-1)


def _fits(signature: Signature, seen: Seen) -> bool:
    if signature.within and not compiled(signature.within).search(seen.around):
        return False
    return not (signature.without and compiled(signature.without).search(seen.around))


def _in_message(signature: Signature, seen: Seen, place: int, known: Mapping[str, str | None]) -> Hit:
    """The line at that place; of a chain of exceptions the last one that the pattern matches."""
    parts, at = seen.event.parts, seen.text[:place].count("\n")
    if signature.pattern and seen.event.kind == "traceback":
        for part in parts[:at:-1]:
            if later := compiled(signature.pattern).search(part.text):
                return Hit(part, later.groupdict(), part.weight, later[0][:80])
    words = seen.text[place : place + 80].partition("\n")[0]
    return Hit(parts[at], known, parts[at].weight, words)


def _in_frames(signature: Signature, seen: Seen) -> Hit | None:
    frames = seen.event.frames
    match = compiled(signature.pattern).search(frames) if signature.pattern else None
    fixed = [frames.lower().find(text) for text in signature.all_texts] if signature.frames else []
    place = match.start() if match else max(fixed, default=-1)
    if place < 0 or not _fits(signature, seen):
        return None
    line = frames.splitlines()[frames[:place].count("\n")].strip()
    return Hit(Part(line, line), weight=1.0 if signature.frames else _FRAMES)
