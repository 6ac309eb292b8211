"""One function for each kind of check: it makes the plan from the check and the facts."""

from collections.abc import Callable
from typing import Any, Final

from deployer.config.checks import Check
from deployer.verification.kinds import aggregation, count, documents, groups, structure
from deployer.verification.plan import Facts, Plan

_WITHOUT_FACTS: Final[dict[str, Callable[[Any], Plan]]] = {
    "types": documents.types,
    "range": documents.ranges,
    "values": documents.values,
    "reconcile": aggregation.reconcile,
    "aggregation": aggregation.aggregation,
}
_WITH_FACTS: Final[dict[str, Callable[[Any, Facts], Plan]]] = {
    "count": count.count,
    "groups": groups.groups,
    "completeness": groups.completeness,
    "freshness": count.freshness,
    "unique": documents.unique,
    "schema": structure.schema,
    "indexes": structure.indexes,
}


def plan(check: Check, facts: Facts) -> Plan:
    """The plan of a check. MisconfiguredError: the check cannot run."""
    if check.kind in _WITHOUT_FACTS:
        return _WITHOUT_FACTS[check.kind](check)
    return _WITH_FACTS[check.kind](check, facts)
