"""A check ready to run: what it expects, the reads that it needs, and how their rows are judged.

Plans are pure: they depend only on `Facts`, so a kind of check is tested without a database.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final

from deployer.config.durations import seconds
from deployer.config.placeholders import utc

PARALLEL: Final = 4
"""Explains, and reads, that run at the same time."""
SHOWN: Final = 5
"""Offending documents named in a result."""
COUNTED: Final = 1000
"""Offending documents counted before a check stops."""

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DAY: Final = 86_400_000

Rows = list[Mapping[str, Any]]


class MisconfiguredError(ValueError):
    """A check that cannot run; `key` is its wrong setting."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Facts:
    """What is known before any check reads a document. `options` and `indexes` are by collection;
    a collection without options does not exist. `key` names the setting that needs a value."""

    run_id: str
    now: float
    report: Mapping[str, Any] | None = None
    baseline: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    indexes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why a collection may not be read, by its name."""
    report_collection: str | None = None
    later: bool = False
    """Not right after the run: growth since the baseline is no longer demanded, only that nothing is lost."""

    def order(self, collection: str, fields: Sequence[str]) -> dict[str, int] | None:
        """The sort order of an index that begins with these fields, in this order: `{field: 1 or -1}`.
        None: no such index contains every document."""
        wanted = list(fields)
        for index in self.indexes.get(collection, ()):
            begins = dict(islice(index["key"].items(), len(wanted)))
            if is_whole(index) and list(begins) == wanted and set(begins.values()) <= {1, -1}:
                return begins
        return None

    def value(self, key: str, name: str) -> Any:
        """The value of a placeholder: `RUN_ID`, `NOW`, `NOW-3d`, `REPORT.field`."""
        if name.startswith("REPORT."):
            return _harmless(key, name, self.reported(key, name.removeprefix("REPORT.")))
        moment = re.fullmatch(r"NOW(?:([+-])(.+))?", name)
        if moment is not None:
            shift = float(str(seconds(moment[2] or "0s")))
            return utc(self.now - shift if moment[1] == "-" else self.now + shift)
        if name == "RUN_ID" and self.run_id:
            return self.run_id
        raise MisconfiguredError(key, f"${{{name}}} has no value: no run is known")

    def reported(self, key: str, path: str) -> Any:
        """The report's value at a dotted path. MisconfiguredError: no report, or no such field in it."""
        if self.report is None:
            raise MisconfiguredError(key, "there is no report to compare with; set [verify.report]")
        value: Any = self.report
        for part in path.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise MisconfiguredError(
                    key, f"the run's report has no field {path!r}{_nearest(part, value)}"
                )
            value = value[part]
        return value

    def reported_number(self, key: str, path: str) -> int:
        value = self.reported(key, path)
        if isinstance(value, bool) or not isinstance(value, int):
            raise MisconfiguredError(key, f"the report's {path} is no whole number but {value!r}")
        return value


def _harmless(key: str, name: str, value: Any) -> Any:
    """A value of the report for a query: the job must not be able to change what a check asks."""
    values = value if isinstance(value, list) else [value]
    if any(not isinstance(one, _SCALARS) and type(one).__name__ not in _BSON_SCALARS for one in values):
        raise MisconfiguredError(
            key, f"${{{name}}} is no text, number or time and no list of them but {type(value).__name__}"
        )
    if "pipeline" in key and any(isinstance(one, str) and one.startswith("$") for one in values):
        raise MisconfiguredError(key, f"${{{name}}} begins with $: in a pipeline it is an expression")
    return value


_SCALARS: Final = (str, bool, int, float, datetime.datetime, type(None))
_BSON_SCALARS: Final = ("ObjectId", "Decimal128", "UUID")


def _nearest(part: str, table: object) -> str:
    known = [str(name) for name in table] if isinstance(table, Mapping) else []
    near = get_close_matches(part, known, n=1)
    return (
        f"; did you mean {near[0]!r}?" if near else f"; known there: {', '.join(sorted(known)) or 'nothing'}"
    )


@dataclass(frozen=True)
class Read:
    collection: str
    pipeline: list[dict[str, Any]]


@dataclass(frozen=True)
class Violation:
    """Describes offenders: documents of `collection` that match `query` and one of `signs`, or that have a
    field which does not match its condition in `allowed`."""

    collection: str
    query: Mapping[str, Any]
    signs: tuple[dict[str, Any], ...] = ()
    allowed: Mapping[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """`offending`: the first few documents or groups that are not as expected. `number`: how many documents
    the answer rests on; None: the kind of check does not say."""

    ok: bool
    found: str
    offending: tuple[str, ...] = ()
    number: int | None = None


@dataclass(frozen=True)
class Plan:
    """`judge` gets the rows of each read, in order. `prefilter` is cheaper: if it finds no row, the reads
    would find none either."""

    expected: str
    reads: tuple[Read, ...]
    judge: Callable[[Sequence[Rows]], Answer]
    prefilter: Read | Violation | None = None


def single(
    expected: str, read: Read, judge: Callable[[Rows], Answer], prefilter: Read | Violation | None = None
) -> Plan:
    """A plan with one read."""
    return Plan(expected, (read,), lambda results: judge(results[0]), prefilter)


def constant_plan(expected: str, answer: Answer) -> Plan:
    """A plan without reads: the facts decide."""
    return Plan(expected, (), lambda _: answer)


def passed(found: str, number: int | None = None) -> Answer:
    return Answer(ok=True, found=found, number=number)


def failed(found: str, offending: Iterable[str] = ()) -> Answer:
    return Answer(ok=False, found=found, offending=tuple(islice(offending, SHOWN)))


def no_offenders(offending: Iterable[str], what: str) -> Answer:
    """Passed if there are none; else `what`, their number, and the first few."""
    found = list(offending)
    if not found:
        return passed("none")
    return failed(f"{what}: {len(found)}" if len(found) <= COUNTED else f"{what}: at least {COUNTED}", found)


def by_day(fields: Sequence[str], time: str) -> dict[str, Any]:
    """A group key: `g0`, `g1`, ... of `fields`, and the `day` (UTC) of a time as a number since 1970. Half
    the work of `$dateTrunc`, but numbers count as milliseconds, and a text that is no number is an error."""
    groups = {f"g{number}": f"${field}" for number, field in enumerate(fields)}
    return {**groups, "day": {"$floor": {"$divide": [{"$toLong": f"${time}"}, _DAY]}}}


def format_value(value: Any) -> str:
    """A value of a document for people: times in ISO 8601, the rest as it is."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def refuses_repetition(index: Mapping[str, Any]) -> bool:
    """Whether an index makes two documents with the same key impossible. `listIndexes` does not call `_id_`
    unique."""
    return is_whole(index) and (bool(index.get("unique")) or index["name"] == "_id_")


def is_whole(index: Mapping[str, Any]) -> bool:
    """Whether the index contains every document: a partial or sparse one does not."""
    return not index.get("sparse") and "partialFilterExpression" not in index
