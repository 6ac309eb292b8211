"""Every kind of check plans its reads and judges their rows, without a database."""

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from deployer.config.checks import Check
from deployer.verification.kinds import plan
from deployer.verification.plan import Answer, Facts, MisconfiguredError

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
REPORT = {
    "_id": "r1",
    "written": 10,
    "totals": {"inserted": 7},
    "stations": ["a", "b"],
    "per_station": {"a": 4, "b": 6},
    "newest": NOON,
}
FACTS = Facts(run_id="r1", now=NOON.timestamp(), report=REPORT, baseline={"readings": 100})
HOUR = datetime.timedelta(hours=1)


def check(kind: str, **settings: Any) -> Check:
    spelled = {name.replace("_", "-"): value for name, value in settings.items()}
    checked: Check = TypeAdapter(Check).validate_python(
        {"name": "it", "collection": "readings", "kind": kind, **spelled}
    )
    return checked


def answer(asked: Check, *results: list[Mapping[str, Any]], facts: Facts = FACTS) -> Answer:
    return plan(asked, facts).judge(list(results))


@pytest.mark.parametrize(
    ("expectation", "number", "ok"),
    [
        ({"exactly": 10}, 10, True),
        ({"exactly": 10}, 9, False),
        ({"at_least": 10}, 11, True),
        ({"at_least": 10}, 9, False),
        ({"at_most": 10}, 10, True),
        ({"at_most": 10}, 11, False),
        ({"at_least": 5, "at_most": 10}, 4, False),
        ({"equals_report": "written"}, 10, True),
        ({"equals_report": "written"}, 11, False),
        ({"at_least_report": "written"}, 11, True),
        ({"at_least_report": "written"}, 9, False),
        ({"change_at_least": 0}, 100, True),
        ({"change_at_least": 0}, 99, False),
        ({"change_at_most": 5}, 106, False),
        ({"change_equals_report": "totals.inserted", "when": "release"}, 107, True),
        ({"change_equals_report": "totals.inserted", "when": "release"}, 106, False),
    ],
)
def test_counts(expectation: dict[str, Any], number: int, *, ok: bool) -> None:
    """A count is held to every expectation: absolute, of the report, or against the count before."""
    assert answer(check("count", **expectation), [{"n": number}]).ok is ok


def test_a_count_of_nothing_is_zero() -> None:
    """No document at all gives no row, and that is a count of 0."""
    assert answer(check("count", exactly=0), []).found == "0"
    assert not answer(check("count", at_least=1), []).ok


def test_a_change_says_from_where() -> None:
    """A change is told with the count it started from."""
    assert answer(check("count", change_at_least=0), [{"n": 95}]).found == "95 (-5 since 100)"


def test_old_data_cannot_make_a_new_run_look_good() -> None:
    """A collection that is as full as ever does not pass where the run should have added to it."""
    grown = check("count", change_equals_report="totals.inserted", when="release")
    assert not answer(grown, [{"n": 100}]).ok


@pytest.mark.parametrize(
    ("expectation", "rows", "offending"),
    [
        ({}, [("a", 1)], ()),
        ({"at_least": 2}, [("a", 1), ("b", 2)], ("a: 1, at least 2",)),
        ({"at_most": 2}, [("a", 3)], ("a: 3, at most 2",)),
        ({"present": ["a", "c"]}, [("a", 1)], ("c: 0, at least 1",)),
        ({"present_in_report": "stations"}, [("a", 1), ("b", 1)], ()),
        ({"present_in_report": "stations"}, [("a", 1)], ("b: 0, at least 1",)),
        ({"present_in_report": "per_station"}, [("a", 4), ("b", 6)], ()),
        ({"present_in_report": "per_station"}, [("a", 4), ("b", 5)], ("b: 5, not 6",)),
    ],
)
def test_groups(expectation: dict[str, Any], rows: list[tuple[str, int]], offending: tuple[str, ...]) -> None:
    """Each group that is wanted is there with as many documents as it should have; the others are named."""
    found = answer(check("groups", by="station_id", **expectation), [{"_id": i, "n": n} for i, n in rows])
    assert found.offending == offending
    assert found.ok is not bool(offending)


def test_the_number_of_groups_is_exact() -> None:
    """One group too many is as wrong as one too few."""
    rows = [{"_id": "a", "n": 1}, {"_id": "b", "n": 1}]
    assert answer(check("groups", by="s", number=2), rows).ok
    assert not answer(check("groups", by="s", number=1), rows).ok


def test_completeness() -> None:
    """The share of promised readings decides; no cadence known, and no documents at all, are failures."""
    asked = check("completeness", by="s", field="t", interval={"a": "10m"}, at_least=0.9)
    assert answer(asked, [{"_id": "a", "n": 9, "promised": 10.0}]).ok
    poor = answer(asked, [{"_id": "a", "n": 8, "promised": 10.0}, {"_id": "b", "n": 8, "promised": 0}])
    assert poor.offending == ("a: 80.0%", "b: 0.0%")
    assert not answer(asked, []).ok


