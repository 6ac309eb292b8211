"""For programs: one JSON object a line for every event, and nothing else. The last one is `ended`."""

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from deployer.events import Event
from deployer.view.text import Lines


class JsonView:
    """Writes `Event.to_json` of each event to `stdout` as it happens, with its `time` (seconds, UTC)."""

    def __init__(self, stdout: TextIO, now: Callable[[], float] = time.time) -> None:
        self._lines, self._now = Lines(stdout), now

    def __call__(self, event: Event) -> None:
        fields = event.to_json()
        when = fields.pop("time", None)
        happened = {"event": fields.pop("event"), "time": self._now() if when is None else when}
        self._lines.write(json.dumps(happened | fields, default=str))

    def settle(self) -> None:
        """Nothing is being drawn."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()
