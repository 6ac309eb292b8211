"""Everything that can be said against a check before it reads a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

from deployer.config.checks import Check, ReconcileCheck
from deployer.config.placeholders import filled
from deployer.errors import UsageError
from deployer.ports import Database, QueryRefused
from deployer.verification.kinds import plan
from deployer.verification.plan import Facts, MisconfiguredError, Plan

LARGE: Final = 200_000
"""Documents from which on a scan of a whole collection must be asked for (`allow-full-scan = true`)."""


@dataclass(frozen=True)
class Prepared:
    """A check with its plan; `refusal` says why it is not run and so has failed ("" where it is run)."""

    check: Check
    plan: Plan
    refusal: str = ""


def collections_of(check: Check) -> tuple[str, ...]:
    if isinstance(check, ReconcileCheck):
        return check.collection, check.other_collection
    return (check.collection,)


def prepare(
    asked: Mapping[str, Check], database: Database, facts: Facts, counts: Mapping[str, int]
) -> list[Prepared]:
    """`asked` is by path in deploy.toml. The database explains each query, so a wrong one is found here.

    UsageError names every check that cannot be asked as it is written.
    """
    prepared: list[Prepared] = []
    mistakes: list[str] = []
    for path, check in asked.items():
        try:
            planned = plan(_filled(check, facts), facts)
            scanned = [
                read.collection for read in planned.reads if database.scans(read.collection, read.pipeline)
            ]
        except MisconfiguredError as mistake:
            mistakes.append(f"{path}.{mistake.key}: {mistake}")
        except QueryRefused as refused:
            mistakes.append(f"{path}: MongoDB refuses its query: {refused.message}")
        else:
            refusal = _missing(check, facts, counts) or _too_much(check, scanned, counts)
            prepared.append(Prepared(check, planned, refusal))
    if mistakes:
        lines = "\n".join(f"  deploy.toml: {mistake}" for mistake in mistakes)
        raise UsageError(f"checks that cannot be asked:\n{lines}", "mend these and try again; none was run")
    return prepared


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
        "narrow `query`, add an index, or allow it with `allow-full-scan = true`"
    )
