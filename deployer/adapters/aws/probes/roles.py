"""Do the task's two roles exist, may ECS tasks assume them, and has the execution role its permissions?"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from deployer.adapters.aws.ecr import registry_of
from deployer.adapters.aws.probes.permissions import Need, judged
from deployer.adapters.aws.probes.probe import (
    container,
    failed,
    makes_log_group,
    passed,
    region_of,
    report_errors,
    role_arn,
    roles,
    secrets,
)
from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.ports import Finding
from deployer.task.definition import on_fargate

_SERVICE: Final = "ecs-tasks.amazonaws.com"
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": _SERVICE}, "Action": "sts:AssumeRole"}],
}
_PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
_MANAGED: Final = "arn:{}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    named = roles(config)
    for what, arn in named.items():
        yield from report_errors(what, _role(what, arn, session))
    if "execution role" not in named and on_fargate(config):
        detail = "is not set; Fargate needs it to pull the image and to send the log"
        yield failed("execution role", detail, "set executionRoleArn in the task definition")


def permissions(config: Config, session: AwsSession) -> Iterator[Finding]:
    """What ECS does in the execution role before the container runs."""
    role = roles(config).get("execution role")
    if role:
        yield from _execution(role_arn(role, session), config, session)


def _role(what: str, arn: str, session: AwsSession) -> Iterator[Finding]:
    name = arn.rsplit("/", 1)[-1]
    trust = f"'{json.dumps(_TRUST)}'"
    with translated(what):
        try:
            role = session.client("iam").get_role(RoleName=name)["Role"]
        except Exception as error:
            if error_code(error) != "NoSuchEntity":
                raise
            create = f"aws iam create-role --role-name {name} --assume-role-policy-document {trust}"
            yield failed(f"{what} {name}", "does not exist", create)
            return
    if _trusts_tasks(role["AssumeRolePolicyDocument"]):
        yield passed(f"{what} {name}")
    else:
        fix = f"aws iam update-assume-role-policy --role-name {name} --policy-document {trust}"
        yield failed(f"{what} {name}", f"does not trust {_SERVICE}", fix)


def _trusts_tasks(policy: Mapping[str, Any]) -> bool:
    """Whether a statement lets the service assume the role, whatever its conditions."""
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, Mapping) else principal
        actions = statement.get("Action", [])
        if (
            statement.get("Effect") == "Allow"
            and _SERVICE in ([services] if isinstance(services, str) else services)
            and {"sts:AssumeRole", "sts:*", "*"} & set([actions] if isinstance(actions, str) else actions)
        ):
            return True
    return False


def _execution(arn: str, config: Config, session: AwsSession) -> Iterator[Finding]:
    partition, account, region, name = (
        arn.split(":")[1],
        arn.split(":")[4],
        session.region,
        arn.rsplit("/", 1)[-1],
    )
    attach = f"aws iam attach-role-policy --role-name {name} --policy-arn {_MANAGED.format(partition)}"
    owner, home = registry_of(config)
    repository = (
        f"arn:{partition}:ecr:{home or region}:{owner or account}:repository/{config.image.repository}"
    )
    logs = container(config).get("logConfiguration", {}).get("options", {})
    group_name = logs.get("awslogs-group", config.logs.group)
    group = f"arn:{partition}:logs:{region}:{account}:log-group:{group_name}:log-stream:*"
    needs = [
        Need("log in to ECR", ("ecr:GetAuthorizationToken",), "*", attach),
        Need("pull the image", _PULL, repository, attach, lambda: _repository_has_policy(config, session)),
    ]
    if container(config).get("logConfiguration", {}).get("logDriver") == "awslogs":
        needs.append(Need("send the log", ("logs:CreateLogStream", "logs:PutLogEvents"), group, attach))
    if makes_log_group(config):
        grant = _grant(name, "logs:CreateLogGroup", group)
        needs.append(Need("create the log group", ("logs:CreateLogGroup",), group, grant))
    for variable, source in secrets(config).items():
        vault = ":secretsmanager:" in source
        action = "secretsmanager:GetSecretValue" if vault else "ssm:GetParameters"
        resource = (
            ":".join(source.split(":")[:7]) if vault else _parameter(source, partition, region, account)
        )
        needs.append(
            Need(
                f"read the secret of {variable}",
                (action,),
                resource,
                _grant(name, action, resource),
                partial(_secret_has_policy, resource, session) if vault else bool,
            )
        )
    yield from judged("execution role", arn, needs, session)


def _repository_has_policy(config: Config, session: AwsSession) -> bool:
    with translated("ECR repository policy"):
        try:
            session.client("ecr", registry_of(config)[1] or None).get_repository_policy(
                repositoryName=config.image.repository,
                **({"registryId": registry_of(config)[0]} if registry_of(config)[0] else {}),
            )
        except Exception as error:
            if error_code(error) not in ("RepositoryPolicyNotFoundException", "RepositoryNotFoundException"):
                raise
            return False
    return True


def _secret_has_policy(arn: str, session: AwsSession) -> bool:
    with translated("secret's policy"):
        try:
            answer = session.client("secretsmanager", region_of(arn, session)).get_resource_policy(
                SecretId=arn
            )
        except Exception as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            return False
    return bool(answer.get("ResourcePolicy"))


def _parameter(source: str, partition: str, region: str, account: str) -> str:
    """The ARN of a parameter, in which its name has no leading slash."""
    if source.startswith("arn:"):
        return source
    return f"arn:{partition}:ssm:{region}:{account}:parameter/{source.lstrip('/')}"


def _grant(role: str, action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy_name = action.replace(":", "-")
    return (
        f"aws iam put-role-policy --role-name {role} --policy-name {policy_name} --policy-document '{policy}'"
    )
