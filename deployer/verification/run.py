"""Proves that the data is there: every check against the database and the run's own report."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from deployer.config.checks import Check
from deployer.model import Verification
from deployer.ports import Database
from deployer.verification.executor import run_checks
from deployer.verification.plan import Facts
from deployer.verification.prefilter import prefilters
from deployer.verification.prepare import collections_of, prepare

SUCCEEDED: Final = "succeeded"
_LATEST: Final[list[dict[str, Any]]] = [
    {"$match": {"status": {"$ne": "running"}}},
    {"$sort": {"started_at": -1}},
    {"$limit": 1},
]


@dataclass(frozen=True)
class VerifyContext:
    """What the checks are asked about.

    `run_id`: the run that must have loaded the data; None: the run that started last and has ended.
    `report_collection`: where the job writes its reports, None where it writes none.
    `baseline`: documents per collection before the run; on a later day, at the last verified release.
    `now`: seconds since the epoch. `env`: checks of other environments are left out; None: none is.
    `occasion`: on a later day, checks that only make sense right after a run are left out.
    """

    run_id: str | None
    report_collection: str | None
    baseline: Mapping[str, int]
    now: float
    env: str | None = None
    occasion: Literal["release", "later"] = "release"
    timer: Callable[[], float] = time.perf_counter


def verify(checks: Sequence[Check], database: Database, context: VerifyContext) -> Verification:
    """All checks, in parallel; `ok` only if the run says that it succeeded and every check passed.

    Failure `mongodb`: the database could not be asked; nothing is concluded then.
    UsageError: a check cannot be asked as deploy.toml has it; all such are named, and none was run.
    """
    database.ping()
    counts = database.counts()
    report, problem = _report(database, context)
    if problem:
        return Verification(ok=False, counts=counts, problem=problem)
    asked = {f"verify.checks[{n}]": check for n, check in enumerate(checks) if _is_asked(check, context)}
    if not asked:
        return Verification(ok=False, counts=counts, problem="no check of deploy.toml is asked here")
    facts = _facts(asked.values(), database, report, context)
    prepared = prepare(asked, database, facts, counts)
    results = run_checks(prepared, prefilters(prepared, database, counts), database, context.timer)
    return Verification(all(result.ok for result in results), results, counts)


def _is_asked(check: Check, context: VerifyContext) -> bool:
    return check.is_for(context.env) and (context.occasion == "release" or check.when == "always")


def _report(database: Database, context: VerifyContext) -> tuple[Mapping[str, Any] | None, str]:
    """The run's own report, and why the run proves nothing ("" where it may)."""
    collection, run_id = context.report_collection, context.run_id
    if collection is None:
        return None, ""
    report = (
        database.find_one(collection, {"_id": run_id})
        if run_id is not None
        else next(iter(database.aggregate(collection, _LATEST)), None)
    )
    if report is None:
        run = "any run" if run_id is None else f"run {run_id}"
        return None, f"the job wrote no report for {run} in {collection}: what it loaded is not proven"
    status = report.get("status")
    if status == SUCCEEDED:
        return report, ""
    said = f": {report['error']}" if report.get("error") else ""
    return report, f"the report of run {report['_id']} says {status!r}, not {SUCCEEDED!r}{said}"


def _facts(
    checks: Collection[Check], database: Database, report: Mapping[str, Any] | None, context: VerifyContext
) -> Facts:
    names = sorted({name for check in checks for name in collections_of(check)})
    options = {name: found for name in names if (found := database.options(name)) is not None}
    return Facts(
        run_id=context.run_id or str((report or {}).get("_id", "")),
        now=context.now,
        report=report,
        baseline=context.baseline,
        options=options,
        indexes={name: database.indexes(name) for name in options},
    )
