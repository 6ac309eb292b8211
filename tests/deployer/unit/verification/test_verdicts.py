"""Verification as a whole: what stops it, what it leaves out, and that nothing passes unasked."""

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import TypeAdapter

from deployer.config.checks import Check
from deployer.errors import Failure, TransientFailure, UsageError
from deployer.model import Verification
from deployer.ports import NotPermitted, QueryRefused, TimeLimitReached
from deployer.verification.run import VerifyContext, verify
from tests.fakes.database import FakeDatabase

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
WRITTEN: dict[str, Any] = {
    "name": "written",
    "kind": "count",
    "collection": "readings",
    "query": {"run_id": "${RUN_ID}"},
    "equals-report": "written",
}


def checks(*tables: dict[str, Any]) -> Sequence[Check]:
    read: list[Check] = TypeAdapter(list[Check]).validate_python(list(tables))
    return read


def asked(
    database: FakeDatabase, *tables: dict[str, Any], run_id: str | None = "r1", **context: Any
) -> Verification:
    about = {"report_collection": "runs", "baseline": {}, "now": NOON.timestamp(), "timer": lambda: 0.0}
    return verify(checks(*tables), database, VerifyContext(run_id, **{**about, **context}))


@pytest.fixture
def database() -> FakeDatabase:
    database = FakeDatabase()
    database.write("readings", [{"_id": f"a@{n}", "station_id": "a", "run_id": "r1"} for n in range(3)])
    report = {"_id": "r1", "status": "succeeded", "written": 3, "started_at": NOON}
    database.write("runs", [report])
    return database


def test_data_as_reported_is_proven(database: FakeDatabase) -> None:
    """The run says that it succeeded, and there is what it says."""
    verification = asked(database, WRITTEN)
    assert verification.ok
    assert verification.counts == {"readings": 3, "runs": 1}
    (result,) = verification.checks
    assert (result.expected, result.found) == ("3 (the report's written)", "3")


def test_a_lost_document_is_noticed(database: FakeDatabase) -> None:
    """One document less than reported, and the data is not proven."""
    database.remove("readings", "a@1")
    verification = asked(database, WRITTEN)
    assert not verification.ok
    assert verification.checks[0].found == "2"


def test_no_report_proves_nothing(database: FakeDatabase) -> None:
    """Data without the run's report is not proven, however much there is; no check is asked."""
    verification = asked(database, WRITTEN, run_id="r2")
    assert not verification.ok
    assert verification.checks == ()
    assert verification.problem.startswith("the job wrote no report for run r2 in runs")


@pytest.mark.parametrize("status", ["failed", "running", None])
def test_a_run_that_did_not_succeed_proves_nothing(database: FakeDatabase, status: str | None) -> None:
    """A report that says anything but succeeded is told with its error."""
    database.write("runs", [{"_id": "r1", "status": status, "error": "no source"}])
    verification = asked(database, WRITTEN)
    assert not verification.ok
    assert verification.problem == f"the report of run r1 says {status!r}, not 'succeeded': no source"


def test_on_any_day_the_run_that_ended_last_counts(database: FakeDatabase) -> None:
    """Without a run named, the newest one that is not running any more is taken."""
    later = NOON + datetime.timedelta(hours=1)
    database.write(
        "runs", [{"_id": "r0", "status": "failed", "started_at": NOON - datetime.timedelta(days=1)}]
    )
    database.write("runs", [{"_id": "r2", "status": "running", "started_at": later}])
    assert asked(database, WRITTEN, run_id=None).ok
    database.write("runs", [{"_id": "r2", "status": "failed", "started_at": later}])
    assert asked(database, WRITTEN, run_id=None).problem.startswith("the report of run r2 says 'failed'")


def test_a_project_without_reports_is_verified_all_the_same(database: FakeDatabase) -> None:
    """Where no report is configured, checks that need none are asked; one that needs it is a mistake."""
    simple = {**WRITTEN, "at-least": 3}
    del simple["equals-report"]
    assert asked(database, simple, report_collection=None).ok
    with pytest.raises(UsageError, match=r"verify.checks\[0\].equals-report: there is no report"):
        asked(database, WRITTEN, report_collection=None)


def test_mistakes_are_told_together_and_nothing_is_asked(database: FakeDatabase) -> None:
    """A report field that is not there and a query that is none are both named, by their place."""
    with pytest.raises(UsageError) as caught:
        asked(
            database,
            WRITTEN,
            {**WRITTEN, "equals-report": "writen"},
            {**WRITTEN, "query": {"run_id": {"$eqals": 1}}},
            {**WRITTEN, "query": {"run_id": "${REPORT.nothing}"}},
        )
    assert "verify.checks[1].equals-report: the run's report has no field 'writen'" in caught.value.message
    assert "verify.checks[2]: MongoDB refuses its query: unknown operator: $eqals" in caught.value.message
    assert "verify.checks[3].query: the run's report has no field 'nothing'" in caught.value.message
    assert "verify.checks[0]" not in caught.value.message


