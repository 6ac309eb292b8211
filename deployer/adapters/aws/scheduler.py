"""EventBridge Scheduler: which task definition a schedule starts.

UpdateSchedule replaces the whole schedule and sets omitted fields to their defaults, so everything that
GetSchedule returned is sent back, but for a StartDate in the past, which UpdateSchedule refuses.
Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from deployer.adapters.aws.ecs import launch_parameters
from deployer.adapters.aws.rules import EventRules
from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.errors import Failure
from deployer.ports import NewSchedule, Trigger

_READ_ONLY: Final = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")
_RUN_ID: Final = "<aws.scheduler.execution-id>"
"""https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html"""


class EventBridgeScheduler:
    """What starts ECS tasks in the caller's account and region: schedules, and rules of EventBridge."""

    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config, self._session = config, session
        self._rules = EventRules(session)

    @property
    def _client(self) -> Any:
        return self._session.client("scheduler")

    @property
    def _follows_rule(self) -> bool:
        return self._config.schedule is not None and self._config.schedule.kind == "rule"

    def task_definition(self, name: str, group: str) -> str:
        if self._follows_rule:
            return self._rules.task_definition(name, group)
        return str(_ecs(self._get(name, group), f"{group}/{name}")["TaskDefinitionArn"])

    def move(self, name: str, group: str, task_definition: str) -> None:
        if self._follows_rule:
            self._rules.move(name, group, task_definition)
            return
        schedule = self._get(name, group)
        ecs = _ecs(schedule, f"{group}/{name}")
        if ecs["TaskDefinitionArn"] == task_definition:
            return
        ecs["TaskDefinitionArn"] = task_definition
        self._update(schedule)

    def triggers(self) -> tuple[Trigger, ...]:
        """ListSchedules names only a target's cluster; each schedule's task definition is read by itself."""
        with translated("EventBridge Scheduler"):
            found = [
                (schedule["Name"], schedule["GroupName"])
                for page in self._client.get_paginator("list_schedules").paginate()
                for schedule in page["Schedules"]
                if ":ecs:" in schedule["Target"]["Arn"]
            ]
        schedules = (self._get(name, group) for name, group in found)
        return (*(_trigger(s) for s in schedules if "EcsParameters" in s["Target"]), *self._rules.triggers())

    def put(self, schedule: NewSchedule) -> None:
        run = self._config.run
        parameters = launch_parameters(self._config)
        target = {
            "Arn": schedule.cluster,
            "RoleArn": schedule.role,
            "EcsParameters": {
                "TaskDefinitionArn": schedule.task_definition,
                "TaskCount": 1,
                **{key[0].upper() + key[1:]: value for key, value in parameters.items() if key in _SIMPLE},
                **_network(parameters),
            },
            "Input": _overrides(self._config.task.container, {**run.environment, "RUN_ID": _RUN_ID}),
        }
        wanted = {
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.time_zone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": target,
        }
        with translated(f"EventBridge schedule {schedule.group}/{schedule.name}"):
            try:
                self._client.create_schedule(Name=schedule.name, GroupName=schedule.group, **wanted)
            except Exception as error:
                if error_code(error) != "ConflictException":
                    raise
                self._client.update_schedule(Name=schedule.name, GroupName=schedule.group, **wanted)

    def disable(self, name: str, group: str) -> None:
        self._update({**self._get(name, group), "State": "DISABLED"})

    def _update(self, schedule: dict[str, Any]) -> None:
        with self._calling(schedule["Name"], schedule.get("GroupName", "default")):
            self._client.update_schedule(**_updatable(schedule))

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
                fix = (
                    f"`deployer schedule 'cron(0 3 * * ? *)' --env {self._config.env}` makes it, from the "
                    "last proven release; or remove [schedule] from deploy.toml"
                )
                raise Failure("aws-config", f"{where} does not exist", fix) from error


_SIMPLE: Final = ("launchType", "platformVersion")


def _network(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of RunTask's parameters that Scheduler spells in another way."""
    found: dict[str, Any] = {}
    if "capacityProviderStrategy" in parameters:
        found["CapacityProviderStrategy"] = parameters["capacityProviderStrategy"]
    if "networkConfiguration" in parameters:
        network = parameters["networkConfiguration"]["awsvpcConfiguration"]
        spelled = {key[0].upper() + key[1:]: value for key, value in network.items()}
        found["NetworkConfiguration"] = {"awsvpcConfiguration": spelled}
    return found


def _overrides(container: str, environment: Mapping[str, str]) -> str:
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    return json.dumps({"containerOverrides": [{"name": container, "environment": variables}]})


def _trigger(schedule: Mapping[str, Any]) -> Trigger:
    ends = schedule.get("EndDate")
    return Trigger(
        kind="schedule",
        name=f"{schedule['GroupName']}/{schedule['Name']}",
        task_definition=schedule["Target"]["EcsParameters"]["TaskDefinitionArn"],
        expression=schedule.get("ScheduleExpression", ""),
        enabled=schedule.get("State", "ENABLED") == "ENABLED",
        role=schedule["Target"].get("RoleArn", ""),
        ends_at=ends.timestamp() if ends else None,
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
