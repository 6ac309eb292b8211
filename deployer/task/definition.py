"""The task definition: filled in from its template, and compared with what ECS gives back.

ECS adds to a definition what was left out, so ours and the registered one are compared in one canonical
form: no read-only fields, no defaults, named lists by name.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.config.load import substitute
from deployer.config.model import Config
from deployer.errors import UsageError

READ_ONLY: Final = frozenset(
    (
        "taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
        "registeredAt", "registeredBy", "deregisteredAt", "tags",
    )
)  # fmt: skip


def for_image(config: Config, image: str) -> dict[str, Any]:
    """The definition of deploy.toml with `image` in it. UsageError: see `render`."""
    known = {"AWS_REGION": config.aws.region, "LOG_GROUP": config.logs.group}
    return render(config.task.definition, {**known, **config.task.values}, image, config.task.container)


def render(
    template: Mapping[str, Any], values: Mapping[str, str], image: str, container: str
) -> dict[str, Any]:
    """The definition to register: every `${NAME}` from `values` (`${IMAGE}` is `image`), and the
    image of `container` set to `image` whatever the template says.

    The answer of `aws ecs describe-task-definition` serves as a template as well.
    UsageError: names without a value (all of them at once, and where), or no container of that name.
    """
    missing: list[str] = []

    def note(name: str, path: str) -> str:
        missing.append(f"  {path}: ${{{name}}} has no value")
        return ""

    inner = template.get("taskDefinition", template)
    fields = {key: value for key, value in inner.items() if key not in READ_ONLY}
    filled = _fill(fields, {**values, "IMAGE": image}, "", note)
    if missing:
        raise UsageError(
            "task definition: placeholders without a value:\n" + "\n".join(missing),
            "set them under [task.values] in deploy.toml",
        )
    _container(filled, container)["image"] = image
    sizes = {key: str(filled[key]) for key in ("cpu", "memory") if key in filled}
    return {**filled, **sizes}


def _container(definition: Mapping[str, Any], name: str) -> dict[str, Any]:
    containers = definition.get("containerDefinitions")
    if not isinstance(containers, list) or not all(isinstance(entry, dict) for entry in containers):
        raise UsageError(
            "task definition: containerDefinitions must be a list of objects", "see task-definition.json"
        )
    named: dict[str, dict[str, Any]] = {str(entry.get("name")): entry for entry in containers}
    if name not in named:
        raise UsageError(
            f"task definition: no container {name!r} among: {', '.join(named) or '(none)'}",
            "mend [task] container in deploy.toml",
        )
    return named[name]


def _fill(value: Any, values: Mapping[str, str], path: str, missing: Callable[[str, str], str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _fill(inner, values, f"{path}.{key}".lstrip("."), missing) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_fill(inner, values, f"{path}[{_label(inner, n)}]", missing) for n, inner in enumerate(value)]
    if isinstance(value, str):
        return substitute(value, values, lambda name: missing(name, path))
    return value


def _label(item: Any, number: int) -> str:
    return str(item["name"]) if isinstance(item, Mapping) and "name" in item else str(number)


def registrable(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What ECS gave back, as it can be registered again: an equal revision."""
    return {k: v for k, v in definition.items() if k not in READ_ONLY and v not in (None, "")}


# What tells the entries of a list apart; their order means nothing to ECS.
_KEYS: Final = {
    "containerDefinitions": "name",
    "dependsOn": "containerName",
    "devices": "hostPath",
    "environment": "name",
    "environmentFiles": "value",
    "extraHosts": "hostname",
    "inferenceAccelerators": "deviceName",
    "mountPoints": "containerPath",
    "portMappings": "containerPort",
    "resourceRequirements": "type",
    "secretOptions": "name",
    "secrets": "name",
    "systemControls": "namespace",
    "tmpfs": "containerPath",
    "ulimits": "name",
    "volumes": "name",
    "volumesFrom": "sourceContainer",
}
_PAIRS: Final = {"environment": "value", "secrets": "valueFrom", "secretOptions": "valueFrom"}
_SETS: Final = ("requiresCompatibilities", "add", "drop", "dockerSecurityOptions")
_TEXTS: Final = ("options", "dockerLabels", "driverOpts", "labels")
"""Maps of the user's own keys: nothing in them is a default."""

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "": {"networkMode": "bridge", "enableFaultInjection": False},
    "containerDefinitions": {"cpu": 0, "essential": True, "versionConsistency": "enabled"},
    "portMappings": {"protocol": "tcp"},
    "healthCheck": {"interval": 30, "timeout": 5, "retries": 3},
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "efsVolumeConfiguration": {"rootDirectory": "/"},
}


def canonical(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The same definition in the one form in which two can be compared; not for registering."""
    fields = {key: value for key, value in definition.items() if key not in READ_ONLY}
    for key in ("cpu", "memory"):
        if key in fields:
            fields[key] = size(str(fields[key]))
    table: dict[str, Any] = _table(fields, "")
    return table


def size(text: str) -> str:
    """CPU units or MiB, which may be given as `0.5 vCPU` or `1 GB`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(vcpu|gb)", text.strip(), re.IGNORECASE)
    return str(int(float(match[1]) * 1024)) if match else text.strip()


def _table(table: Mapping[str, Any], place: str) -> dict[str, Any]:
    defaults = _DEFAULTS.get(place, {})
    kept = {
        key: _value(value, key)
        for key, value in table.items()
        if key not in defaults or value != defaults[key]
    }
    if place == "portMappings" and kept.get("hostPort") in (0, kept.get("containerPort")):
        kept.pop("hostPort")
    return {key: value for key, value in kept.items() if not _says_nothing(key, value)}


def _says_nothing(key: str, value: Any) -> bool:
    return value in (None, "") or value == [] or value == {} or (value is False and key != "essential")


def _value(value: Any, place: str) -> Any:
    if isinstance(value, Mapping):
        return dict(value) if place in _TEXTS else _table(value, place)
    if not isinstance(value, list | tuple):
        return value
    key = _KEYS.get(place)
    if key is None or not _told_apart(value, key):
        plain = [_value(entry, "") for entry in value]
        return sorted(plain, key=repr) if place in _SETS else plain
    if place in _PAIRS:
        return {str(entry[key]): entry.get(_PAIRS[place], "") for entry in value}
    return {str(entry[key]): _table(entry, place) for entry in value}


def _told_apart(entries: Sequence[Any], key: str) -> bool:
    """Whether every entry has a key of its own (a port mapped for two protocols has not)."""
    if not all(isinstance(entry, Mapping) and key in entry for entry in entries):
        return False
    return len({str(entry[key]) for entry in entries}) == len(entries)


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[str, ...]:
    """Where `ours` differs from the registered `theirs`, each as `path: theirs -> ours`; none where ECS would
    run the same."""
    return tuple(_differences(canonical(theirs), canonical(ours), ""))


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        named = path.rsplit(".", 1)[-1] in _KEYS
        for key in dict.fromkeys((*old, *new)):
            inner = f"{path}[{key}]" if named else f"{path}.{key}".lstrip(".")
            yield from _differences(old.get(key), new.get(key), inner)
    elif isinstance(old or new, Mapping):
        yield from _differences(old or {}, new or {}, path)
    elif old != new:
        yield f"{path}: {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    return "(none)" if value is None else repr(value)
