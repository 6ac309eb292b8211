"""How far a run is, while it lasts: a line every few seconds in a log, a bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from pipeline.progress import Counts

EVERY_S = 5.0


@contextmanager
def showing(
    counts: Counts, say: Callable[..., None], *, bar: bool, every_s: float = EVERY_S
) -> Iterator[None]:
    """Show the counts until the block ends. `bar`: stdout is a terminal, and lines are for people."""
    show: _Bar | _Lines = _Bar(counts) if bar and sys.stdout.isatty() else _Lines(counts, say, every_s)
    stop = Event()

    def go_on() -> None:
        while not stop.wait(show.every_s):
            show.update()

    thread = Thread(target=go_on, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        show.close()


class _Lines:
    def __init__(self, counts: Counts, say: Callable[..., None], every_s: float) -> None:
        self._counts, self._say, self.every_s = counts, say, every_s
        self._before = (time.monotonic(), 0)

    def update(self) -> None:
        now, rows = time.monotonic(), self._counts.rows
        rate = (rows - self._before[1]) / (now - self._before[0])
        self._before = (now, rows)
        facts = {"objects": self._counts.objects, "of": self._counts.listed, "rows": rows}
        self._say("progress", **facts, rows_per_s=round(rate))

    def close(self) -> None: ...


class _Bar:
    every_s = 0.2

    def __init__(self, counts: Counts) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._counts = counts
        rows: Any = TextColumn("{task.fields[rows]:,} rows")
        columns = [TextColumn("objects"), BarColumn(), MofNCompleteColumn(), rows, TimeElapsedColumn()]
        self._bar = Progress(*columns, transient=True)
        self._task = self._bar.add_task("objects", total=None, rows=0)
        self._bar.start()

    def update(self) -> None:
        total = self._counts.listed or None
        self._bar.update(self._task, completed=self._counts.objects, total=total, rows=self._counts.rows)

    def close(self) -> None:
        self._bar.stop()
