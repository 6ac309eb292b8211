"""What stays on the screen: the closing summary of a release, and the panel of one that paused."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Column, Table
from rich.text import Text

from deployer.events import Ended, Failed, Paused
from deployer.view.cells import facts
from deployer.view.live.progress import Progress
from deployer.view.live.rows import bar, marks, shown_nodes
from deployer.view.text import duration, harmless, listed

_STOPPED = {
    "PAUSED": ("Paused", "yellow"),
    "DETACHED": ("Detached, the task runs on", "cyan"),
    "INTERRUPTED": ("Interrupted", "yellow"),
}


def summary(progress: Progress, event: Ended) -> RenderableType:
    """The end, time by phase, documents, what was skipped, and the next command."""
    lead, style = _verdict(progress, event)
    release = harmless(event.release)
    title = Text.assemble((f" {lead} ", f"bold {style}"), f"{release} in {duration(event.seconds)}")
    rule = [] if progress.paused else [Rule(style="dim")]
    return Group(*rule, title, _times(progress), *_outcome(progress, event))


def _verdict(progress: Progress, event: Ended) -> tuple[str, str]:
    if event.end in _STOPPED:
        text, style = _STOPPED[event.end]
        where = f" at {progress.flow.nodes[event.node].label}" if event.node in progress.flow.nodes else ""
        return f"‖ {text}{where}", style
    if event.exit_code == 0:
        return "✓ Released", "green"
    where = (
        f" at {progress.flow.nodes[progress.lost.node].label} {progress.lost.answer}" if progress.lost else ""
    )
    return f"✗ Failed{where}, exit code {event.exit_code}", "red"


def _times(progress: Progress) -> RenderableType:
    spent = progress.phase_seconds()
    longest = max(spent.values(), default=0.0)
    table = Table.grid(*[Column(no_wrap=True) for _ in range(4)], padding=(0, 2))
    for phase, seconds in spent.items():
        table.add_row(
            Text("   " + progress.flow.phases[phase]),
            marks(progress, shown_nodes(progress, phase)),
            Text(duration(seconds), justify="right"),
            bar(seconds / longest if longest else 0.0, 16),
        )
    return table


def _outcome(progress: Progress, event: Ended) -> Iterator[RenderableType]:
    nodes = progress.flow.nodes
    skipped = ", ".join(nodes[n].label if n in nodes else n for n in event.skipped)
    documents = listed(event.counts.items())
    yield _facts(("documents", documents), ("skipped", skipped), ("untested", event.untested))
    if event.next_command and event.end != "PAUSED":
        yield _command("next", harmless(event.next_command), "bold cyan")


def failure_panel(progress: Progress, event: Failed) -> RenderableType:
    """The cause, the lines that support it, the fix, how to go on; a command has a line of its own."""
    where = progress.flow.nodes[event.node].label if event.node in progress.flow.nodes else event.node
    cause = f"{event.failure_class} / {event.subcause}" if event.subcause else event.failure_class
    rows: list[RenderableType] = [
        Rule(Text(harmless(f"{event.name.title()}: {where}"), "bold red"), style="red"),
        _facts(
            ("cause", f"{event.message} ({cause})"),
            *(("evidence" if not index else " " * 8, line) for index, line in enumerate(event.evidence)),
        ),
    ]
    if event.remedy:
        rows.append(_command("fix", harmless(event.remedy), "bold"))
    if isinstance(event, Paused):
        rows.append(_command("next", harmless(event.resume), "bold cyan"))
    return Group(*rows, Rule(style="red"))


def _command(name: str, text: str, style: str) -> Text:
    """One line however long it is: the terminal wraps it and still copies it whole."""
    line = Text.assemble((f"   {name:<11}", "dim"), (text, style))
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _facts(*pairs: tuple[str, str]) -> RenderableType:
    return facts((f"   {name:<9}", text) for name, text in pairs)
