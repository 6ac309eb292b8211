"""What deploy.toml need not say: it is looked up in the task definition or in the process environment.

The sandbox is built in: an environment of that name exists in every project, and no address of another
environment (MongoDB, cluster, network, registry, state) reaches it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

SANDBOX: Final = "sandbox"
"""The name of the built-in environment."""

_SIDECARS: Final = re.compile(
    r"(?:^|/)(?:[\w-]*fluent-?bit|fluentd[\w-]*|vector|logstash|filebeat|promtail|[\w-]*agent|[\w-]*xray-daemon"
    r"|[\w-]*otel-collector|opentelemetry-collector[\w-]*|[\w-]*envoy|[\w-]*guardduty[\w-]*)(?:[:@]|$)"
)
"""Images that are no project's own: log routers, agents of monitoring services, proxies."""
_ADDRESS_NAMES: Final = ("MONGO_URI", "MONGODB_URI", "MONGO_URL", "MONGODB_URL", "DATABASE_URL")
"""How jobs call the secret with their database's address."""

_BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = {
    "aws": {"region": "eu-west-3", "endpoint-url": "${SANDBOX_ENDPOINT}"},
    "image": {"registry": "${SANDBOX_REGISTRY}"},
    "run": {
        "cluster": "${SANDBOX_CLUSTER}",
        "subnets": ["${SANDBOX_SUBNET}"],
        "security-groups": ["${SANDBOX_SECURITY_GROUP}"],
        "assign-public-ip": True,
    },
    "logs": {"drain-timeout": "0.2s"},
    "verify": {"uri": "${SANDBOX_MONGO_URI}"},
    "state": {"bucket": "${SANDBOX_STATE_BUCKET}", "bucket-owner": "", "key": ""},
}
_SANDBOX_VALUES: Final[Mapping[str, str]] = {
    "EXECUTION_ROLE_ARN": "${SANDBOX_EXECUTION_ROLE}",
    "TASK_ROLE_ARN": "${SANDBOX_TASK_ROLE}",
    "MONGO_URI_SECRET_ARN": "${SANDBOX_MONGO_SECRET_ARN}",
    "S3_BUCKET_NAME": "${SANDBOX_BUCKET}",
}
_EXECUTION_ROLE: Final = "ecsTaskExecutionRole"
"""The role that the ECS console creates; ECS takes roles by their names."""


def is_sandbox(table: Mapping[str, Any], env: str) -> bool:
    """Whether this environment is the sandbox: by its name, or by `sandbox = true` in its table."""
    return overlay_of(table, env).get("sandbox", env == SANDBOX) is True


def environments(table: Mapping[str, Any]) -> list[str]:
    """The names of all environments, with the built-in one."""
    named = table.get("env")
    return list(dict.fromkeys((*(named if isinstance(named, dict) else ()), SANDBOX)))


def overlay_of(table: Mapping[str, Any], env: str) -> dict[str, Any]:
    named = table.get("env")
    overlay = named.get(env) if isinstance(named, dict) else None
    return dict(overlay) if isinstance(overlay, dict) else {}


def merged(table: Mapping[str, Any], env: str) -> dict[str, Any]:
    """The file's tables with defaults, overlaid by those of the environment; `${NAME}` is not replaced."""
    base = {k: v for k, v in table.items() if k not in ("env", "default-env", "sandbox", "$schema")}
    local, overlay = is_sandbox(table, env), overlay_of(table, env)
    overlay.pop("sandbox", None)
    name = _text(table, "project", "name")
    if local:
        base.pop("schedule", None)
        base["aws"] = {k: v for k, v in _table(base, "aws").items() if k not in ("profile", "endpoint-url")}
        region = base["aws"].get("region")
        base = overlaid(base, _BUILT_IN)
        base["aws"] |= {"region": region} if region else {}
        base = overlaid(base, {"task": {"values": _SANDBOX_VALUES}})
        names = {"cluster": name, "bucket": name, "secret": f"{name}/mongo-uri"}
        key = {"access-key": "${SANDBOX_ACCESS_KEY}"}
        base["sandbox"] = {**names, **_table(table, "sandbox"), **key}
    result: dict[str, Any] = overlaid(base, overlay)
    _default(result, "image", "repository", name)
    _default(result, "verify", "uri", "${MONGO_URI}")
    _default(result, "aws", "region", "${AWS_REGION}")
    result.setdefault("build", {})
    return result


def overlaid(base: Any, top: Any) -> Any:
    """Tables are merged key by key; anything else is replaced."""
    if isinstance(base, dict) and isinstance(top, Mapping):
        return base | {key: overlaid(base.get(key), value) for key, value in top.items()}
    return top


