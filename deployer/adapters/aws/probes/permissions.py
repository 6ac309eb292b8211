"""What an identity may do, by IAM's own simulation.

SimulatePrincipalPolicy sees the identity's policies and boundary, not the organization's or the resource's
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html). Within one account the
policy of a resource can allow by itself, and a policy for certain resources does not allow `*`: then a
missing permission is unknown.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deployer.adapters.aws.probes.probe import failed, passed, unknown
from deployer.adapters.aws.session import AwsSession, translated
from deployer.ports import Finding


@dataclass(frozen=True)
class Need:
    """`actions` on one `resource`, what they are for, and the command that grants them. `has_policy`: whether
    the resource has a policy of its own."""

    purpose: str
    actions: tuple[str, ...]
    resource: str
    remedy: str
    has_policy: Callable[[], bool] = bool


def judged(who: str, arn: str, needs: Sequence[Need], session: AwsSession) -> Iterator[Finding]:
    """One finding for each need of the IAM identity `arn` (a role or a user)."""
    for need in needs:
        what = f"{who} may {need.purpose}"
        with translated(what):
            answer = session.client("iam").simulate_principal_policy(
                PolicySourceArn=arn,
                ActionNames=list(need.actions),
                ResourceArns=[need.resource],
                ContextEntries=[_passed_to_tasks()] if "iam:PassRole" in need.actions else [],
            )
        yield _finding(what, need, answer["EvaluationResults"])


def _passed_to_tasks() -> dict[str, Any]:
    return {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
        "ContextKeyType": "string",
    }


def _finding(what: str, need: Need, results: Sequence[dict[str, Any]]) -> Finding:
    denied = [result for result in results if result["EvalDecision"] != "allowed"]
    if not denied:
        return passed(what)
    actions = ", ".join(result["EvalActionName"] for result in denied)
    missing = sorted({key for result in denied for key in result.get("MissingContextValues", ())})
    if missing:
        return unknown(what, f"{actions} depends on {', '.join(missing)}, which the simulation does not know")
    explicit = any(result["EvalDecision"] == "explicitDeny" for result in denied)
    if explicit:
        return failed(
            what, f"{actions} is denied explicitly on {need.resource}", "remove that Deny statement"
        )
    said = f"{actions} is not allowed on {need.resource}"
    if need.resource == "*":
        return unknown(what, f"{said}, but may be on the resources that are used", need.remedy)
    if need.has_policy():
        return unknown(what, f"{said} by the identity's own policies; the resource has one too", need.remedy)
    return failed(what, said, need.remedy)
