"""Which operation of which service a request is: AWS speaks four protocols, and ECR a registry's as well."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from deployer.adapters.aws.api_model import violations

_TARGETS = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "Logs_20140328": "logs",
    "secretsmanager": "secretsmanager",
    "AmazonSSM": "ssm",
    "AWSEvents": "events",
}
"""By the prefix of the header that names the action."""
_SCHEDULES = {"GET": "GetSchedule", "PUT": "UpdateSchedule", "POST": "CreateSchedule"}
_OBJECTS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_PUSH = {
    "POST uploads": "InitiateLayerUpload",
    "PATCH uploads": "UploadLayerPart",
    "PUT uploads": "CompleteLayerUpload",
    "PUT manifests": "PutImage",
    "HEAD manifests": "BatchGetImage",
    "GET manifests": "BatchGetImage",
    "HEAD blobs": "BatchCheckLayerAvailability",
    "GET blobs": "GetDownloadUrlForLayer",
}
"""What ECR asks IAM for when the engine pushes
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html)."""
NAMED_OTHERWISE = {"s3:HeadObject": "s3:GetObject"}
"""Calls that IAM knows by another name."""
_LIST = re.compile(r"(\w+)\.(?:member\.)?(\d+)")


@dataclass(frozen=True)
class Call:
    """`body`: its parameters, as far as they are needed. `checked`: they are complete, and can be held
    against the description of the API."""

    service: str
    action: str
    body: dict[str, Any]
    checked: bool = True

    def __str__(self) -> str:
        return f"{self.service}:{self.action}"

    def violations(self) -> list[str]:
        """What AWS would refuse of it."""
        if not self.checked:
            return []
        return [f"{self}: {found}" for found in violations(self.service, self.action, self.body)]


def call_of(method: str, target: str, headers: Mapping[str, str], content: bytes) -> Call:
    """`target`: path and query."""
    path, query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
    if path.startswith("/v2/"):
        place = re.search(r"/(manifests|uploads|blobs(?!/uploads))/", f"{path}/")
        action = _PUSH.get(f"{method} {place[1]}", "") if place else ""
        return Call("ecr", action, {"path": path}, checked=False)
    if "x-amz-target" in headers:
        prefix, _, action = headers["x-amz-target"].rpartition(".")
        service = _TARGETS.get(prefix, "")
        return Call(service, action, json.loads(content or b"{}"), checked=bool(service))
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9]+)/", headers.get("authorization", ""))
    service = scope[1] if scope else ""
    if service == "scheduler":
        return _schedule(method, path, query, content)
    if service == "s3":
        has_key = "/" in path.strip("/")
        return Call("s3", _OBJECTS.get(method, "") if has_key else "ListBucket", {}, checked=False)
    form = {name: values[0] for name, values in parse_qs(content.decode(errors="replace")).items()}
    action = form.pop("Action", "")
    form.pop("Version", None)
    return Call(service, action, _lists(form), checked=service in ("sts", "iam"))


def _schedule(method: str, path: str, query: Mapping[str, str], content: bytes) -> Call:
    pieces = [unquote(piece) for piece in path.strip("/").split("/")]
    body = json.loads(content or b"{}")
    if len(pieces) < 2:
        return Call("scheduler", "ListSchedules", {}, checked=False)
    group = {"GroupName": query["groupName"]} if "groupName" in query else {}
    return Call("scheduler", _SCHEDULES.get(method, ""), {**body, **group, "Name": pieces[1]})


def _lists(form: Mapping[str, str]) -> dict[str, Any]:
    """The query protocol writes a list as `Name.member.1`, `Name.member.2`."""
    body: dict[str, Any] = {}
    for name, value in form.items():
        entry = _LIST.fullmatch(name)
        if entry:
            body.setdefault(entry[1], []).append(value)
        else:
            body[name] = int(value) if name in ("MaxItems", "DurationSeconds") else value
    return body
