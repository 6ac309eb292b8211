"""Has the identity that releases the permissions that a release needs?"""

import json
from collections.abc import Iterator
from typing import Final

from deployer.adapters.aws.ecr import registry_of
from deployer.adapters.aws.probes.permissions import Need, judged
from deployer.adapters.aws.probes.probe import definition, passed, roles, unknown
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding

_PUSH: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:BatchGetImage",
)
_DEFINE: Final = ("ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListTasks")
_TASK: Final = ("ecs:DescribeTasks", "ecs:StopTask")


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    with translated("AWS identity"):
        arn = session.client("sts").get_caller_identity()["Arn"]
    if arn.endswith(":root"):
        yield passed("caller", f"{arn} is the root user and may do everything")
        return
    source = _source(arn, session)
    if source is None:
        yield unknown("caller's permissions", f"{arn} is neither a user nor a role: IAM cannot simulate it")
        return
    yield from judged("caller", source, _needs(config, session.region, arn), session)


def _source(arn: str, session: AwsSession) -> str | None:
    """The IAM identity behind `arn`; an assumed role's session names the role without its path."""
    kind, _, rest = arn.split(":")[5].partition("/")
    if kind in ("user", "role"):
        return arn
    if kind != "assumed-role":
        return None
    with translated("caller's role"):
        role = session.client("iam").get_role(RoleName=rest.split("/")[0])["Role"]
    return str(role["Arn"])


def _needs(config: Config, region: str, caller: str) -> list[Need]:
    partition, account = caller.split(":")[1], caller.split(":")[4]
    owner, home = registry_of(config)
    repository = (
        f"arn:{partition}:ecr:{home or region}:{owner or account}:repository/{config.image.repository}"
    )
    ecs, cluster = f"arn:{partition}:ecs:{region}:{account}", config.run.cluster.rsplit("/", 1)[-1]
    family = f"{ecs}:task-definition/{definition(config)['family']}:*"
    tasks = f"{ecs}:task/{cluster}/*"
    log = f"arn:{partition}:logs:{region}:{account}:log-group:{config.logs.group}:log-stream:*"
    wanted = [
        ("log in to ECR", ("ecr:GetAuthorizationToken",), "*"),
        ("push the image", _PUSH, repository),
        ("register task definitions", _DEFINE, "*"),
        ("run the task", ("ecs:RunTask",), family),
        ("tag the task definition", ("ecs:TagResource",), family),
        ("tag the task", ("ecs:TagResource",), tasks),
        ("watch and stop the task", _TASK, tasks),
        ("read the log", ("logs:GetLogEvents",), log),
    ]
    wanted += [
        (f"pass the {what}", ("iam:PassRole",), role)
        for what, role in roles(config).items()
        if role.startswith("arn:")
    ]
    return [Need(purpose, actions, target, _grant(actions, target)) for purpose, actions, target in wanted]


def _grant(actions: tuple[str, ...], resource: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return f"add to the caller's policy: {json.dumps(statement)}"
