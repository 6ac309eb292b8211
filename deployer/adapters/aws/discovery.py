"""Reads a job that an account already runs: its task definition, cluster and last network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.adapters.aws.session import AwsSession, translated
from deployer.errors import Failure


@dataclass(frozen=True)
class Network:
    """Of one task. What could no longer be read is empty, or None."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    public_ip: bool | None = None


def default_region() -> str | None:
    """The region of AWS's own configuration."""
    import boto3

    with translated("AWS configuration"):
        region: str | None = boto3.Session().region_name
    return region


class Discovery:
    """Read-only calls in one account and region."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def families(self) -> tuple[str, ...]:
        with translated("ECS task definitions"):
            pages = self._ecs.get_paginator("list_task_definition_families").paginate(status="ACTIVE")
            return tuple(family for page in pages for family in page["families"])

    def clusters(self) -> tuple[str, ...]:
        with translated("ECS clusters"):
            pages = self._ecs.get_paginator("list_clusters").paginate()
            return tuple(arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"])

    def definition(self, family: str) -> Mapping[str, Any]:
        """The newest active revision as ECS returns it. Failure `aws-config`: there is none."""
        with translated(f"ECS task definition {family}"):
            definition: Mapping[str, Any] = self._ecs.describe_task_definition(taskDefinition=family)[
                "taskDefinition"
            ]
        return definition

    def last_network(self, cluster: str, family: str) -> Network:
        """Of the newest task that ECS still knows; a stopped one has only its subnet left."""
        task = self._last_task(cluster, family)
        details = {
            detail["name"]: detail["value"]
            for attachment in task.get("attachments", ())
            if attachment["type"] in ("ElasticNetworkInterface", "eni")
            for detail in attachment["details"]
        }
        subnets = (details["subnetId"],) if "subnetId" in details else ()
        interface = self._interface(details.get("networkInterfaceId"))
        if interface is None:
            return Network(subnets)
        groups = tuple(group["GroupId"] for group in interface["Groups"])
        return Network(subnets, groups, "PublicIp" in interface.get("Association", {}))

    @property
    def _ecs(self) -> Any:
        return self._session.client("ecs")

    def _last_task(self, cluster: str, family: str) -> Mapping[str, Any]:
        with translated(f"ECS cluster {cluster}"):
            arns = [
                arn
                for status in ("RUNNING", "STOPPED")
                for arn in self._ecs.list_tasks(cluster=cluster, family=family, desiredStatus=status)[
                    "taskArns"
                ]
            ][:100]
            tasks = self._ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return max(tasks, key=lambda task: str(task.get("createdAt", "")), default={})

    def _interface(self, identity: str | None) -> Mapping[str, Any] | None:
        """None where it was deleted with its task, or may not be read."""
        if identity is None:
            return None
        try:
            with translated(f"network interface {identity}"):
                answer = self._session.client("ec2").describe_network_interfaces(
                    NetworkInterfaceIds=[identity]
                )
        except Failure:
            return None
        return next(iter(answer["NetworkInterfaces"]), None)
