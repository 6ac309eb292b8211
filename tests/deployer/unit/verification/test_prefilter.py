"""Cheaper looks and joined reads: what is spared by them, and that nothing passes because of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import TypeAdapter

from deployer.config.checks import Check
from deployer.errors import Failure
from deployer.model import Verification
from deployer.ports import QueryRefused, TimeLimitReached
from deployer.verification.batching import batches
from deployer.verification.kinds import plan
from deployer.verification.plan import Facts, Read
from deployer.verification.prefilter import Prefilter, prefilters
from deployer.verification.prepare import LARGE, Prepared
from deployer.verification.run import VerifyContext, verify
from tests.fakes.database import FakeDatabase
from tests.fakes.documents import aggregated, matches

QUERY = {"run_id": "r1"}
RANGES = {"kind": "range", "fields": {"t": [0, 10], "h": [0, 100]}, "query": QUERY}
VALUES = {"kind": "values", "fields": {"network": ["x", "y"]}, "query": QUERY}
TYPES = {"kind": "types", "required": {"s": "string"}, "query": QUERY}
COUNT = {"kind": "count", "exactly": 4, "query": QUERY}
GROUPS = {"kind": "groups", "by": "s", "number": 1, "query": QUERY}


@dataclass
class Watched(FakeDatabase):
    asked: list[Sequence[Mapping[str, Any]]] = field(default_factory=list)

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]:
        self.asked.append(pipeline)
        return super().aggregate(collection, pipeline, within)


@pytest.fixture
def database() -> Watched:
    database = Watched(extra_indexes={"readings": [{"name": "run_id_1", "key": {"run_id": 1}}]})
    row = {"s": "a", "run_id": "r1", "network": "x", "t": 5}
    database.write("readings", [{**row, "_id": n} for n in range(4)])
    return database


def checks(*tables: dict[str, Any]) -> list[Check]:
    named = [{"name": f"check {n}", "collection": "readings", **table} for n, table in enumerate(tables)]
    read: list[Check] = TypeAdapter(list[Check]).validate_python(named)
    return read


def asked(database: FakeDatabase, *tables: dict[str, Any]) -> Verification:
    return verify(checks(*tables), database, VerifyContext("r1", None, {}, 0.0))


def proofs_of(database: FakeDatabase, *tables: dict[str, Any], documents: int = LARGE + 1) -> list[Prefilter]:
    facts = Facts("r1", 0.0)
    prepared = [Prepared(check, plan(check, facts)) for check in checks(*tables)]
    return prefilters(prepared, database, {"readings": documents})


def test_what_is_said_of_the_same_documents_is_looked_at_together(database: Watched) -> None:
    """Two checks of three fields take two reads, and all is said of all documents."""
    verification = asked(database, RANGES, VALUES)
    assert all(result.ok for result in verification.checks)
    assert [result.found for result in verification.checks] == ["none", "none"]
    assert len(database.asked) == 2
    assert all(f"'{name}'" in str(database.asked) for name in ("t", "h", "network"))


@pytest.mark.parametrize(
    ("change", "offending"),
    [
        ({"t": 11}, [("2 (t 11)",), ()]),
        ({"h": "wet"}, [("2 (h wet)",), ()]),
        ({"network": "z"}, [(), ("2 (network z)",)]),
        ({"t": -1, "network": None}, [("2 (t -1)",), ("2 (network None)",)]),
    ],
)
def test_where_something_is_found_each_check_looks_for_itself(
    database: Watched, change: dict[str, Any], offending: list[tuple[str, ...]]
) -> None:
    """The offender is told by the check that it offends, and by no other."""
    database.collections["readings"][2] |= change
    results = asked(database, RANGES, VALUES).checks
    assert [result.offending for result in results] == offending
    assert [result.ok for result in results] == [not names for names in offending]


@pytest.mark.parametrize("failure", [TimeLimitReached("mongodb", "slow"), QueryRefused("mongodb", "no")])
@pytest.mark.parametrize("spoilt", [False, True])
def test_a_look_that_did_not_end_proves_nothing(database: Watched, failure: Failure, *, spoilt: bool) -> None:
    """Out of time or refused, the checks read for themselves and judge by that."""
    if spoilt:
        database.collections["readings"][2]["t"] = 11
    database.faults.fail_next("aggregate", failure)
    assert [result.ok for result in asked(database, RANGES, VALUES).checks] == [not spoilt, True]


def test_other_documents_are_looked_at_by_themselves(database: Watched) -> None:
    """What is said of other documents, or of all, is another proof."""
    everywhere = {**VALUES, "query": {}, "allow-full-scan": True}
    found = proofs_of(database, RANGES, everywhere, {**VALUES, "query": {"run_id": "r0"}})
    assert [proof.skips for proof in found] == [(0,), (1,), (2,)]


def test_where_nearly_all_documents_match_they_are_read_as_they_are_stored(database: Watched) -> None:
    """The query is left out then, for fetching by an index costs more; documents of others are seen too."""
    database.write("readings", [{"_id": n, "run_id": "r1"} for n in range(100)])
    (proof,) = proofs_of(database, RANGES)
    assert not any("run_id" in str(read.pipeline) for read in proof.reads)
    for n in range(11):
        database.collections["readings"][n]["run_id"] = "r0"
    (proof,) = proofs_of(database, RANGES)
    assert all("run_id" in str(read.pipeline) for read in proof.reads)


def test_an_offender_of_others_makes_the_checks_look_for_themselves(
    database: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the query was left out, what another run wrote is suspicious and offends nobody."""
    monkeypatch.setattr("deployer.verification.prefilter.LARGE", 200)
    rows = {n: {"_id": n, "run_id": "r1", "t": 1} for n in range(201)}
    database.collections["readings"] = {**rows, -1: {"_id": -1, "run_id": "r0", "t": 11}}
    (result,) = asked(database, {**RANGES, "allow-full-scan": True}).checks
    assert (result.ok, result.found) == (True, "none")