def test_a_collection_that_is_not_there_fails_its_check_only(database: FakeDatabase) -> None:
    """What the run should have made and did not is missing data; the other checks are asked all the same."""
    missing = {**WRITTEN, "name": "missing", "collection": "reading"}
    verification = asked(database, missing, WRITTEN)
    assert [result.ok for result in verification.checks] == [False, True]
    assert verification.checks[0].found == "no collection 'reading'; did you mean 'readings'?"


def test_a_large_scan_is_not_begun_unasked(database: FakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index a check on a large collection fails and says why; with one, or if wanted, it runs."""
    monkeypatch.setattr("deployer.verification.prepare.LARGE", 2000)
    for number in range(2001):
        database.collections["readings"][number] = {"_id": number, "run_id": "r0"}
    refused = asked(database, WRITTEN).checks[0]
    assert not refused.ok
    assert refused.found.startswith("not run: no index serves it, so all 2,004 documents of readings")
    assert asked(database, {**WRITTEN, "allow-full-scan": True}).ok
    database.extra_indexes["readings"] = [{"name": "run_id_1", "key": {"run_id": 1}}]
    assert asked(database, WRITTEN).ok


def test_checks_of_other_environments_are_left_out(database: FakeDatabase) -> None:
    """A check for production is not asked in the sandbox."""
    production = {**WRITTEN, "name": "production only", "environments": ["production"]}
    names = [result.name for result in asked(database, WRITTEN, production, env="sandbox").checks]
    assert names == ["written"]
    assert len(asked(database, WRITTEN, production, env="production").checks) == 2


def test_checks_of_a_release_are_left_out_later(database: FakeDatabase) -> None:
    """What only makes sense right after a run is not asked on another day."""
    release = {**WRITTEN, "name": "after a run", "when": "release"}
    assert len(asked(database, WRITTEN, release).checks) == 2
    assert [result.name for result in asked(database, WRITTEN, release, occasion="later").checks] == [
        "written"
    ]


@pytest.mark.parametrize("method", ["ping", "counts", "find_one", "options", "scans", "aggregate"])
@pytest.mark.parametrize("failure", [Failure, TransientFailure])
def test_a_database_that_goes_away_concludes_nothing(
    database: FakeDatabase, method: str, failure: type[Failure]
) -> None:
    """Wherever the database fails, no result comes out, but the failure with its class."""
    database.faults.fail_next(method, failure("mongodb", "gone"))
    with pytest.raises(failure) as caught:
        asked(database, *[{**WRITTEN, "name": f"check {n}"} for n in range(20)])
    assert caught.value.exit_code == 16


@pytest.mark.parametrize(
    ("failure", "found"),
    [
        (TimeLimitReached("mongodb", "too slow"), "not finished within 5m"),
        (QueryRefused("mongodb", "cannot divide by zero"), "cannot divide by zero"),
    ],
)
def test_a_check_without_an_answer_has_not_passed(
    database: FakeDatabase, failure: Failure, found: str
) -> None:
    """A check that is ended by its time limit, or that the database cannot answer, has failed and says so."""
    database.faults.fail_next("aggregate", failure)
    verification = asked(database, WRITTEN)
    assert not verification.ok
    assert verification.checks[0].found == found


def test_no_check_at_all_proves_nothing(database: FakeDatabase) -> None:
    """Where every check is for another environment, the data is not proven."""
    verification = asked(database, {**WRITTEN, "environments": ["production"]}, env="sandbox")
    assert not verification.ok
    assert verification.problem.startswith("deploy.toml has no check for this environment")


def test_a_contract_that_older_data_would_pass_proves_nothing(database: FakeDatabase) -> None:
    """Every check passes, none counts documents of the run: unproven, and it says what to add."""
    whole = {"name": "some", "kind": "count", "collection": "readings", "at-least": 1}
    known = {"name": "known", "kind": "values", "collection": "readings", "query": {"run_id": "${RUN_ID}"}}
    verification = asked(database, whole, {**known, "fields": {"station_id": ["a"]}})
    assert [result.ok for result in verification.checks] == [True, True]
    assert not verification.ok
    assert "${RUN_ID}" in verification.problem
    assert "change-at-least" in verification.problem
    assert asked(database, whole, WRITTEN).ok


def test_a_claim_is_no_evidence(database: FakeDatabase) -> None:
    """A check of the report's own collection says what the job claims, not what it loaded."""
    claim = {**WRITTEN, "collection": "runs", "query": {"_id": "${RUN_ID}"}, "exactly": 1}
    del claim["equals-report"]
    assert asked(database, claim).unproven


@pytest.mark.parametrize("allowed", [True, False])
def test_zero_equals_zero_is_no_proof(database: FakeDatabase, *, allowed: bool) -> None:
    """A run that left nothing, as it reported, is unproven, unless the check says that this is fine."""
    database.write("runs", [{"_id": "r2", "status": "succeeded", "written": 0, "started_at": NOON}])
    verification = asked(database, {**WRITTEN, "allow-empty": allowed}, run_id="r2")
    assert verification.checks[0].ok
    assert verification.ok == allowed
    assert ("0 equals 0 is no proof" in verification.problem) != allowed


@pytest.mark.parametrize(("before", "proven"), [(0, True), (2, True), (3, False)])
def test_growth_since_the_baseline_is_evidence(database: FakeDatabase, before: int, *, proven: bool) -> None:
    """Without a report or a RUN_ID the growth of the collection proves the run; no growth proves nothing."""
    growth = {"name": "grew", "kind": "count", "collection": "readings", "change-at-least": 0}
    found = asked(database, growth, report_collection=None, baseline={"readings": before})
    assert (found.ok, bool(found.unproven)) == (proven, not proven)


def test_growth_is_demanded_only_right_after_the_run(database: FakeDatabase) -> None:
    """A second later the baseline holds the run's documents: nothing may be lost, nothing need be added."""
    growth = {"name": "grew", "kind": "count", "collection": "readings", "change-at-least": 3}
    later = {"report_collection": None, "occasion": "later", "run_id": None}
    assert asked(database, growth, baseline={"readings": 3}, **later).ok
    lost = asked(database, growth, baseline={"readings": 4}, **later)
    assert (lost.ok, lost.checks[0].found) == (False, "3 (-1 since 4)")


@pytest.mark.parametrize("identity", ["20260103-080000-ab12", "nightly-2026-01-03T08:00:00Z"])
def test_a_report_without_a_start_counts_by_the_time_in_its_id(database: FakeDatabase, identity: str) -> None:
    """The newest run is judged whichever way its time is told, and the result says which that was."""
    database.write("runs", [{"_id": "r0", "status": "failed"}])
    database.write("runs", [{"_id": identity, "status": "failed"}])
    found = asked(database, WRITTEN, run_id=None)
    assert found.problem.startswith(f"the report of run {identity} says")
    assert (found.run, found.run_at) == (identity, 1767427200.0)


def test_of_reports_without_any_time_the_newest_release_counts(database: FakeDatabase) -> None:
    """Nothing says which of these is new but the releases that are known here; none is picked at random."""
    database.remove("runs", "r1")
    reports = [{"_id": name, "status": "succeeded", "written": 3} for name in ("zz", "r1", "aa")]
    database.write("runs", reports)
    assert asked(database, WRITTEN, run_id=None, newest_release="r1").ok
    assert asked(database, WRITTEN, run_id=None).problem.startswith("the job wrote no report for any run")


def test_a_missing_privilege_fails_its_own_check_only(database: FakeDatabase) -> None:
    """A collection that may not be read does not end the other checks."""
    database.write("other", [{"_id": 1}])
    other = {"name": "other", "kind": "count", "collection": "other", "at-least": 1}
    database.faults.fail_next("indexes", NotPermitted("mongodb", "not authorized on db"))
    verification = asked(database, other, WRITTEN)
    assert [result.ok for result in verification.checks] == [False, True]
    assert verification.checks[0].found == "not authorized on db"


@pytest.mark.parametrize(
    ("value", "why"),
    [({"$gt": ""}, "no text, number or time"), ([{"$gt": ""}], "no text, number"), (b"x", "no text, number")],
)
def test_a_report_cannot_steer_a_check(database: FakeDatabase, value: object, why: str) -> None:
    """A table in the report would be an operator in the query: it is refused."""
    database.write("runs", [{"_id": "r1", "status": "succeeded", "written": 3, "id": value}])
    with pytest.raises(UsageError, match=why):
        asked(database, {**WRITTEN, "query": {"run_id": "${REPORT.id}"}})


def test_a_report_brings_no_expression_into_a_pipeline(database: FakeDatabase) -> None:
    """A text that begins with a dollar sign would be read as a field there."""
    database.write("runs", [{"_id": "r1", "status": "succeeded", "written": 3, "id": "$run_id"}])
    pipeline = [{"$match": {"run_id": "${REPORT.id}"}}, {"$count": "n"}]
    check = {"name": "p", "kind": "aggregation", "collection": "readings", "pipeline": pipeline}
    with pytest.raises(UsageError, match=r"begins with \$"):
        asked(database, {**check, "expected": [{"n": 3}]})
