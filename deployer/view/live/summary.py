"""What stays on the screen: the closing summary of a release, and the panel of one that paused."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Column, Table
from rich.text import Text

from deployer.events import Ended, Failed, Paused
from deployer.view.live.progress import Progress
from deployer.view.live.rows import bar, marks, shown_nodes
from deployer.view.text import duration, harmless, listed

_STOPPED = {
    "PAUSED": ("Paused", "yellow"),
    "DETACHED": ("Detached, the task runs on", "cyan"),
    "INTERRUPTED": ("Interrupted", "yellow"),
}


def summary(board: Progress, event: Ended) -> RenderableType:
    """The end, time by phase, documents, what was skipped, and the next command."""
    lead, style = _verdict(board, event)
    title = Text.assemble((f" {lead} ", f"bold {style}"), f"{event.release} in {duration(event.seconds)}")
    rule = [] if board.paused else [Rule(style="dim")]
    return Group(*rule, title, _times(board), *_facts(board, event))


def _verdict(board: Progress, event: Ended) -> tuple[str, str]:
    if event.end in _STOPPED:
        text, style = _STOPPED[event.end]
        where = f" at {board.flow.nodes[event.node].label}" if event.node in board.flow.nodes else ""
        return f"‖ {text}{where}", style
    if event.exit_code == 0:
        return "✓ Released", "green"
    where = f" at {board.flow.nodes[board.lost.node].label} {board.lost.answer}" if board.lost else ""
    return f"✗ Failed{where}, exit code {event.exit_code}", "red"


def _times(board: Progress) -> RenderableType:
    spent = board.phase_seconds()
    longest = max(spent.values(), default=0.0)
    table = Table.grid(*[Column(no_wrap=True) for _ in range(4)], padding=(0, 2))
    for phase, seconds in spent.items():
        table.add_row(
            Text("   " + board.flow.phases[phase]),
            marks(board, shown_nodes(board, phase)),
            Text(duration(seconds), justify="right"),
            bar(seconds / longest if longest else 0.0, 16),
        )
    return table


def _facts(board: Progress, event: Ended) -> Iterator[RenderableType]:
    if event.counts:
        yield _fact("documents", listed(event.counts.items()))
    if event.skipped:
        nodes = board.flow.nodes
        yield _fact("skipped", ", ".join(nodes[n].label if n in nodes else n for n in event.skipped))
    if event.next_command and event.end != "PAUSED":
        yield _command("next", event.next_command, "bold cyan")


def failure_panel(board: Progress, event: Failed) -> RenderableType:
    """The cause, the lines that support it, the fix, how to go on; a command has a line of its own."""
    where = board.flow.nodes[event.node].label if event.node in board.flow.nodes else event.node
    cause = f"{event.failure_class} / {event.subcause}" if event.subcause else event.failure_class
    rows: list[RenderableType] = [
        Rule(Text(f"{event.name.title()}: {where}", "bold red"), style="red"),
        _fact("cause", f"{harmless(event.message)} ({cause})"),
        *(_fact("" if i else "evidence", harmless(line), "dim") for i, line in enumerate(event.evidence)),
    ]
    if event.remedy:
        rows.append(_command("fix", harmless(event.remedy), "bold"))
    if isinstance(event, Paused):
        rows.append(_command("next", event.resume, "bold cyan"))
    return Group(*rows, Rule(style="red"))


def _command(name: str, text: str, style: str) -> Text:
    """One line however long it is: the terminal wraps it and still copies it whole."""
    line = Text.assemble((f"   {name:<11}", "dim"), (text, style))
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _fact(name: str, text: str, style: str = "") -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=13, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(f"   {name}", "dim"), Text(text, style))
    return table
