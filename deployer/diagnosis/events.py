"""Cuts a log into events: a traceback, a JSON record, a block of lines that tell of one failure, a line.

A signature and its context hold within one event. What a healthy log prints (a line with level INFO, a layer
pulled, a package unpacked) stands for itself, so that its words are never the context of what comes after.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from deployer.diagnosis import tracebacks
from deployer.diagnosis.lines import Line, line_of, tells_of_failure
from deployer.diagnosis.records import record_of

Kind = Literal["line", "block", "traceback", "record"]

HEAD, TAIL = 40, 80  # lines of one event that are kept
_FOLDED = ("Traceback (most recent", "\\n\\tat ", "\\n    at ", "\\n  File ")
_MAX_FOLDED = 400


@dataclass(frozen=True, slots=True)
class Part:
    """A line of an event's message: `weight` is less for an exception that was handled before the end."""

    text: str
    shown: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Event:
    """`parts` are what was said, `frames` the stack under it, `place` the number of its first line."""

    kind: Kind
    parts: tuple[Part, ...]
    frames: str
    level: str
    place: int
    service: str = ""
    step: str = ""
    ecosystem: str = ""
    healthy: bool = False

    @property
    def text(self) -> str:
        """The message, line by line, without frames."""
        return "\n".join(part.text for part in self.parts)

    @property
    def quiet(self) -> bool:
        """Whether it says by its level or its form that nothing is wrong."""
        return self.healthy or self.level in ("DEBUG", "INFO")


@dataclass
class _Building:
    """The event that grows while lines still belong to it."""

    first: Line
    kind: Kind
    level: str
    parts: list[Part] = field(default_factory=list)
    last: deque[Part] = field(default_factory=lambda: deque(maxlen=TAIL))
    frames: list[str] = field(default_factory=list)
    last_frames: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    source_indent: int = -1  # of the Python frame just read: its source line stands deeper
    language: str = ""

    def add(self, line: Line) -> None:
        """Takes a line in as a frame, a source line, or a part of the message."""
        language = tracebacks.frame(line.text)
        if language or (0 <= self.source_indent < line.indent):
            self._keep_frame(line.text)
            self.kind, self.language = "traceback", language or self.language
            if tracebacks.PYTHON_FRAME.match(line.text):
                self.source_indent = line.indent
            elif not language:
                self.source_indent = -1
            return
        self.source_indent = -1
        if line.level == "ERROR":
            self.level = "ERROR"
        if tracebacks.HANDLED in line.text:
            self.parts = [Part(part.text, part.shown, part.weight * 0.85) for part in self.parts]
            self.last = deque((Part(p.text, p.shown, p.weight * 0.85) for p in self.last), maxlen=TAIL)
        if line.text.strip() and not tracebacks.between(line.text):
            kept = self.parts if len(self.parts) < HEAD else self.last
            kept.append(Part(line.text, line.shown))

    def _keep_frame(self, text: str) -> None:
        kept = self.frames if len(self.frames) < HEAD else self.last_frames
        kept.append(text[:400])

    def event(self) -> Event:
        """The event, finished."""
        parts, frames = (*self.parts, *self.last), "\n".join((*self.frames, *self.last_frames))
        whole = frames + "\n" + "\n".join(part.text for part in parts)
        return Event(
            self.kind, parts, frames, self.level, self.first.number, self.first.service, self.first.step,
            tracebacks.ecosystem(self.language, whole), self.first.healthy,
        )  # fmt: skip


def cut(lines: Iterable[tuple[int, str]]) -> Iterator[Event]:
    """The events of numbered lines, in order; a gap between two numbers ends an event."""
    building: _Building | None = None
    before = -1
    for line in _unfolded(lines):
        if isinstance(line, Event):
            yield from _finished(building)
            building = None
            yield line
        else:
            joins = building is not None and line.number - before <= 1 and _belongs(line, building)
            if building is None or not joins:
                yield from _finished(building)
                building = _begin(line)
            building.add(line)
            if building.first.healthy or (
                building.kind == "line" and building.level in ("DEBUG", "INFO", "")
            ):
                yield from _finished(building)
                building = None
            before = line.number
    yield from _finished(building)


def _finished(building: _Building | None) -> Iterator[Event]:
    if building is not None and (building.parts or building.frames):
        yield building.event()


def _begin(line: Line) -> _Building:
    starts = tracebacks.starts(line.text) or bool(tracebacks.frame(line.text))
    trouble = line.level in ("WARN", "ERROR") or starts
    kind: Kind = "traceback" if starts else "block" if trouble or tells_of_failure(line.text) else "line"
    if line.level in ("DEBUG", "INFO") and not starts:
        kind = "line"
    return _Building(line, kind, line.level)


def _belongs(line: Line, building: _Building) -> bool:
    """Whether a line continues the event: the same speaker, no level of its own, nothing healthy."""
    first = building.first
    if line.service != first.service or line.healthy:
        return False
    if line.step != first.step and line.step:
        return False
    if line.level in ("DEBUG", "INFO"):
        return False
    if building.kind == "block" and not first.level and not line.indent and not _goes_on(line.text):
        return False
    return not (line.level == "WARN" and first.level and building.level != "WARN")


def _goes_on(text: str) -> bool:
    """Whether a line at the margin can be of the failure before it: it tells of one, or is a frame."""
    return tells_of_failure(text) or bool(tracebacks.frame(text))


def _unfolded(lines: Iterable[tuple[int, str]]) -> Iterator[Line | Event]:
    """Lines; a JSON record as an event of its own, a stack folded into one line as the lines it was."""
    for number, raw in lines:
        record = record_of(raw) if "{" in raw and "}" in raw else None
        if record:
            yield _of_record(number, raw, record.level, record.texts)
        elif "\\n" in raw and any(mark in raw for mark in _FOLDED):
            whole = raw.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').splitlines()
            kept = whole if len(whole) <= _MAX_FOLDED else whole[:100] + whole[-300:]
            yield from (line_of(number, text) for text in kept)
        else:
            yield line_of(number, raw)


def _of_record(number: int, raw: str, level: str, texts: Sequence[str]) -> Event:
    around = line_of(number, raw[: max(raw.find("{"), 0)])
    building = _Building(around, "record", level or around.level)
    for text in texts:
        for inner in text.replace("\\n", "\n").splitlines()[:_MAX_FOLDED]:
            building.add(line_of(number, inner))
    building.kind = "record"
    return building.event()
