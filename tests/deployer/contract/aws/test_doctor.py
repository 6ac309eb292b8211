"""The account as the probes see it: first as it should be, then with one thing broken at a time."""

import json
from typing import Any

import pytest

from deployer.adapters.aws.account import FIRST, LATER, AwsAccount
from deployer.adapters.aws.probes import (
    resources,
    roles,
    secrets,
    security_groups,
    subnets,
    task_definition,
)
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
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


def changed(config: Config, job: dict[str, Any] | None = None, **fields: Any) -> Config:
    """The configuration with other fields in its task definition, or in the job's container."""
    definition = config.task.definition | fields
    containers = [entry | (job or {}) for entry in definition["containerDefinitions"]]
    definition |= {"containerDefinitions": containers}
    return config.model_copy(update={"task": config.task.model_copy(update={"definition": definition})})


@pytest.mark.parametrize(
    "logging", [{"logDriver": "splunk"}, {"logDriver": "awsfirelens", "options": {"Name": "s3"}}, None]
)
def test_a_job_may_log_elsewhere(account: Account, logging: dict[str, Any] | None) -> None:
    """It is said, and stops nothing."""
    finding = only(resources.logs, account, changed(account.config(), {"logConfiguration": logging}))
    assert finding.state == "unknown"
    assert "cannot follow" in finding.detail


def test_a_missing_log_group_is_created_by_the_task_or_wrong(account: Account) -> None:
    """The group is the one that the container itself names."""
    options = {"awslogs-group": "/none", "awslogs-region": "eu-west-3", "awslogs-stream-prefix": "x"}
    logging = {"logDriver": "awslogs", "options": options}
    finding = only(resources.logs, account, changed(account.config(), {"logConfiguration": logging}))
    assert (finding.state, "--log-group-name /none" in finding.remedy) == ("fail", True)
    created = {"logDriver": "awslogs", "options": {**options, "awslogs-create-group": "true"}}
    assert not_ok(resources.logs, account, changed(account.config(), {"logConfiguration": created})) == []


def test_an_immutable_repository_is_told_before_the_job_runs(account: Account) -> None:
    """The promoted tag can be set once; then every release would stop after its job. Left out, it is fine."""
    ecr, name = account.session.client("ecr"), "forecast-etl"
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    assert only(resources.tags, account, account.config()).state == "unknown"
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []})
    ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="latest")
    assert only(resources.tags, account, account.config()).state == "fail"
    image = account.config().image.model_copy(update={"promote_tag": ""})
    assert not_ok(resources.tags, account, account.config().model_copy(update={"image": image})) == []


def test_a_role_may_be_named_without_its_arn(account: Account) -> None:
    """ECS takes the account's role of that name."""
    named = changed(account.config(), executionRoleArn=account.roles["execution"].rsplit("/", 1)[-1])
    assert not_ok(roles.check, account, named) == []
    assert not_ok(roles.permissions, account, named) == []


@pytest.mark.parametrize("parameter", ["/invoices/token", "token"])
@pytest.mark.parametrize("by", ["arn", "name"])
def test_a_parameter_is_read_where_its_arn_says(account: Account, parameter: str, by: str) -> None:
    """In the region of the ARN, in which the name has no leading slash of its own."""
    region = "us-east-1" if by == "arn" else "eu-west-3"
    client = account.session.client("ssm", region)
    client.put_parameter(Name=parameter, Value="x", Type="String", Overwrite=True)
    arn = f"arn:aws:ssm:{region}:123456789012:parameter/{parameter.lstrip('/')}"
    secret = {"name": "TOKEN", "valueFrom": arn if by == "arn" else parameter}
    try:
        assert not_ok(secrets.check, account, changed(account.config(), {"secrets": [secret]})) == []
    finally:
        client.delete_parameter(Name=parameter)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cpu": "256"}, "containerDefinitions[0].cpu: 256 is a text, must be a number"),
        ({"esential": True}, "containerDefinitions[0]: unknown field esential"),
        ({"logConfiguration": {"logDriver": "awslog"}}, "'awslog' is none of"),
        ({"dependsOn": [{"containerName": "x", "condition": "DONE"}]}, "'DONE' is none of"),
    ],
)
def test_what_the_api_would_refuse_is_found_before_the_build(
    account: Account, change: dict[str, Any], said: str
) -> None:
    """By AWS's own description of RegisterTaskDefinition, enums included."""
    findings = not_ok(task_definition.check, account, changed(account.config(), change))
    assert (findings[0].what, findings[0].state) == ("task definition", "fail")
    assert said in findings[0].detail


def test_ec2_with_a_bridge_needs_no_network(account: Account) -> None:
    """Subnets and security groups are awsvpc's; nothing of Fargate is asked for."""
    config = changed(account.config(), networkMode="bridge", requiresCompatibilities=["EC2"], cpu="300")
    bare = config.model_copy(
        update={"run": config.run.model_copy(update={"subnets": (), "security_groups": ()})}
    )
    for probe in (task_definition.check, subnets.check, security_groups.check):
        assert not_ok(probe, account, bare) == []


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        ({"cpu": "300"}, "size of the task", "256, 512, 1024"),
        ({"cpu": "256", "memory": "4096"}, "size of the task", "512, 1024, 2048"),
        ({"networkMode": "bridge"}, "network mode", "awsvpc"),
        ({"requiresCompatibilities": ["EXTERNAL"]}, "compatibilities", "FARGATE"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "architecture", 'platform = "linux/arm64"'),
    ],
)
def test_a_definition_that_fargate_does_not_take_is_wrong(
    moto_session: AwsSession, change: dict[str, Any], what: str, remedy: str
) -> None:
    """Sizes, network mode and architecture are judged before anything is registered."""
    config = changed(configured({}), **change)
    config = config.model_copy(update={"run": config.run.model_copy(update={"launch_type": "FARGATE"})})
    (finding,) = (found for found in task_definition.check(config, moto_session) if found.state != "pass")
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
