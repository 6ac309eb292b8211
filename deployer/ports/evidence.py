"""What is kept of a release beside its journal: what would be gone tomorrow."""

from typing import Any, Protocol


class LineLog(Protocol):
    """A log that is being kept, line by line; a context manager that closes it."""

    name: str
    tail: tuple[str, ...]

    def __enter__(self) -> "LineLog": ...

    def __exit__(self, *raised: object) -> None: ...

    def line(self, text: str) -> None: ...

    def event(self, time: float, text: str) -> None:
        """One line of a task's log; `time` in seconds since 1970."""


class EvidenceStore(Protocol):
    """The evidence of one release. What is written is redacted first."""

    def write(self, name: str, data: Any) -> None:
        """Keeps JSON data under this name; an earlier value is replaced."""

    def read(self, name: str) -> Any:
        """What `write` kept under this name; None if nothing."""

    def lines(self, name: str) -> LineLog:
        """A log that starts empty."""

    def text(self, name: str, most: int) -> list[str]:
        """The last `most` lines of `<name>.log`; none where there is no such file."""

    def log(self, attempt: int, most: int) -> list[str]:
        """The last `most` lines of the task of that launch."""


def task_name(attempt: int) -> str:
    """The name that the task of that launch is kept under."""
    return f"task-{attempt}"


def task_log(attempt: int) -> str:
    """The file that its log is kept in."""
    return f"{task_name(attempt)}.jsonl"
