"""The flight recorder: what would be gone tomorrow is kept beside the journal, without secrets.

<command>.log        the output of tests, build and compose
source.json          commit, content, what differs from the commit
tools.json           versions of what the release was made with
task-definition.json what was registered or found the same, or would be registered
image-manifest.json  the image's manifest (or index), as the registry holds it
task-N.json          the N-th launch's task as ECS described it last
task-N.jsonl         its log, {"time", "text"} a line
probes.json          what was seen of the account, before the build and in CHECK_CONFIG
mongodb.json         what CHECK_ATLAS saw of the way to MongoDB from this machine
connectivity.json    the same from the job's own network
run-report.json      the run's own report, as the database holds it

What could not be had is a file as well: {"unknown": why}.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from deployer.ports import task_log
from deployer.redaction import Redactor

FOLDER: Final = "evidence"


class EvidenceFolder:
    """The files below one release's folder."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._folder = folder / FOLDER
        self._redactor = redactor

    def write(self, name: str, data: Any) -> None:
        """Writes `<name>.json`; an earlier one is replaced."""
        text = json.dumps(self._redactor.clean(data), default=str, indent=1, ensure_ascii=False)
        self._path(f"{name}.json").write_text(text + "\n", encoding="utf-8")

    def read(self, name: str) -> Any:
        """What `write` wrote under this name; None if it did not."""
        path = self._folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def lines(self, name: str) -> "LineFile":
        """A file that takes lines one by one, begun afresh."""
        return LineFile(self._path(name), self._redactor)

    def log(self, attempt: int, most: int) -> list[str]:
        """The last lines, `most` of them, of the task of that launch."""
        return [event["text"] for event in self._events(attempt)][-most:]

    def _events(self, attempt: int) -> Iterator[dict[str, Any]]:
        path = self._folder / task_log(attempt)
        if path.is_file():
            with path.open(encoding="utf-8") as file:
                yield from (json.loads(line) for line in file if line.endswith("\n"))

    def _path(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / name


class LineFile:
    """Takes lines and keeps the last ones at hand; a context manager."""

    KEPT: Final = 60

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.name = f"{FOLDER}/{path.name}"
        self.tail: tuple[str, ...] = ()
        self._redactor = redactor
        self._file: TextIO = path.open("w", encoding="utf-8")

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def line(self, text: str) -> None:
        self._write(self._redactor.text(text))

    def event(self, time: float, text: str) -> None:
        """One line of a task's log."""
        event = {"time": time, "text": self._redactor.text(text)}
        self._write(json.dumps(event, ensure_ascii=False))

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self.tail = (*self.tail[-self.KEPT + 1 :], line)
