"""`verify --suggest`: a contract from what a run left, that holds today and will hold tomorrow."""

import datetime
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from deployer.commands.project import Project
from deployer.commands.suggest import append
from deployer.config.checks import Check
from deployer.errors import UsageError
from deployer.verification.contract import toml_of
from deployer.verification.profile import at_least_share
from deployer.verification.run import VerifyContext, verify
from deployer.verification.suggest import Proposal, suggest
from tests.fakes.database import FakeDatabase

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
CONTEXT = VerifyContext("r2", "runs", {}, NOON.timestamp(), timer=lambda: 0.0)


def readings(run: str, number: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "_id": f"{run}-{n}",
            "meta": {"run": run},
            "at": NOON - datetime.timedelta(minutes=10 * n),
            "sensor": "ab"[n % 2],
            "note": f"text {n}",
            "level": n / 2,
            "balance": n - 5,
        }
        for n in range(first, first + number)
    ]


@pytest.fixture
def database() -> FakeDatabase:
    database = FakeDatabase()
    database.write("readings", readings("r2", 200))
    database.write("history", [{"_id": 1, "at": NOON}])
    database.write("runs", [{"_id": "r2", "status": "succeeded", "loaded": {"rows": 200}}])
    return database


def kinds(proposal: Proposal) -> dict[str, dict[str, Any]]:
    return {one.check["kind"]: one.check for one in proposal.checks}


def test_a_contract_is_read_off_what_the_run_left(database: FakeDatabase) -> None:
    """Its documents as it reports them, a key, categories, no negative numbers, a deadline; no extremes."""
    proposal = suggest(database, CONTEXT, {"history": 1})
    found = kinds(proposal)
    assert found["count"]["query"] == {"meta.run": "${RUN_ID}"}
    assert found["count"]["equals-report"] == "loaded.rows"
    assert found["unique"]["fields"] == ["note"]
    assert found["values"]["fields"] == {"sensor": ["a", "b"]}
    assert found["range"]["fields"] == {"level": [0, float("inf")]}
    assert (found["freshness"]["field"], found["freshness"]["max-age"]) == ("at", "26h")
    assert {one.check["collection"] for one in proposal.checks} == {"readings"}
    assert all(one.evidence for one in proposal.checks)


def test_the_proposal_passes_on_the_data_that_it_was_read_off(database: FakeDatabase) -> None:
    """As TOML it is read back as the same checks, which prove the run right after it and hold later."""
    proposal = suggest(database, CONTEXT, None)
    tables = tomllib.loads(toml_of(proposal))["verify"]["checks"]
    assert tables == [one.check for one in proposal.checks]
    checks: Sequence[Check] = TypeAdapter(list[Check]).validate_python(tables)
    assert verify(checks, database, CONTEXT).ok


def test_a_job_that_names_no_run_is_proven_by_growth(database: FakeDatabase) -> None:
    """Without a RUN_ID in the documents the collection that grew is the evidence."""
    context = VerifyContext(None, None, {}, NOON.timestamp(), timer=lambda: 0.0)
    proposal = suggest(database, context, {"readings": 150, "history": 1, "runs": 1})
    assert kinds(proposal)["count"]["change-at-least"] == 1
    assert "history" in proposal.left_out


def test_a_run_that_changed_nothing_hides_no_collection(database: FakeDatabase) -> None:
    """The same data again: the contract is read off what is there."""
    context = VerifyContext("r3", None, {}, NOON.timestamp(), timer=lambda: 0.0)
    proposal = suggest(database, context, {"readings": 200, "history": 1, "runs": 1})
    assert {"unique", "values"} <= set(kinds(proposal))


def test_few_documents_promise_little(database: FakeDatabase) -> None:
    """Ten documents that all have a field do not make it required; why not is said."""
    small = FakeDatabase()
    small.write("readings", readings("r2", 10))
    proposal = suggest(small, VerifyContext("r2", None, {}, NOON.timestamp()), None)
    assert "types" not in kinds(proposal)
    assert "only promises 72%" in proposal.left_out["readings.level"]


def test_old_data_gets_no_deadline(database: FakeDatabase) -> None:
    """History that ends years ago is not called late every day from now on."""
    years = NOON.timestamp() + 3 * 365 * 86_400
    proposal = suggest(database, VerifyContext("r2", "runs", {}, years), None)
    assert "freshness" not in kinds(proposal)
    assert "no deadline" in proposal.left_out["readings.at age"]


def test_what_does_not_hold_of_all_documents_is_left_out(database: FakeDatabase) -> None:
    """The sample is of the run; a key that older documents break is not proposed."""
    database.write("readings", [{"_id": "old", "note": "text 1"}])
    proposal = suggest(database, CONTEXT, None)
    assert "unique" not in kinds(proposal)
    assert any(reason.startswith("does not hold today") for reason in proposal.left_out.values())


@pytest.mark.parametrize(("found", "of", "share"), [(0, 0, 0.0), (10, 10, 0.722), (4950, 4950, 0.999)])
def test_the_share_is_wilsons(found: int, of: int, share: float) -> None:
    """Not the naive one, by which ten of ten promises everything."""
    assert at_least_share(found, of) == pytest.approx(share, abs=0.001)


def test_writing_keeps_the_file_as_it_is(tmp_path: Path, database: FakeDatabase) -> None:
    """The checks are appended; every comment stays, and the file is still TOML."""
    file = tmp_path / "deploy.toml"
    before = '# ours\n[verify]  # where\ndatabase = "shop"\n[env.x.run]\ncluster = "c"\n'
    file.write_text(before)
    append(Project(tmp_path, {}), toml_of(suggest(database, CONTEXT, None)))
    after = file.read_text()
    assert after.startswith(before)
    assert len(tomllib.loads(after)["verify"]["checks"]) >= 4


def test_a_file_that_cannot_take_them_is_left_alone(tmp_path: Path) -> None:
    """Checks in a list of inline tables cannot be appended to: it says so and changes nothing."""
    file = tmp_path / "deploy.toml"
    file.write_text('verify = { database = "shop", checks = [] }\n')
    with pytest.raises(UsageError, match="cannot be appended"):
        append(Project(tmp_path, {}), '[[verify.checks]]\nname = "n"\n')
    assert file.read_text().count("\n") == 1
