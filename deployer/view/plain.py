"""For pipes and CI: one line for each event, without color or animation.

What happened and the closing summary go to stdout; what to type next goes to stderr.
"""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self, TextIO

from deployer.events import (
    Begun,
    Ended,
    Entered,
    Event,
    Failed,
    Left,
    Logged,
    Noted,
    Paused,
    Progressed,
    Retried,
)
from deployer.flow.chart import Flowchart
from deployer.view.live.progress import Progress
from deployer.view.text import Lines, amount, clipped, duration, harmless, listed

_NAME_WIDTH: Final = 14
"""The longest node id; a line's first column."""
_RARELY: Final = 10.0
"""Seconds after which a line is due even if little was done."""
_OFTEN: Final = 1.0
"""Seconds that lie between two lines at least."""


class PlainView:
    """Writes each event as a line. `now`: a monotonic clock in seconds, for the pace of progress lines."""

    def __init__(
        self, flow: Flowchart, stdout: TextIO, stderr: TextIO, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._out, self._err = Lines(stdout), Lines(stderr)
        self._progress = Progress(flow, now)
        self._pace = Pace(now)

    def __call__(self, event: Event) -> None:
        self._progress.apply(event)
        for line in self._lines(event):
            self._out.write(harmless(line))
        for hint in _hints(event):
            self._err.write(harmless(hint))

    def settle(self) -> None:
        """Nothing is being drawn."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case Begun():
                verb = "resumes" if event.resumed else "begins"
                yield f"release {event.release} to {event.env} {verb} at {event.node}"
            case Entered():
                yield from self._entered(event)
            case Left() if event.node != self._progress.flow.start:
                yield _row(event.node, _left(event))
            case Progressed():
                yield from (_row(event.node, line) for line in self._pace.lines(event))
            case Retried():
                error = harmless(event.error)
                yield _row(event.node, f"attempt {event.attempt}: {error}; again in {duration(event.wait)}")
            case Noted():
                yield _row(event.node, harmless(event.text))
            case Logged():
                yield _row(event.source, "| " + clipped(event.text))
            case Failed():
                yield from _failed(event)
            case Ended():
                yield from self._ended(event)

    def _entered(self, event: Entered) -> Iterator[str]:
        self._pace.restart()
        node = self._progress.flow.nodes[event.node]
        if node.kind in ("step", "repair"):
            again = f" (visit {event.visit})" if event.visit > 1 else ""
            yield _row(event.node, f"{node.label}{again} ...")

    def _ended(self, event: Ended) -> Iterator[str]:
        yield f"{event.end} after {duration(event.seconds)}, exit code {event.exit_code}"
        if event.counts:
            yield f"  documents: {listed(event.counts.items())}"
        if event.skipped:
            yield f"  skipped:   {', '.join(event.skipped)}"
        if event.untested:
            yield f"  untested:  {harmless(event.untested)}"
        for phase, seconds in self._progress.phase_seconds().items():
            yield f"  {phase.lower():<11}{duration(seconds)}"


def _row(name: str, text: str) -> str:
    return f"{name:<{_NAME_WIDTH}}  {text}".rstrip()


def _left(event: Left) -> str:
    what = "skipped" if event.skipped else event.answer or "done"
    arrow = f" -> {event.next}" if event.answer else f" in {duration(event.seconds)}"
    summary = f": {harmless(event.summary)}" if event.summary else ""
    return f"{what}{'' if event.skipped else arrow}{summary}"


def _failed(event: Failed) -> Iterator[str]:
    cause = f"{event.failure_class} / {event.subcause}" if event.subcause else event.failure_class
    yield _row(event.node, f"{event.name.upper()}: {cause}: {harmless(event.message)}")
    yield from (_row("", "> " + harmless(line)) for line in event.evidence)


def _hints(event: Event) -> Iterator[str]:
    match event:
        case Failed():
            if event.remedy:
                yield f"fix:  {harmless(event.remedy)}"
            if isinstance(event, Paused):
                yield f"next: {event.resume}"
        case Ended() if event.next_command and event.end != "PAUSED":
            yield f"next: {event.next_command}"


class Pace:
    """Sums a node's pieces up: a line for each tenth of the whole, else one in ten seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.restart()

    def restart(self) -> None:
        """Another node begins: its pieces are counted from nothing."""
        self._pieces: dict[str, Progressed] = {}
        self._spoken = self._now()
        self._tenth = 0

    def lines(self, event: Progressed) -> Iterator[str]:
        """The line that is due now, if any."""
        self._pieces[event.key] = event
        waited = self._now() - self._spoken
        done, total = self._sums(event.unit)
        tenth = int(10 * done / total) if total else 0
        if waited >= _RARELY or (waited >= _OFTEN and tenth > self._tenth):
            self._spoken, self._tenth = self._now(), max(tenth, self._tenth)
            yield _share(done, total, event, len(self._pieces))

    def _sums(self, unit: str) -> tuple[float, float | None]:
        """Done and total of the pieces counted in `unit`; where a size is not known yet, what is done."""
        pieces = [piece for piece in self._pieces.values() if piece.unit == unit]
        totals = [piece.total for piece in pieces if piece.total is not None]
        return sum(piece.done for piece in pieces), sum(totals) if totals else None


def _share(done: float, total: float | None, event: Progressed, pieces: int) -> str:
    share = f"{100 * done / total:.0f} %, " if total else ""
    what = harmless(event.label) if pieces == 1 else f"{pieces} pieces"
    return f"{share}{amount(done, total, event.unit)} ({what})"
