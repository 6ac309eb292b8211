"""What a release has done, counted where it has its effect: in ECS, ECR, MongoDB and the engine."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from pymongo import MongoClient

DATABASE = "greenandcoop_weather"


@dataclass(frozen=True)
class Outside:
    """The sandbox of these facts (`deployer sandbox env`), looked at by clients of our own."""

    facts: Mapping[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)

    def aws(self, service: str) -> Any:
        """A client that several threads may use; made of a session of its own, which they may not share."""
        if service not in self._clients:
            self._clients[service] = boto3.Session().client(
                service,
                endpoint_url=self.facts["SANDBOX_ENDPOINT"],
                region_name=self.facts["AWS_REGION"],
                aws_access_key_id=self.facts["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.facts["AWS_SECRET_ACCESS_KEY"],
            )
        return self._clients[service]

    def tasks(self, release: str) -> list[dict[str, Any]]:
        """Every task ever started for that release, running or stopped, told by its `startedBy`."""
        ecs, cluster = self.aws("ecs"), self.facts["SANDBOX_CLUSTER"]
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
            for arn in page["taskArns"]
        ]
        found: list[dict[str, Any]] = []
        for start in range(0, len(arns), 100):
            found += ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + 100])["tasks"]
        return [task for task in found if task["startedBy"].startswith(f"{release}-")]

    def revisions(self, family: str) -> list[str]:
        """ARNs of every active revision."""
        pages = self.aws("ecs").get_paginator("list_task_definitions").paginate(familyPrefix=family)
        return [arn for page in pages for arn in page["taskDefinitionArns"]]

    def images(self, repository: str) -> dict[str, set[str]]:
        """Tags by digest."""
        pages = self.aws("ecr").get_paginator("describe_images").paginate(repositoryName=repository)
        return {
            image["imageDigest"]: set(image.get("imageTags", ()))
            for page in pages
            for image in page["imageDetails"]
        }

    @cached_property
    def _mongo(self) -> "MongoClient[dict[str, Any]]":
        return MongoClient(self.facts["SANDBOX_MONGO_URI"], serverSelectionTimeoutMS=5000)

    def close(self) -> None:
        self._mongo.close()

    def collection(self, name: str) -> Any:
        return self._mongo[DATABASE][name]

    def fingerprint(self, name: str, query: Mapping[str, Any], *without: str) -> str:
        """Equal for equal documents, whatever their order."""
        rows = self.collection(name).find(query, dict.fromkeys(without, False))
        return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
