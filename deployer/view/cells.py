"""The parts of a command's answer: pairs of name and value, and tables, of foreign text made harmless."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from deployer.view.text import harmless

_STATES: Final = {
    **dict.fromkeys(("ok", "pass", "do", "running", "END_SUCCESS"), "green"),
    **dict.fromkeys(("fail", "failed", "stopped", "unhealthy", "END_FAILED", "DAMAGED"), "red"),
    **dict.fromkeys(("unknown", "PAUSED", "DETACHED", "INTERRUPTED"), "yellow"),
    "skip": "dim",
}


def said(value: Any) -> str:
    """A value as a person reads it; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return harmless(str(value))


def moment(seconds: float | None) -> str:
    """Seconds since the epoch as date and time, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds is not None else ""


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """A line for each pair that has a value."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            grid.add_row(name, Text(value, _STATES.get(value, "")))
    return grid


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Rows under their columns' names; words that name a state have its colour."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        drawn.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        drawn.add_row(*(Text(cell, _STATES.get(cell, "")) for cell in row))
    return drawn
