"""The evidence of a release: kept beside its journal, because tomorrow it is gone."""

from typing import Any, Protocol


class LineLog(Protocol):
    """A log that is being written, line by line; a context manager that closes it."""

    name: str

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines."""

    def __enter__(self) -> "LineLog": ...

    def __exit__(self, *raised: object) -> None: ...

    def line(self, text: str) -> None: ...

    def event(self, time: float, text: str) -> None:
        """One line of a task's log; `time` in seconds since 1970."""


class EvidenceStore(Protocol):
    """The evidence of one release. Everything is redacted before it is written."""

    def write(self, name: str, data: Any) -> None:
        """Writes JSON data under this name; replaces an earlier value."""

    def read(self, name: str) -> Any:
        """The data that `write` wrote under this name; None: nothing."""

    def lines(self, name: str) -> LineLog:
        """A new, empty log."""

    def text(self, name: str, most: int) -> list[str]:
        """The last `most` lines of `<name>.log`; none where there is no such file."""

    def log(self, attempt: int, most: int) -> list[str]:
        """The last `most` log lines of that launch's task."""


def task_name(attempt: int) -> str:
    """The name of the evidence of that launch's task."""
    return f"task-{attempt}"


def task_log(attempt: int) -> str:
    """The file of its log."""
    return f"{task_name(attempt)}.jsonl"
