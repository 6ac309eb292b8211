"""Proves that the data is there: every check against the database and the run's own report."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from deployer.errors import UsageError
from deployer.release.ports import Database, QueryRefused, TimeLimitReached
from deployer.release.state import CheckResult, Verification
from deployer.verification.kinds import plan
from deployer.verification.model import LARGE, Check, ReconcileCheck
from deployer.verification.placeholders import filled
from deployer.verification.plan import Facts, Misconfigured, Plan

PARALLEL: Final = 4
SUCCEEDED: Final = "succeeded"


@dataclass(frozen=True)
class VerifyContext:
    """What the checks are asked about.

    `run_id`: the run that must have loaded the data; None: whichever run ended last.
    `report_collection`: where the job writes its reports, None where it writes none.
    `baseline`: documents per collection before the run, or at the last verified release.
    `now`: seconds since the epoch.
    """

    run_id: str | None
    report_collection: str | None
    baseline: Mapping[str, int]
    now: float
    timer: Callable[[], float] = time.perf_counter


@dataclass(frozen=True)
class _Ready:
    """A check whose collections are there, with its plan; `refusal` says why it will not be run."""

    path: str
    check: Check
    plan: Plan
    refusal: str = ""


def verify(checks: Sequence[Check], database: Database, context: VerifyContext) -> Verification:
    """All checks, in parallel; `ok` only if the run says that it succeeded and every check passed.

    Failure `mongodb`: the database could not be asked; nothing is concluded then.
    UsageError: a check cannot be asked as deploy.toml has it; all of them are named, and none was run.
    """
    database.ping()
    counts = database.counts()
    report, problem = _report(database, context)
    if problem:
        return Verification(False, (), counts, problem)
    asked = [
        (f"verify.checks[{number}]", check)
        for number, check in enumerate(checks)
        if context.run_id is not None or check.when == "always"
    ]
    facts = _facts([check for _, check in asked], database, report, context)
    ready, missing = _prepare(asked, database, facts, counts)
    results = {**missing, **_run(ready, database, context.timer)}
    ordered = tuple(results[path] for path, _ in asked)
    return Verification(all(result.ok for result in ordered), ordered, counts)


def _report(database: Database, context: VerifyContext) -> tuple[Mapping[str, Any] | None, str]:
    """The run's own report, and why the run proves nothing ("" where it may)."""
    collection = context.report_collection
    if collection is None:
        return None, ""
    report = _find_report(database, collection, context.run_id)
    if report is None:
        run = f"run {context.run_id}" if context.run_id else "any run"
        return None, f"the job wrote no report for {run} in {collection}: what it loaded is not proven"
    status = report.get("status")
    if status != SUCCEEDED:
        said = f": {report['error']}" if report.get("error") else ""
        return report, f"the report of run {report['_id']} says {status!r}, not {SUCCEEDED!r}{said}"
    return report, ""


def _find_report(database: Database, collection: str, run_id: str | None) -> Mapping[str, Any] | None:
    if run_id is not None:
        return database.find_one(collection, {"_id": run_id})
    rows = database.aggregate(collection, [{"$sort": {"started_at": -1}}, {"$limit": 1}])
    return rows[0] if rows else None


def _facts(
    checks: Sequence[Check], database: Database, report: Mapping[str, Any] | None, context: VerifyContext
) -> Facts:
    names = sorted({name for check in checks for name in _collections(check)})
    options = {name: found for name in names if (found := database.options(name)) is not None}
    return Facts(
        run_id=context.run_id or str((report or {}).get("_id", "")),
        now=context.now,
        report=report,
        baseline=context.baseline,
        options=options,
        indexes={name: database.indexes(name) for name in options},
    )


def _collections(check: Check) -> tuple[str, ...]:
    return (check.collection, check.other_collection) if isinstance(check, ReconcileCheck) else (check.collection,)


def _prepare(
    asked: Sequence[tuple[str, Check]], database: Database, facts: Facts, counts: Mapping[str, int]
) -> tuple[list[_Ready], dict[str, CheckResult]]:
    """The checks that can run, and results of those that ask for a collection that is not there."""
    ready: list[_Ready] = []
    missing: dict[str, CheckResult] = {}
    mistakes: list[str] = []
    for path, check in asked:
        absent = [name for name in _collections(check) if name not in facts.options]
        try:
            planned = plan(_filled(check, facts), facts)
            refusal = "" if absent else _refusal(check, planned, database, counts)
        except Misconfigured as mistake:
            mistakes.append(f"{path}.{mistake.key}: {mistake}")
        except QueryRefused as refused:
            mistakes.append(f"{path}: MongoDB refuses its query: {refused.message}")
        else:
            if absent:
                missing[path] = CheckResult(check.name, False, planned.expected, _no_collection(absent[0], counts))
            else:
                ready.append(_Ready(path, check, planned, refusal))
    if mistakes:
        lines = "\n".join(f"  deploy.toml: {mistake}" for mistake in mistakes)
        raise UsageError(f"checks that cannot be asked:\n{lines}", "mend these and try again; no check was run")
    return ready, missing


def _filled(check: Check, facts: Facts) -> Check:
    return check.model_copy(update=filled(dict(check), {"RUN_ID": facts.run_id}, facts.now))


def _refusal(check: Check, planned: Plan, database: Database, counts: Mapping[str, int]) -> str:
    """Asks the database how it would read; a large scan that nobody asked for is not begun."""
    scanned = [read.collection for read in planned.reads if database.scans(read.collection, read.pipeline)]
    large = next((name for name in scanned if counts.get(name, 0) > LARGE), None)
    if large is None or check.full_scan:
        return ""
    return (
        f"not run: no index serves it, it would read all {counts[large]:,} documents of {large}; "
        "narrow `query`, add an index, or set `full-scan = true`"
    )


def _no_collection(name: str, counts: Mapping[str, int]) -> str:
    near = get_close_matches(name, list(counts), n=1)
    return f"no collection {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _run(ready: Sequence[_Ready], database: Database, timer: Callable[[], float]) -> dict[str, CheckResult]:
    """Failure: one of them could not be asked; those not yet begun are dropped."""
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="check") as pool:
        futures = {item.path: pool.submit(_result, item, database, timer) for item in ready}
        done, waiting = wait(futures.values(), return_when=FIRST_EXCEPTION)
        for future in waiting:
            future.cancel()
        for future in done:
            future.result()
    return {path: future.result() for path, future in futures.items()}


def _result(item: _Ready, database: Database, timer: Callable[[], float]) -> CheckResult:
    check, planned = item.check, item.plan
    if item.refusal:
        return CheckResult(check.name, False, planned.expected, item.refusal)
    begun = timer()
    try:
        rows = [database.aggregate(read.collection, read.pipeline, check.time_limit) for read in planned.reads]
    except (TimeLimitReached, QueryRefused) as failure:
        return CheckResult(check.name, False, planned.expected, failure.message, (), timer() - begun)
    answer = planned.judge(rows)
    return CheckResult(check.name, answer.ok, planned.expected, answer.found, answer.offending, timer() - begun)
