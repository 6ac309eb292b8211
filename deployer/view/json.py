"""For programs: one JSON object a line for every event, and nothing else. The last one is `ended`."""

import json
from types import TracebackType
from typing import Self, TextIO

from deployer.events import Event
from deployer.view.stream import Lines


class JsonView:
    """Writes `Event.to_json` of each event to `stdout` as it happens."""

    def __init__(self, stdout: TextIO) -> None:
        self._lines = Lines(stdout)

    def __call__(self, event: Event) -> None:
        self._lines.write(json.dumps(event.to_json(), default=str))

    def settle(self) -> None:
        """Nothing is being drawn."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()
