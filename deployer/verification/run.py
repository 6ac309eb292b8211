"""Proves that the data is there: every check against the database and the run's own report."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from deployer.config.checks import Check
from deployer.model import Verification
from deployer.ports import Database, NotPermitted
from deployer.verification.executor import run_checks
from deployer.verification.plan import Facts
from deployer.verification.prefilter import prefilters
from deployer.verification.prepare import collections_of, prepare
from deployer.verification.proof import NO_CHECK, missing_proof, unproven
from deployer.verification.reports import newest, started_at

SUCCEEDED: Final = "succeeded"


@dataclass(frozen=True)
class VerifyContext:
    """What the checks are run for.

    `run_id`: the run that must have loaded the data; None: the newest that has ended, by the reports.
    `newest_release`: the run that is meant if the reports do not say which is the newest.
    `empty_is_ok`: a run that left no documents is no reason for doubt.
    `report_collection`: where the job writes its reports, None if it writes none.
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
    newest_release: str | None = None
    empty_is_ok: bool = False
    timer: Callable[[], float] = time.perf_counter


def verify(checks: Sequence[Check], database: Database, context: VerifyContext) -> Verification:
    """All checks, in parallel; `ok` only if the run reports success, every check passed, and one of them is
    evidence of the run.

    Failure `mongodb`: the database cannot be reached; nothing is concluded then.
    UsageError: a check cannot run as deploy.toml has it; all such are named, and none was run.
    """
    database.ping()
    counts = database.counts()
    report, problem = _report(database, context)
    run_id = _run_id(report, context)
    judged = Verification(ok=False, counts=counts, problem=problem, run=run_id, run_at=started_at(report))
    if problem:
        return judged
    wanted = {f"verify.checks[{n}]": check for n, check in enumerate(checks) if _is_wanted(check, context)}
    if not wanted:
        return replace(judged, problem=NO_CHECK, unproven=True)
    facts = _facts(wanted.values(), database, report, context)
    prepared = prepare(wanted, database, facts, counts)
    results = run_checks(prepared, prefilters(prepared, database, counts), database, context.timer)
    good = all(result.ok for result in results)
    missing = missing_proof(wanted.values(), context.report_collection) if not facts.later else ""
    lacking = unproven([*zip(wanted.values(), results, strict=True)], missing) if good else ""
    if context.empty_is_ok and lacking != missing:
        lacking = ""
    return replace(judged, ok=good and not lacking, checks=results, problem=lacking, unproven=bool(lacking))


def newest_run(database: Database, context: VerifyContext) -> VerifyContext:
    """The same for the newest run that the reports or the releases know."""
    if context.run_id is None and context.report_collection:
        report = newest(database, context.report_collection, context.newest_release)
        if report is not None:
            return replace(context, run_id=str(report["_id"]))
    return replace(context, run_id=context.run_id or context.newest_release)


def _is_wanted(check: Check, context: VerifyContext) -> bool:
    return check.is_for(context.env) and (context.occasion == "release" or check.when == "always")


def _run_id(report: Mapping[str, Any] | None, context: VerifyContext) -> str | None:
    if context.run_id is None and report is not None:
        return str(report["_id"])
    return context.run_id or context.newest_release


def _report(database: Database, context: VerifyContext) -> tuple[Mapping[str, Any] | None, str]:
    """The run's own report, and why the run proves nothing ("" if it may)."""
    collection, run_id = context.report_collection, context.run_id
    if collection is None:
        return None, ""
    if run_id is None:
        report = newest(database, collection, context.newest_release)
    else:
        report = database.find_one(collection, {"_id": run_id})
    if report is None:
        run = "any run" if run_id is None else f"run {run_id}"
        return None, f"the job wrote no report for {run} in {collection}: its data is not proven"
    status = report.get("status")
    if status == SUCCEEDED:
        return report, ""
    error = f": {report['error']}" if report.get("error") else ""
    return report, f"the report of run {report['_id']} says {status!r}, not {SUCCEEDED!r}{error}"


def _facts(
    checks: Collection[Check], database: Database, report: Mapping[str, Any] | None, context: VerifyContext
) -> Facts:
    names = sorted({name for check in checks for name in collections_of(check)})
    options = {name: found for name in names if (found := database.options(name)) is not None}
    indexes: dict[str, Sequence[Mapping[str, Any]]] = {}
    refused: dict[str, str] = {}
    for name in options:
        try:
            indexes[name] = database.indexes(name)
        except NotPermitted as error:
            refused[name] = error.message
    return Facts(
        run_id=_run_id(report, context) or "",
        now=context.now,
        report=report,
        baseline=context.baseline,
        options=options,
        indexes=indexes,
        refused=refused,
        report_collection=context.report_collection,
        later=context.occasion == "later",
    )
