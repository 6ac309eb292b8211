"""The account as the probes see it: first as it should be, then with one thing broken at a time."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deployer.config import Aws, Config
from deployer.gateways.account import FIRST, LATER, AwsAccount
from deployer.gateways.aws import AwsSession, Credentials
from deployer.gateways.probes import (
    caller,
    log_group,
    permissions,
    roles,
    secrets,
    security_groups,
    subnets,
    task_definition,
)
from deployer.release.ports import Finding
from tests.deployer.contract.aws.worlds import World, configured

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_ACTIONS = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchCheckLayerAvailability",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "secretsmanager:GetSecretValue",
]


class Account:
    """Everything a release needs, under names of its own, and the configuration that names it."""

    def __init__(self, session: AwsSession, name: str) -> None:
        self.session, self.name = session, name
        ec2, iam = session.client("ec2"), session.client("iam")
        self.vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.add_subnet("10.9.1.0/24")
        self.group = self.add_group(name)
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.table = self._main_table()
        ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.roles = {}
        for what in ("execution", "task"):
            role = iam.create_role(RoleName=f"{name}-{what}", AssumeRolePolicyDocument=json.dumps(_TRUST))
            self.roles[what] = role["Role"]["Arn"]
        self.allow(*_ACTIONS)
        session.client("ecs").create_cluster(clusterName=name)
        session.client("ecr").create_repository(repositoryName="forecast-etl")
        session.client("logs").create_log_group(logGroupName="/ecs/forecast-etl")
        secret = session.client("secretsmanager").create_secret(Name=name, SecretString='{"uri": "..."}')
        self.secret = secret["ARN"]

    def close(self) -> None:
        self.session.client("logs").delete_log_group(logGroupName="/ecs/forecast-etl")
        self.session.client("ecr").delete_repository(repositoryName="forecast-etl", force=True)

    def add_subnet(self, block: str) -> str:
        subnet = self.session.client("ec2").create_subnet(VpcId=self.vpc, CidrBlock=block)
        return str(subnet["Subnet"]["SubnetId"])

    def add_group(self, name: str, vpc: str | None = None) -> str:
        group = self.session.client("ec2").create_security_group(
            GroupName=name, Description="a test", VpcId=vpc or self.vpc
        )
        return str(group["GroupId"])

    def allow(self, *actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        self.session.client("iam").put_role_policy(
            RoleName=f"{self.name}-execution",
            PolicyName="work",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def _main_table(self) -> str:
        filters = [
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        tables = self.session.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
        return str(tables[0]["RouteTableId"])

    def config(self, **changes: str) -> Config:
        names = {
            "SANDBOX_CLUSTER": self.name,
            "SANDBOX_SUBNET": self.subnet,
            "SANDBOX_SECURITY_GROUP": self.group,
            "SANDBOX_EXECUTION_ROLE": self.roles["execution"],
            "SANDBOX_TASK_ROLE": self.roles["task"],
            "SANDBOX_MONGO_SECRET_ARN": self.secret,
        }
        return configured(names | changes)


@pytest.fixture
def account(ministack_session: AwsSession, name: str) -> Iterator[Account]:
    made = Account(ministack_session, name)
    yield made
    made.close()


Look = Callable[[Config, AwsSession], Iterator[Finding]]


def _not_ok(look: Look, account: Account, config: Config) -> list[Finding]:
    return [finding for finding in look(config, account.session) if finding.state != "ok"]


def _only(look: Look, account: Account, config: Config) -> Finding:
    (finding,) = _not_ok(look, account, config)
    return finding


def test_the_caller_has_a_name(world: World) -> None:
    """Whoever calls is known by an ARN."""
    assert world.account.identity().startswith("arn:aws:")


def test_nothing_is_wrong_where_everything_is_there(account: Account) -> None:
    """An account with all that a release needs has only fine findings, at least one of each subject; quotas,
    which this AWS does not offer, are unknown."""
    findings = list(AwsAccount(account.config(), account.session).findings())
    assert {finding.what for finding in findings if finding.state == "unknown"} == {
        "quota of Fargate processors",
        "quota of network interfaces",
    }
    assert [finding for finding in findings if finding.state == "wrong"] == []
    assert len(findings) > len(FIRST) + len(LATER)


def test_the_first_looks_are_the_quick_ones(account: Account) -> None:
    """They are a part of all the looks, in the same words, and simulate nothing."""
    looking = AwsAccount(account.config(SANDBOX_CLUSTER="no-such"), account.session)
    first = list(looking.first_findings())
    assert [finding.what for finding in first if finding.state != "ok"] == ["cluster no-such"]
    assert list(looking.findings())[: len(first)] == first
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
    findings = list(AwsAccount(account.config(**{variable: value}), account.session).findings())
    wrong = {finding.what: finding for finding in findings if finding.state == "wrong"}
    assert remedy in wrong[what].remedy
    assert any(finding.state == "ok" for finding in findings)


def test_an_internet_gateway_needs_a_public_address(account: Account) -> None:
    """A task behind an internet gateway without a public address cannot pull its image."""
    config = account.config()
    private = config.model_copy(update={"run": config.run.model_copy(update={"assign_public_ip": False})})
    finding = _only(subnets.look, account, private)
    assert finding.what == f"route of subnet {account.subnet}"
    assert "assign-public-ip = true" in finding.remedy


def test_subnets_of_two_vpcs_are_wrong(account: Account) -> None:
    """A task's network is one VPC's: the finding names both."""
    ec2 = account.session.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    second = ec2.create_subnet(VpcId=other, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    config = account.config()
    both = config.run.model_copy(update={"subnets": (account.subnet, second)})
    findings = _not_ok(subnets.look, account, config.model_copy(update={"run": both}))
    (finding,) = [finding for finding in findings if finding.what == "subnets"]
    assert finding.state == "wrong"
    assert account.vpc in finding.detail
    assert other in finding.detail


def test_no_way_out_names_the_missing_endpoints(account: Account) -> None:
    """A subnet without a default route needs a VPC endpoint for each service."""
    account.session.client("ec2").delete_route(RouteTableId=account.table, DestinationCidrBlock="0.0.0.0/0")
    finding = _only(subnets.look, account, account.config())
    assert finding.state == "wrong"
    assert "ecr.api" in finding.remedy
    assert finding.remedy.endswith("secretsmanager")


def test_a_security_group_of_another_vpc_is_wrong(account: Account) -> None:
    """A task's network interface takes security groups of its own VPC only."""
    other = account.session.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    group = account.add_group(f"{account.name}-other", other)
    finding = _only(security_groups.look, account, account.config(SANDBOX_SECURITY_GROUP=group))
    assert finding.state == "wrong"
    assert other in finding.detail


