"""Rules of EventBridge that start ECS tasks: on a schedule, or on an event.

PutTargets replaces a target of the same Id, so all that ListTargetsByRule returned is sent back.
Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from collections.abc import Iterator
from typing import Any

from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.errors import Failure
from deployer.ports import Trigger


class EventRules:
    """The rules of the caller's account and region. ListRules and ListTargetsByRule have no paginator."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    @property
    def _client(self) -> Any:
        return self._session.client("events")

    def triggers(self) -> Iterator[Trigger]:
        """Those that AWS itself manages are left out."""
        for bus in self._pages("list_event_buses", "EventBuses"):
            for rule in self._pages("list_rules", "Rules", EventBusName=bus["Name"]):
                if not rule.get("ManagedBy"):
                    yield from self._of(rule, bus["Name"])

    def task_definition(self, name: str, bus: str) -> str:
        return str(self._target(name, bus)["EcsParameters"]["TaskDefinitionArn"])

    def move(self, name: str, bus: str, task_definition: str) -> None:
        target = self._target(name, bus)
        if target["EcsParameters"]["TaskDefinitionArn"] == task_definition:
            return
        moved = {
            **target,
            "EcsParameters": {**target["EcsParameters"], "TaskDefinitionArn": task_definition},
        }
        with translated(f"EventBridge rule {bus}/{name}"):
            answer = self._client.put_targets(Rule=name, EventBusName=bus, Targets=[moved])
        for entry in answer.get("FailedEntries", ()):
            raise Failure("aws-config", f"EventBridge rule {bus}/{name}: {entry.get('ErrorMessage')}")

    def _target(self, name: str, bus: str) -> dict[str, Any]:
        where = f"EventBridge rule {bus}/{name}"
        found = [t for t in self._targets(name, bus) if "EcsParameters" in t]
        if len(found) != 1:
            raise Failure(
                "aws-config",
                f"{where} has {len(found)} targets that are ECS tasks, not one",
                "set the rule that starts the job in [schedule] of deploy.toml",
            )
        return found[0]

    def _of(self, rule: dict[str, Any], bus: str) -> Iterator[Trigger]:
        for target in self._targets(rule["Name"], bus):
            if "EcsParameters" in target:
                yield Trigger(
                    kind="rule",
                    name=f"{bus}/{rule['Name']}",
                    task_definition=target["EcsParameters"]["TaskDefinitionArn"],
                    expression=rule.get("ScheduleExpression") or "an event",
                    enabled=rule.get("State", "ENABLED") == "ENABLED",
                    role=target.get("RoleArn", ""),
                )

    def _targets(self, name: str, bus: str) -> list[dict[str, Any]]:
        try:
            return list(self._pages("list_targets_by_rule", "Targets", Rule=name, EventBusName=bus))
        except Failure as failure:
            if failure.__cause__ is None or error_code(failure.__cause__) != "ResourceNotFoundException":
                raise
            return []

    def _pages(self, call: str, key: str, **asked: str) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            with translated("EventBridge rules"):
                answer = getattr(self._client, call)(**asked, **more)
            yield from answer[key]
            if not answer.get("NextToken"):
                return
            more = {"NextToken": answer["NextToken"]}
