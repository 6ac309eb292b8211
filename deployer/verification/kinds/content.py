"""What stands in the documents: keys that repeat, fields, types, bounds, allowed values."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deployer.verification.model import RangeCheck, TypesCheck, UniqueCheck, ValuesCheck
from deployer.verification.plan import COUNTED, Answer, Facts, Plan, Read, Rows, no_offenders, single, spelled


def unique(check: UniqueCheck, facts: Facts) -> Plan:
    words = ", ".join(check.fields)
    expected = f"no two documents with the same {words}"
    guard = _guarding_index(check, facts)
    if guard is not None:
        return Plan(expected, (), lambda rows: Answer(True, f"none: the unique index {guard} refuses them"))
    key = {f"f{number}": f"${field}" for number, field in enumerate(check.fields)}
    group = {"_id": key, "n": {"$sum": 1}, "one": {"$min": "$_id"}, "other": {"$max": "$_id"}}
    pipeline: list[dict[str, Any]] = [
        {"$match": check.query},
        {"$group": group},
        {"$match": {"n": {"$gt": 1}}},
        {"$limit": COUNTED + 1},
    ]

    def judge(rows: Rows) -> Answer:
        pairs = (f"{spelled(row['one'])} and {spelled(row['other'])}" for row in rows)
        return no_offenders(pairs, f"values of {words} occur more than once")

    return single(expected, Read(check.collection, pipeline), judge)


def _guarding_index(check: UniqueCheck, facts: Facts) -> str | None:
    """The index that makes a repetition impossible. A partial or sparse one does not see every document."""
    for index in facts.indexes.get(check.collection, ()):
        complete = not index.get("sparse") and "partialFilterExpression" not in index
        always = index.get("unique") or index["name"] == "_id_"
        if always and complete and set(index["key"]) <= set(check.fields):
            return str(index["name"])
    return None


def types(check: TypesCheck, facts: Facts) -> Plan:
    schema: dict[str, Any] = {}
    for path, kinds in check.required.items():
        _demand(schema, path.split("."), kinds, True)
    for path, kinds in check.optional.items():
        _demand(schema, path.split("."), kinds, False)
    wanted = {**check.optional, **check.required}
    words = [f"{path} {_either(kinds)}" for path, kinds in check.required.items()]
    words += [f"{path} {_either(kinds)} or absent" for path, kinds in check.optional.items()]
    shown = {f"f{number}": {"$type": f"${path}"} for number, path in enumerate(wanted)}

    def wrong(row: Mapping[str, Any]) -> str:
        kinds = {path: str(row[f"f{number}"]) for number, path in enumerate(wanted)}
        bad = [f"{path} is {kind}" for path, kind in kinds.items() if not _is(kind, wanted[path], path in check.optional)]
        return f"{spelled(row['_id'])} ({', '.join(bad)})"

    return _offending(check, {"$nor": [{"$jsonSchema": schema}]}, shown, "; ".join(words), wrong)


def _demand(schema: dict[str, Any], path: list[str], kinds: str | list[str], needed: bool) -> None:
    """Adds one dotted field to a `$jsonSchema`. It tells types strictly, where `$type` looks into arrays."""
    head, rest = path[0], path[1:]
    field = schema.setdefault("properties", {}).setdefault(head, {})
    if needed and head not in schema.setdefault("required", []):
        schema["required"].append(head)
    if not schema.get("required"):
        schema.pop("required", None)
    if rest:
        field["bsonType"] = "object"
        _demand(field, rest, kinds, needed)
    else:
        field["bsonType"] = kinds


def _either(kinds: str | Iterable[str]) -> str:
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def _is(kind: str, wanted: str | list[str], absent_allowed: bool) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    numbers = ("int", "long", "double", "decimal")
    return kind in names or ("number" in names and kind in numbers) or (absent_allowed and kind == "missing")


def ranges(check: RangeCheck, facts: Facts) -> Plan:
    conditions = {
        field: {"$exists": True, "$not": {"$gte": low, "$lte": high}} for field, (low, high) in check.fields.items()
    }
    words = ", ".join(f"{field} {spelled(low)} to {spelled(high)}" for field, (low, high) in check.fields.items())
    return _wrong_values(check, conditions, words)


def values(check: ValuesCheck, facts: Facts) -> Plan:
    conditions = {field: {"$exists": True, "$nin": allowed} for field, allowed in check.fields.items()}
    words = "; ".join(f"{field} one of {', '.join(map(spelled, allowed))}" for field, allowed in check.fields.items())
    return _wrong_values(check, conditions, words)


def _wrong_values(check: RangeCheck | ValuesCheck, conditions: Mapping[str, Any], words: str) -> Plan:
    match = {"$or": [{field: condition} for field, condition in conditions.items()]}
    shown = {f"f{number}": f"${field}" for number, field in enumerate(conditions)}

    def wrong(row: Mapping[str, Any]) -> str:
        held = [f"{field} {spelled(row[f'f{n}'])}" for n, field in enumerate(conditions) if f"f{n}" in row]
        return f"{spelled(row['_id'])} ({', '.join(held)})"

    return _offending(check, match, shown, words, wrong)


def _offending(
    check: TypesCheck | RangeCheck | ValuesCheck,
    match: Mapping[str, Any],
    shown: Mapping[str, Any],
    expected: str,
    wrong: Callable[[Mapping[str, Any]], str],
) -> Plan:
    query = {"$and": [check.query, match]} if check.query else match
    pipeline: list[dict[str, Any]] = [{"$match": query}, {"$limit": COUNTED + 1}, {"$project": dict(shown)}]
    read = Read(check.collection, pipeline)
    return single(expected, read, lambda rows: no_offenders(map(wrong, rows), "documents are not so"))
