"""One picture of a release that fits a terminal: the flow, as open as the height allows, and the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from deployer.view.board import Board
from deployer.view.rows import cut, header_row, node_rows, phase_row

_WIDE: Final = 110
"""Columns from which the log stands beside the flow and not under it."""
_FLOW_WIDTH: Final = 60
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

    def draw(self, board: Board) -> Frame:
        """The last column and row stay free, so that nothing wraps or scrolls by itself."""
        columns, height = max(self.width - 1, 20), max(self.height - 1, 3)
        if columns >= _WIDE:
            rows = self._rows(board, _FLOW_WIDTH, height)
            return Frame(rows, _FLOW_WIDTH, height, columns - _FLOW_WIDTH - 3, beside=True)
        rows = self._rows(board, columns, height - min(_LOG_ROWS, height // 3))
        return Frame(rows, columns, max(height - len(rows) - 1, 0), columns, beside=False)

    def _rows(self, board: Board, width: int, height: int) -> tuple[Text, ...]:
        """As many phases opened as fit: the current one, then those before it, then those to come."""
        phases = list(board.flow.phases)
        here = phases.index(board.phase_of(board.current)) if board.current else 0
        opened: set[str] = set()
        rows: list[Text] = []
        for phase in [phases[here], *reversed(phases[:here]), *phases[here + 1 :]]:
            wanted = self._phases(board, width, opened | {phase})
            if len(wanted) <= height:
                opened, rows = opened | {phase}, wanted
        return tuple(rows or self._smallest(board, width)[:height])

    def _phases(self, board: Board, width: int, opened: set[str]) -> list[Text]:
        rows = [header_row(board, width)]
        for phase in board.flow.phases:
            nodes = _shown(board, phase)
            rows.append(phase_row(board, phase, [] if phase in opened else nodes, width, self.tick))
            if phase in opened:
                rows += [row for node in nodes for row in node_rows(board, node, width, self.tick)]
        return rows

    def _smallest(self, board: Board, width: int) -> list[Text]:
        rows = [header_row(board, width)]
        if board.current:
            phase = board.phase_of(board.current)
            rows.append(phase_row(board, phase, _shown(board, phase), width, self.tick))
            rows += node_rows(board, board.current, width, self.tick)
        return rows


def _shown(board: Board, phase: str) -> list[str]:
    """The phase's nodes that are on the way, and of the others those that the walk has come to."""
    return [
        node
        for node in board.nodes_of(phase)
        if node != board.flow.start and (node in board.course.way or board.spots[node].mark != "pending")
    ]
