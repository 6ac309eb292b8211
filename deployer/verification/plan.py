"""A check made ready to run: what it expects, the reads that it needs, and how their rows are judged.

Plans are pure: they see only `Facts`, so a kind of check is tested without a database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

SHOWN: Final = 5
"""Offending documents named in a result."""
COUNTED: Final = 1000
"""Offending documents counted before a check stops looking."""

Rows = list[Mapping[str, Any]]


class Misconfigured(ValueError):
    """A check that cannot be asked; `key` is the setting of it that is wrong."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Facts:
    """What is known before any check reads a document. `options` and `indexes` are by collection;
    a collection without options does not exist."""

    run_id: str
    now: float
    report: Mapping[str, Any] | None = None
    baseline: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    indexes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def reported(self, key: str, path: str) -> Any:
        """The report's value at the dotted `path`. Misconfigured: no report is kept, or it has no such field."""
        if self.report is None:
            raise Misconfigured(key, "there is no report to compare with; set verify.report")
        value: Any = self.report
        for part in path.split("."):
            if not isinstance(value, Mapping) or part not in value:
                known = [str(name) for name in value] if isinstance(value, Mapping) else []
                near = get_close_matches(part, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)) or 'nothing'}"
                raise Misconfigured(key, f"the run's report has no field {path!r}; {hint}")
            value = value[part]
        return value

    def reported_number(self, key: str, path: str) -> int:
        value = self.reported(key, path)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misconfigured(key, f"the report's {path} is no whole number but {value!r}")
        return value


@dataclass(frozen=True)
class Read:
    collection: str
    pipeline: list[dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    ok: bool
    found: str
    offending: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`judge` is given the rows of each read, in order."""

    expected: str
    reads: tuple[Read, ...]
    judge: Callable[[Sequence[Rows]], Answer]


def single(expected: str, read: Read, judge: Callable[[Rows], Answer]) -> Plan:
    """A plan with one read."""
    return Plan(expected, (read,), lambda rows: judge(rows[0]))


def no_offenders(offending: Iterable[str], what: str) -> Answer:
    """Right if nothing offends; else how many do, and the first few. `what`: "documents with ..."."""
    found = list(offending)
    if not found:
        return Answer(True, "none")
    number = f"at least {COUNTED}" if len(found) > COUNTED else str(len(found))
    return Answer(False, f"{number} {what}", tuple(found[:SHOWN]))


def spelled(value: Any) -> str:
    """A value of a document as a person reads it: times in ISO 8601, the rest as it is."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
