"""Drift: what the newest run left, compared with the last good runs. Every check may pass though the data is
half of what it always was.

A value is unusual if it lies further from the median of the earlier ones than `tolerance` times their spread,
which is the MAD scaled to a standard deviation, and at least a twentieth of the median: robust against single
odd nights. Source: https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from deployer.config.checks import Drift
from deployer.ports import Database

FEWEST: Final = 5
"""Below so many earlier runs nothing is unusual."""
_GROUPS: Final = 500
_SCALE: Final = 1.4826
_LEAST: Final = 0.05

Measures = Mapping[str, float]


@dataclass(frozen=True)
class Unusual:
    """`earlier`: what the last good runs had, oldest first; `low` and `high` bound what would be usual."""

    name: str
    value: float
    earlier: tuple[float, ...]
    low: float
    high: float


def measure(database: Database, settings: Drift, run_id: str) -> Measures:
    """Of one run: its documents, those of each group, and of each field the share of documents without it,
    its lowest and its highest number."""
    stages: dict[str, Any] = {"n": {"$sum": 1}}
    for number, field in enumerate(settings.fields):
        given = {"$ifNull": [f"${field}", None]}
        value = {"$cond": [{"$isNumber": f"${field}"}, f"${field}", None]}
        stages[f"missing{number}"] = {"$sum": {"$cond": [{"$eq": [given, None]}, 1, 0]}}
        stages |= {f"low{number}": {"$min": value}, f"high{number}": {"$max": value}}
    of_run = {"$match": {settings.run_field: run_id}}
    answers = database.aggregate(settings.collection, [of_run, {"$group": {"_id": None, **stages}}])
    total = next(iter(answers), {"n": 0})
    found: dict[str, float] = {"documents": total["n"]}
    for number, field in enumerate(settings.fields):
        if found["documents"]:
            found[f"share without {field}"] = total[f"missing{number}"] / found["documents"]
        for which, what in (("low", "lowest"), ("high", "highest")):
            bound = total.get(f"{which}{number}")
            if bound is not None:
                found[f"{what} {field}"] = float(str(bound))
    if settings.group:
        by_group = {"$group": {"_id": f"${settings.group}", "n": {"$sum": 1}}}
        groups = database.aggregate(settings.collection, [of_run, by_group, {"$limit": _GROUPS}])
        found |= {f"documents of {settings.group} {group['_id']}": group["n"] for group in groups}
    return found


def unusual(
    now: Measures, earlier: Sequence[tuple[Measures, Sequence[str]]], tolerance: float
) -> Iterator[Unusual]:
    """`earlier`: the measures of good runs, oldest first, each with the names that a person has accepted
    then: what was before such a run no longer counts for that name. A group without documents has 0; one
    that is new is not unusual."""
    for name in dict.fromkeys(name for measures, _ in earlier for name in measures):
        since = max((n for n, (_, accepted) in enumerate(earlier) if name in accepted), default=0)
        values = [measures.get(name, _absent(name)) for measures, _ in earlier[since:]]
        known = [value for value in values if value is not None]
        value = now.get(name, _absent(name))
        if value is None or len(known) < FEWEST:
            continue
        middle = median(known)
        spread = max(_SCALE * median(abs(v - middle) for v in known), _LEAST * abs(middle), _floor(name))
        low, high = middle - tolerance * spread, middle + tolerance * spread
        if not low <= value <= high:
            yield Unusual(name, value, tuple(known), low, high)


def _absent(name: str) -> float | None:
    return 0.0 if name.startswith("documents") else None


def _floor(name: str) -> float:
    """A share of a hundredth, or one document, is no drift."""
    return 0.01 if name.startswith("share") else 1.0 if name.startswith("documents") else 1e-9
