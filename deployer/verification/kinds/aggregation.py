"""The project's own aggregations and their expected rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.config.checks import AggregationCheck, ReconcileCheck
from deployer.verification.plan import SHOWN, Answer, Plan, Read, Rows, failed, format_value, passed, single

MOST_ROWS: Final = 100_000
"""A reconciliation compares at most this many rows."""


def aggregation(check: AggregationCheck) -> Plan:
    def judge(rows: Rows) -> Answer:
        if len(rows) == len(check.expected) and all(map(_holds, check.expected, rows)):
            return passed(_rows(rows), len(rows))
        return failed(_rows(rows), (format_value(row["_id"]) for row in rows if row.get("_id") is not None))

    pipeline = [*check.pipeline, {"$limit": len(check.expected) + SHOWN}]
    return single(_rows(check.expected), Read(check.collection, pipeline), judge)


def _holds(expected: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Every expected field has its value; other fields do not matter."""
    return all(key in row and row[key] == value for key, value in expected.items())


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    shown = [", ".join(f"{key}: {format_value(value)}" for key, value in row.items()) for row in rows[:SHOWN]]
    more = ["..."] if len(rows) > SHOWN else []
    return ", ".join([*(f"{{{row}}}" for row in shown), *more]) or "no rows"


def reconcile(check: ReconcileCheck) -> Plan:
    def judge(results: Sequence[Rows]) -> Answer:
        if max(map(len, results)) > MOST_ROWS:
            return failed(f"more than {MOST_ROWS} rows; aggregate further")
        here, there = ({format_value(row.get("_id")): row for row in rows} for rows in results)
        different = list(_differences(here, there, check.tolerance))
        found = f"{len(here)} and {len(there)} rows, {len(different)} differ"
        return failed(found, different) if different else passed(found, len(here))

    expected = f"the same rows in {check.collection} and {check.other_collection}"
    expected += f", within {check.tolerance}" if check.tolerance else ""
    limit = {"$limit": MOST_ROWS + 1}
    here = Read(check.collection, [*check.pipeline, limit])
    there = Read(check.other_collection, [*check.other_pipeline, limit])
    return Plan(expected, (here, there), judge)


def _differences(
    here: Mapping[str, Mapping[str, Any]], there: Mapping[str, Mapping[str, Any]], tolerance: float
) -> Iterator[str]:
    for name in sorted(here.keys() | there.keys()):
        one, other = here.get(name), there.get(name)
        if one is None or other is None:
            yield f"{name} only in the {'first' if other is None else 'second'}"
            continue
        for key in sorted((one.keys() | other.keys()) - {"_id"}):
            if not _equal(one.get(key), other.get(key), tolerance):
                yield f"{name}: {key} {format_value(one.get(key))} and {format_value(other.get(key))}"


def _equal(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= tolerance
    return bool(one == other)
