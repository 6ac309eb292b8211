"""One function a kind of check: from the check and the facts to its plan."""

from collections.abc import Callable
from typing import Any, Final

from deployer.verification.kinds import amounts, answers, content, groups, structure
from deployer.verification.model import Check
from deployer.verification.plan import Facts, Plan

_WITHOUT_FACTS: Final[dict[str, Callable[[Any], Plan]]] = {
    "types": content.types,
    "range": content.ranges,
    "values": content.values,
    "reconcile": answers.reconcile,
    "aggregation": answers.aggregation,
}
_WITH_FACTS: Final[dict[str, Callable[[Any, Facts], Plan]]] = {
    "count": amounts.count,
    "groups": groups.groups,
    "completeness": groups.completeness,
    "freshness": amounts.freshness,
    "unique": content.unique,
    "schema": structure.schema,
    "indexes": structure.indexes,
}


def plan(check: Check, facts: Facts) -> Plan:
    """What the check will read and how it judges. MisconfiguredError: it cannot be asked like this."""
    if check.kind in _WITHOUT_FACTS:
        return _WITHOUT_FACTS[check.kind](check)
    return _WITH_FACTS[check.kind](check, facts)
