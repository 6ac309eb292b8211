"""One function a kind of check: from the check and the facts to its plan."""

from deployer.verification import model
from deployer.verification.kinds import amounts, answers, content, structure
from deployer.verification.plan import Facts, Plan


def plan(check: model.Check, facts: Facts) -> Plan:
    """What the check will read and how it judges. Misconfigured: it cannot be asked like this."""
    match check:
        case model.CountCheck():
            return amounts.count(check, facts)
        case model.GroupsCheck():
            return amounts.groups(check, facts)
        case model.CompletenessCheck():
            return amounts.completeness(check, facts)
        case model.FreshnessCheck():
            return amounts.freshness(check, facts)
        case model.UniqueCheck():
            return content.unique(check, facts)
        case model.TypesCheck():
            return content.types(check, facts)
        case model.RangeCheck():
            return content.ranges(check, facts)
        case model.ValuesCheck():
            return content.values(check, facts)
        case model.ReconcileCheck():
            return answers.reconcile(check, facts)
        case model.AggregationCheck():
            return answers.aggregation(check, facts)
        case model.SchemaCheck():
            return structure.schema(check, facts)
        case model.IndexesCheck():
            return structure.indexes(check, facts)
