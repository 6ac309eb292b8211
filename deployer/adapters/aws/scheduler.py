"""EventBridge Scheduler: which task definition a schedule starts.

UpdateSchedule replaces the whole schedule and sets omitted fields to their defaults, so everything that
GetSchedule returned is sent back, but for a StartDate in the past, which UpdateSchedule refuses.
Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.errors import Failure
from deployer.task.definition import launch_type

_READ_ONLY: Final = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")


class EventBridgeScheduler:
    """The schedules of the caller's account and region."""

    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config = config
        self._session = session

    @property
    def _client(self) -> Any:
        return self._session.client("scheduler")

    def task_definition(self, name: str, group: str) -> str:
        return str(_ecs(self._get(name, group), f"{group}/{name}")["TaskDefinitionArn"])

    def move(self, name: str, group: str, task_definition: str) -> None:
        schedule = self._get(name, group)
        ecs = _ecs(schedule, f"{group}/{name}")
        if ecs["TaskDefinitionArn"] == task_definition:
            return
        ecs["TaskDefinitionArn"] = task_definition
        with self._calling(name, group):
            self._client.update_schedule(**_updatable(schedule))

    def used(self) -> frozenset[str]:
        """ListSchedules names only a target's cluster; each schedule's task definition is read by itself."""
        with translated("EventBridge Scheduler"):
            found = [
                (schedule["Name"], schedule["GroupName"])
                for page in self._client.get_paginator("list_schedules").paginate()
                for schedule in page["Schedules"]
                if ":ecs:" in schedule["Target"]["Arn"]
            ]
        targets = (self._get(name, group)["Target"].get("EcsParameters") for name, group in found)
        return frozenset(target["TaskDefinitionArn"] for target in targets if target)

    def _get(self, name: str, group: str) -> dict[str, Any]:
        with self._calling(name, group):
            schedule: dict[str, Any] = self._client.get_schedule(Name=name, GroupName=group)
        return schedule

    @contextmanager
    def _calling(self, name: str, group: str) -> Iterator[None]:
        where = f"EventBridge schedule {group}/{name}"
        with translated(where):
            try:
                yield
            except Exception as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                raise Failure("aws-config", f"{where} does not exist", self._creating(name, group)) from error

    def _creating(self, name: str, group: str) -> str:
        run, region = self._config.run, self._session.region
        network = (
            f"Subnets=[{','.join(run.subnets)}],SecurityGroups=[{','.join(run.security_groups)}],"
            f"AssignPublicIp={'ENABLED' if run.assign_public_ip else 'DISABLED'}"
        )
        ecs = (
            f"TaskDefinitionArn=TASK_DEFINITION_ARN,LaunchType={launch_type(self._config) or 'FARGATE'},"
            f"NetworkConfiguration={{awsvpcConfiguration={{{network}}}}}"
        )
        return (
            f"create it: `aws scheduler create-schedule --region {region} --group-name {group} --name {name}"
            " --schedule-expression 'cron(0 3 * * ? *)' --flexible-time-window Mode=OFF"
            f" --target 'Arn=CLUSTER_ARN,RoleArn=ROLE_ARN,EcsParameters={{{ecs}}}'`"
            " (the role must be allowed ecs:RunTask and iam:PassRole); or remove [schedule] from deploy.toml"
        )


def _updatable(schedule: dict[str, Any]) -> dict[str, Any]:
    begun = schedule.get("StartDate")
    passed = ("StartDate",) if begun and begun <= datetime.now(UTC) else ()
    return {key: value for key, value in schedule.items() if key not in (*_READ_ONLY, *passed)}


def _ecs(schedule: dict[str, Any], name: str) -> dict[str, Any]:
    parameters: dict[str, Any] | None = schedule["Target"].get("EcsParameters")
    if parameters is None:
        raise Failure(
            "aws-config",
            f"EventBridge schedule {name}: its target is not an ECS task: {schedule['Target']['Arn']}",
            "set the schedule that starts the job in [schedule] of deploy.toml",
        )
    return parameters