@pytest.mark.parametrize(("age", "ok"), [(2, True), (3, True), (4, False)])
def test_freshness_by_the_clock(age: int, *, ok: bool) -> None:
    """The newest time may be as old as `within`, and no older."""
    asked = check("freshness", field="t", max_age="3h")
    assert answer(asked, [{"_id": 1, "newest": NOON - age * HOUR}]).ok is ok


def test_freshness_by_the_report() -> None:
    """The newest time has reached the one in the report, whatever the clock says."""
    asked = check("freshness", field="t", not_before_report="newest")
    assert answer(asked, [{"_id": 1, "newest": NOON}]).ok
    stale = answer(asked, [{"_id": 1, "newest": NOON - HOUR}])
    assert stale.offending == ("1: 2026-01-02T11:00:00+00:00",)


def test_freshness_of_each_group() -> None:
    """One stale group among fresh ones is named."""
    asked = check("freshness", field="t", max_age="3h", by="station_id")
    rows = [{"_id": "a", "newest": NOON}, {"_id": "b", "newest": NOON - 5 * HOUR}]
    assert answer(asked, rows).offending == ("b: 2026-01-02T07:00:00+00:00",)


@pytest.mark.parametrize("rows", [[], [{"_id": 1}], [{"_id": 1, "newest": "2026-01-02"}]])
def test_what_is_no_time_is_not_fresh(rows: list[Mapping[str, Any]]) -> None:
    """No document, none with the field, and a text instead of a time all fail."""
    assert not answer(check("freshness", field="t", max_age="3h"), rows).ok


def test_freshness_reads_an_index_where_there_is_one() -> None:
    """With an index on (by, field) the newest of each group is looked up instead of reading everything."""
    asked = check("freshness", field="t", max_age="3h", by="s")
    indexed = Facts("r1", 0.0, indexes={"readings": [{"name": "s_1_t_1", "key": {"s": 1, "t": 1}}]})
    assert {"$sort": {"s": -1, "t": -1}} in plan(asked, indexed).reads[0].pipeline
    assert {"$sort": {"s": -1, "t": -1}} not in plan(asked, FACTS).reads[0].pipeline


def test_repetitions_are_named_in_pairs() -> None:
    """Two documents with the same key are told by both their ids."""
    found = answer(check("unique", fields=["s"]), [{"_id": {"f0": "a"}, "n": 2, "one": "x", "other": "y"}])
    assert found.offending == ("x and y",)
    assert answer(check("unique", fields=["s"]), []).ok


@pytest.mark.parametrize(
    ("index", "reads"),
    [
        ({"name": "u", "key": {"s": 1}, "unique": True}, 0),
        ({"name": "u", "key": {"t": 1, "s": 1}, "unique": True}, 0),
        ({"name": "u", "key": {"s": 1, "t": 1, "x": 1}, "unique": True}, 1),
        ({"name": "u", "key": {"s": 1}, "unique": True, "sparse": True}, 1),
        ({"name": "u", "key": {"s": 1}, "unique": True, "partialFilterExpression": {"x": 1}}, 1),
        ({"name": "u", "key": {"s": 1}}, 1),
    ],
)
def test_a_unique_index_proves_it_without_reading(index: dict[str, Any], reads: int) -> None:
    """Only an index that sees every document and covers no other field makes a repetition impossible."""
    facts = Facts("r1", 0.0, indexes={"readings": [index]})
    assert len(plan(check("unique", fields=["s", "t"]), facts).reads) == reads


def test_the_field_of_a_wrong_type_is_named() -> None:
    """Of several fields only those whose type is wrong are told, with the type they have."""
    asked = check("types", required={"s": "string", "n": "number"}, optional={"o": ["double", "null"]})
    rows = [
        {"_id": 1, "f0": "missing", "f1": "decimal", "f2": "missing"},
        {"_id": 2, "f0": "string", "f1": "bool", "f2": "int"},
    ]
    assert answer(asked, rows).offending == ("1 (s missing)", "2 (n bool, o int)")


def test_values_outside_their_bounds_are_named() -> None:
    """Of several fields only those outside are told; text where a number belongs is outside, NaN too."""
    asked = check("range", fields={"t": [-50, 60], "h": [0, 100]})
    rows = [{"_id": 1, "f0": 61, "f1": 50}, {"_id": 2, "f1": "wet"}, {"_id": 3, "f0": float("nan")}]
    assert answer(asked, rows).offending == ("1 (t 61)", "2 (h wet)", "3 (t nan)")


def test_values_that_are_not_allowed_are_named() -> None:
    """The value that is none of the allowed ones is told with its document."""
    assert answer(check("values", fields={"n": ["x"]}), [{"_id": 1, "f0": "y"}]).offending == ("1 (n y)",)


def test_only_a_few_offenders_are_named() -> None:
    """A thousand offenders are counted, five are named."""
    rows = [{"_id": number, "f0": "y"} for number in range(1001)]
    found = answer(check("values", fields={"n": ["x"]}), rows)
    assert found.offending == tuple(f"{number} (n y)" for number in range(5))
    assert found.found == "wrong documents: at least 1000"


