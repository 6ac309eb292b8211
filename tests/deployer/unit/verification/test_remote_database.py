"""Checks judged here of a database that is asked in rounds: the same verdict, and nothing read too early."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from deployer.config.checks import Check
from deployer.errors import UsageError
from deployer.model import Verification
from deployer.ports import Question, Reply, TimeLimitReached
from deployer.verification.prepare import LARGE
from deployer.verification.remote import RemoteDatabase, prefetch, verify_by_asking
from deployer.verification.run import VerifyContext, verify
from tests.fakes.database import FakeDatabase
from tests.fakes.job_network import FakeJobNetwork

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
CHECKS: tuple[dict[str, Any], ...] = (
    {"kind": "count", "name": "written", "collection": "readings", "query": {"run_id": "${RUN_ID}"},
     "equals-report": "written"},
    {"kind": "groups", "name": "stations", "collection": "readings", "by": "station_id", "present": ["a"]},
    {"kind": "unique", "name": "once", "collection": "readings", "fields": ["station_id", "at"]},
    {"kind": "indexes", "name": "index", "collection": "readings", "indexes": [{"fields": ["at"]}]},
    {"kind": "freshness", "name": "fresh", "collection": "readings", "field": "at", "max-age": "1h"},
)  # fmt: skip


def checks(*tables: dict[str, Any]) -> Sequence[Check]:
    read: list[Check] = TypeAdapter(list[Check]).validate_python(list(tables))
    return read


def about(**changes: Any) -> VerifyContext:
    context = VerifyContext("r1", "runs", {}, NOON.timestamp(), timer=lambda: 0.0)
    return replace(context, **changes)


@pytest.fixture
def database() -> FakeDatabase:
    database = FakeDatabase(extra_indexes={"readings": [{"name": "at_1", "key": {"at": 1}}]})
    rows = [{"_id": n, "station_id": "a", "at": NOON, "run_id": "r1", "n": n} for n in range(3)]
    database.write("readings", rows)
    database.write("runs", [{"_id": "r1", "status": "succeeded", "written": 3, "started_at": NOON}])
    return database


def by_asking(network: FakeJobNetwork, *tables: dict[str, Any], **changes: Any) -> Verification:
    asked = checks(*tables)
    return verify_by_asking(asked, RemoteDatabase(network.ask, prefetch(asked)), about(**changes))


@pytest.mark.parametrize("run_id", ["r1", None])
def test_the_verdict_is_the_same(database: FakeDatabase, run_id: str | None) -> None:
    """Check by check: what is expected, found and offending is what a database at hand would have given."""
    network = FakeJobNetwork(database)
    there = by_asking(network, *CHECKS, run_id=run_id)
    here = verify(checks(*CHECKS), database, about(run_id=run_id))
    untimed = replace(there, checks=tuple(replace(check, seconds=0.0) for check in there.checks))
    assert untimed == replace(here, via="task")
    assert [check.ok for check in there.checks] == [True, True, False, True, True]


def test_it_takes_three_rounds(database: FakeDatabase) -> None:
    """First what there is, then the plans of all queries, then their answers: each round is a task."""
    network = FakeJobNetwork(database)
    by_asking(network, *CHECKS)
    assert [sorted({question.kind for question in batch}) for batch in network.asked] == [
        ["counts", "find_one", "indexes", "options"],
        ["explain"],
        ["aggregate"],
    ]


def test_the_time_of_a_check_is_the_database_s(database: FakeDatabase) -> None:
    """What a check took is what its questions took there, not how long a task needs to start."""
    there = by_asking(FakeJobNetwork(database), *CHECKS)
    assert [check.seconds for check in there.checks] == [0.25, 0.25, 0.25, 0.0, 0.25]


def test_a_large_collection_is_not_read_unasked(database: FakeDatabase) -> None:
    """The plan comes first: a scan of many documents is refused and its aggregation is never sent."""

    class Large(FakeJobNetwork):
        def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
            large = Reply({"readings": LARGE + 1, "runs": 1})
            given = zip(questions, super().ask(questions, revision), strict=True)
            return tuple(large if question.kind == "counts" else reply for question, reply in given)

    network = Large(database)
    groups = CHECKS[1]
    (check,) = by_asking(network, groups).checks
    assert not check.ok
    assert "no index serves it" in check.found
    assert not any(question.kind == "aggregate" for batch in network.asked for question in batch)


def test_a_run_without_a_report_is_told_after_one_round(database: FakeDatabase) -> None:
    """Nothing more is asked where the run itself proves nothing."""
    network = FakeJobNetwork(database)
    there = by_asking(network, *CHECKS, run_id="r2")
    assert "no report" in there.problem
    assert len(network.asked) == 1


def test_all_mistakes_of_the_checks_are_named_at_once(database: FakeDatabase) -> None:
    """A query that MongoDB refuses there, and a field that the report has not: one message, none was run."""
    wrong = {**CHECKS[0], "equals-report": "writen"}
    refused = {**CHECKS[1], "query": {"$oops": 1}}
    with pytest.raises(UsageError) as caught:
        by_asking(FakeJobNetwork(database), wrong, refused)
    assert "did you mean 'written'" in caught.value.message
    assert "$oops" in caught.value.message


def test_a_check_that_is_not_done_in_time_has_failed(database: FakeDatabase) -> None:
    """The time limit is kept at the other side; the others are judged."""

    class Slow(FakeJobNetwork):
        def _answer(self, question: Question) -> Any:
            if question.kind == "aggregate" and any("$group" in stage for stage in question.body):
                raise TimeLimitReached("mongodb", "too slow")
            return super()._answer(question)

    there = by_asking(Slow(database), *CHECKS[:2])
    assert [check.ok for check in there.checks] == [True, False]
    assert "not finished within" in there.checks[1].found


def test_what_was_answered_can_be_read_again(database: FakeDatabase) -> None:
    """The run's report, once asked, is at hand for the evidence without another task."""
    network = FakeJobNetwork(database)
    asked = RemoteDatabase(network.ask, prefetch(checks(*CHECKS)))
    verify_by_asking(checks(*CHECKS), asked, about())
    report = asked.find_one("runs", {"_id": "r1"})
    assert report is not None
    assert report["written"] == 3
    assert asked.complete