def completed(table: dict[str, Any], mistake: Callable[[str], None]) -> dict[str, Any]:
    """The filled table with a task definition, made if there is none, its container and its log group;
    `mistake` is told where nothing tells which container is the job."""
    task, name = _table(table, "task"), _text(table, "project", "name")
    given = task.get("definition")
    if given is None:
        given = _made(name, task, local="sandbox" in table)
    elif isinstance(given, dict) and "sandbox" in table:
        given = _for_sandbox(given, _table(task, "values"))
    if not isinstance(given, dict):
        return table
    wanted, repository = task.get("container"), _text(table, "image", "repository")
    named = [one for one in containers_of(given) if wanted in (None, "", one.get("name"))]
    jobs = likely_jobs(named, name, repository)
    if len(jobs) > 1:
        names = ", ".join(str(one.get("name")) for one in jobs)
        mistake(f"task.container: missing, and needed: the job is one of {names}")
    job = next(iter(jobs), {})
    task = {**task, "definition": given, "container": wanted or job.get("name") or name}
    result = {**table, "task": task}
    logging = job.get("logConfiguration")
    options = _table(logging if isinstance(logging, dict) else {}, "options")
    for key, option, default in (
        ("group", "awslogs-group", f"/ecs/{name}"),
        ("stream-prefix", "awslogs-stream-prefix", "ecs"),
    ):
        literal = options.get(option)
        _default(result, "logs", key, literal if isinstance(literal, str) and "$" not in literal else default)
    return result


def _made(name: str, task: Mapping[str, Any], *, local: bool) -> dict[str, Any]:
    """A Fargate definition with one container, from `[task]` cpu, memory, secrets and roles."""
    secrets = dict(_table(task, "secrets"))
    if local and not any(known in secrets for known in _ADDRESS_NAMES):
        secrets["MONGO_URI"] = "${MONGO_URI_SECRET_ARN}"
    container = {
        "name": task.get("container") or name,
        "image": "${IMAGE}",
        "essential": True,
        "secrets": [{"name": key, "valueFrom": value} for key, value in secrets.items()],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "${LOG_GROUP}",
                "awslogs-region": "${AWS_REGION}",
                "awslogs-stream-prefix": "ecs",
            },
        },
    }
    role = "${EXECUTION_ROLE_ARN}" if local else task.get("execution-role", _EXECUTION_ROLE)
    definition = {
        "family": name,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(task.get("cpu", "256")),
        "memory": str(task.get("memory", "512")),
        "executionRoleArn": role,
        "containerDefinitions": [container],
    }
    job_role = "${TASK_ROLE_ARN}" if local else task.get("task-role")
    return {**definition, "taskRoleArn": job_role} if job_role else definition


def _for_sandbox(definition: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A definition for AWS, with the sandbox's roles and database address in the place of literal ones."""
    inner = definition.get("taskDefinition", definition)
    if not isinstance(inner, dict):
        return definition
    result = dict(inner)
    for key, value in (("executionRoleArn", "EXECUTION_ROLE_ARN"), ("taskRoleArn", "TASK_ROLE_ARN")):
        if isinstance(result.get(key), str) and "$" not in result[key] and value in values:
            result[key] = f"${{{value}}}"
    containers = result.get("containerDefinitions")
    if isinstance(containers, list):
        result["containerDefinitions"] = [_with_address(container) for container in containers]
    return result


def _with_address(container: Any) -> Any:
    secrets = container.get("secrets") if isinstance(container, dict) else None
    if not isinstance(secrets, list):
        return container
    return {
        **container,
        "secrets": [
            {**secret, "valueFrom": "${MONGO_URI_SECRET_ARN}"} if _is_literal_address(secret) else secret
            for secret in secrets
        ],
    }


def _is_literal_address(secret: Any) -> bool:
    known = isinstance(secret, dict) and str(secret.get("name", "")).upper() in _ADDRESS_NAMES
    return known and "$" not in str(secret.get("valueFrom", "$"))


def containers_of(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    inner = definition.get("taskDefinition", definition)
    listed = inner.get("containerDefinitions") if isinstance(inner, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def likely_jobs(
    containers: Sequence[Mapping[str, Any]], name: str = "", repository: str = ""
) -> Sequence[Mapping[str, Any]]:
    """The containers that may be the job: one where something tells which, else all that are left.

    What tells, the surest first: `${IMAGE}`, no log router, the project's repository or name, no image of a
    well-known sidecar, essential, nobody waits for it."""
    awaited = [one.get("dependsOn") for one in containers]
    first = {
        str(way.get("containerName")) for ways in awaited if isinstance(ways, list) for way in ways if way
    }
    signs: tuple[Callable[[Mapping[str, Any]], bool], ...] = (
        lambda one: "${IMAGE" in str(one.get("image")),
        lambda one: not one.get("firelensConfiguration"),
        lambda one: repository != "" and repository_of(str(one.get("image"))) == repository,
        lambda one: one.get("name") == name,
        lambda one: not _SIDECARS.search(str(one.get("image"))),
        lambda one: one.get("essential") is not False,
        lambda one: one.get("name") not in first,
    )
    for sign in signs:
        containers = [one for one in containers if sign(one)] or containers
    return containers


def repository_of(image: str) -> str:
    """`host/a/b:tag@digest` is `a/b`."""
    name = image.partition("@")[0]
    host, slash, path = name.partition("/")
    path = path if slash and ("." in host or ":" in host) else name
    return re.sub(r":[^:/]+$", "", path)


def _default(table: dict[str, Any], part: str, key: str, value: Any) -> None:
    """A part that is no table is left for the validation to find."""
    held = table.setdefault(part, {})
    if isinstance(held, dict) and key not in held and value not in ("", None):
        table[part] = {**held, key: value}


def _table(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    held = table.get(name)
    return dict(held) if isinstance(held, dict) else {}


def _text(table: Mapping[str, Any], part: str, key: str) -> str:
    held = _table(table, part).get(key)
    return held if isinstance(held, str) else ""
