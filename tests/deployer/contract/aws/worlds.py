"""The three worlds that the contract holds in: our fakes, moto in this process, and MiniStack over HTTP.

A world gives the ports to test, and the hands to set up what a port only reads.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.adapters.aws.account import AwsAccount
from deployer.adapters.aws.ecr import Ecr
from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.aws.scheduler import EventBridgeScheduler
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.load import load, read
from deployer.config.model import Aws, Config
from deployer.ports import LogEvent
from deployer.task.definition import for_image
from tests.fakes.account import FakeAccount
from tests.fakes.logs import FakeLogs
from tests.fakes.registry import FakeRegistry
from tests.fakes.schedules import FakeSchedules
from tests.fakes.tasks import FakeTasks

PROJECT = Path(__file__).parents[4]
NOW = time.time()


class FakeWorld:
    """Our fakes."""

    def __init__(self) -> None:
        self.registry = FakeRegistry()
        self.logs = FakeLogs()
        self.tasks = FakeTasks(self.logs)
        self.schedules = FakeSchedules()
        self.account = FakeAccount()

    def create_repository(self, name: str) -> None:
        self.registry.create(name)

    def push(self, repository: str, tag: str, content: str) -> str:
        """An image of its own for each `content`; returns its digest."""
        digest = f"sha256:{content}"
        self.registry.receive(repository, tag, digest)
        return digest

    def put_log(self, group: str, stream: str, *events: LogEvent) -> None:
        """Makes group and stream where they are missing."""
        self.logs.put(group, stream, *events)

    def schedule(self, name: str, task_definition: str) -> None:
        """A schedule of the default group that starts it, next at the end of the century."""
        self.schedules.targets["default", name] = task_definition

    def keep_logs(self, group: str, days: int) -> None:
        """PutRetentionPolicy."""
        self.logs.keeps[group] = days * 86400.0


class AwsWorld:
    """The real gateways over one session, with a cluster of their own."""

    def __init__(self, cluster: str, session: AwsSession) -> None:
        self.session = session
        subnet = self.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        self.config = configured({"SANDBOX_CLUSTER": cluster, "SANDBOX_SUBNET": subnet})
        self.client("ecs").create_cluster(clusterName=cluster)
        self.registry = Ecr(self.config, session)
        self.tasks = Ecs(self.config, session)
        self.schedules = EventBridgeScheduler(self.config, session)
        self.logs = CloudWatchLogs(self.config, session)
        self.account = AwsAccount(self.config, session)

    def client(self, service: str) -> Any:
        return self.session.client(service)

    def create_repository(self, name: str) -> None:
        self.client("ecr").create_repository(repositoryName=name)

    def push(self, repository: str, tag: str, content: str) -> str:
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": f"sha256:{content}"}}
        answer = self.client("ecr").put_image(
            repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag
        )
        return str(answer["image"]["imageId"]["imageDigest"])

    def put_log(self, group: str, stream: str, *events: LogEvent) -> None:
        logs = self.client("logs")
        for make, names in (
            (logs.create_log_group, {"logGroupName": group}),
            (logs.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
        ):
            try:
                make(**names)
            except logs.exceptions.ResourceAlreadyExistsException:
                continue
        records = [{"timestamp": round(event.time * 1000), "message": event.text} for event in events]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=records)

    def schedule(self, name: str, task_definition: str) -> None:
        self.client("scheduler").create_schedule(
            Name=name,
            Description="every new year's night",
            ScheduleExpression="cron(0 3 1 1 ? 2099)",
            ScheduleExpressionTimezone="Europe/Paris",
            FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
            Target={
                "Arn": "arn:aws:ecs:eu-west-3:123456789012:cluster/cluster",
                "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
                "EcsParameters": {"TaskDefinitionArn": task_definition, "LaunchType": "FARGATE"},
                "RetryPolicy": {"MaximumRetryAttempts": 3},
            },
        )

    def keep_logs(self, group: str, days: int) -> None:
        """PutRetentionPolicy."""
        self.client("logs").put_retention_policy(logGroupName=group, retentionInDays=days)


World = FakeWorld | AwsWorld


def session(endpoint: str | None) -> AwsSession:
    """Against an HTTP endpoint, or what stands in for AWS in this process (None)."""
    return AwsSession(
        Aws(region="eu-west-3", **{"endpoint-url": endpoint}), Credentials("testing", "testing")
    )


@dataclass(frozen=True)
class _Names:
    """What deploy.toml's sandbox asks of the environment."""

    SANDBOX_ENDPOINT: str = "http://none.test"
    SANDBOX_REGISTRY: str = "registry.test"
    SANDBOX_CLUSTER: str = "cluster"
    SANDBOX_SUBNET: str = "subnet-1"
    SANDBOX_SECURITY_GROUP: str = "sg-1"
    SANDBOX_EXECUTION_ROLE: str = "arn:aws:iam::123456789012:role/execution"
    SANDBOX_TASK_ROLE: str = "arn:aws:iam::123456789012:role/task"
    SANDBOX_MONGO_SECRET_ARN: str = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:mongo"
    SANDBOX_BUCKET: str = "bucket"
    SANDBOX_MONGO_URI: str = "mongodb://localhost"


def configured(changes: dict[str, str]) -> Config:
    """The project's own deploy.toml, environment `sandbox`."""
    return load(read(PROJECT / "deploy.toml"), "sandbox", vars(_Names()) | changes, PROJECT, needed=())


def definition(family: str, **environment: str) -> dict[str, Any]:
    """The project's own task definition under another family name, with these variables added."""
    filled = for_image(configured({}), "registry.test/job@sha256:1")
    container = filled["containerDefinitions"][0]
    container["memory"] = 512
    container["environment"] += [{"name": name, "value": value} for name, value in environment.items()]
    return {**filled, "family": family}