def test_a_large_collection_is_not_read_for_a_proof_unasked(database: Watched) -> None:
    """Each may have an index for its field; together they would read everything, so they stay apart."""
    unindexed = {**RANGES, "query": {"place": "x"}}
    assert proofs_of(database, unindexed) == []
    assert len(proofs_of(database, {**unindexed, "allow-full-scan": True})) == 1
    assert len(proofs_of(database, unindexed, documents=LARGE)) == 1


ODD: tuple[tuple[dict[str, Any], bool], ...] = (
    ({}, False),
    ({"t": 5}, False),
    ({"t": 11}, True),
    ({"t": None}, True),
    ({"t": "5"}, True),
    ({"t": float("nan")}, True),
)


@pytest.mark.parametrize("often", [False, True])
@pytest.mark.parametrize(("document", "suspicious"), ODD)
def test_both_ways_to_look_at_a_field_say_the_same(
    document: dict[str, Any], *, suspicious: bool, often: bool
) -> None:
    """However many documents have the field: wrong is what is there and not right."""
    database = Watched(extra_indexes={"readings": [{"name": "run_id_1", "key": {"run_id": 1}}]})
    rows = [{"_id": n, "run_id": "r0", **({"t": 1} if often else {})} for n in range(100)]
    database.write("readings", rows)
    one = {**RANGES, "fields": {"t": [0, 10]}}
    (proof,) = proofs_of(database, one)
    (read,) = proof.reads
    assert ("$nor" in str(read.pipeline)) is often
    match = read.pipeline[0]["$match"]
    assert matches({"_id": 1, "run_id": "r1", **document}, match) is suspicious


def test_a_count_is_the_sum_of_groups_of_the_same_documents(database: Watched) -> None:
    """Counting and grouping the same documents is one read, and both are answered."""
    results = asked(database, COUNT, GROUPS).checks
    assert [(result.ok, result.found) for result in results] == [(True, "4"), (True, "1: a 4")]
    assert len(database.asked) == 1


def test_of_nothing_there_is_no_sum(database: Watched) -> None:
    """Where no document matches, the count is 0 and there is no group, joined as alone."""
    nobody = {"query": {"run_id": "r9"}}
    results = asked(database, {**COUNT, **nobody, "exactly": 0}, {**GROUPS, **nobody, "number": 0}).checks
    assert [(result.ok, result.found) for result in results] == [(True, "0"), (True, "0: no documents")]


def test_a_joined_read_that_is_refused_is_asked_one_by_one(database: Watched) -> None:
    """One read too heavy to be joined spoils neither."""
    database.faults.fail_next("aggregate", QueryRefused("mongodb", "too much memory"))
    assert [result.found for result in asked(database, COUNT, GROUPS).checks] == ["4", "1: a 4"]
    assert len(database.asked) == 3


def grouping(accumulators: dict[str, Any], key: Any = "$s", query: Any = None) -> Read:
    return Read(
        "readings", [{"$match": query or {}}, {"$group": {"_id": key, **accumulators}}, {"$limit": 9}]
    )


@pytest.mark.parametrize(
    ("other", "joined"),
    [
        (grouping({"most": {"$max": "$t"}}), True),
        (grouping({"n": {"$sum": 1}}), True),
        (grouping({"n": {"$sum": "$t"}}), False),
        (grouping({"n": {"$sum": 1}}, key="$network"), False),
        (grouping({"n": {"$sum": 1}}, query={"t": 1}), False),
        (Read("readings", [{"$match": {}}, {"$count": "all"}]), True),
        (Read("readings", [{"$match": {"t": 1}}, {"$count": "all"}]), False),
        (Read("others", [{"$match": {}}, {"$count": "all"}]), False),
        (Read("readings", [{"$match": {}}]), False),
    ],
)
def test_only_what_goes_through_the_same_documents_alike_is_joined(other: Read, *, joined: bool) -> None:
    """Joined, each has the rows that it would have alone; the rest stays as it is."""
    rows = [{"_id": n, "s": "ab"[n % 2], "t": n, "network": "x"} for n in range(5)]
    one = grouping({"n": {"$sum": 1}})
    made = list(batches([one, other]))
    assert len(made) == joined
    for joint in made:
        (found,) = aggregated(rows, joint.read.pipeline)
        for name, read in joint.answers.items():
            alone = aggregated(rows, read.pipeline)
            assert [{**row, **part} for row, part in zip(found[name], alone, strict=True)] == found[name]
