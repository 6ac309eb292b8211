"""MiniStack behind a gate: what hypercorn serves (`deployer.sandbox.server:ministack()`).

MiniStack has no authentication: whoever reaches it could start containers with the Docker engine's rights. So
every request must carry the sandbox's own key, as the access key of its signature or as the registry's
password; a browser's never passes; a container has a key of its own that opens little; and task definitions
cannot mount this machine's folders or ask for privileges.
"""

import base64
import binascii
import hmac
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

KEY: Final = "DEPLOYER_SANDBOX_KEY"
JOB_KEY: Final = "DEPLOYER_SANDBOX_JOB_KEY"
"""Environment variables: the operator's key, and the one that containers are given."""
BUCKET: Final = "DEPLOYER_SANDBOX_BUCKET"
HEALTH: Final = "/_ministack/health"
REGISTRY_USER: Final = "AWS"

_CREDENTIAL: Final = re.compile(r"Credential=([^/,\s]+)/")
_BUCKET_PATH: Final = re.compile(r"/(?!v2/)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/(?!\.\./)[^?]*)?")
_ADDRESS: Final = re.compile(r"(?:[\d.]+|localhost|host\.docker\.internal)(?::\d+)?")
_METADATA: Final = re.compile(r"/v4/[\w-]{40,}(?:/\w+)*$")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gate:
    """An ASGI application that lets through what carries a key."""

    def __init__(self, inner: Application, key: str, job_key: str, bucket: str) -> None:
        self._inner, self._key, self._job_key, self._bucket = inner, key, job_key, bucket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal:
            await _refuse(send, *refusal)
        elif scope["type"] in ("http", "lifespan"):
            await self._inner(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """The status and the reason; None: it may pass."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        path = unquote(scope["path"])
        if "origin" in headers or "sec-fetch-site" in headers:
            return 403, "the sandbox answers no browser"
        if scope["method"] == "GET" and (path == HEALTH or _METADATA.fullmatch(path)):
            return None
        key = _presented(headers, scope.get("query_string", b"").decode("latin-1"))
        if _same(key, self._key):
            return None
        if _same(key, self._job_key) and self._is_plain_s3(headers, scope):
            if self._is_own_bucket(path, scope["method"]):
                return None
            if _BUCKET_PATH.fullmatch(path) and path.split("/")[1] != self._bucket:
                return 404, "the specified bucket does not exist"
        if path.startswith("/v2/") and not key:
            return 401, "the sandbox's registry wants its key"
        return 403, "the sandbox's key is missing; `deployer sandbox env` prints it"

    @staticmethod
    def _is_plain_s3(headers: Mapping[str, str], scope: Scope) -> bool:
        """Nothing that MiniStack could take for another service or bucket: it decides by the host, by headers
        and by the query as well."""
        elsewhere = {"x-amz-target", "x-amz-copy-source"} & headers.keys()
        plain_host = _ADDRESS.fullmatch(headers.get("host", "")) is not None
        return plain_host and not elsewhere and b"Action=" not in scope["query_string"]

    def _is_own_bucket(self, path: str, method: str) -> bool:
        """The objects of the project's bucket, and their list."""
        inside = path.startswith(f"/{self._bucket}/") and "/../" not in path
        return inside or (path.rstrip("/") == f"/{self._bucket}" and method in ("GET", "HEAD"))


def _presented(headers: Mapping[str, str], query: str) -> str:
    """The key that a request carries; empty: none."""
    authorization = headers.get("authorization", "")
    if signed := _CREDENTIAL.search(authorization):
        return signed[1]
    if authorization.startswith("Basic "):
        try:
            return base64.b64decode(authorization[6:], validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return parse_qs(query).get("X-Amz-Credential", [""])[0].partition("/")[0]


def _same(given: str, key: str) -> bool:
    return bool(key) and hmac.compare_digest(given.encode(), key.encode())


async def _refuse(send: Send, status: int, reason: str) -> None:
    """In the form of the service that was asked: XML for S3 (404), else JSON, as the registry speaks too."""
    if status == 404:
        kind = b"application/xml"
        body = f"<Error><Code>NoSuchBucket</Code><Message>{reason}</Message></Error>".encode()
    else:
        code, kind = ("UNAUTHORIZED" if status == 401 else "DENIED"), b"application/json"
        errors = [{"code": code, "message": reason}]
        answer = {"__type": "AccessDeniedException", "message": reason, "errors": errors}
        body = json.dumps(answer).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="sandbox"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def contained(
    container: Mapping[str, Any], task: Mapping[str, Any], options: dict[str, Any], job_key: str
) -> dict[str, Any]:
    """How Docker starts a container of a task: as ECS would (entry point, memory, read-only root, dropped
    capabilities, volumes of the task as memory), without privileges or folders of this machine, and with the
    container's key."""
    dropped = ((container.get("linuxParameters") or {}).get("capabilities") or {}).get("drop")
    volumes = {
        v.get("name") for v in task.get("volumes") or () if not (v.get("host") or {}).get("sourcePath")
    }
    mounts = (m for m in container.get("mountPoints") or () if m.get("sourceVolume") in volumes)
    memory = _mebibytes(container.get("memory") or task.get("memory"))
    for name in ("privileged", "cap_add", "pid_mode", "volumes"):
        options.pop(name, None)
    environment = {
        **(options.get("environment") or {}),
        "AWS_ACCESS_KEY_ID": job_key,
        "AWS_SECRET_ACCESS_KEY": job_key,
    }
    return {
        **options,
        **({"entrypoint": list(container["entryPoint"])} if container.get("entryPoint") else {}),
        **({"mem_limit": f"{memory}m", "memswap_limit": f"{memory}m"} if memory else {}),
        **({"cap_drop": list(dropped)} if dropped else {}),
        **({"read_only": True} if container.get("readonlyRootFilesystem") else {}),
        "tmpfs": {mount["containerPath"]: "mode=1777" for mount in mounts},
        "environment": environment,
        "security_opt": ["no-new-privileges"],
    }


def _mebibytes(memory: object) -> int:
    """`512`, `"1GB"`, `"0.5 GB"` as MiB; 0: not said, or less than Docker starts a container with."""
    said = re.fullmatch(r"\s*(\d*\.?\d+)\s*(GB)?\s*", str(memory), re.IGNORECASE)
    size = int(float(said[1]) * (1024 if said[2] else 1)) if said else 0
    return size if size >= 6 else 0


_PULLS: Final = 10


def _pull(client: Any, image: str, login: Mapping[str, str]) -> None:
    """Pulls again after a passing error, as ECS does."""
    from docker.errors import APIError, NotFound

    for left in reversed(range(_PULLS)):
        try:
            client.images.pull(image, auth_config=dict(login))
        except NotFound:
            raise
        except APIError:
            if not left:
                raise
        else:
            return


def ministack() -> Application:
    """MiniStack with its ECS and ECR taught the above. Its parts that are replaced are those of 1.5.33."""
    from importlib import import_module

    inner: Application = import_module("ministack.app").app
    ecr: Any = import_module("ministack.services.ecr")
    ecs: Any = import_module("ministack.services.ecs")

    key, job_key = os.environ[KEY], os.environ[JOB_KEY]
    build, run = ecs._build_run_kwargs, ecs._run_docker_container

    def build_kwargs(cdef: Any, td: Any, env: Any, *rest: Any) -> Any:
        return contained(cdef, td, build(cdef, td, env, *rest), job_key)

    def run_container(client: Any, cdef: Any, options: Any, **more: Any) -> Any:
        image = str(cdef["image"])
        if image.startswith(("127.0.0.1:", "localhost:")):
            _pull(client, image, {"username": REGISTRY_USER, "password": key})
        return run(client, cdef, options, **more)

    token = ecr._get_authorization_token

    def authorization_token(data: Any) -> Any:
        status, headers, body = token(data)
        answer = json.loads(body)
        secret = base64.b64encode(f"{REGISTRY_USER}:{key}".encode()).decode()
        answer["authorizationData"][0]["authorizationToken"] = secret
        return status, headers, json.dumps(answer).encode()

    ecs._build_run_kwargs = build_kwargs
    ecs._run_docker_container = run_container
    ecr._get_authorization_token = authorization_token
    return Gate(inner, key, job_key, os.environ[BUCKET])
