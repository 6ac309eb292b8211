"""For a terminal: the flow lights up as it is walked, bars and the newest log lines with it.

The drawing takes the lower part of the screen. A log line is in it while it is among the newest, then moves
up into the scroll-back for good, and nothing is shown twice. Lines that come faster than a terminal can take
them are counted instead: the picture never holds the release up, and its evidence has them all.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from deployer.events import Ended, Event, Failed, Logged, Noted, Retried
from deployer.flow.chart import Flowchart
from deployer.view.live.frame import Canvas
from deployer.view.live.progress import Progress
from deployer.view.live.rows import log_row
from deployer.view.live.summary import failure_panel, summary
from deployer.view.text import clipped, harmless

_PERIOD: Final = 0.2
"""Seconds between two pictures."""
_MOST: Final = 150
"""Log lines that move up between two pictures; nobody reads more of them."""


def open_live(flow: Flowchart, stdout: TextIO, env: Mapping[str, str]) -> "LiveView":
    """The view on a real terminal, drawing by itself; with NO_COLOR in `env` nothing is colored or turns."""
    console = Console(file=stdout, highlight=False, markup=False, emoji=False, _environ=env)
    return LiveView(flow, console, animated=not env.get("NO_COLOR"), period=_PERIOD)


class LiveView:
    """`period`: seconds between pictures that a thread of its own draws; None draws at each event."""

    def __init__(
        self,
        flow: Flowchart,
        console: Console,
        *,
        animated: bool = True,
        period: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._animated, self._period = console, animated, period
        self._progress = Progress(flow, now)
        self._log: deque[Logged | Text] = deque()
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._live: Live | None = None
        self._size = console.size
        self._tick = 0

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._progress.apply(event)
            line = event if isinstance(event, Logged) else _note(event)
            if line is not None:
                self._log.append(line)
            match event:
                case Failed():
                    self._leave(failure_panel(self._progress, event))
                case Ended():
                    self._leave(summary(self._progress, event))
                case _ if self._live is None:
                    self._live = self._open()
                    self._draw(self._live)
                case _ if self._period is None:
                    self._draw(self._live)

    def __enter__(self) -> Self:
        if self._period is not None:
            threading.Thread(target=self._redraw, args=(self._period,), daemon=True, name="live-view").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self.settle()

    def settle(self) -> None:
        """Ends the drawing; the flow as it stands stays on the screen. The next event draws again."""
        with self._lock:
            if self._live is not None:
                frame = Canvas(self._console.width, self._console.height).draw(self._progress)
                self._leave(Text("\n").join(frame.rows))

    def draw(self) -> None:
        """One picture now, if it is drawing."""
        with self._lock:
            if self._live is not None:
                self._draw(self._live)

    def _redraw(self, period: float) -> None:
        while not self._closed.wait(period):
            self.draw()

    def _open(self) -> Live:
        live = Live(console=self._console, auto_refresh=False, transient=True)
        live.start()
        return live

    def _draw(self, live: Live) -> None:
        """One picture: first the log lines that no longer fit into it, then the picture."""
        self._make_way()
        self._tick += 1
        width, height = self._size
        frame = Canvas(width, height, self._tick if self._animated else None).draw(self._progress)
        self._print_log(len(self._log) - frame.room)
        live.update(frame.with_log([_row(line) for line in self._log]), refresh=True)

    def _make_way(self) -> None:
        """After a resize the old picture may be wrapped: it is pushed up, the new one starts clean."""
        size = self._console.size
        if size != self._size:
            self._size = size
            self._console.file.write("\n" * size.height + "\x1b[H")

    def _print_log(self, count: int) -> None:
        lines = [self._log.popleft() for _ in range(count)]
        late = [line for line in lines[:-_MOST] if isinstance(line, Text)]
        passed_over = max(len(lines) - _MOST, 0) - len(late)
        if passed_over:
            late.append(
                log_row("note", f"{passed_over:,} lines came too fast to be shown: the evidence has them")
            )
        if lines:
            rows = [*late, *map(_row, lines[-_MOST:])]
            self._console.print(Text("\n").join(rows), soft_wrap=True)

    def _leave(self, last: RenderableType) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._print_log(len(self._log))
        self._console.print(last, crop=False)


def _row(line: Logged | Text) -> Text:
    """Only what is shown is made fit for a terminal."""
    return log_row(line.source, clipped(line.text)) if isinstance(line, Logged) else line


def _note(event: Event) -> Text | None:
    match event:
        case Noted():
            return log_row("note", harmless(event.text))
        case Retried():
            return log_row("retry", f"{event.node}: {harmless(event.error)}")
    return None
