"""As much of MongoDB's query and aggregation language as our checks use, over plain dictionaries."""

import datetime
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from deployer.ports import QueryRefused

Document = dict[str, Any]
MISSING = object()


def matches(document: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Fields and `$and`, `$or`, `$nor`. QueryRefused: an operator that is none (or none of ours)."""
    return all(_clause(document, key, wanted) for key, wanted in query.items())


def _clause(document: Mapping[str, Any], key: str, wanted: Any) -> bool:
    if key == "$and":
        return all(matches(document, part) for part in wanted)
    if key == "$or":
        return any(matches(document, part) for part in wanted)
    if key == "$nor":
        return not any(matches(document, part) for part in wanted)
    if key.startswith("$"):
        raise QueryRefused("mongodb", f"unknown top level operator: {key}")
    return _holds(value_at(document, key), wanted)


def _holds(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, Mapping) or not any(key.startswith("$") for key in wanted):
        return _same(value, wanted)
    return all(_operator(name)(value, operand) for name, operand in wanted.items())


def _operator(name: str) -> Callable[[Any, Any], bool]:
    if name not in _OPERATORS:
        raise QueryRefused("mongodb", f"unknown operator: {name}")
    return _OPERATORS[name]


def _same(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return value is MISSING or value is None
    return value is not MISSING and _rank(value) == _rank(wanted) and value == wanted


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Only values of the same kind compare: a string is neither above nor below a number."""
    return lambda value, bound: value is not MISSING and _rank(value) == _rank(bound) and test(value, bound)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _same,
    "$ne": lambda value, wanted: not _same(value, wanted),
    "$gt": _compared(lambda value, bound: value > bound),
    "$gte": _compared(lambda value, bound: value >= bound),
    "$lt": _compared(lambda value, bound: value < bound),
    "$lte": _compared(lambda value, bound: value <= bound),
    "$in": lambda value, wanted: any(_same(value, item) for item in wanted),
    "$nin": lambda value, wanted: not any(_same(value, item) for item in wanted),
    "$exists": lambda value, wanted: (value is not MISSING) == bool(wanted),
    "$not": lambda value, wanted: not _holds(value, wanted),
}


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, MISSING where there is none."""
    value: Any = document
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def aggregated(documents: Iterable[Document], pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
    """`$match`, `$group`, `$sort`, `$sample` (the first ones), `$facet`, `$limit`, `$count`, `$project`.
    QueryRefused: any other stage."""
    rows = list(documents)
    for stage in pipeline:
        ((name, operand),) = stage.items()
        if name not in _STAGES:
            raise QueryRefused("mongodb", f"Unrecognized pipeline stage name: '{name}'")
        rows = _STAGES[name](rows, operand)
    return rows


def _group(rows: list[Document], operand: Mapping[str, Any]) -> list[Document]:
    members: dict[str, list[Document]] = {}
    for row in rows:
        members.setdefault(repr(_evaluated(row, operand["_id"])), []).append(row)
    fields = {name: next(iter(spec.items())) for name, spec in operand.items() if name != "_id"}
    return [
        {"_id": _evaluated(group[0], operand["_id"])}
        | {
            name: _accumulated(kind, [_evaluated(row, of) for row in group])
            for name, (kind, of) in fields.items()
        }
        for group in members.values()
    ]


def _accumulated(kind: str, values: list[Any]) -> Any:
    if kind == "$first":
        return values[0]
    if kind == "$sum":
        return sum(value for value in values if isinstance(value, int | float))
    known = [value for value in values if value is not None]
    if kind in ("$min", "$max"):
        return (min if kind == "$min" else max)(known, key=_order, default=None)
    raise QueryRefused("mongodb", f"unknown group operator '{kind}'")


def _evaluated(row: Mapping[str, Any], expression: Any) -> Any:
    """`"$field"`, a table of such, or a constant; missing is None."""
    if isinstance(expression, Mapping):
        values = {key: value_at(row, inner[1:]) for key, inner in expression.items()}
        return {key: value for key, value in values.items() if value is not MISSING}
    if isinstance(expression, str) and expression.startswith("$"):
        value = value_at(row, expression[1:])
        return None if value is MISSING else value
    return expression


def _sort(rows: list[Document], operand: Mapping[str, int]) -> list[Document]:
    for field, direction in reversed(operand.items()):
        rows = sorted(rows, key=functools.partial(_field_order, field), reverse=direction < 0)
    return rows


def _field_order(field: str, row: Mapping[str, Any]) -> tuple[int, Any]:
    return _order(value_at(row, field))


def _project(rows: list[Document], operand: Mapping[str, str]) -> list[Document]:
    kept = {"_id": "$_id", **operand}
    values = ({name: value_at(row, path[1:]) for name, path in kept.items()} for row in rows)
    return [{name: value for name, value in row.items() if value is not MISSING} for row in values]


_STAGES: dict[str, Callable[[list[Document], Any], list[Document]]] = {
    "$match": lambda rows, query: [row for row in rows if matches(row, query)],
    "$group": _group,
    "$sort": _sort,
    "$facet": lambda rows, ways: [{name: aggregated(rows, way) for name, way in ways.items()}],
    "$sample": lambda rows, few: rows[: few["size"]],
    "$limit": lambda rows, number: rows[:number],
    "$count": lambda rows, name: [{name: len(rows)}] if rows else [],
    "$project": _project,
}
_KINDS: tuple[tuple[int, type | tuple[type, ...]], ...] = (
    (1, bool),
    (2, (int, float)),
    (3, str),
    (4, datetime.datetime),
    (5, Mapping),
    (6, list),
)


def _rank(value: Any) -> int:
    """The kind of a value; only values of one kind compare."""
    return next((rank for rank, kind in _KINDS if isinstance(value, kind)), 0)


def _order(value: Any) -> tuple[int, Any]:
    """Missing and null come first, as in MongoDB."""
    return (_rank(value), repr(value) if _rank(value) in (0, 5, 6) else value)
