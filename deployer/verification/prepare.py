"""Everything that can be wrong with a check before it reads a document."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

from deployer.config.checks import Check, ReconcileCheck
from deployer.config.placeholders import filled
from deployer.errors import UsageError
from deployer.ports import Database, NotPermitted, QueryRefused
from deployer.verification.kinds import plan
from deployer.verification.plan import PARALLEL, Facts, MisconfiguredError, Plan, Read
from deployer.verification.proof import is_bound

LARGE: Final = 200_000
"""With more documents, a check may read the whole collection only if `allow-full-scan = true`."""


@dataclass(frozen=True)
class Prepared:
    """A check with its plan; `refusal` says why it does not run and so has failed ("": it runs).
    `bound`: it can be evidence of the run."""

    check: Check
    plan: Plan
    refusal: str = ""
    bound: bool = False


def collections_of(check: Check) -> tuple[str, ...]:
    if isinstance(check, ReconcileCheck):
        return check.collection, check.other_collection
    return (check.collection,)


def prepare(
    checks: Mapping[str, Check], database: Database, facts: Facts, counts: Mapping[str, int]
) -> list[Prepared]:
    """`checks`: by path in deploy.toml. The database explains each query, so an invalid one is found here.

    UsageError names every check that cannot run as it is written.
    """
    prepared: list[Prepared] = []
    mistakes: list[str] = []
    plans: dict[str, Plan] = {}
    for path, check in checks.items():
        try:
            plans[path] = plan(_filled(check, facts), facts)
        except MisconfiguredError as mistake:
            mistakes.append(f"{path}.{mistake.key}: {mistake}")
    explained = _explained([read for planned in plans.values() for read in planned.reads], database)
    for path, planned in plans.items():
        check = checks[path]
        try:
            refusal = _refusal(check, planned, explained, facts, counts)
        except QueryRefused as refused:
            mistakes.append(f"{path}: MongoDB refuses its query: {refused.message}")
        else:
            prepared.append(Prepared(check, planned, refusal, is_bound(check, facts)))
    if mistakes:
        lines = "\n".join(f"  deploy.toml: {mistake}" for mistake in mistakes)
        raise UsageError(f"checks that cannot run:\n{lines}", "fix these and try again; no check was run")
    return prepared


def _explained(reads: Sequence[Read], database: Database) -> dict[str, Future[bool]]:
    """Whether each read scans its collection, by its `repr`; each is explained once, a few at a time."""
    found: dict[str, Future[bool]] = {}
    with ThreadPoolExecutor(PARALLEL, "explain") as explaining:
        for read in reads:
            if repr(read) not in found:
                found[repr(read)] = explaining.submit(database.scans, read.collection, read.pipeline)
    return found


def _refusal(
    check: Check,
    planned: Plan,
    explained: Mapping[str, Future[bool]],
    facts: Facts,
    counts: Mapping[str, int],
) -> str:
    try:
        scanned = [read.collection for read in planned.reads if explained[repr(read)].result()]
    except NotPermitted as refused:
        return refused.message
    refused_reads = (facts.refused.get(name, "") for name in collections_of(check))
    return (
        next(filter(None, refused_reads), "")
        or _missing(check, facts, counts)
        or _too_much(check, scanned, counts)
    )


def _filled(check: Check, facts: Facts) -> Check:
    changes: dict[str, Any] = {}
    for name, value in check:
        if isinstance(value, dict | list):
            changes[name] = filled(value, partial(facts.value, name.replace("_", "-")))
    return check.model_copy(update=changes)


def _missing(check: Check, facts: Facts, counts: Mapping[str, int]) -> str:
    absent = next((name for name in collections_of(check) if name not in facts.options), None)
    if absent is None:
        return ""
    near = get_close_matches(absent, list(counts), n=1)
    return f"no collection {absent!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _too_much(check: Check, scanned: Sequence[str], counts: Mapping[str, int]) -> str:
    large = next((name for name in scanned if counts.get(name, 0) > LARGE), None)
    if large is None or check.allow_full_scan:
        return ""
    return (
        f"not run: no index serves it, so all {counts[large]:,} documents of {large} would be read; "
        "narrow the query, add an index, or set `allow-full-scan = true`"
    )