def test_reconciliation() -> None:
    """Both sides have the same rows by `_id`; the differing ones are told, within the tolerance none is."""
    sides: dict[str, Any] = {"pipeline": [], "other_collection": "sums", "other_pipeline": []}
    here = [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]
    there = [{"_id": "b", "n": 3}, {"_id": "c", "n": 1}]
    found = answer(check("reconcile", **sides), here, there)
    assert found.offending == ("a only in the first", "b: n 2 and 3", "c only in the second")
    assert answer(check("reconcile", tolerance=1, **sides), here[1:], there[:1]).ok


@pytest.mark.parametrize(
    ("rows", "ok"),
    [
        ([{"_id": None, "n": 3}], True),
        ([{"_id": None, "n": 4}], False),
        ([], False),
        ([{"n": 3}, {"n": 3}], False),
    ],
)
def test_aggregations(rows: list[Mapping[str, Any]], *, ok: bool) -> None:
    """As many rows as expected, each with the expected fields; further fields do not matter."""
    assert answer(check("aggregation", pipeline=[], expected=[{"n": 3}]), rows).ok is ok


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, "no validator"),
        ({"validator": {"$jsonSchema": {"required": ["s"]}}}, "it exists"),
        ({"validator": {"$jsonSchema": {}}}, "a validator that does not require them all"),
        (
            {"validator": {"s": 1}, "validationAction": "warn"},
            "a validator with action 'warn' and level 'strict'",
        ),
        (
            {"validator": {"s": 1}, "validationLevel": "off"},
            "a validator with action 'error' and level 'off'",
        ),
    ],
)
def test_schema_validators(options: dict[str, Any], found: str) -> None:
    """Only a validator that refuses, and that demands what is asked, is one."""
    facts = Facts("r1", 0.0, options={"readings": options})
    assert answer(check("schema", requires=["s"]), facts=facts).found == found


@pytest.mark.parametrize(
    ("there", "ok"),
    [
        ({"name": "i", "key": {"s": 1, "t": -1}, "unique": True}, True),
        ({"name": "i", "key": {"s": 1, "t": -1}}, False),
        ({"name": "i", "key": {"t": -1, "s": 1}, "unique": True}, False),
        ({"name": "i", "key": {"s": 1, "t": 1}, "unique": True}, False),
        ({"name": "i", "key": {"s": 1, "t": -1}, "unique": True, "sparse": True}, False),
    ],
)
def test_indexes(there: dict[str, Any], *, ok: bool) -> None:
    """An index is the same fields in the same order and direction, unique for all documents where asked."""
    facts = Facts("r1", 0.0, indexes={"readings": [there]})
    asked = check("indexes", indexes=[{"fields": ["s", "-t"], "unique": True}])
    assert answer(asked, facts=facts).ok is ok


@pytest.mark.parametrize(
    ("kind", "settings", "key", "message"),
    [
        ("count", {"equals_report": "writen"}, "equals-report", "no field 'writen'; did you mean 'written'?"),
        (
            "count",
            {"equals_report": "totals.x"},
            "equals-report",
            "no field 'totals.x'; known there: inserted",
        ),
        ("count", {"at_least_report": "newest"}, "at-least-report", "newest is no whole number"),
        ("groups", {"by": "s", "present_in_report": "written"}, "present-in-report", "neither a list"),
        ("freshness", {"field": "t", "not_before_report": "written"}, "not-before-report", "no time but 10"),
    ],
)
def test_what_the_report_does_not_have(kind: str, settings: dict[str, Any], key: str, message: str) -> None:
    """A field that the report lacks, or has as something else, is told with the setting that names it."""
    with pytest.raises(MisconfiguredError) as caught:
        plan(check(kind, **settings), FACTS)
    assert caught.value.key == key
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("count", {}, "expects nothing"),
        ("count", {"exactly": True}, "valid integer"),
        ("count", {"change_at_least": 0, "query": {"a": 1}}, "allows no `query`"),
        ("count", {"change_equals_report": "written"}, 'needs `when = "release"`'),
        ("freshness", {"field": "t"}, "expects nothing"),
        ("types", {}, "expects nothing"),
        ("range", {"fields": {"a": [1]}}, "at least 2 items"),
        ("count", {"exactly": 1, "time_limit": "2h"}, "less than or equal to 3600"),
        (
            "aggregation",
            {"pipeline": [{"$merge": "x"}], "expected": []},
            "a check only reads; take `$merge` out",
        ),
        ("count", {"exactly": 1, "query": {"a": "${RUNID}"}}, "no placeholder ${RUNID}"),
        ("count", {"exactly": 1, "query": {"a": datetime.time(1)}}, "time of day"),
        ("values", {"fields": {"a": [{}]}}, "a text, a number"),
    ],
)
def test_settings_that_make_no_check(kind: str, settings: dict[str, Any], message: str) -> None:
    """A check that expects nothing, writes, or is not spelled right is refused when the file is read."""
    with pytest.raises(ValidationError) as caught:
        check(kind, **settings)
    assert message in str(caught.value)
