"""The parts of a command's answer: pairs of name and value, and tables. Foreign text is made harmless here.

No word is broken where a terminal is narrow: text wraps between words, and a word that has no room (an ARN,
a digest) stands on a line of its own, so that it can be copied whole.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from deployer.view.text import harmless

_GAP: Final = 2
_SHORT: Final = 10
"""A text of so many cells (a date, `2 min 03 s`) is not worth two lines."""
_STATES: Final = {
    **dict.fromkeys(("ok", "pass", "do", "running", "END_SUCCESS"), "green"),
    **dict.fromkeys(("wrong", "fail", "failed", "stopped", "unhealthy", "END_FAILED", "DAMAGED"), "red"),
    **dict.fromkeys(("unknown", "unproven", "PAUSED", "DETACHED", "INTERRUPTED"), "yellow"),
    "skip": "dim",
}
"""Words that name a state have its color."""


def format_value(value: Any) -> str:
    """A value as a person reads it; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return harmless(str(value))


def format_time(seconds: float | None) -> str:
    """Seconds since the epoch as date and time, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds is not None else ""


Layout = tuple[list[int], int]
"""The width of each column, and the gap between two."""


@dataclass(frozen=True)
class facts:  # noqa: N801 (reads as a function: it is only ever called)
    """A line for each pair that has a value; longer values wrap under themselves, but those named in `whole`
    (commands), which are never broken."""

    pairs: Iterable[tuple[str, Any]]
    whole: Collection[str] = ("fix",)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        pairs = [(harmless(name), text) for name, value in self.pairs if (text := format_value(value))]
        start = max((cell_len(name) for name, _ in pairs), default=0) + _GAP
        for name, value in pairs:
            lines = _wrapped(value, options.max_width - start)
            if lines is None or (len(lines) > 1 and name in self.whole):
                yield unbroken((name, "dim"))
                yield unbroken(("  " + value, _STATES.get(value, "")))
                continue
            for index, line in enumerate(lines):
                yield unbroken((_padded("" if index else name, start), "dim"), (line, _STATES.get(value, "")))


@dataclass(frozen=True)
class table:  # noqa: N801
    """Rows under the names of their columns."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        rows = [[format_value(value) for value in row] for row in self.rows]
        below: list[list[str]] = [[] for _ in rows]
        while (laid := _layout(self.columns, rows, options.max_width)) is None:
            _move_longest(rows, below)
        yield from _cells(self.columns, *laid, "bold")
        for cells, rest in zip(rows, below, strict=True):
            yield from _cells(cells, *laid)
            yield from (unbroken((f"  {text}", _STATES.get(text, ""))) for text in rest)


def _layout(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> tuple[list[int], int] | None:
    """The widest columns are narrowed until all fit; None: some word has no room."""
    by_column = [[name, *(row[index] for row in rows)] for index, name in enumerate(columns)]
    least = [max(map(_longest_word, cells)) for cells in by_column]
    wanted = [max(map(cell_len, cells)) for cells in by_column]
    gap = _GAP if sum(least) <= width - _GAP * (len(columns) - 1) else 1
    room = width - gap * (len(columns) - 1)
    if sum(least) > room and any(any(row[1:]) for row in rows):
        return None
    while sum(wanted) > room:
        slack = [want - need for want, need in zip(wanted, least, strict=True)]
        widest = max(range(len(wanted)), key=slack.__getitem__)
        if slack[widest] <= 0:
            break
        wanted[widest] -= 1
    return wanted, gap


def _move_longest(rows: list[list[str]], below: list[list[str]]) -> None:
    """The cells with the longest words go to lines of their own; the first column, the key, stays."""
    lengths = [[_longest_word(cell) for cell in row[1:]] for row in rows]
    longest = max(map(max, lengths))
    for row, moved, of_row in zip(rows, below, lengths, strict=True):
        for column, length in enumerate(of_row, start=1):
            if length == longest:
                moved.append(row[column])
                row[column] = ""


def _longest_word(text: str) -> int:
    whole = cell_len(text)
    return whole if whole <= _SHORT else max(_SHORT, *map(cell_len, text.split(" ")))


def _cells(cells: Sequence[str], widths: Sequence[int], gap: int, style: str = "") -> Iterator[Text]:
    """One row, as many lines high as its highest cell."""
    wrapped = [_wrapped(cell, width) or [cell] for cell, width in zip(cells, widths, strict=True)]
    styles = [style or _STATES.get(cell, "") for cell in cells]
    for index in range(max(map(len, wrapped), default=0)):
        texts = [lines[index] if index < len(lines) else "" for lines in wrapped]
        padded = [_padded(text, width + gap) for text, width in zip(texts, widths, strict=True)]
        yield unbroken(*zip(padded, styles, strict=True))


def _wrapped(text: str, width: int) -> list[str] | None:
    """Lines that fit; None: a word does not."""
    if cell_len(text) <= width:
        return [text]
    if _longest_word(text) > width:
        return None
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def unbroken(*parts: tuple[str, str]) -> Text:
    """Never wrapped or cut: the terminal wraps it and still copies it whole."""
    line = Text.assemble(*parts)
    line.rstrip()
    line.no_wrap, line.overflow = True, "ignore"
    return line
