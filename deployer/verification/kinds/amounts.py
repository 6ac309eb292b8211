"""How many documents there are: in all, in each group, by cadence, and how new."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from deployer.verification import durations
from deployer.verification.model import CompletenessCheck, CountCheck, FreshnessCheck, GroupsCheck
from deployer.verification.placeholders import utc
from deployer.verification.plan import (
    SHOWN,
    Answer,
    Facts,
    Misconfigured,
    Plan,
    Read,
    Rows,
    no_offenders,
    single,
    spelled,
)

Bound = tuple[str, int | None, int | None]
"""In words, the least and the most."""


def count(check: CountCheck, facts: Facts) -> Plan:
    before = facts.baseline.get(check.collection, 0)
    bounds = [*_absolute(check, facts), *_changes(check, facts, before)]

    def judge(rows: Rows) -> Answer:
        number = rows[0]["n"] if rows else 0
        ok = all((low is None or number >= low) and (high is None or number <= high) for _, low, high in bounds)
        changed = any(words.startswith("a change") for words, _, _ in bounds)
        return Answer(ok, f"{number} ({number - before:+d} since {before})" if changed else str(number))

    read = Read(check.collection, [{"$match": check.query}, {"$count": "n"}])
    return single(" and ".join(words for words, _, _ in bounds), read, judge)


def _absolute(check: CountCheck, facts: Facts) -> Iterator[Bound]:
    if check.exactly is not None:
        yield f"exactly {check.exactly}", check.exactly, check.exactly
    if check.at_least is not None:
        yield f"at least {check.at_least}", check.at_least, None
    if check.at_most is not None:
        yield f"at most {check.at_most}", None, check.at_most
    if check.equals_report is not None:
        number = facts.reported_number("equals-report", check.equals_report)
        yield f"{number} (the report's {check.equals_report})", number, number


def _changes(check: CountCheck, facts: Facts, before: int) -> Iterator[Bound]:
    if check.change_at_least is not None:
        yield f"a change of at least {check.change_at_least:+d}", before + check.change_at_least, None
    if check.change_at_most is not None:
        yield f"a change of at most {check.change_at_most:+d}", None, before + check.change_at_most
    if check.change_equals_report is not None:
        number = facts.reported_number("change-equals-report", check.change_equals_report)
        yield f"a change of {number:+d} (the report's {check.change_equals_report})", before + number, before + number


def groups(check: GroupsCheck, facts: Facts) -> Plan:
    promised = {spelled(value): check.at_least for value in check.present}
    exact: dict[str, int] = {}
    if check.present_in_report is not None:
        reported = facts.reported("present-in-report", check.present_in_report)
        if isinstance(reported, Mapping):
            exact = {str(name): int(number) for name, number in reported.items()}
        elif isinstance(reported, list):
            promised |= {spelled(value): check.at_least for value in reported}
        else:
            raise Misconfigured("present-in-report", f"{check.present_in_report} is neither a list nor a table")

    def wrong(found: Mapping[str, int]) -> Iterator[str]:
        for name in [*exact, *(name for name in promised if name not in exact)]:
            number, wanted = found.get(name, 0), exact.get(name, check.at_least)
            if number != wanted if name in exact else number < wanted:
                yield f"{name}: {number} of {wanted}"
        for name, number in found.items():
            if name not in exact and name not in promised and number < check.at_least:
                yield f"{name}: {number} of {check.at_least}"
            if check.at_most is not None and number > check.at_most:
                yield f"{name}: {number}, at most {check.at_most}"

    def judge(rows: Rows) -> Answer:
        found = {spelled(row["_id"]): int(row["n"]) for row in rows}
        offending = tuple(wrong(found))
        ok = not offending and (check.number is None or len(found) == check.number)
        return Answer(ok, _listed(found), offending[:SHOWN])

    pipeline: list[dict[str, Any]] = [
        {"$match": check.query},
        {"$group": {"_id": f"${check.by}", "n": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]
    return single(_groups_expected(check, promised, exact), Read(check.collection, pipeline), judge)


def _groups_expected(check: GroupsCheck, promised: Mapping[str, int], exact: Mapping[str, int]) -> str:
    parts = [f"{check.number} values of {check.by}"] if check.number is not None else []
    if exact:
        parts.append(f"the report's {check.present_in_report}: {_listed(exact)}")
    if promised:
        parts.append(f"each of {', '.join(promised)}")
    parts.append(f"at least {check.at_least} each" if check.at_most is None else f"{check.at_least}–{check.at_most} each")
    return ", ".join(parts)


def _listed(found: Mapping[str, int]) -> str:
    shown = [f"{name} {number}" for name, number in list(found.items())[:12]]
    more = [f"and {len(found) - 12} more"] if len(found) > 12 else []
    return ", ".join([*shown, *more]) or "no documents"


def completeness(check: CompletenessCheck, facts: Facts) -> Plan:
    def share(row: Mapping[str, Any]) -> float:
        """Readings there, of those promised from the group's first to its last, both included."""
        name = spelled(row["_id"])
        every = check.every if isinstance(check.every, float) else check.every.get(name, check.every.get("default"))
        if every is None or not isinstance(row["first"], datetime.datetime):
            return 0.0
        span = (row["last"] - row["first"]).total_seconds()
        return float(row["n"] / (span // every + 1))

    def judge(rows: Rows) -> Answer:
        shares = {spelled(row["_id"]): share(row) for row in rows}
        poor = [f"{name}: {part:.1%}" for name, part in shares.items() if part < check.at_least]
        least = min(shares.values(), default=0.0)
        found = f"{least:.1%} at least" if shares else "no documents"
        return Answer(bool(shares) and not poor, found, tuple(poor[:SHOWN]))

    field = f"${check.field}"
    group = {"_id": f"${check.by}", "n": {"$sum": 1}, "first": {"$min": field}, "last": {"$max": field}}
    read = Read(check.collection, [{"$match": check.query}, {"$group": group}, {"$sort": {"_id": 1}}])
    return single(f"{check.at_least:.1%} of the cadence's readings for each {check.by}", read, judge)


def freshness(check: FreshnessCheck, facts: Facts) -> Plan:
    oldest, words = _oldest_allowed(check, facts)

    def judge(rows: Rows) -> Answer:
        newest = {spelled(row["_id"]): row["newest"] for row in rows if row.get("newest") is not None}
        if not newest:
            return Answer(False, f"no document with {check.field}")
        stale = [
            f"{name}: {spelled(time)}"
            for name, time in newest.items()
            if not isinstance(time, datetime.datetime) or time < oldest
        ]
        if check.by is None:
            return Answer(not stale, ", ".join(spelled(time) for time in newest.values()))
        return no_offenders(stale, f"of {len(newest)} values of {check.by} are older")

    return single(f"{check.field} of {words} or later", Read(check.collection, _newest(check, facts)), judge)


def _oldest_allowed(check: FreshnessCheck, facts: Facts) -> tuple[datetime.datetime, str]:
    bounds: list[tuple[datetime.datetime, str]] = []
    if check.within is not None:
        oldest = utc(facts.now - check.within)
        bounds.append((oldest, f"{oldest.isoformat(timespec='seconds')} ({durations.spelled(check.within)} ago)"))
    if check.not_before_report is not None:
        value = facts.reported("not-before-report", check.not_before_report)
        if not isinstance(value, datetime.datetime):
            raise Misconfigured("not-before-report", f"the report's {check.not_before_report} is no time but {value!r}")
        bounds.append((value, f"{spelled(value)} (the report's {check.not_before_report})"))
    return max(bounds)


def _newest(check: FreshnessCheck, facts: Facts) -> list[dict[str, Any]]:
    """With an index on (by, field) the newest of each group is looked up, without it all are read."""
    match = {"$match": check.query}
    if check.by is None:
        newest = {"newest": f"${check.field}"}
        return [match, {"$sort": {check.field: -1}}, {"$limit": 1}, {"$project": newest}]
    order = [check.by, check.field]
    group = {"_id": f"${check.by}", "newest": {"$max": f"${check.field}"}}
    if any(list(index["key"])[:2] == order for index in facts.indexes.get(check.collection, ())):
        group["newest"] = {"$first": f"${check.field}"}
        return [match, {"$sort": dict.fromkeys(order, -1)}, {"$group": group}, {"$sort": {"_id": 1}}]
    return [match, {"$group": group}, {"$sort": {"_id": 1}}]
