"""An account with everything that a release needs."""

import json
from collections.abc import Callable, Iterator

from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.ports import Finding
from tests.deployer.contract.aws.worlds import configured

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ACTIONS = [
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
            role = iam.create_role(RoleName=f"{name}-{what}", AssumeRolePolicyDocument=json.dumps(TRUST))
            self.roles[what] = role["Role"]["Arn"]
        self.allow(*ACTIONS)
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


Look = Callable[[Config, AwsSession], Iterator[Finding]]


def not_ok(look: Look, account: Account, config: Config) -> list[Finding]:
    return [finding for finding in look(config, account.session) if finding.state != "pass"]


def only(look: Look, account: Account, config: Config) -> Finding:
    (finding,) = not_ok(look, account, config)
    return finding
