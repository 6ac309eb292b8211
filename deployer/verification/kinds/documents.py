"""The content of documents: repeated keys, fields and their types, bounds, allowed values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.config.checks import RangeCheck, TypesCheck, UniqueCheck, ValuesCheck
from deployer.verification.plan import (
    COUNTED,
    Answer,
    Facts,
    Plan,
    Read,
    Rows,
    Violation,
    by_day,
    constant_plan,
    format_value,
    is_whole,
    no_offenders,
    passed,
    refuses_repetition,
    single,
)

_NUMBERS: Final = ("int", "long", "double", "decimal")


def unique(check: UniqueCheck, facts: Facts) -> Plan:
    words = ", ".join(check.fields)
    expected = f"no two documents with the same {words}"
    indexes = facts.indexes.get(check.collection, ())
    for index in indexes:
        if refuses_repetition(index) and set(index["key"]) <= set(check.fields):
            return constant_plan(expected, passed(f"none: the unique index {index['name']} refuses them"))
    ordered = next((index for index in indexes if _orders(index, check.fields)), None)
    if ordered is None or check.query:
        pipeline, proof = _grouped(check), None
    else:
        pipeline = _neighbors(check.fields, ordered["key"])
        proof = Read(check.collection, _by_day(ordered["key"]))

    def pair(row: Mapping[str, Any]) -> str:
        return f"{format_value(row['one'])} and {format_value(row['other'])}"

    read = Read(check.collection, [*pipeline, {"$limit": COUNTED + 1}])
    return single(expected, read, lambda rows: no_offenders(map(pair, rows), f"repeated {words}"), proof)


def _orders(index: Mapping[str, Any], fields: Sequence[str]) -> bool:
    ways = index["key"].values()
    return is_whole(index) and set(index["key"]) == set(fields) and all(way in (1, -1) for way in ways)


def _by_day(order: Mapping[str, int]) -> list[dict[str, Any]]:
    """The days with more documents than different values, from the index alone: a third of the work of
    comparing neighbors. Equal values have the same day, so none is missed. It only works if the last field is
    a time and a day has few documents; otherwise the server refuses it."""
    *others, last = order
    key = by_day(others, last)
    group = {"_id": key, "n": {"$sum": 1}, "values": {"$addToSet": f"${last}"}}
    fewer = {"$expr": {"$lt": [{"$size": "$values"}, "$n"]}}
    return [{"$sort": dict(order)}, {"$group": group}, {"$match": fewer}, {"$limit": 1}]


def _neighbors(fields: Sequence[str], order: Mapping[str, int]) -> list[dict[str, Any]]:
    """In the order of an index equal values are neighbors: a third of the work of grouping, without memory,
    so that millions of documents need no disk."""
    before = {
        f"f{number}": {"$shift": {"output": f"${field}", "by": -1}} for number, field in enumerate(fields)
    }
    one = {"one": {"$shift": {"output": "$_id", "by": -1}}}
    same = [{"$eq": [f"$f{number}", f"${field}"]} for number, field in enumerate(fields)]
    return [
        {"$sort": dict(order)},
        {"$setWindowFields": {"sortBy": dict(order), "output": before | one}},
        {"$match": {"one": {"$ne": None}, "$expr": {"$and": same}}},
        {"$project": {"one": "$one", "other": "$_id"}},
    ]


def _grouped(check: UniqueCheck) -> list[dict[str, Any]]:
    key = {f"f{number}": f"${field}" for number, field in enumerate(check.fields)}
    group = {"_id": key, "n": {"$sum": 1}, "one": {"$min": "$_id"}, "other": {"$max": "$_id"}}
    return [{"$match": check.query}, {"$group": group}, {"$match": {"n": {"$gt": 1}}}]


def types(check: TypesCheck) -> Plan:
    allowed: dict[str, list[str]] = {path: [*kinds] for path, kinds in check.required.items()}
    allowed |= {path: [*kinds, "missing"] for path, kinds in check.optional.items()}

    def is_wrong(path: str, kind: Any) -> bool:
        return kind not in allowed[path] and not ("number" in allowed[path] and kind in _NUMBERS)

    words = "; ".join(f"{path} {' or '.join(kinds)}" for path, kinds in allowed.items())
    match = {"$nor": [{"$jsonSchema": _schema(check)}]}
    shown = {path: {"$type": f"${path}"} for path in allowed}
    violation = Violation(check.collection, check.query, tuple(_signs(check)))
    return single(words, _wrong_ones(check, match, shown), _judge(list(shown), is_wrong), violation)


def _signs(check: TypesCheck) -> Iterator[dict[str, Any]]:
    """The condition of the schema for each top-level field."""
    whole = _schema(check)
    for name, schema in whole["properties"].items():
        required = {"required": [name]} if name in whole.get("required", ()) else {}
        yield {"$nor": [{"$jsonSchema": {**required, "properties": {name: schema}}}]}


def _schema(check: TypesCheck) -> dict[str, Any]:
    """A `$jsonSchema` of dotted fields: strict about types, unlike `$type`, which also checks arrays."""
    schema: dict[str, Any] = {"bsonType": "object"}
    for path, kinds in (*check.required.items(), *check.optional.items()):
        *parents, last = path.split(".")
        table = schema
        for name in [*parents, last]:
            if path in check.required and name not in table.setdefault("required", []):
                table["required"].append(name)
            table = table.setdefault("properties", {}).setdefault(name, {"bsonType": "object"})
        table["bsonType"] = kinds
    return schema


def ranges(check: RangeCheck) -> Plan:
    bounds = {field: (low, high) for field, (low, high) in check.fields.items()}

    def is_wrong(field: str, value: Any) -> bool:
        low, high = bounds[field]
        try:
            return not low <= value <= high
        except TypeError:
            return True

    words = ", ".join(
        f"{field} {format_value(low)} to {format_value(high)}" for field, (low, high) in bounds.items()
    )
    allowed = {field: {"$gte": low, "$lte": high} for field, (low, high) in bounds.items()}
    return _wrong_values(check, words, allowed, is_wrong)


def values(check: ValuesCheck) -> Plan:
    words = "; ".join(
        f"{field} {' or '.join(map(format_value, allowed))}" for field, allowed in check.fields.items()
    )
    allowed = {field: {"$in": listed} for field, listed in check.fields.items()}
    return _wrong_values(check, words, allowed, lambda field, value: value not in check.fields[field])


def _wrong_values(
    check: RangeCheck | ValuesCheck,
    words: str,
    allowed: Mapping[str, dict[str, Any]],
    is_wrong: Callable[[str, Any], bool],
) -> Plan:
    match = {"$or": [{field: {"$exists": True, "$not": wanted}} for field, wanted in allowed.items()]}
    read = _wrong_ones(check, match, {field: f"${field}" for field in allowed})
    violation = Violation(check.collection, check.query, allowed=allowed)
    return single(words, read, _judge(list(allowed), is_wrong), violation)


def _wrong_ones(
    check: TypesCheck | RangeCheck | ValuesCheck, match: Mapping[str, Any], shown: Mapping[str, Any]
) -> Read:
    """The documents that match, with `shown` under numbered names, because field names may have dots."""
    query = {"$and": [check.query, match]} if check.query else match
    numbered = {f"f{number}": expression for number, expression in enumerate(shown.values())}
    return Read(check.collection, [{"$match": query}, {"$limit": COUNTED + 1}, {"$project": numbered}])


def _judge(fields: Sequence[str], is_wrong: Callable[[str, Any], bool]) -> Callable[[Rows], Answer]:
    def named(row: Mapping[str, Any]) -> str:
        held = {field: row[f"f{number}"] for number, field in enumerate(fields) if f"f{number}" in row}
        bad = [f"{field} {format_value(value)}" for field, value in held.items() if is_wrong(field, value)]
        return f"{format_value(row['_id'])} ({', '.join(bad)})"

    return lambda rows: no_offenders(map(named, rows), "wrong documents")
