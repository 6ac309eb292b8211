"""Are the task's two roles there, may ECS tasks take them on, and may the execution role do its work?"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from deployer.adapters.aws.probes.finding import failed, passed, report_errors
from deployer.adapters.aws.probes.permissions import Need, judged
from deployer.adapters.aws.probes.subject import makes_log_group, roles, secrets
from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.ports import Finding

_SERVICE: Final = "ecs-tasks.amazonaws.com"
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": _SERVICE}, "Action": "sts:AssumeRole"}],
}
_PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
_MANAGED: Final = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    named = roles(config)
    for what, arn in named.items():
        yield from report_errors(what, _role(what, arn, session))
    if "execution role" not in named:
        detail = "is not set; Fargate needs it to pull the image and to ship the log"
        yield failed("execution role", detail, "set executionRoleArn in the task definition")


def permissions(config: Config, session: AwsSession) -> Iterator[Finding]:
    """What the agent does in the execution role before the container runs."""
    arn = roles(config).get("execution role")
    if arn:
        yield from _execution(arn, config, session)


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
            yield failed(f"{what} {name}", "is not there", create)
            return
    if _trusts_tasks(role["AssumeRolePolicyDocument"]):
        yield passed(f"{what} {name}")
    else:
        mend = f"aws iam update-assume-role-policy --role-name {name} --policy-document {trust}"
        yield failed(f"{what} {name}", f"does not trust {_SERVICE}", mend)


def _trusts_tasks(policy: Mapping[str, Any]) -> bool:
    """Whether a statement lets the service assume the role; its conditions are not judged."""
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
    account, region, name = arn.split(":")[4], session.region, arn.rsplit("/", 1)[-1]
    attach = f"aws iam attach-role-policy --role-name {name} --policy-arn {_MANAGED}"
    repository = f"arn:aws:ecr:{region}:{account}:repository/{config.image.repository}"
    group = f"arn:aws:logs:{region}:{account}:log-group:{config.logs.group}:log-stream:*"
    needs = [
        Need("log in to ECR", ("ecr:GetAuthorizationToken",), "*", attach),
        Need("pull the image", _PULL, repository, attach, lambda: _repository_has_policy(config, session)),
        Need("ship the log", ("logs:CreateLogStream", "logs:PutLogEvents"), group, attach),
    ]
    if makes_log_group(config):
        grant = _grant(name, "logs:CreateLogGroup", group)
        needs.append(Need("make the log group", ("logs:CreateLogGroup",), group, grant))
    for variable, source in secrets(config).items():
        vault = ":secretsmanager:" in source
        action = "secretsmanager:GetSecretValue" if vault else "ssm:GetParameters"
        resource = ":".join(source.split(":")[:7]) if vault else _parameter(source, region, account)
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
            session.client("ecr").get_repository_policy(repositoryName=config.image.repository)
        except Exception as error:
            if error_code(error) not in ("RepositoryPolicyNotFoundException", "RepositoryNotFoundException"):
                raise
            return False
    return True


def _secret_has_policy(arn: str, session: AwsSession) -> bool:
    with translated("secret's policy"):
        try:
            answer = session.client("secretsmanager").get_resource_policy(SecretId=arn)
        except Exception as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            return False
    return bool(answer.get("ResourcePolicy"))


def _parameter(source: str, region: str, account: str) -> str:
    return (
        source
        if source.startswith("arn:")
        else f"arn:aws:ssm:{region}:{account}:parameter/{source.lstrip('/')}"
    )


def _grant(role: str, action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy_name = action.replace(":", "-")
    return (
        f"aws iam put-role-policy --role-name {role} --policy-name {policy_name} --policy-document '{policy}'"
    )
