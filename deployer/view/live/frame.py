"""One picture of a release that fits a terminal: the flow, as open as the height allows, and the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from deployer.view.live.progress import Progress
from deployer.view.live.rows import cut, header_row, node_rows, phase_row, shown_nodes

_WIDE: Final = 110
"""Columns from which the log stands beside the flow and not under it."""
_FLOW_WIDTH: Final = 80
_LOG_ROWS: Final = 7
"""Rows that the log keeps where it stands under the flow."""


@dataclass(frozen=True)
class Frame:
    """`rows` of the flow, `width` cells each; `room` log lines of `log_width` cells fit with them."""

    rows: tuple[Text, ...]
    width: int
    room: int
    log_width: int
    beside: bool

    def with_log(self, log: Sequence[Text]) -> Text:
        """The whole picture; `log` has at most `room` lines."""
        shown = [cut(line, self.log_width) for line in log]
        if not shown:
            return Text("\n").join(self.rows)
        if not self.beside:
            return Text("\n").join([*self.rows, Text("─" * self.width, "dim"), *shown])
        height = max(len(self.rows), len(shown))
        left = [*self.rows, *[Text()] * (height - len(self.rows))]
        right = [*shown, *[Text()] * (height - len(shown))]
        return Text("\n").join(
            Text.assemble(cut(row, self.width, pad=True), (" │ ", "dim"), line)
            for row, line in zip(left, right, strict=True)
        )


@dataclass(frozen=True)
class Canvas:
    """A terminal of `width` columns and `height` rows; `tick` turns the spinner, None leaves it still."""

    width: int
    height: int
    tick: int | None = None

    def draw(self, progress: Progress) -> Frame:
        """The last column and row stay free, so that nothing wraps or scrolls by itself."""
        columns, height = max(self.width - 1, 20), max(self.height - 1, 3)
        if columns >= _WIDE:
            width = min(columns // 2, _FLOW_WIDTH)
            rows = self._rows(progress, width, height)
            return Frame(rows, width, height, columns - width - 3, beside=True)
        rows = self._rows(progress, columns, height - min(_LOG_ROWS, height // 3))
        return Frame(rows, columns, max(height - len(rows) - 1, 0), columns, beside=False)

    def _rows(self, progress: Progress, width: int, height: int) -> tuple[Text, ...]:
        """As many phases opened as fit: the current one, then those before it, then those to come."""
        phases = list(progress.flow.phases)
        here = phases.index(progress.phase_of(progress.current)) if progress.current else 0
        blocks = {
            phase: [self._title(progress, phase, shown_nodes(progress, phase), width)] for phase in phases
        }
        left, opened = height - 1 - len(phases), False
        for phase in [phases[here], *reversed(phases[:here]), *phases[here + 1 :]]:
            block = self._opened(progress, phase, width)
            left -= len(block) - 1
            if left < 0:
                break
            blocks[phase], opened = block, True
        if not opened:
            return tuple(self._smallest(progress, width)[:height])
        return (header_row(progress, width), *(row for block in blocks.values() for row in block))

    def _title(self, progress: Progress, phase: str, nodes: Sequence[str], width: int) -> Text:
        return phase_row(progress, phase, nodes, width, self.tick)

    def _opened(self, progress: Progress, phase: str, width: int) -> list[Text]:
        nodes = shown_nodes(progress, phase)
        rows = [row for node in nodes for row in node_rows(progress, node, width, self.tick)]
        return [self._title(progress, phase, (), width), *rows]

    def _smallest(self, progress: Progress, width: int) -> list[Text]:
        rows = [header_row(progress, width)]
        if progress.current:
            phase = progress.phase_of(progress.current)
            rows.append(self._title(progress, phase, shown_nodes(progress, phase), width))
            rows += node_rows(progress, progress.current, width, self.tick)
        return rows
