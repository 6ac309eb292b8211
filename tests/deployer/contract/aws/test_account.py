"""The account as the probes see it: first as it should be, then with one thing broken at a time."""

from typing import Any

import pytest

from deployer.adapters.aws.account import FIRST, LATER, AwsAccount
from deployer.adapters.aws.probes import (
    log_group,
    secrets,
    task_definition,
)
from deployer.adapters.aws.session import AwsSession
from deployer.ports import FindingState
from tests.deployer.contract.aws.accounts import Account, not_ok, only
from tests.deployer.contract.aws.worlds import World, configured


def test_the_caller_has_a_name(world: World) -> None:
    """Whoever calls is known by an ARN."""
    assert world.account.identity().startswith("arn:aws:")


def test_nothing_is_wrong_where_everything_is_there(account: Account) -> None:
    """An account with all that a release needs passes every check, at least one of each subject."""
    findings = list(AwsAccount(account.config(), account.session).diagnose())
    assert {finding.state for finding in findings} == {FindingState.PASS}
    assert len(findings) > len(FIRST) + len(LATER)


def test_the_first_looks_are_the_quick_ones(account: Account) -> None:
    """They are a part of all the looks, in the same words, and simulate nothing."""
    looking = AwsAccount(account.config(SANDBOX_CLUSTER="no-such"), account.session)
    first = list(looking.preflight())
    assert [finding.what for finding in first if finding.state != "pass"] == ["cluster no-such"]
    assert list(looking.diagnose())[: len(first)] == first
    assert not any(" may " in finding.what for finding in first)


@pytest.mark.parametrize(
    ("variable", "value", "what", "remedy"),
    [
        ("SANDBOX_CLUSTER", "no-such", "cluster no-such", "aws ecs create-cluster --cluster-name no-such"),
        ("SANDBOX_SUBNET", "subnet-0bad", "subnet subnet-0bad", "aws ec2 describe-subnets"),
        ("SANDBOX_SECURITY_GROUP", "sg-0bad", "security group sg-0bad", "aws ec2 describe-security-groups"),
        (
            "SANDBOX_TASK_ROLE",
            "arn:aws:iam::000000000000:role/gone",
            "task role gone",
            "aws iam create-role --role-name gone",
        ),
        (
            "SANDBOX_MONGO_SECRET_ARN",
            "arn:aws:secretsmanager:eu-west-3:000000000000:secret:gone-AbCdEf",
            "secret of MONGO_URI",
            "aws secretsmanager create-secret --region eu-west-3 --name gone ",
        ),
    ],
)
def test_what_is_missing_is_named_with_its_mend(
    account: Account, variable: str, value: str, what: str, remedy: str
) -> None:
    """Each name that leads nowhere is one wrong finding with the command that mends it, and the rest is
    looked at all the same."""
    findings = list(AwsAccount(account.config(**{variable: value}), account.session).diagnose())
    wrong = {finding.what: finding for finding in findings if finding.state == "fail"}
    assert remedy in wrong[what].remedy
    assert any(finding.state == "pass" for finding in findings)


def test_a_log_that_goes_elsewhere_is_wrong(account: Account) -> None:
    """The group that is followed must be the one that the task writes to."""
    config = account.config()
    other = config.model_copy(update={"logs": config.logs.model_copy(update={"stream_prefix": "other"})})
    finding = only(log_group.check, account, other)
    assert finding.what == "log option awslogs-stream-prefix"


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        ({"cpu": "300"}, "size of the task", "256, 512, 1024"),
        ({"cpu": "256", "memory": "4096"}, "size of the task", "512, 1024, 2048"),
        ({"networkMode": "bridge"}, "network mode", "awsvpc"),
        ({"requiresCompatibilities": ["EC2"]}, "compatibilities", "FARGATE"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "architecture", 'platform = "linux/arm64"'),
    ],
)
def test_a_definition_that_fargate_does_not_take_is_wrong(
    moto_session: AwsSession, change: dict[str, Any], what: str, remedy: str
) -> None:
    """Sizes, network mode and architecture are judged before anything is registered."""
    config = configured({})
    definition = config.task.definition | change
    changed = config.model_copy(update={"task": config.task.model_copy(update={"definition": definition})})
    (finding,) = (found for found in task_definition.check(changed, moto_session) if found.state != "pass")
    assert finding.state == "fail"
    assert finding.what == what
    assert remedy in finding.remedy


def test_a_json_key_that_the_secret_lacks_is_wrong(account: Account) -> None:
    """A secret may be there and not hold the key that the task asks for; its value is not shown."""
    assert (
        not_ok(secrets.check, account, account.config(SANDBOX_MONGO_SECRET_ARN=f"{account.secret}:uri::"))
        == []
    )
    finding = only(secrets.check, account, account.config(SANDBOX_MONGO_SECRET_ARN=f"{account.secret}:url::"))
    assert finding.state == "fail"
    assert "its keys are: uri" in finding.detail
    assert "..." not in finding.detail
