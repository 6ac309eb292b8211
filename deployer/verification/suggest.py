"""Proposes a contract from what a run left: the shape of the documents, not their extremes.

An exact minimum or maximum is tomorrow's false alarm. Every proposal is run on all of today's data before it
is shown; one that does not hold is left out, with the reason.
"""

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from deployer.config.checks import Check
from deployer.errors import UsageError
from deployer.ports import Database, QueryRefused, TimeLimitReached
from deployer.verification.profile import KNOWN_TYPES, FieldProfile, at_least_share, flat, profiles
from deployer.verification.run import VerifyContext, verify

SAMPLE: Final = 2000
_COLLECTIONS: Final = 6
_SURE: Final = 0.95
"""A field is called required if at least this share of all documents has it, with 95 % confidence."""
_CATEGORIES: Final = 12
_KEYS_SEEN: Final = 30
"""Documents that must differ in a key before it is called unique."""
_REPEATED: Final = 5
_HOUR: Final = 3600.0
_RECENT: Final = 7 * 24 * _HOUR
_CHECK: Final[TypeAdapter[Check]] = TypeAdapter(Check)


@dataclass(frozen=True)
class Suggestion:
    """One check, as deploy.toml spells it, and what speaks for it."""

    check: dict[str, Any]
    evidence: str


@dataclass(frozen=True)
class Proposal:
    """The checks that hold on today's data. `left_out`: why a field or a check was not proposed."""

    checks: tuple[Suggestion, ...]
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Seen:
    """One collection: its sample, and the field that names the run ("" if none does)."""

    name: str
    number: int
    grown: int | None
    fields: Mapping[str, FieldProfile]
    documents: Sequence[Mapping[str, Any]]
    run_field: str

    def check(
        self, kind: str, name: str, settings: Mapping[str, Any], *, of_run: bool = False
    ) -> dict[str, Any]:
        query = {"query": {self.run_field: "${RUN_ID}"}} if of_run and self.run_field else {}
        return {"name": f"{self.name}: {name}", "kind": kind, "collection": self.name, **query, **settings}

    @property
    def shown(self) -> str:
        size = len(self.documents)
        return f"{size:,} of {self.number:,} documents" if size < self.number else f"all {size:,} documents"


def suggest(database: Database, context: VerifyContext, baseline: Mapping[str, int] | None) -> Proposal:
    """`baseline`: documents per collection before the run; None: unknown. Failure: the database cannot be
    reached."""
    left_out: dict[str, str] = {}
    report = None
    if context.report_collection and context.run_id:
        report = database.find_one(context.report_collection, {"_id": context.run_id})
    found: list[Suggestion] = []
    for seen in _collections(database, context, baseline, left_out):
        found += _of_run(seen, report)
        found += _keys(seen, database)
        found += _shape(seen, left_out)
        found += _freshness(seen, context.now, left_out)
        found += _indexes(seen, database)
    return _that_hold(found, database, context, left_out)


def _collections(
    database: Database,
    context: VerifyContext,
    baseline: Mapping[str, int] | None,
    left_out: dict[str, str],
) -> Iterator[_Seen]:
    """Those that the run changed, else those that are not empty; the largest first."""
    counts = {name: n for name, n in database.counts().items() if n and name != context.report_collection}
    grown = {name: n - baseline.get(name, 0) for name, n in counts.items()} if baseline is not None else {}
    if not any(grown.values()):
        grown = {}  # a run that changed nothing says nothing about which collections are its own
    ordered = sorted(counts, key=lambda name: (-(grown.get(name) or 0), -counts[name]))
    for name in ordered[_COLLECTIONS:]:
        left_out[name] = f"only the {_COLLECTIONS} collections that changed most are examined"
    for name in ordered[:_COLLECTIONS]:
        documents = database.aggregate(name, [{"$sample": {"size": SAMPLE}}])
        run_field = _run_field(documents, context.run_id)
        if run_field:
            mine = database.aggregate(name, [{"$match": {run_field: context.run_id}}, {"$limit": SAMPLE}])
            documents = mine or documents
        elif grown and not grown.get(name):
            left_out[name] = "the run did not change the number of its documents, and none names the run"
            continue
        yield _Seen(name, counts[name], grown.get(name), profiles(documents), documents, run_field)


def _run_field(documents: Sequence[Mapping[str, Any]], run_id: str | None) -> str:
    paths = (path for document in documents for path, value in flat(document) if value == run_id)
    return next(paths, "") if run_id else ""


def _of_run(seen: _Seen, report: Mapping[str, Any] | None) -> Iterator[Suggestion]:
    """What binds the contract to the run: its documents, as many as it reports; else growth."""
    number = len(seen.documents)
    if seen.run_field:
        claims = [
            path for path, value in flat(report or {}) if value == number and not isinstance(value, bool)
        ]
        if claims and number < SAMPLE:
            check = seen.check("count", "documents of the run", {"equals-report": claims[0]}, of_run=True)
            yield Suggestion(check, f"{number:,} documents name the run, as its report's {claims[0]} says")
        else:
            check = seen.check("count", "documents of the run", {"at-least": 1}, of_run=True)
            yield Suggestion(check, f"{seen.run_field} of {number:,} documents is the run's ID")
    elif seen.grown and seen.grown > 0:
        check = seen.check("count", "the run adds documents", {"change-at-least": 1})
        yield Suggestion(check, f"the last release added {seen.grown:,} documents; none names its run")


