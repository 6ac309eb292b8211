"""Elastic Container Service: task definitions and tasks of one cluster."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.errors import Failure, TransientFailure
from deployer.model import ContainerResult, TaskResult
from deployer.ports import Revision, RunAnswer, TaskRequest, TaskStatus
from deployer.task.definition import launch_type, network_mode, own_tags

_AT_ONCE: Final = 100
"""DescribeTasks takes at most this many."""


_FIRST_USE: Final = "AWS creates the role at the first use of ECS in an account; retry in a moment"


class Ecs:
    """The cluster that `[run]` names."""

    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config, self._run = config, config.run
        self._where = f"ECS cluster {config.run.cluster}"
        self._session = session
        self._job = config.task.container
        self._definitions: dict[str, Mapping[str, bool]] = {}

    @property
    def _client(self) -> Any:
        return self._session.client("ecs")

    def newest_revision(self, family: str) -> Revision | None:
        """Emulators describe the newest revision of a family though it is INACTIVE."""
        newest = self.revision(family)
        if newest is None or newest.active:
            return newest
        active = self.revisions(family)
        return self.revision(active[-1]) if active else None

    def revision(self, arn: str) -> Revision | None:
        """Of a family without a number ECS describes the newest."""
        with translated(f"ECS task definition {arn}"):
            try:
                answer = self._client.describe_task_definition(taskDefinition=arn, include=["TAGS"])
            except Exception as error:
                if "Unable to describe task definition" in str(error):
                    return None
                raise
        definition = answer["taskDefinition"]
        tags = {tag["key"]: tag["value"] for tag in answer.get("tags", ())}
        return Revision(definition["taskDefinitionArn"], _plain(definition), tags)

    def revisions(self, family: str | None) -> tuple[str, ...]:
        """Emulators take `familyPrefix` for a prefix, so the ARN's family is compared."""
        pages = self._client.get_paginator("list_task_definitions")
        only = {"familyPrefix": family} if family else {}
        with translated(f"ECS task definition {family or ''}"):
            arns = [
                arn
                for page in pages.paginate(**only, status="ACTIVE", sort="ASC")
                for arn in page["taskDefinitionArns"]
            ]
        return tuple(arn for arn in arns if family in (None, arn.rpartition("/")[2].rpartition(":")[0]))

    def deregister(self, arn: str) -> None:
        with translated(f"ECS task definition {arn}"):
            self._client.deregister_task_definition(taskDefinition=arn)

    def register(self, definition: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        fields = {key: value for key, value in definition.items() if key != "tags"}
        with translated(f"ECS task definition {definition.get('family', '')}"):
            answer = self._client.register_task_definition(
                **fields, **_tags({**own_tags(definition), **tags})
            )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def run(self, request: TaskRequest) -> RunAnswer:
        """RunTask under the request's token: AWS answers a repeated call with the task of the first one, for
        24 hours. A token used before with other parameters is answered with the task it belongs to."""
        with translated(self._where):
            try:
                answer = self._client.run_task(**self._parameters(request))
            except Exception as error:
                if "service linked role" in str(error):
                    raise TransientFailure("capacity", f"{self._where}: {error}", _FIRST_USE) from error
                if error_code(error) != "ConflictException":
                    raise
                return self._conflict(error, request)
        failures = tuple(_failure(failure) for failure in answer.get("failures", ()))
        tasks = self._statuses(answer.get("tasks", ()))
        return RunAnswer(next(iter(tasks), None), failures)

    def _parameters(self, request: TaskRequest) -> dict[str, Any]:
        environment = [{"name": name, "value": value} for name, value in request.environment.items()]
        command = {"command": list(request.command)} if request.command else {}
        container = {"name": request.container, "environment": environment, **command}
        return {
            "cluster": self._run.cluster,
            "taskDefinition": request.task_definition,
            "count": 1,
            "clientToken": request.token,
            "startedBy": request.started_by,
            "overrides": {"containerOverrides": [container]},
            **launch_parameters(self._config),
            **_tags(request.tags),
        }

    def _conflict(self, error: Exception, request: TaskRequest) -> RunAnswer:
        taken = getattr(error, "response", {}).get("resourceIds", ())
        tasks = self._describe(taken)
        if not tasks:
            raise Failure(
                "aws-config",
                f"{self._where}: the token {request.token} was used for another call: {error}",
                "run the job again as a new launch: `deployer release --start-at deploy`",
            ) from error
        return RunAnswer(tasks[0])

    def started_by(self, started_by: str) -> tuple[TaskStatus, ...]:
        """`startedBy` must be ListTasks' only filter and then lists running tasks; stopped ones are listed
        for the cluster and filtered here."""
        running = self._list(startedBy=started_by)
        stopped = self._list(desiredStatus="STOPPED")
        return tuple(task for task in self._describe([*running, *stopped]) if task.started_by == started_by)

    def of_family(self, family: str) -> tuple[TaskStatus, ...]:
        running = self._list(family=family)
        stopped = self._list(family=family, desiredStatus="STOPPED")
        return self._describe([*running, *stopped])

    def status(self, arn: str) -> TaskStatus | None:
        return next(iter(self._describe([arn])), None)

    def stop(self, arn: str, reason: str) -> None:
        """StopTask; a task that is gone already is fine."""
        with translated(f"ECS task {arn}"):
            try:
                self._client.stop_task(cluster=self._run.cluster, task=arn, reason=reason)
            except Exception as error:
                if "referenced task was not found" not in str(error):
                    raise

    def _list(self, **filters: str) -> list[str]:
        arns: list[str] = []
        with translated(self._where):
            for page in self._client.get_paginator("list_tasks").paginate(
                cluster=self._run.cluster, **filters
            ):
                arns += page["taskArns"]
        return arns

    def _describe(self, arns: Sequence[str]) -> tuple[TaskStatus, ...]:
        """Oldest first, without those that ECS has forgotten."""
        unique = list(dict.fromkeys(arns))
        found: list[dict[str, Any]] = []
        for start in range(0, len(unique), _AT_ONCE):
            with translated(self._where):
                answer = self._client.describe_tasks(
                    cluster=self._run.cluster, tasks=unique[start : start + _AT_ONCE]
                )
            found += answer["tasks"]
        return self._statuses(found)

    def _statuses(self, tasks: Sequence[Mapping[str, Any]]) -> tuple[TaskStatus, ...]:
        plain = sorted(map(_plain, tasks), key=lambda task: task.get("createdAt", ""))
        return tuple(self._status(task) for task in plain)

    def _status(self, task: Mapping[str, Any]) -> TaskStatus:
        return TaskStatus(
            arn=task["taskArn"],
            last_status=task["lastStatus"],
            started_by=task.get("startedBy", ""),
            result=self._result(task) if task["lastStatus"] == "STOPPED" else None,
            ended=frozenset(c["name"] for c in task.get("containers") or () if c.get("exitCode") is not None),
            raw=task,
        )

    def _result(self, task: Mapping[str, Any]) -> TaskResult:
        containers = task.get("containers") or ()
        essential = self._essential(task["taskDefinitionArn"]) if len(containers) > 1 else {}
        return TaskResult(
            stop_code=task.get("stopCode") or "",
            stopped_reason=task.get("stoppedReason") or "",
            containers=tuple(
                ContainerResult(
                    name=container["name"],
                    exit_code=container.get("exitCode"),
                    reason=container.get("reason") or "",
                    essential=essential.get(container["name"], not essential),
                    defined=container["name"] in essential if essential else not _injected(container["name"]),
                )
                for container in containers
            ),
            job=self._job if any(c["name"] == self._job for c in containers) else "",
        )

    def _essential(self, definition: str) -> Mapping[str, bool]:
        """Whether each container of the definition is essential; empty where it may not be read."""
        if definition not in self._definitions:
            try:
                with translated(f"ECS task definition {definition}"):
                    answer = self._client.describe_task_definition(taskDefinition=definition)
            except TransientFailure:
                raise
            except Failure:
                return {}
            containers = answer["taskDefinition"]["containerDefinitions"]
            self._definitions[definition] = {c["name"]: c.get("essential") is not False for c in containers}
        return self._definitions[definition]


def _injected(container: str) -> bool:
    """GuardDuty Runtime Monitoring and ECS Service Connect add containers that are in no definition:
    https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-ecs-issues.html."""
    return container.startswith(("aws-guardduty-agent", "ecs-service-connect-"))


def launch_parameters(config: Config) -> dict[str, Any]:
    """Of RunTask: a launch type or a strategy, and a network configuration for awsvpc only.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
    """
    run, parameters = config.run, dict[str, Any]()
    if run.strategy:
        parameters["capacityProviderStrategy"] = [
            {"capacityProvider": entry.name, "weight": entry.weight, "base": entry.base}
            for entry in run.strategy
        ]
    elif launch_type(config):
        parameters["launchType"] = launch_type(config)
    if run.platform_version:
        parameters["platformVersion"] = run.platform_version
    if network_mode(config) == "awsvpc" and run.subnets:
        network = {
            "subnets": list(run.subnets),
            "assignPublicIp": "ENABLED" if run.assign_public_ip else "DISABLED",
        }
        groups = {"securityGroups": list(run.security_groups)} if run.security_groups else {}
        parameters["networkConfiguration"] = {"awsvpcConfiguration": {**network, **groups}}
    if run.volumes:
        parameters["volumeConfigurations"] = [dict(volume) for volume in run.volumes]
    return parameters


def _failure(failure: Mapping[str, str]) -> str:
    """One entry of RunTask's `failures`: "arn: reason (detail)"."""
    arn, reason, detail = (failure.get(key, "") for key in ("arn", "reason", "detail"))
    return (f"{arn}: " if arn else "") + reason + (f" ({detail})" if detail else "")


def _tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """The `tags` parameter; left out where there are none, because AWS refuses an empty list."""
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]} if tags else {}


def _plain(value: Any) -> Any:
    """The value as JSON has it: times as ISO 8601 in UTC, which sort as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
