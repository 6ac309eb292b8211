"""Cheaper looks that may spare checks their own reading: where one finds nothing, they have no offenders.

What several checks say of the same documents is looked at together, in two halves side by side, so that a
server of two processors reads a document twice instead of once for each check.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deployer.ports import Database, QueryRefused, TimeLimitReached
from deployer.verification.plan import Read, Violation
from deployer.verification.prepare import LARGE, Prepared

ALL_BUT: Final = 0.9
"""A query that more of a large collection matches than this share is left out: the documents are read as they
are stored, which costs less than fetching each by an index."""
OFTEN: Final = 0.5
SAMPLE: Final = 100
A_FEW: Final = {"$sample": {"size": SAMPLE}}


@dataclass(frozen=True)
class Prefilter:
    """`reads` within `time_limit` seconds each; no row of any: the checks of these numbers have passed."""

    reads: tuple[Read, ...]
    spares: tuple[int, ...]
    time_limit: float


def proofs(prepared: Sequence[Prepared], database: Database, counts: Mapping[str, int]) -> list[Prefilter]:
    """Of all checks that are run and can be spared, by their place in `prepared`. A large collection of which
    no check reads all is only read where an index serves the query that they share."""
    asked = {number: item for number, item in enumerate(prepared) if not item.refusal}
    return [*_alone(asked), *_together(asked, database, counts)]


def _alone(asked: Mapping[int, Prepared]) -> Iterator[Prefilter]:
    for number, item in asked.items():
        if isinstance(item.plan.proof, Read):
            yield Prefilter((item.plan.proof,), (number,), item.check.time_limit)


def _together(
    asked: Mapping[int, Prepared], database: Database, counts: Mapping[str, int]
) -> Iterator[Prefilter]:
    alike: dict[str, dict[int, Violation]] = {}
    for number, item in asked.items():
        if isinstance(violation := item.plan.proof, Violation):
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
    right = [item for violation in alike for item in violation.right.items()]
    conditions = [query, *({field: {"$exists": True}} for field, _ in right)]
    known = _shares(database, collection, conditions) if large else [0.0] * len(conditions)
    if known[0] > ALL_BUT:
        query = {}
    signs = [sign for violation in alike for sign in violation.signs]
    for (field, wanted), share in zip(right, known[1:], strict=True):
        signs.append(_often(field, wanted) if share > OFTEN else _seldom(field, wanted))
    for half in _halves(signs):
        match = {"$and": [query, {"$or": half}]} if query else {"$or": half}
        yield Read(collection, [{"$match": match}, {"$limit": 1}, {"$project": {"_id": "$_id"}}])


def _halves(signs: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """About equally much work, taking it that what is longer to write takes longer to look for."""
    one: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []
    for sign in sorted(signs, key=lambda sign: -len(repr(sign))):
        min(one, other, key=lambda half: len(repr(half))).append(sign)
    return [half for half in (one, other) if half]


def _shares(database: Database, collection: str, conditions: Sequence[Mapping[str, Any]]) -> list[float]:
    """About which part of the documents meets each, 0 to 1, by a look at a few that are taken at random."""
    counted = {f"c{number}": [{"$match": one}, {"$count": "n"}] for number, one in enumerate(conditions)}
    try:
        rows = database.aggregate(collection, [A_FEW, {"$facet": counted}])
    except (TimeLimitReached, QueryRefused):
        rows = []
    found = rows[0] if rows else {}
    return [sum(row["n"] for row in found.get(name, ())) / SAMPLE for name in counted]


def _seldom(field: str, right: Mapping[str, Any]) -> dict[str, Any]:
    """A field that is there and not right. Both of these say it, and each begins with what most documents
    are spared the rest by: a look at a field is what costs."""
    return {field: {"$exists": True, "$not": right}}


def _often(field: str, right: Mapping[str, Any]) -> dict[str, Any]:
    return {"$nor": [{field: right}, {field: {"$exists": False}}]}
