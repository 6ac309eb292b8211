"""What deploy.toml need not say: it is looked up in the task definition or in the process environment.

The sandbox is built in: an environment of that name exists in every project, and no address of another
environment (MongoDB, cluster, network, registry, state) reaches it.
"""

from collections.abc import Mapping
from typing import Any, Final

SANDBOX: Final = "sandbox"
"""The name of the built-in environment."""

_ROUTERS: Final = ("firelensConfiguration",)
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


def completed(table: dict[str, Any]) -> dict[str, Any]:
    """The filled table with a task definition, made if there is none, its container and its log group."""
    task, name = _table(table, "task"), _text(table, "project", "name")
    given = task.get("definition")
    if given is None:
        given = _made(name, task, local="sandbox" in table)
    elif isinstance(given, dict) and "sandbox" in table:
        given = _for_sandbox(given, _table(task, "values"))
    if not isinstance(given, dict):
        return table
    job = _job(given, str(task.get("container") or ""))
    task = {**task, "definition": given, "container": task.get("container") or job.get("name") or name}
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


def _job(definition: Mapping[str, Any], wanted: str) -> Mapping[str, Any]:
    """The container that is the job: the one named, else the first essential one that routes no logs."""
    inner = definition.get("taskDefinition", definition)
    listed = inner.get("containerDefinitions") if isinstance(inner, dict) else None
    containers = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if wanted:
        return next((one for one in containers if one.get("name") == wanted), {})
    jobs = [one for one in containers if not any(one.get(key) for key in _ROUTERS)]
    essential = [one for one in jobs if one.get("essential") is not False]
    return next(iter((*essential, *jobs)), {})


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
