"""The set-up of a collection: its schema validator and its indexes."""

from collections.abc import Mapping, Sequence
from typing import Any

from deployer.config.checks import Index, IndexesCheck, SchemaCheck
from deployer.verification.plan import Answer, Facts, Plan, constant_plan, failed, passed, refuses_repetition


def schema(check: SchemaCheck, facts: Facts) -> Plan:
    expected = "a schema validator that refuses invalid documents"
    expected += f" and requires {', '.join(check.requires)}" if check.requires else ""
    return constant_plan(expected, _schema(check, facts.options.get(check.collection, {})))


def _schema(check: SchemaCheck, options: Mapping[str, Any]) -> Answer:
    validator = options.get("validator")
    if not validator:
        return failed("no validator")
    action, level = options.get("validationAction", "error"), options.get("validationLevel", "strict")
    if action != "error" or level == "off":
        return failed(f"a validator with action {action!r} and level {level!r}")
    required = validator.get("$jsonSchema", {}).get("required", [])
    missing = [field for field in check.requires if field not in required]
    return failed("a validator that does not require them all", missing) if missing else passed("it exists")


def indexes(check: IndexesCheck, facts: Facts) -> Plan:
    there = facts.indexes.get(check.collection, ())
    missing = [_spelled(index) for index in check.indexes if not _is_there(index, there)]
    found = f"{len(check.indexes) - len(missing)} of {len(check.indexes)}"
    expected = "indexes " + ", ".join(map(_spelled, check.indexes))
    return constant_plan(expected, failed(found, missing) if missing else passed(found))


def _is_there(index: Index, there: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an index with the same key exists. A unique one must be whole: neither partial nor sparse."""
    key = [(field.lstrip("-"), -1 if field.startswith("-") else 1) for field in index.fields]
    same = [found for found in there if list(found["key"].items()) == key]
    if not index.unique:
        return bool(same)
    return any(map(refuses_repetition, same))


def _spelled(index: Index) -> str:
    return f"({', '.join(index.fields)}){' unique' if index.unique else ''}"