def _keys(seen: _Seen, database: Database) -> Iterator[Suggestion]:
    """Fields that are unique together: an index says so, or no two documents of the sample share them."""
    for index in database.indexes(seen.name):
        if index.get("unique") and index["name"] != "_id_":
            return
    whole = [p for p in seen.fields.values() if p.present == len(seen.documents) and p.path != "_id"]
    texts = [p for p in whole if p.only == "string" and p.path != seen.run_field]
    times = [p for p in whole if p.only == "date"]
    candidates: list[tuple[str, ...]] = [(p.path,) for p in texts if p.many]
    candidates += [(text.path, time.path) for text in texts for time in times]
    values = [dict(flat(document)) for document in seen.documents]
    for paths in candidates:
        different = {tuple(repr(row.get(path)) for path in paths) for row in values}
        if len(values) >= _KEYS_SEEN and len(different) == len(values):
            check = seen.check("unique", f"no two with the same {', '.join(paths)}", {"fields": list(paths)})
            yield Suggestion(check, f"no two of {seen.shown} share {', '.join(paths)}")
            return


def _shape(seen: _Seen, left_out: dict[str, str]) -> Iterator[Suggestion]:
    required, size = {}, len(seen.documents)
    listed: dict[str, list[str]] = {}
    positive: list[str] = []
    for path, profile in sorted(seen.fields.items()):
        sure = at_least_share(profile.present, size)
        where = f"{seen.name}.{path}"
        if profile.present == size and sure >= _SURE and set(profile.types) <= KNOWN_TYPES:
            required[path] = profile.only or sorted(profile.types)
        elif profile.present == size:
            left_out[where] = f"in all {size} documents, which only promises {sure:.0%} of all that will come"
        else:
            left_out[where] = f"in {profile.present:,} of {size:,} documents, so it may be missing"
        if profile.only == "string" and path != seen.run_field and _is_category(profile, size):
            listed[path] = sorted(profile.values)
        if profile.only == "number" and profile.low is not None and profile.low >= 0 and sure >= _SURE:
            positive.append(path)
    if required:
        check = seen.check("types", "what every document has", {"required": required}, of_run=True)
        share = at_least_share(size, size)
        yield Suggestion(check, f"{size:,} of {size:,} documents have these fields: at least {share:.1%} do")
    if listed:
        check = seen.check("values", "known values", {"fields": listed}, of_run=True)
        yield Suggestion(check, "few values, each of them many times: " + _spread(seen, listed))
    if positive:
        bounds = {path: [0, math.inf] for path in positive}
        check = seen.check("range", "not negative", {"fields": bounds}, of_run=True)
        yield Suggestion(check, f"none is negative in {seen.shown}; no upper bound is guessed")


def _is_category(profile: FieldProfile, size: int) -> bool:
    few = not profile.many and 2 <= len(profile.values) <= _CATEGORIES
    return few and size >= 50 and min(profile.values.values()) >= _REPEATED


def _spread(seen: _Seen, listed: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(
        f"{path} {', '.join(f'{value} {seen.fields[path].values[value]}' for value in values)}"
        for path, values in listed.items()
    )


def _freshness(seen: _Seen, now: float, left_out: dict[str, str]) -> Iterator[Suggestion]:
    """The newest time, with the cadence seen; of several fields the one that is most recent."""
    dated = [(p.newest, p) for p in seen.fields.values() if p.only == "date" and p.newest]
    past = [(newest, p) for newest, p in dated if newest.timestamp() <= now]
    if not past:
        return
    newest, profile = max(past, key=lambda pair: pair[0])
    age = now - newest.timestamp()
    if age > _RECENT:
        left_out[f"{seen.name}.{profile.path} age"] = f"the newest is of {newest:%Y-%m-%d}: no deadline"
        return
    cadence = _cadence(sorted(profile.times))
    hours = math.ceil(max(26 * _HOUR, 3 * cadence, 2 * age) / _HOUR)
    settings = {"field": profile.path, "max-age": f"{hours}h"}
    check = seen.check("freshness", f"{profile.path} is recent", settings)
    yield Suggestion(check, f"the newest is {age / _HOUR:.1f} h old, the usual step {cadence / _HOUR:.1f} h")


def _cadence(times: Sequence[datetime.datetime]) -> float:
    """The median step between different times, in seconds."""
    steps = sorted((b - a).total_seconds() for a, b in pairwise(times))
    return steps[len(steps) // 2] if steps else 0.0


def _indexes(seen: _Seen, database: Database) -> Iterator[Suggestion]:
    there = []
    for index in database.indexes(seen.name):
        ways = index["key"].items()
        if index["name"] != "_id_" and all(way in (1, -1) for _, way in ways):
            names = [f"-{name}" if way == -1 else name for name, way in ways]
            there.append({"fields": names} | ({"unique": True} if index.get("unique") else {}))
    if there:
        yield Suggestion(seen.check("indexes", "indexes", {"indexes": there}), f"{len(there)} exist today")


def _that_hold(
    found: Sequence[Suggestion], database: Database, context: VerifyContext, left_out: dict[str, str]
) -> Proposal:
    """Those that pass today; one that reads a large collection is allowed to, and says so."""
    kept: list[Suggestion] = []
    later = replace(context, occasion="later", empty_is_ok=True)
    for suggestion in found:
        for table in (suggestion.check, {**suggestion.check, "allow-full-scan": True}):
            try:
                (result,) = verify([_CHECK.validate_python(table)], database, later).checks
            except (UsageError, ValidationError, ValueError, QueryRefused, TimeLimitReached) as error:
                left_out[table["name"]] = str(error).splitlines()[0]
                break
            if result.ok:
                kept.append(Suggestion(table, suggestion.evidence))
                break
            if not result.found.startswith("not run: "):
                left_out[table["name"]] = f"does not hold today: found {result.found}"
                break
    return Proposal(tuple(kept), left_out)
