"""What `deployer logs` prints: lines for people, or one JSON object a line."""

import json
import re
from collections.abc import Callable
from typing import Any

from deployer.logs import render
from deployer.logs.request import TailRequest
from deployer.release.ports import LogEvent
from deployer.release.state import TaskResult

Write = Callable[[str], None]


class Output:
    """`write` gets the log's lines, `note` what is said about them (JSON puts both on `write`)."""

    def __init__(
        self, request: TailRequest, write: Write, note: Write, pattern: re.Pattern[str] | None
    ) -> None:
        self.lines = 0
        self.oldest: float | None = None
        self._as_json, self._style = request.output == "json", request.style
        self._write, self._note, self._pattern = write, note, pattern

    def event(self, event: LogEvent, task: str, label: str) -> None:
        """`label` tells the task's lines apart from others'; empty where there are no others."""
        if self.oldest is None:
            self.oldest = event.time
        if self._pattern and not self._pattern.search(event.text):
            return
        self.lines += 1
        if self._as_json:
            self._json("log", time=event.time, task=task, text=event.text)
        else:
            self._write(render.line(event, self._style, label))

    def note(self, text: str) -> None:
        if self._as_json:
            self._json("note", text=text)
        else:
            self._note(text)

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
        self._note(f"task {task}: {code}{reason}")

    def over(self, exit_code: int) -> None:
        if self._as_json:
            self._json("ended", exit_code=exit_code, lines=self.lines)

    def _json(self, event: str, **values: Any) -> None:
        self._write(json.dumps({"event": event, **values}, ensure_ascii=False))
