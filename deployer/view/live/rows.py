"""The lines of the live view: a release, a phase, a node, a bar, a log line. Each fits a width in cells."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from deployer.events import Progressed, Retried
from deployer.view.live.progress import Mark, NodeProgress, Progress
from deployer.view.text import amount, duration, harmless

_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ICONS: Final[dict[Mark, tuple[str, str]]] = {
    "pending": ("·", "dim"),
    "earlier": ("✓", "dim green"),
    "current": ("▸", "bold cyan"),
    "passed": ("✓", "green"),
    "skipped": ("»", "blue"),
    "halted": ("✗", "bold red"),
}
_SETBACK: Final = ("↺", "yellow")
_LABEL_STYLES: Final[dict[Mark, str]] = {
    "pending": "dim",
    "earlier": "dim",
    "current": "bold",
    "halted": "bold red",
}
_SOURCE_STYLES: Final = {
    "tests": "magenta",
    "compose": "blue",
    "build": "cyan",
    "push": "cyan",
    "task": "green",
    "note": "bold",
}
_ALARM: Final = re.compile(r"\b(ERROR|CRITICAL|FATAL|Traceback)\b")
_WARNING: Final = re.compile(r"\bWARN(ING)?\b")
_TICKS_AT: Final = 27
"""The column in which a closed phase's marks begin."""
_DETAIL_AT: Final = 33
"""The column in which a node's summary begins."""
_BARS: Final = 4
_DONE: Final = 2


def header_row(progress: Progress, width: int) -> Text:
    """Which release, where to, and for how long."""
    name = harmless(f"{progress.begun.release} → {progress.begun.env}") if progress.begun else "release"
    spent = duration(progress.now() - progress.started) if progress.begun else ""
    return spread(Text(f" {name}", "bold"), Text(spent, "bold"), width)


def phase_row(progress: Progress, phase: str, nodes: Sequence[str], width: int, tick: int | None) -> Text:
    """A phase's title and time, with a mark for each of `nodes`."""
    untouched = all(state.mark == "pending" for state in progress.states_of(phase))
    title = Text(f" {progress.flow.phases[phase]}", "dim" if untouched else "bold")
    if not untouched and nodes:
        title.pad_right(max(_TICKS_AT - title.cell_len, 1))
        title.append_text(marks(progress, nodes, tick))
    spent = sum(progress.spent(state) for state in progress.states_of(phase))
    return spread(title, Text(duration(spent) if spent else "", "dim"), width)


def marks(progress: Progress, nodes: Sequence[str], tick: int | None = None) -> Text:
    """A character a node."""
    return Text(" ").join(Text(*_icon(progress.states[node], tick)) for node in nodes)


def shown_nodes(progress: Progress, phase: str) -> list[str]:
    """The phase's nodes that are on the way, and of the others those that the walk has come to."""
    return [
        node
        for node in progress.nodes_of(phase)
        if node != progress.flow.start
        and (node in progress.course.way or progress.states[node].mark != "pending")
    ]


def node_rows(progress: Progress, node: str, width: int, tick: int | None) -> Iterator[Text]:
    """A node with its summary; under the current one its progress bars and the retry that it waits for."""
    state = progress.states[node]
    character, style = _icon(state, tick)
    row = Text.assemble(
        ("   " + character, style), (f" {progress.flow.nodes[node].label}", _LABEL_STYLES.get(state.mark, ""))
    )
    if state.visits > 1:
        row.append(f" ×{state.visits}", "yellow")
    if detail := _detail(state):
        row.pad_right(max(_DETAIL_AT - row.cell_len, 1))
        row.append(f" {detail}", "yellow" if state.setback else "dim")
    spent = progress.spent(state)
    worth_saying = state.mark == "current" or (state.mark != "pending" and spent >= 0.05)
    yield spread(row, Text(duration(spent) if worth_saying else "", "dim"), width)
    if state.mark == "current":
        yield from _bar_rows(list(progress.bars.values()), width)
        if progress.retry:
            yield cut(Text(f"     {_retried(progress.retry)}", "yellow"), width)


def _icon(state: NodeProgress, tick: int | None) -> tuple[str, str]:
    if state.setback:
        return _SETBACK
    character, style = _ICONS[state.mark]
    if state.mark == "current" and tick is not None:
        character = _SPINNER[tick % len(_SPINNER)]
    return character, style


def _detail(state: NodeProgress) -> str:
    if state.mark == "pending":
        return ""
    text = harmless(state.summary or state.answer)
    return f"skipped {text}".rstrip() if state.mark == "skipped" else text


def _retried(event: Retried) -> str:
    return f"attempt {event.attempt} failed, again in {duration(event.wait)}: {harmless(event.error)}"


def _bar_rows(pieces: Sequence[Progressed], width: int) -> Iterator[Text]:
    """A bar a piece, unfinished ones first; what does not fit is counted."""
    ordered = sorted(pieces, key=_turn)
    shown = ordered if len(ordered) <= _BARS else ordered[: _BARS - 1]
    for piece in shown:
        name = f"{piece.key[:12]} {piece.label}" if len(pieces) > 1 else piece.label
        yield _bar_row(harmless(name), piece, width)
    if len(shown) < len(ordered):
        yield Text(f"     {sum(_turn(piece) == _DONE for piece in pieces)} of {len(pieces)} done", "dim")


def _turn(piece: Progressed) -> int:
    """First what is under way, then what waits, then what is done."""
    if piece.total is None:
        return 1
    return _DONE if piece.done >= piece.total else 0


def _bar_row(name: str, piece: Progressed, width: int) -> Text:
    row = cut(Text(f"     {name}", "dim"), 27, pad=True)
    if piece.total:
        share = min(piece.done / piece.total, 1.0)
        row.append_text(bar(share, max(min(width - 52, 30), 5)))
        row.append(f" {100 * share:3.0f} %")
    figures = amount(piece.done, piece.total, piece.unit) if piece.done or piece.total else "waiting"
    return spread(row, Text(figures, "dim"), width)


def bar(share: float, cells: int) -> Text:
    """`share` (0 to 1) of a line of `cells`."""
    full = round(share * cells)
    return Text.assemble(" ", ("━" * full, "green" if share >= 1 else "cyan"), ("─" * (cells - full), "dim"))


def log_row(source: str, text: str) -> Text:
    """A program's line, told from others by its source; alarms stand out."""
    style = "red" if _ALARM.search(text) else "yellow" if _WARNING.search(text) else ""
    return Text.assemble(
        (f"{harmless(source):>7}", _SOURCE_STYLES.get(source, "cyan")), (" │ ", "dim"), (text, style)
    )


def spread(left: Text, right: Text, width: int) -> Text:
    """`left` and `right` at the two edges of a line of `width` cells; `left` gives way."""
    if not right:
        return cut(left, width)
    return Text.assemble(cut(left, width - right.cell_len - 1, pad=True), " ", right)


def cut(line: Text, width: int, *, pad: bool = False) -> Text:
    """A copy of `line` that is not wider than `width` cells."""
    copy = line.copy()
    copy.truncate(max(width, 0), overflow="ellipsis", pad=pad)
    return copy
