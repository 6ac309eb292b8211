"""What IAM's simulation is asked, and how its answers are read, where no emulator is exact."""

from typing import Any

import pytest
from botocore.stub import Stubber

from deployer.adapters.aws.probes import caller
from deployer.adapters.aws.probes.permissions import Need, judged
from deployer.adapters.aws.probes.probe import report_errors
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from deployer.errors import Failure
from tests.deployer.contract.aws.worlds import configured

_ROLE = "arn:aws:iam::123456789012:role/team/release"
_PASS = Need("pass the role", ("iam:PassRole",), _ROLE, "grant it")
_READ = Need("read", ("s3:GetObject",), "arn:aws:s3:::bucket/*", "grant it")


@pytest.fixture
def session() -> AwsSession:
    return AwsSession(Aws(region="eu-west-3"), Credentials("testing", "testing"))


def _result(decision: str, **fields: Any) -> dict[str, Any]:
    results = [{"EvalActionName": "s3:GetObject", "EvalDecision": decision, **fields}]
    return {"EvaluationResults": results}


def test_passing_a_role_is_judged_as_passing_it_to_ecs_tasks(session: AwsSession) -> None:
    """The usual condition on PassRole is met by saying whom the role is passed to."""
    expected = {
        "PolicySourceArn": _ROLE,
        "ActionNames": ["iam:PassRole"],
        "ResourceArns": [_ROLE],
        "ContextEntries": [
            {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
                "ContextKeyType": "string",
            }
        ],
    }
    with Stubber(session.client("iam")) as stub:
        stub.add_response("simulate_principal_policy", _result("allowed"), expected)
        (finding,) = judged("caller", _ROLE, [_PASS], session)
    assert finding.state == "pass"


def test_a_condition_that_cannot_be_simulated_is_unknown(session: AwsSession) -> None:
    """Where the answer depends on something that is not known here, nothing is claimed."""
    answer = _result("implicitDeny", MissingContextValues=["aws:SourceVpc"])
    with Stubber(session.client("iam")) as stub:
        stub.add_response("simulate_principal_policy", answer)
        (finding,) = judged("caller", _ROLE, [_READ], session)
    assert finding.state == "unknown"
    assert "aws:SourceVpc" in finding.detail


def test_an_assumed_role_is_judged_by_the_role_behind_it(session: AwsSession) -> None:
    """A session's ARN lacks the role's path; the role itself is asked for, then simulated."""
    arn = "arn:aws:sts::123456789012:assumed-role/release/somebody"
    role = {
        "Path": "/team/",
        "RoleName": "release",
        "RoleId": "AROA0123456789ABCDEF",
        "Arn": _ROLE,
        "CreateDate": 0,
    }
    identity = {"Arn": arn, "Account": "123456789012", "UserId": "x"}
    with Stubber(session.client("sts")) as sts, Stubber(session.client("iam")) as iam:
        sts.add_response("get_caller_identity", identity)
        iam.add_response("get_role", {"Role": role}, {"RoleName": "release"})
        iam.add_client_error("simulate_principal_policy", "AccessDenied", "no")
        with pytest.raises(Failure, match="AccessDenied"):
            list(caller.check(configured({}), session))


def test_a_federated_user_is_unknown(session: AwsSession) -> None:
    """IAM cannot simulate an identity that is neither user nor role, and that is what is said."""
    identity = {"Arn": "arn:aws:sts::123456789012:federated-user/x", "Account": "1", "UserId": "x"}
    with Stubber(session.client("sts")) as sts:
        sts.add_response("get_caller_identity", identity)
        (finding,) = caller.check(configured({}), session)
    assert finding.state == "unknown"


def test_what_may_not_be_simulated_is_unknown_and_never_fine(session: AwsSession) -> None:
    """Without permission to look, a probe ends in one unknown finding that names the permission."""
    with Stubber(session.client("iam")) as stub:
        stub.add_client_error(
            "simulate_principal_policy",
            "AccessDenied",
            "User: u is not authorized to perform: iam:SimulatePrincipalPolicy on resource: r",
        )
        (finding,) = report_errors("permissions", judged("caller", _ROLE, [_READ], session))
    assert finding.state == "unknown"
    assert "iam:SimulatePrincipalPolicy" in finding.remedy
