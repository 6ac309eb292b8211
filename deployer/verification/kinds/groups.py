"""The groups, the number of documents in each, and the share of the expected readings."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deployer.config.checks import CompletenessCheck, GroupsCheck
from deployer.verification.plan import (
    EPOCH,
    Answer,
    Facts,
    MisconfiguredError,
    Plan,
    Read,
    Rows,
    by_day,
    failed,
    format_value,
    passed,
    single,
)

_LISTED: Final = 12


def groups(check: GroupsCheck, facts: Facts) -> Plan:
    wanted = _promised(check, facts)

    def judge(rows: Rows) -> Answer:
        found = {format_value(row["_id"]): int(row["n"]) for row in rows}
        offending = list(_offending(check, wanted, found))
        miscounted = check.number is not None and len(found) != check.number
        text = f"{len(found)}: {_listed(found)}"
        return failed(text, offending) if offending or miscounted else passed(text, sum(found.values()))

    group = {"_id": f"${check.by}", "n": {"$sum": 1}}
    read = Read(check.collection, [{"$match": check.query}, {"$group": group}, {"$sort": {"_id": 1}}])
    return single(_expected(check, wanted), read, judge)


def _promised(check: GroupsCheck, facts: Facts) -> dict[str, int | None]:
    """Each required value, with its exact number of documents if the report has one."""
    wanted: dict[str, int | None] = {format_value(value): None for value in check.present}
    if check.present_in_report is None:
        return wanted
    reported = facts.reported("present-in-report", check.present_in_report)
    if isinstance(reported, Mapping) and all(isinstance(number, int) for number in reported.values()):
        return wanted | {str(value): number for value, number in reported.items()}
    if isinstance(reported, list):
        return wanted | {format_value(value): None for value in reported}
    text = f"the report's {check.present_in_report} is neither a list of values nor a table of numbers"
    raise MisconfiguredError("present-in-report", text)


def _offending(
    check: GroupsCheck, wanted: Mapping[str, int | None], found: Mapping[str, int]
) -> Iterator[str]:
    for value in {**wanted, **found}:
        number, exact = found.get(value, 0), wanted.get(value)
        if exact is not None and number != exact:
            yield f"{value}: {number}, not {exact}"
        elif number < check.at_least:
            yield f"{value}: {number}, at least {check.at_least}"
        elif check.at_most is not None and number > check.at_most:
            yield f"{value}: {number}, at most {check.at_most}"


def _expected(check: GroupsCheck, wanted: Mapping[str, int | None]) -> str:
    values = f"{check.number} values of {check.by}" if check.number is not None else f"{check.by}"
    named = ", ".join(value if number is None else f"{value} {number}" for value, number in wanted.items())
    most = f", at most {check.at_most}" if check.at_most is not None else ""
    return f"{values}{': ' if named else ''}{named}; at least {check.at_least}{most} of each"


def _listed(found: Mapping[str, int]) -> str:
    shown = [f"{value} {number}" for value, number in list(found.items())[:_LISTED]]
    more = [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
    return ", ".join([*shown, *more]) or "no documents"


def completeness(check: CompletenessCheck, facts: Facts) -> Plan:
    def judge(rows: Rows) -> Answer:
        shares = {
            format_value(row["_id"]): row["n"] / row["promised"] if row["promised"] else 0.0 for row in rows
        }
        poor = [f"{value}: {share:.1%}" for value, share in shares.items() if share < check.at_least]
        if not shares:
            return failed("no documents")
        found = f"{min(shares.values()):.1%} and more"
        return failed(found, poor) if poor else passed(found, sum(row["n"] for row in rows))

    expected = f"{check.at_least:.1%} of the readings expected at the interval of each {check.by}"
    return single(expected, Read(check.collection, _completeness(check, facts)), judge)


def _completeness(check: CompletenessCheck, facts: Facts) -> list[dict[str, Any]]:
    """Rows of `{_id, n, promised}`. Readings are expected from the first to the last, both included, and none
    of a group without an interval. Without a query, an index may contain all fields that are needed.
    """
    by, field = f"${check.by}", f"${check.field}"
    order = None if check.query else facts.order(check.collection, (check.by, check.field))
    key = by_day([check.by], check.field) if check.per == "day" else {"g0": by}
    spans = {"_id": key, "n": {"$sum": 1}, "first": {"$min": field}, "last": {"$max": field}}
    known = [
        {"case": {"$eq": ["$_id.g0", value]}, "then": seconds * 1000}
        for value, seconds in check.interval.items()
        if value != "default"
    ]
    default = check.interval["default"] * 1000 if "default" in check.interval else None
    cadence = {"$switch": {"branches": known, "default": default}} if known else default
    length = {"$subtract": [{"$subtract": ["$last", EPOCH]}, {"$subtract": ["$first", EPOCH]}]}
    steps = {"$floor": {"$divide": [length, cadence]}}
    promised = {"$sum": {"$add": [steps, 1]}}
    return [
        {"$sort": order} if order else {"$match": check.query},
        {"$group": spans},
        {"$group": {"_id": "$_id.g0", "n": {"$sum": "$n"}, "promised": promised}},
        {"$sort": {"_id": 1}},
    ]
