"""The one table of the AWS calls of a release, and the least-privilege policies that follow from it.

Actions and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deployer.adapters.aws.ecr import registry_of
from deployer.adapters.aws.probes.probe import definition, makes_log_group, roles, secrets
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config, Schedule
from deployer.task.verdict import job_log

TASKS_SERVICE: Final = "ecs-tasks.amazonaws.com"
SCHEDULER: Final = "scheduler.amazonaws.com"


@dataclass(frozen=True)
class Permission:
    """`actions` on `resources`, and what they are for. `watching`: needed to look at runs as well."""

    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    watching: bool = False
    passed_to: str = TASKS_SERVICE
    """The service that a role is passed to."""


@dataclass(frozen=True)
class Place:
    """Whose account it is; placeholders serve for a policy that is only shown."""

    partition: str
    account: str
    region: str

    @classmethod
    def of(cls, caller: str, region: str) -> "Place":
        pieces = caller.split(":")
        return cls(pieces[1], pieces[4], region)

    def arn(self, service: str, rest: str, region: str = "", account: str = "") -> str:
        return f"arn:{self.partition}:{service}:{region or self.region}:{account or self.account}:{rest}"


def release_permissions(config: Config, place: Place) -> Iterator[Permission]:
    """Of the identity that releases; a row for each purpose."""
    owner, home = registry_of(config)
    repository = place.arn("ecr", f"repository/{config.image.repository}", home, owner)
    cluster = config.run.cluster.rsplit("/", 1)[-1]
    family = place.arn("ecs", f"task-definition/{definition(config)['family']}:*")
    tasks = place.arn("ecs", f"task/{cluster}/*")
    group = place.arn("logs", f"log-group:{job_log(config).group or config.logs.group}")
    yield Permission("log in to ECR", ("ecr:GetAuthorizationToken",), ("*",))
    yield Permission("push the image", _PUSH, (repository,))
    yield Permission("register task definitions", _DEFINE, ("*",))
    yield Permission("read task definitions", _READ, ("*",), watching=True)
    yield Permission("run the task", ("ecs:RunTask",), (family,))
    yield Permission("tag the task definition", ("ecs:TagResource",), (family,))
    yield Permission("tag the task", ("ecs:TagResource",), (tasks,))
    yield Permission("stop the task", ("ecs:StopTask",), (tasks,))
    yield Permission("watch the task", ("ecs:DescribeTasks",), (tasks,), watching=True)
    yield Permission("read the log", ("logs:GetLogEvents",), (f"{group}:log-stream:*",), watching=True)
    yield Permission(
        "find the log", ("logs:DescribeLogGroups", "logs:DescribeLogStreams"), (f"{group}:*",), watching=True
    )
    for what, role in roles(config).items():
        arn = role if role.startswith("arn:") else f"arn:{place.partition}:iam::{place.account}:role/{role}"
        yield Permission(f"pass the {what}", ("iam:PassRole",), (arn,))
    yield from _optional(config, place, repository)


def _optional(config: Config, place: Place, repository: str) -> Iterator[Permission]:
    if config.image.keep_releases:
        yield Permission("remove old images", ("ecr:DescribeImages", "ecr:BatchDeleteImage"), (repository,))
    yield Permission("see what starts the job", _TRIGGERS, ("*",), watching=True)
    if config.schedule:
        yield from _schedule(config.schedule, place)
    if config.state.bucket:
        bucket = f"arn:{place.partition}:s3:::{config.state.bucket}"
        yield Permission("share the state", ("s3:GetObject", "s3:PutObject"), (f"{bucket}/*",))
        yield Permission("list the state", ("s3:ListBucket",), (bucket,))
        if config.state.key:
            yield Permission("sign the records", ("secretsmanager:GetSecretValue",), (_key(config, place),))


def _key(config: Config, place: Place) -> str:
    """Six random characters follow a secret's name in its ARN."""
    key = config.state.key
    return key if key.startswith("arn:") else place.arn("secretsmanager", f"secret:{key}-??????")


