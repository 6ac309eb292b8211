"""The evidence of a release: kept beside the journal, because tomorrow it is gone; without secrets.

<command>.log        the output of tests, build and compose
source.json          commit, content, changed files
inputs.json          what makes the image, file by file, and the digests of its base images
tools.json           versions of deployer, Python, git, Docker
task-definition.json the definition that was registered, found unchanged, or would be registered
image-manifest.json  the image's manifest (or index) in the registry
task-N.json          the task of the N-th launch, as ECS described it last
task-N.jsonl         its log, {"time", "text"} a line
task-N-NAME.log      the last lines of another container of it that failed
probes.json          the checks of the AWS account, before the build and in CHECK_CONFIG
mongodb.json         the MongoDB connectivity check of CHECK_ATLAS, from this machine
connectivity.json    the same, from the job's network
run-report.json      the run's own report

Evidence that could not be read is a file as well: {"unknown": why}.
"""

import json
import os
from collections import deque
from pathlib import Path
from typing import Any, Final, TextIO

from deployer.ports import task_log
from deployer.redaction import Redactor

FOLDER: Final = "evidence"
_PIECE: Final = 2**18
_AS_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode
"""Made once: a log has millions of lines."""


class EvidenceFolder:
    """The evidence folder of one release."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._folder = folder / FOLDER
        self._redactor = redactor

    def write(self, name: str, data: Any) -> None:
        """Writes `<name>.json`; an earlier one is replaced, by a whole one: the disk may be full."""
        text = json.dumps(self._redactor.clean(data), default=str, indent=1, ensure_ascii=False)
        path = self._path(f"{name}.json")
        new = path.with_name(f".{path.name}")
        try:
            new.write_text(text + "\n", encoding="utf-8")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)

    def read(self, name: str) -> Any:
        """The data that `write` wrote under this name; None: nothing."""
        path = self._folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def lines(self, name: str) -> "LineFile":
        """A new file for lines."""
        return LineFile(self._path(name), self._redactor)

    def text(self, name: str, most: int) -> list[str]:
        """The last `most` lines of `<name>.log`."""
        return [line.decode(errors="replace") for line in _last_lines(self._folder / f"{name}.log", most)]

    def log(self, attempt: int, most: int) -> list[str]:
        """The last `most` log lines of that launch's task."""
        return [json.loads(line)["text"] for line in _last_lines(self._folder / task_log(attempt), most)]

    def _path(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / name


def _last_lines(path: Path, most: int) -> list[bytes]:
    """The last complete lines of a file, read from its end: a log may have millions. No file is none."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        start, tail = file.seek(0, os.SEEK_END), b""
        while start and tail.count(b"\n") <= most:
            size = min(_PIECE, start)
            start = file.seek(start - size)
            tail = file.read(size) + tail
    lines = tail.split(b"\n")[:-1]
    return lines[-most:]


class LineFile:
    """Writes lines to a file and keeps the last ones in memory; a context manager."""

    KEPT: Final = 60

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.name = f"{FOLDER}/{path.name}"
        self._tail: deque[str] = deque(maxlen=self.KEPT)
        self._redactor = redactor
        self._file: TextIO = path.open("w", encoding="utf-8")

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def tail(self) -> tuple[str, ...]:
        return tuple(self._tail)

    def line(self, text: str) -> None:
        self._write(self._redactor.text(text))

    def event(self, time: float, text: str) -> None:
        """One line of a task's log."""
        self._write(_AS_JSON({"time": time, "text": self._redactor.text(text)}))

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._tail.append(line)
