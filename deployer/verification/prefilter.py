"""Cheap queries that may make the reads of checks unnecessary: if they find nothing, there are no offenders.

The conditions of several checks on the same documents are combined, in two halves that run in parallel, so
that a server with two processors reads a document twice instead of once for each check.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deployer.ports import Database, QueryRefused, TimeLimitReached
from deployer.verification.plan import Read, Violation
from deployer.verification.prepare import LARGE, Prepared

ALL_BUT: Final = 0.9
"""A query that matches more than this share of a large collection is left out: reading documents in the order
of storage costs less than fetching each through an index."""
COMMON: Final = 0.5
SAMPLE: Final = 100
A_FEW: Final = {"$sample": {"size": SAMPLE}}


@dataclass(frozen=True)
class Prefilter:
    """If no read finds a row, the checks with the numbers in `skips` have passed. `time_limit`: seconds."""

    reads: tuple[Read, ...]
    skips: tuple[int, ...]
    time_limit: float


def prefilters(
    prepared: Sequence[Prepared], database: Database, counts: Mapping[str, int]
) -> list[Prefilter]:
    """The prefilters of all checks, by their place in `prepared`. If no check may read all of a large
    collection, it is only read if an index serves the query of the checks."""
    asked = {number: item for number, item in enumerate(prepared) if not item.refusal}
    return [*_alone(asked), *_together(asked, database, counts)]


def _alone(asked: Mapping[int, Prepared]) -> Iterator[Prefilter]:
    for number, item in asked.items():
        if isinstance(item.plan.prefilter, Read):
            yield Prefilter((item.plan.prefilter,), (number,), item.check.time_limit)


def _together(
    asked: Mapping[int, Prepared], database: Database, counts: Mapping[str, int]
) -> Iterator[Prefilter]:
    alike: dict[str, dict[int, Violation]] = {}
    for number, item in asked.items():
        if isinstance(violation := item.plan.prefilter, Violation):
            alike.setdefault(repr((violation.collection, violation.query)), {})[number] = violation
    for violations in alike.values():
        checks = [asked[number].check for number in violations]
        one, *_ = violations.values()
        large = counts.get(one.collection, 0) > LARGE
        wanted = not large or any(check.allow_full_scan for check in checks)
        if wanted or not database.scans(one.collection, [{"$match": one.query}]):
            reads = tuple(_reads([*violations.values()], database, large=large))
            yield Prefilter(reads, tuple(violations), min(check.time_limit for check in checks))


def _reads(alike: Sequence[Violation], database: Database, *, large: bool) -> Iterator[Read]:
    collection, query = alike[0].collection, alike[0].query
    allowed = [item for violation in alike for item in violation.allowed.items()]
    conditions = [query, *({field: {"$exists": True}} for field, _ in allowed)]
    known = _shares(database, collection, conditions) if large else [0.0] * len(conditions)
    if known[0] > ALL_BUT:
        query = {}
    signs = [sign for violation in alike for sign in violation.signs]
    for (field, wanted), share in zip(allowed, known[1:], strict=True):
        signs.append(_common(field, wanted) if share > COMMON else _rare(field, wanted))
    for half in _halves(signs):
        match = {"$and": [query, {"$or": half}]} if query else {"$or": half}
        yield Read(collection, [{"$match": match}, {"$limit": 1}, {"$project": {"_id": "$_id"}}])


def _halves(signs: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Two halves of about the same work, assuming that a longer condition takes longer to check."""
    one: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []
    for sign in sorted(signs, key=lambda sign: -len(repr(sign))):
        min(one, other, key=lambda half: len(repr(half))).append(sign)
    return [half for half in (one, other) if half]


def _shares(database: Database, collection: str, conditions: Sequence[Mapping[str, Any]]) -> list[float]:
    """The estimated share of documents that match each condition, 0 to 1, from a random sample."""
    counted = {f"c{number}": [{"$match": one}, {"$count": "n"}] for number, one in enumerate(conditions)}
    try:
        rows = database.aggregate(collection, [A_FEW, {"$facet": counted}])
    except (TimeLimitReached, QueryRefused):
        rows = []
    found = rows[0] if rows else {}
    return [sum(row["n"] for row in found.get(name, ())) / SAMPLE for name in counted]


def _rare(field: str, allowed: Mapping[str, Any]) -> dict[str, Any]:
    """The field exists and has a wrong value. `_common` says the same; each begins with the condition that
    most documents do not meet, because access to a field is what costs."""
    return {field: {"$exists": True, "$not": allowed}}


def _common(field: str, allowed: Mapping[str, Any]) -> dict[str, Any]:
    return {"$nor": [{field: allowed}, {field: {"$exists": False}}]}
