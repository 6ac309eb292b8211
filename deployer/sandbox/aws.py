"""The AWS resources that a release expects, made in MiniStack where they are missing."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from deployer.sandbox.errors import SandboxError
from deployer.sandbox.settings import SandboxSettings

_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


LAYOUT: Final = 4
"""Raised with every change of what `provision` makes, so that a sandbox of an older version gets it too."""


@dataclass(frozen=True)
class Resources:
    """What the made resources are called."""

    subnet: str
    security_group: str
    execution_role: str
    task_role: str
    secret_arn: str
    account: str


class Aws:
    """Clients of one MiniStack. The operator's profiles, credentials and proxies have no say in them."""

    def __init__(self, endpoint: str, region: str, key: str) -> None:
        import boto3
        import botocore.session

        self._endpoint = endpoint
        core = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        self._session = boto3.session.Session(
            aws_access_key_id=key,
            aws_secret_access_key=key,
            region_name=region,
            botocore_session=core,
        )

    def client(self, service: str) -> Any:
        """A boto3 client of that service."""
        from botocore.config import Config

        config = Config(proxies={}, retries={"total_max_attempts": 2})
        return self._session.client(service, endpoint_url=self._endpoint, config=config)


@contextmanager
def translated() -> Iterator[None]:
    """What MiniStack or the SDK says no to, as a SandboxError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise SandboxError(
            f"the sandbox's AWS refuses: {error}",
            "if the name is right, start afresh: deployer sandbox down --purge, then deployer sandbox up",
            failure_class="aws-config",
        ) from error


def provision(aws: Aws, settings: SandboxSettings, mongo_uri: str) -> Resources:
    """Make what is missing and set right what differs; running it again changes nothing."""
    _ensure_repository(aws.client("ecr"), settings.repository)
    aws.client("ecs").create_cluster(clusterName=settings.cluster)
    _ensure_log_group(aws.client("logs"), settings.log_group)
    secret_arn = _ensure_secret(aws.client("secretsmanager"), settings.secret, mongo_uri)
    iam = aws.client("iam")
    subnet, security_group = _network(aws.client("ec2"))
    resources = Resources(
        subnet=subnet,
        security_group=security_group,
        execution_role=_ensure_role(iam, settings.execution_role, _execution_policy(secret_arn)),
        task_role=_ensure_role(iam, settings.task_role, _task_policy(settings)),
        secret_arn=secret_arn,
        account=aws.client("sts").get_caller_identity()["Account"],
    )
    s3 = aws.client("s3")
    for bucket in (settings.state_bucket, settings.bucket):
        _ensure_bucket(s3, bucket, settings.region)
    return resources


def _ensure_repository(ecr: Any, name: str) -> None:
    try:
        ecr.create_repository(repositoryName=name)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return


def _ensure_log_group(logs: Any, name: str) -> None:
    try:
        logs.create_log_group(logGroupName=name)
    except logs.exceptions.ResourceAlreadyExistsException:
        return


def _ensure_secret(secrets: Any, name: str, value: str) -> str:
    try:
        held = secrets.get_secret_value(SecretId=name)
    except secrets.exceptions.ResourceNotFoundException:
        return str(secrets.create_secret(Name=name, SecretString=value)["ARN"])
    if held.get("SecretString") != value:
        secrets.put_secret_value(SecretId=name, SecretString=value)
    return str(held["ARN"])


def _ensure_role(iam: Any, name: str, policy: dict[str, Any]) -> str:
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(_TRUST))
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def _ensure_bucket(s3: Any, name: str, region: str) -> None:
    # S3 wants the region named, except its oldest, which it refuses to be named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **place)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def _network(ec2: Any) -> tuple[str, str]:
    """A subnet and the security group of the default VPC, which MiniStack is born with."""
    subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
    groups = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    _ensure_way_out(ec2, subnet["VpcId"])
    return str(subnet["SubnetId"]), str(groups[0]["GroupId"])


def _ensure_way_out(ec2: Any, vpc: str) -> None:
    """A default VPC's main route table leads to its internet gateway; MiniStack's lacks that route."""
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    main = next(table for table in tables if any(item.get("Main") for item in table["Associations"]))
    if any(route.get("DestinationCidrBlock") == "0.0.0.0/0" for route in main["Routes"]):
        return
    gateways = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
    ec2.create_route(
        RouteTableId=main["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateways["InternetGateways"][0]["InternetGatewayId"],
    )


def _execution_policy(secret_arn: str) -> dict[str, Any]:
    """AWS's AmazonECSTaskExecutionRolePolicy, and the secret the container is given."""
    image = [
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
    ]
    logs = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return _policy((image + logs, ["*"]), (["secretsmanager:GetSecretValue"], [secret_arn]))


def _task_policy(settings: SandboxSettings) -> dict[str, Any]:
    """Reading the raw data, and nothing else."""
    bucket = f"arn:aws:s3:::{settings.bucket}"
    return _policy((["s3:ListBucket"], [bucket]), (["s3:GetObject"], [f"{bucket}/*"]))


def _policy(*grants: tuple[list[str], list[str]]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in grants
        ],
    }
