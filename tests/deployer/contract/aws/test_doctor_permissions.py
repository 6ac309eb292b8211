"""Who may do what in the account, as the probes see it: its roles, and the caller."""

import json

import pytest

from deployer.adapters.aws.probes import (
    caller,
    permissions,
    roles,
)
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from tests.deployer.contract.aws.accounts import ACTIONS, TRUST, Account, only


def test_a_role_that_does_not_trust_ecs_is_wrong(account: Account) -> None:
    """A role for another service is there and still of no use to a task."""
    document = json.dumps(TRUST).replace("ecs-tasks", "lambda")
    iam = account.session.client("iam")
    iam.update_assume_role_policy(RoleName=f"{account.name}-task", PolicyDocument=document)
    finding = only(roles.check, account, account.config())
    assert finding.what == f"task role {account.name}-task"
    assert "aws iam update-assume-role-policy" in finding.remedy


def test_a_permission_that_the_execution_role_lacks_is_named(account: Account) -> None:
    """Each thing that ECS does in the execution role is judged by itself."""
    account.allow(*(action for action in ACTIONS if not action.startswith("secretsmanager")))
    finding = only(roles.permissions, account, account.config())
    assert finding.what == "execution role may read the secret of MONGO_URI"
    assert "secretsmanager:GetSecretValue" in finding.detail
    assert account.secret in finding.remedy


def test_a_denied_permission_is_told_from_a_missing_one(account: Account) -> None:
    """Where a statement denies explicitly, granting does not help."""
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    account.session.client("iam").put_role_policy(
        RoleName=f"{account.name}-task",
        PolicyName="deny",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    need = permissions.Need("read", ("s3:GetObject",), "arn:aws:s3:::b/x", "grant it")
    (finding,) = permissions.judged("task role", account.roles["task"], [need], account.session)
    assert finding.state == "fail"
    assert "denied explicitly" in finding.detail


@pytest.mark.parametrize("whose", ["repository", "secret"])
def test_a_resource_s_own_policy_may_allow_what_the_role_s_do_not(account: Account, whose: str) -> None:
    """Within an account the policy of a repository or a secret is enough, and is not simulated: unknown."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    if whose == "repository":
        account.allow(*(action for action in ACTIONS if not action.startswith("ecr:B")))
        account.session.client("ecr").set_repository_policy(repositoryName="forecast-etl", policyText=policy)
    else:
        account.allow(*(action for action in ACTIONS if not action.startswith("secretsmanager")))
        vault = account.session.client("secretsmanager")
        vault.put_resource_policy(SecretId=account.secret, ResourcePolicy=policy)
    finding = only(roles.permissions, account, account.config())
    assert (finding.state, "the resource has one too" in finding.detail) == ("unknown", True)


def test_a_task_that_makes_its_log_group_needs_the_right_to(account: Account) -> None:
    """awslogs-create-group makes a missing group fine only where the execution role may create it."""
    config = account.config()
    definition = json.loads(json.dumps(config.task.definition))
    options = definition["containerDefinitions"][0]["logConfiguration"]["options"]
    options["awslogs-create-group"] = "true"
    making = config.model_copy(update={"task": config.task.model_copy(update={"definition": definition})})
    finding = only(roles.permissions, account, making)
    assert finding.what == "execution role may create the log group"
    assert "logs:CreateLogGroup" in finding.remedy


def test_an_image_that_may_not_be_pulled_is_told_by_action(account: Account) -> None:
    """The execution role needs four actions for a pull; the one that is missing is named."""
    account.allow(*(action for action in ACTIONS if action != "ecr:BatchCheckLayerAvailability"))
    finding = only(roles.permissions, account, account.config())
    assert finding.what == "execution role may pull the image"
    assert finding.detail.startswith("ecr:BatchCheckLayerAvailability is not allowed")
    assert "AmazonECSTaskExecutionRolePolicy" in finding.remedy


def _user(account: Account, endpoint: str) -> AwsSession:
    """A session of a user who may do nothing yet."""
    iam = account.session.client("iam")
    iam.create_user(UserName=account.name)
    key = iam.create_access_key(UserName=account.name)["AccessKey"]
    settings = Aws.model_validate({"region": "eu-west-3", "endpoint-url": endpoint})
    return AwsSession(settings, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))


def test_a_caller_who_may_nothing_is_told_what_is_missing(account: Account, ministack: str) -> None:
    """Every single thing that a release does is judged for the caller, passing each role included."""
    findings = list(caller.check(account.config(), _user(account, ministack)))
    refused = [finding.what for finding in findings if finding.state == "fail"]
    assert {"caller may run the task", "caller may push the image", "caller may pass the task role"} <= set(
        refused
    )
    assert "pass" not in {finding.state for finding in findings}
    details = " ".join(finding.detail for finding in findings)
    for action in ("ecr:PutImage", "ecs:RunTask", "iam:PassRole", "logs:GetLogEvents"):
        assert action in details
    assert any(account.roles["task"] in finding.remedy for finding in findings)


def test_a_caller_who_may_do_it_all_is_fine(account: Account, ministack: str) -> None:
    """A user with the permissions that a release needs has no finding against them."""
    session = _user(account, ministack)
    statement = {
        "Effect": "Allow",
        "Action": ["ecr:*", "ecs:*", "logs:*", "s3:*", "iam:PassRole", "scheduler:*", "events:*"],
        "Resource": "*",
    }
    account.session.client("iam").put_user_policy(
        UserName=account.name,
        PolicyName="release",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert [found for found in caller.check(account.config(), session) if found.state != "pass"] == []
