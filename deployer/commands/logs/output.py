"""What `deployer logs` prints: lines for people, or one JSON object a line."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deployer.commands.logs.request import TailRequest
from deployer.model import TaskResult
from deployer.view import log_lines

Write = Callable[[str], None]


def at_once() -> None:
    """For a `write` that keeps nothing back."""


@dataclass(frozen=True)
class Screen:
    """`write` gets the log's lines, and may keep them until `flush`; `note` what is said about them."""

    write: Write
    note: Write
    flush: Callable[[], None] = at_once


class Output:
    """JSON puts lines and notes on `write`."""

    def __init__(self, request: TailRequest, screen: Screen, pattern: re.Pattern[str] | None) -> None:
        self.lines = 0
        self.oldest: float | None = None
        self._as_json, self._style = request.output == "json", request.style
        self._screen, self._write, self._pattern = screen, screen.write, pattern

    def event(self, time: float, text: str, task: str, label: str) -> None:
        """`label` tells the task's lines apart from others'; empty where there are no others."""
        if self.oldest is None:
            self.oldest = time
        if self._pattern and not self._pattern.search(text):
            return
        self.lines += 1
        if self._as_json:
            self._json("log", time=time, task=task, text=text)
        else:
            self._write(log_lines.line(time, text, self._style, label))

    def note(self, text: str) -> None:
        if self._as_json:
            self._json("note", text=text)
        else:
            self._say(text)

    def ended(self, task: str, result: TaskResult) -> None:
        """The task's exit code, as a line."""
        if self._as_json:
            self._json(
                "task-ended",
                task=task,
                exit_code=result.exit_code,
                stop_code=result.stop_code,
                stopped_reason=result.stopped_reason,
            )
            return
        code = "no exit code" if result.exit_code is None else f"exit code {result.exit_code}"
        reason = f" ({result.stopped_reason})" if result.stopped_reason else ""
        self._say(f"task {task}: {code}{reason}")

    def over(self, exit_code: int) -> None:
        if self._as_json:
            self._json("ended", exit_code=exit_code, lines=self.lines)

    def flush(self) -> None:
        self._screen.flush()

    def _say(self, text: str) -> None:
        """After the lines that came before it, also where both go into one file."""
        self._screen.flush()
        self._screen.note(text)

    def _json(self, event: str, **values: Any) -> None:
        self._write(json.dumps({"event": event, **values}))
