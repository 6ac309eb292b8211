"""The number of documents, and the time of the newest."""

import datetime
from collections.abc import Iterator
from typing import Any, NamedTuple

from deployer.config import durations
from deployer.config.checks import CountCheck, FreshnessCheck
from deployer.config.placeholders import utc
from deployer.verification.plan import (
    Answer,
    Facts,
    MisconfiguredError,
    Plan,
    Read,
    Rows,
    failed,
    format_value,
    passed,
    single,
)


class _Bound(NamedTuple):
    words: str
    least: int | None = None
    most: int | None = None


def count(check: CountCheck, facts: Facts) -> Plan:
    before = facts.baseline.get(check.collection, 0)
    absolute, change = list(_absolute(check, facts)), list(_change(check, facts, before))

    def judge(rows: Rows) -> Answer:
        number = rows[0]["n"] if rows else 0
        found = f"{number} ({number - before:+d} since {before})" if change else str(number)
        rests_on = number - before if change else number
        return (
            passed(found, rests_on)
            if all(_holds(bound, number) for bound in absolute + change)
            else failed(found)
        )

    words = " and ".join(bound.words for bound in absolute + change)
    return single(words, Read(check.collection, [{"$match": check.query}, {"$count": "n"}]), judge)


def _holds(bound: _Bound, number: int) -> bool:
    enough = bound.least is None or number >= bound.least
    return enough and (bound.most is None or number <= bound.most)


def _absolute(check: CountCheck, facts: Facts) -> Iterator[_Bound]:
    if check.exactly is not None:
        yield _Bound(f"exactly {check.exactly}", check.exactly, check.exactly)
    if check.at_least is not None:
        yield _Bound(f"at least {check.at_least}", least=check.at_least)
    if check.at_most is not None:
        yield _Bound(f"at most {check.at_most}", most=check.at_most)
    if check.equals_report is not None:
        number = facts.reported_number("equals-report", check.equals_report)
        yield _Bound(f"{number} (the report's {check.equals_report})", number, number)
    if check.at_least_report is not None:
        number = facts.reported_number("at-least-report", check.at_least_report)
        yield _Bound(f"at least {number} (the report's {check.at_least_report})", least=number)


def _change(check: CountCheck, facts: Facts, before: int) -> Iterator[_Bound]:
    if check.change_at_least is not None:
        change = min(check.change_at_least, 0) if facts.later else check.change_at_least
        yield _Bound(f"a change of at least {change:+d}", least=before + change)
    if check.change_at_most is not None:
        yield _Bound(f"a change of at most {check.change_at_most:+d}", most=before + check.change_at_most)
    if check.change_equals_report is not None:
        number = facts.reported_number("change-equals-report", check.change_equals_report)
        words = f"a change of {number:+d} (the report's {check.change_equals_report})"
        yield _Bound(words, before + number, before + number)


def freshness(check: FreshnessCheck, facts: Facts) -> Plan:
    oldest, words = _oldest_allowed(check, facts)

    def judge(rows: Rows) -> Answer:
        newest = {format_value(row["_id"]): row["newest"] for row in rows if row.get("newest") is not None}
        stale = [
            f"{name}: {format_value(time)}" for name, time in newest.items() if not _is_since(time, oldest)
        ]
        if not newest:
            return failed(f"no document with {check.field}")
        groups = f" and newer, for {len(newest)} values of {check.by}" if check.by else ""
        found = format_value(min(newest.values(), key=format_value)) + groups
        return failed(found, stale) if stale else passed(found, len(newest))

    return single(f"{check.field} of {words} or later", Read(check.collection, _newest(check, facts)), judge)


def _is_since(value: Any, oldest: datetime.datetime) -> bool:
    return isinstance(value, datetime.datetime) and value >= oldest


def _oldest_allowed(check: FreshnessCheck, facts: Facts) -> tuple[datetime.datetime, str]:
    bounds: list[tuple[datetime.datetime, str]] = []
    if check.max_age is not None:
        oldest = utc(facts.now - check.max_age)
        bounds.append(
            (oldest, f"{oldest.isoformat(timespec='seconds')} ({durations.spelled(check.max_age)} ago)")
        )
    if check.not_before_report is not None:
        key, path = "not-before-report", check.not_before_report
        value = facts.reported(key, path)
        if not isinstance(value, datetime.datetime):
            raise MisconfiguredError(key, f"the report's {path} is no time but {value!r}")
        bounds.append((value, f"{format_value(value)} (the report's {path})"))
    return max(bounds)


def _newest(check: FreshnessCheck, facts: Facts) -> list[dict[str, Any]]:
    """With an index on (by, field) only the newest of each group is read, without it all documents."""
    match = {"$match": check.query}
    if check.by is None:
        newest = {"newest": f"${check.field}"}
        return [match, {"$sort": {check.field: -1}}, {"$limit": 1}, {"$project": newest}]
    order = facts.order(check.collection, (check.by, check.field)) or {}
    group = {"_id": f"${check.by}", "newest": {"$max": f"${check.field}"}}
    if len(set(order.values())) == 1:
        group["newest"] = {"$first": f"${check.field}"}
        return [match, {"$sort": dict.fromkeys(order, -1)}, {"$group": group}, {"$sort": {"_id": 1}}]
    return [match, {"$group": group}, {"$sort": {"_id": 1}}]
