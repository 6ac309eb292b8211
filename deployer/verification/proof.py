"""Whether a passed contract proves that this run loaded its data, and not an earlier one.

A check is bound to the run by its `${RUN_ID}`, by the run's report, or by a change against the count before
the run. It is evidence of the run if it rests on at least one document: "0 equals 0" is no proof.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from deployer.config.checks import Check, CountCheck
from deployer.config.model import Config
from deployer.model import CheckResult
from deployer.verification.plan import Facts

_CHANGES: Final = ("change_at_least", "change_equals_report")
_WHAT_TO_ADD: Final = (
    'add a check to deploy.toml that counts the documents of the run, such as kind = "count" with '
    'query = { run_id = "${RUN_ID}" } or change-at-least = 1; `deployer verify --suggest` proposes checks'
)

NO_CHECK: Final = f"deploy.toml has no check for this environment: {_WHAT_TO_ADD}"


def compares_with_baseline(check: Check) -> bool:
    """Whether the check demands a change of the number of documents."""
    return isinstance(check, CountCheck) and any(getattr(check, name) is not None for name in _CHANGES)


def names_run(check: Check) -> bool:
    """Whether the check names the run or its report."""
    return any(_names_run(value) or (value and name.endswith("_report")) for name, value in check)


def _names_run(value: Any) -> bool:
    if isinstance(value, str):
        return "${RUN_ID}" in value or "${REPORT." in value
    if isinstance(value, Mapping):
        return any(map(_names_run, value.values()))
    return isinstance(value, list) and any(map(_names_run, value))


def is_bound(check: Check, facts: Facts) -> bool:
    """Whether the check can be evidence of the run: on a later day, growth is no longer demanded."""
    if facts.later and compares_with_baseline(check) and not names_run(check):
        return False
    return _can_be_bound(check, facts.report_collection)


def _can_be_bound(check: Check, report_collection: str | None) -> bool:
    """The report is the job's claim, so it is no evidence of data."""
    kinds = check.kind in _EVIDENCE and check.collection != report_collection
    return kinds and (names_run(check) or compares_with_baseline(check))


def missing_proof(checks: Iterable[Check], report_collection: str | None) -> str:
    """What is missing in a contract in which no check is bound to the run; "" if one is."""
    if any(_can_be_bound(check, report_collection) for check in checks):
        return ""
    return f"no check counts the documents of one run, so older data would pass: {_WHAT_TO_ADD}"


def missing_proof_of(config: Config) -> str:
    """The same for one environment."""
    report = config.verify.report
    checks = (check for check in config.verify.checks if check.is_for(config.env))
    return missing_proof(checks, report.collection if report else None)


_EVIDENCE: Final = ("count", "groups", "completeness", "freshness", "aggregation", "reconcile")
"""The kinds that fail, or are empty, if the run left no documents. The others pass on an empty collection."""


def unproven(prepared: Sequence[tuple[Check, CheckResult]], missing: str) -> str:
    """Why checks that have all passed prove nothing; "" if they do. `missing`: of `missing_proof`."""
    bound = [(check, result) for check, result in prepared if result.number is not None]
    if any((result.number or 0) > 0 or check.allow_empty for check, result in bound):
        return ""
    if not bound:
        return missing
    names = ", ".join(repr(result.name) for _, result in bound)
    return (
        f"the run left no documents: {names} found 0, and 0 equals 0 is no proof. "
        "If a run may load nothing, set `allow-empty = true` in the check"
    )
