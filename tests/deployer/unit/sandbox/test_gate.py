"""The gate in front of the sandbox's AWS: who gets through, and how a container is started."""

import asyncio
import base64
from collections.abc import MutableMapping
from typing import Any

import pytest

from deployer.sandbox.server import Gate, contained

KEY, JOB = "SANDBOXOPERATOR", "SANDBOXJOB"


def signed(key: str, service: str = "ecs") -> dict[str, str]:
    scope = f"Credential={key}/20260301/eu-west-3/{service}/aws4_request, Signature=0"
    return {"authorization": f"AWS4-HMAC-SHA256 {scope}"}


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()}


def ask(
    path: str, headers: dict[str, str], method: str = "GET", query: str = ""
) -> tuple[int, dict[str, str]]:
    """The status of one request and the headers of the answer; what is let through is answered with 200."""
    sent: list[MutableMapping[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    lines = {"host": "172.17.0.1:4566", **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
    }
    asyncio.run(Gate(inner, KEY, JOB, "raw")(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("headers", [signed(KEY), basic(KEY)], ids=["signature", "password"])
def test_the_operators_key_opens_everything(headers: dict[str, str]) -> None:
    """As the access key of a signature, or as the registry's password."""
    for method, path in (("POST", "/"), ("PUT", "/raw-state/lock"), ("PUT", "/v2/job/manifests/1")):
        assert ask(path, headers, method)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [{}, signed("test"), signed(""), basic("password"), {"authorization": "Basic !"}],
    ids=["none", "guessed", "empty", "password", "garbage"],
)
@pytest.mark.parametrize("path", ["/", "/raw/key", "/_ministack/reset", "/v2/job/tags/list"])
def test_without_a_key_nothing_is_answered(headers: dict[str, str], path: str) -> None:
    """Another user of this machine gets no further than the door."""
    assert ask(path, headers)[0] in (401, 403)


def test_the_registry_says_that_it_wants_a_password() -> None:
    """Docker sends its login only to a registry that asks for one."""
    status, headers = ask("/v2/", {})
    assert (status, headers["www-authenticate"]) == (401, 'Basic realm="sandbox"')


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
def test_a_browser_is_never_answered(name: str) -> None:
    """Not even with the key: a page of the Internet could send it on."""
    assert ask("/", {**signed(KEY), name: "https://page.example"})[0] == 403
    assert ask("/_ministack/health", {name: "null"})[0] == 403


def test_the_health_page_needs_no_key() -> None:
    """It says nothing but that the sandbox is there."""
    assert ask("/_ministack/health", {})[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/raw"), ("GET", "/raw/a/b.json"), ("PUT", "/raw/out.json"), ("HEAD", "/raw/x")],
)
def test_a_container_reaches_the_projects_bucket(method: str, path: str) -> None:
    """Its objects and their list: what a job needs."""
    assert ask(path, signed(JOB, "s3"), method)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "more", "query"),
    [
        ("POST", "/", {"x-amz-target": "AmazonEC2ContainerServiceV20141113.RunTask"}, ""),
        ("POST", "/raw/x", {"x-amz-target": "secretsmanager.GetSecretValue"}, ""),
        ("GET", "/raw/../raw-state/lock", {}, ""),
        ("GET", "/", {}, ""),
        ("DELETE", "/raw", {}, ""),
        ("PUT", "/raw/x", {"x-amz-copy-source": "/raw-state/lock"}, ""),
        ("GET", "/raw/x", {"host": "raw-state.s3.amazonaws.com"}, ""),
        ("GET", "/raw/x", {}, "Action=CreateUser"),
        ("PUT", "/v2/job/manifests/1", {}, ""),
        ("POST", "/_ministack/reset", {}, ""),
    ],
)
def test_a_container_reaches_nothing_else(method: str, path: str, more: dict[str, str], query: str) -> None:
    """Other services, other buckets and the registry are closed to it, by whatever name it calls them."""
    assert ask(path, {**signed(JOB, "s3"), **more}, method, query)[0] == 403


@pytest.mark.parametrize("path", ["/another", "/raw-state/lock", "/nosuch.bucket/x/y"])
def test_another_bucket_is_not_there_for_a_container(path: str) -> None:
    """S3's own answer, so that a mistyped bucket is told as on AWS, whether somebody else has it or not."""
    assert ask(path, signed(JOB, "s3"))[0] == 404


def test_a_container_is_started_as_ecs_would_and_without_privileges() -> None:
    """Entry point and memory of the definition hold; privileges and folders of this machine do not."""
    definition = {"name": "job", "entryPoint": ["sh", "-c"], "privileged": True}
    options = {
        "environment": {"RUN_ID": "1"},
        "privileged": True,
        "cap_add": ["SYS_ADMIN"],
        "volumes": ["/:/host:rw"],
        "network": "bridge",
    }
    found = contained(definition, {"memory": "1 GB"}, options, JOB)
    assert found["entrypoint"] == ["sh", "-c"]
    assert (found["mem_limit"], found["memswap_limit"]) == ("1024m", "1024m")
    assert not {"privileged", "cap_add", "volumes"} & found.keys()
    assert found["environment"] == {"RUN_ID": "1", "AWS_ACCESS_KEY_ID": JOB, "AWS_SECRET_ACCESS_KEY": JOB}


def test_least_privilege_of_the_definition_holds() -> None:
    """Read-only root, dropped capabilities and the task's own volumes; a folder of this machine is none."""
    definition = {
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "mountPoints": [
            {"sourceVolume": "scratch", "containerPath": "/scratch"},
            {"sourceVolume": "host", "containerPath": "/host"},
        ],
    }
    task = {"volumes": [{"name": "scratch"}, {"name": "host", "host": {"sourcePath": "/"}}]}
    found = contained(definition, task, {}, JOB)
    assert (found["read_only"], found["cap_drop"]) == (True, ["ALL"])
    assert found["security_opt"] == ["no-new-privileges"]
    assert list(found["tmpfs"]) == ["/scratch"]
    assert not {"read_only", "cap_drop"} & contained({}, {}, {}, JOB).keys()


@pytest.mark.parametrize(
    ("container", "task", "limit"),
    [({"memory": 256}, {"memory": "512"}, "256m"), ({}, {"memory": ".5GB"}, "512m"), ({}, {}, None)],
)
def test_the_containers_own_memory_comes_first(
    container: dict[str, Any], task: dict[str, Any], limit: str | None
) -> None:
    """As ECS has it: the container's hard limit, else the task's; none where none is said."""
    assert contained(container, task, {}, JOB).get("mem_limit") == limit