def _revoke_all(account: Account) -> Any:
    ec2 = account.session.client("ec2")
    filters = [{"Name": "group-id", "Values": [account.group]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    names = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"]]
    ec2.revoke_security_group_egress(GroupId=account.group, SecurityGroupRuleIds=names)
    return ec2


def test_a_group_that_lets_nothing_out_is_wrong_for_each_port(account: Account) -> None:
    """Without egress neither AWS nor MongoDB is reached, and each has its own mending command."""
    _revoke_all(account)
    findings = _not_ok(security_groups.look, account, account.config())
    assert [finding.state for finding in findings] == ["wrong", "wrong"]
    assert "--port 27017 --cidr 0.0.0.0/0" in findings[1].remedy


def test_egress_to_some_addresses_only_is_unknown(account: Account) -> None:
    """Whether MongoDB is behind the allowed addresses cannot be told from here."""
    some = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 27017, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    _revoke_all(account).authorize_security_group_egress(GroupId=account.group, IpPermissions=[some])
    assert {finding.state for finding in _not_ok(security_groups.look, account, account.config())} == {
        "unknown"
    }


def test_egress_is_judged_for_the_port_of_the_address(account: Account) -> None:
    """A database behind another port needs that one let out, not 27017."""
    config = account.config(SANDBOX_MONGO_URI="mongodb://u:p@a.test:27099,b.test/?x=:1")
    some = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    _revoke_all(account).authorize_security_group_egress(GroupId=account.group, IpPermissions=[some])
    assert "--port 27099" in _only(security_groups.look, account, config).remedy


def test_a_role_that_does_not_trust_ecs_is_wrong(account: Account) -> None:
    """A role for another service is there and still of no use to a task."""
    document = json.dumps(_TRUST).replace("ecs-tasks", "lambda")
    iam = account.session.client("iam")
    iam.update_assume_role_policy(RoleName=f"{account.name}-task", PolicyDocument=document)
    finding = _only(roles.look, account, account.config())
    assert finding.what == f"task role {account.name}-task"
    assert "aws iam update-assume-role-policy" in finding.remedy


def test_a_permission_that_the_execution_role_lacks_is_named(account: Account) -> None:
    """Each thing that ECS does in the execution role is judged by itself."""
    account.allow(*(action for action in _ACTIONS if not action.startswith("secretsmanager")))
    finding = _only(roles.permissions, account, account.config())
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
    assert finding.state == "wrong"
    assert "denied explicitly" in finding.detail


@pytest.mark.parametrize("whose", ["repository", "secret"])
def test_a_resource_s_own_policy_may_allow_what_the_role_s_do_not(account: Account, whose: str) -> None:
    """Within an account the policy of a repository or a secret is enough, and is not simulated: unknown."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    if whose == "repository":
        account.allow(*(action for action in _ACTIONS if not action.startswith("ecr:B")))
        account.session.client("ecr").set_repository_policy(repositoryName="forecast-etl", policyText=policy)
    else:
        account.allow(*(action for action in _ACTIONS if not action.startswith("secretsmanager")))
        vault = account.session.client("secretsmanager")
        vault.put_resource_policy(SecretId=account.secret, ResourcePolicy=policy)
    finding = _only(roles.permissions, account, account.config())
    assert (finding.state, "the resource has one too" in finding.detail) == ("unknown", True)


def test_a_task_that_makes_its_log_group_needs_the_right_to(account: Account) -> None:
    """awslogs-create-group makes a missing group fine only where the execution role may create it."""
    config = account.config()
    definition = json.loads(json.dumps(config.task.definition))
    options = definition["containerDefinitions"][0]["logConfiguration"]["options"]
    options["awslogs-create-group"] = "true"
    making = config.model_copy(update={"task": config.task.model_copy(update={"definition": definition})})
    finding = _only(roles.permissions, account, making)
    assert finding.what == "execution role may make the log group"
    assert "logs:CreateLogGroup" in finding.remedy


def test_a_vpc_without_a_resolver_needs_a_way_to_one(account: Account) -> None:
    """With the VPC's own DNS off, names are asked elsewhere: unknown where that is let out, else wrong."""
    ec2 = account.session.client("ec2")
    ec2.modify_vpc_attribute(VpcId=account.vpc, EnableDnsSupport={"Value": False})
    finding = _only(security_groups.look, account, account.config())
    assert (finding.state, finding.what) == ("unknown", f"DNS of {account.vpc}")
    assert "--enable-dns-support" in finding.remedy
    _revoke_all(account)
    assert "--protocol udp --port 53" in _not_ok(security_groups.look, account, account.config())[-1].remedy


def test_an_image_that_may_not_be_pulled_is_told_by_action(account: Account) -> None:
    """The execution role needs four actions for a pull; the one that is missing is named."""
    account.allow(*(action for action in _ACTIONS if action != "ecr:BatchCheckLayerAvailability"))
    finding = _only(roles.permissions, account, account.config())
    assert finding.what == "execution role may pull the image"
    assert finding.detail.startswith("ecr:BatchCheckLayerAvailability is not allowed")
    assert "AmazonECSTaskExecutionRolePolicy" in finding.remedy


def test_a_log_that_goes_elsewhere_is_wrong(account: Account) -> None:
    """The group that is followed must be the one that the task writes to."""
    config = account.config()
    other = config.model_copy(update={"logs": config.logs.model_copy(update={"stream_prefix": "other"})})
    finding = _only(log_group.look, account, other)
    assert finding.what == "log option awslogs-stream-prefix"


def _user(account: Account, endpoint: str) -> AwsSession:
    """A session of a user who may do nothing yet."""
    iam = account.session.client("iam")
    iam.create_user(UserName=account.name)
    key = iam.create_access_key(UserName=account.name)["AccessKey"]
    settings = Aws.model_validate({"region": "eu-west-3", "endpoint-url": endpoint})
    return AwsSession(settings, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))


def test_a_caller_who_may_nothing_is_told_what_is_missing(account: Account, ministack: str) -> None:
    """Every single thing that a release does is judged for the caller, passing each role included."""
    findings = list(caller.look(account.config(), _user(account, ministack)))
    assert {finding.state for finding in findings} == {"wrong"}
    details = " ".join(finding.detail for finding in findings)
    for action in ("ecr:PutImage", "ecs:RunTask", "iam:PassRole", "logs:GetLogEvents"):
        assert action in details
    assert any(account.roles["task"] in finding.remedy for finding in findings)


def test_a_caller_who_may_do_it_all_is_fine(account: Account, ministack: str) -> None:
    """A user with the permissions that a release needs has no finding against them."""
    session = _user(account, ministack)
    statement = {"Effect": "Allow", "Action": ["ecr:*", "ecs:*", "logs:*", "iam:PassRole"], "Resource": "*"}
    account.session.client("iam").put_user_policy(
        UserName=account.name,
        PolicyName="release",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert [found for found in caller.look(account.config(), session) if found.state != "ok"] == []


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
    (finding,) = (found for found in task_definition.look(changed, moto_session) if found.state != "ok")
    assert finding.state == "wrong"
    assert finding.what == what
    assert remedy in finding.remedy


def test_a_json_key_that_the_secret_lacks_is_wrong(account: Account) -> None:
    """A secret may be there and not hold the key that the task asks for; its value is not shown."""
    assert (
        _not_ok(secrets.look, account, account.config(SANDBOX_MONGO_SECRET_ARN=f"{account.secret}:uri::"))
        == []
    )
    finding = _only(secrets.look, account, account.config(SANDBOX_MONGO_SECRET_ARN=f"{account.secret}:url::"))
    assert finding.state == "wrong"
    assert "its keys are: uri" in finding.detail
    assert "..." not in finding.detail