def _schedule(schedule: Schedule, place: Place) -> Iterator[Permission]:
    if schedule.kind == "rule":
        bus = "" if schedule.group == "default" else f"{schedule.group}/"
        rule = place.arn("events", f"rule/{bus}{schedule.name}")
        yield Permission("move the rule", ("events:PutTargets",), (rule,))
    else:
        own = place.arn("scheduler", f"schedule/{schedule.group}/{schedule.name}")
        move = ("scheduler:CreateSchedule", "scheduler:UpdateSchedule")
        yield Permission("move the schedule", move, (own,))
    service = "events" if schedule.kind == "rule" else "scheduler"
    role = schedule.role or f"arn:{place.partition}:iam::{place.account}:role/*"
    yield Permission(
        "pass the role of the schedule", ("iam:PassRole",), (role,), passed_to=f"{service}.amazonaws.com"
    )


_TRIGGERS: Final = (
    "scheduler:ListSchedules", "scheduler:GetSchedule", "events:ListEventBuses", "events:ListRules",
    "events:ListTargetsByRule", "ecs:ListTaskDefinitions",
)  # fmt: skip
_PUSH: Final = (
    "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage", "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
)  # fmt: skip
_READ: Final = ("ecs:DescribeTaskDefinition", "ecs:ListTasks")
_DEFINE: Final = ("ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition")
_DOCTOR: Final = (
    "ecs:DescribeClusters", "ec2:DescribeSubnets", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints", "ec2:DescribeNatGateways", "iam:GetRole",
    "iam:SimulatePrincipalPolicy", "secretsmanager:DescribeSecret", "ssm:GetParameters",
    "ecr:GetRepositoryPolicy", "secretsmanager:GetResourcePolicy",
)  # fmt: skip
"""Without these the checks are `unknown`, and a release goes on."""


def execution_permissions(config: Config, place: Place) -> Iterator[Permission]:
    """Of the execution role: what ECS does before the container runs."""
    owner, home = registry_of(config)
    repository = place.arn("ecr", f"repository/{config.image.repository}", home, owner)
    pull = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
    yield Permission("log in to ECR", ("ecr:GetAuthorizationToken",), ("*",))
    yield Permission("pull the image", pull, (repository,))
    group = job_log(config).group
    if group:
        stream = place.arn("logs", f"log-group:{group}:log-stream:*")
        yield Permission("send the log", ("logs:CreateLogStream", "logs:PutLogEvents"), (stream,))
        if makes_log_group(config):
            yield Permission("create the log group", ("logs:CreateLogGroup",), (stream,))
    for variable, source in secrets(config).items():
        if ":secretsmanager:" in source:
            arn = ":".join(source.split(":")[:7])
            yield Permission(f"read the secret of {variable}", ("secretsmanager:GetSecretValue",), (arn,))
        else:
            arn = source if source.startswith("arn:") else place.arn("ssm", f"parameter/{source.lstrip('/')}")
            yield Permission(f"read the secret of {variable}", ("ssm:GetParameters",), (arn,))


def _starting(config: Config, place: Place) -> Iterator[Permission]:
    """Of the role in which a schedule starts the job."""
    for permission in release_permissions(config, place):
        passes = permission.purpose.startswith("pass the ") and permission.passed_to == TASKS_SERVICE
        if passes or permission.purpose in ("run the task", "tag the task"):
            yield permission


def policies(config: Config, session: AwsSession, caller: str) -> Mapping[str, Any]:
    """Complete IAM documents: for releasing, for watching only, for the execution role and the
    role of a schedule, and their trusts."""
    place = Place.of(caller, session.region)
    release = list(release_permissions(config, place))
    doctor = Permission("doctor (optional)", _DOCTOR, ("*",))
    trust = _trust(TASKS_SERVICE, place)
    return {
        "release": _document([*release, doctor]),
        "watch": _document([permission for permission in release if permission.watching]),
        "execution-role": _document(list(execution_permissions(config, place))),
        "trust-of-both-roles": {"Version": "2012-10-17", "Statement": [trust]},
        "schedule-role": _document(list(_starting(config, place))),
        "trust-of-schedule-role": {"Version": "2012-10-17", "Statement": [_trust(SCHEDULER, place)]},
    }


def _trust(service: str, place: Place) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
    }


def _document(permissions: Sequence[Permission]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [_statement(permission) for permission in permissions]}


def _statement(permission: Permission) -> dict[str, Any]:
    sid = "".join(word.capitalize() for word in permission.purpose.split() if word.isalnum())
    passed = {"StringEquals": {"iam:PassedToService": permission.passed_to}}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(permission.actions),
        "Resource": list(permission.resources),
        **({"Condition": passed} if "iam:PassRole" in permission.actions else {}),
    }
