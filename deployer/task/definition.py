"""The task definition: rendered from its template, and compared with the registered one.

ECS fills in what a definition leaves out, so both are compared in one canonical form: no read-only fields, no
defaults, named lists by name. `null`, as the console writes it for an unset field, means absent.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.config.model import Config
from deployer.errors import UsageError
from deployer.ports import Revision
from deployer.redaction import Redactor, names_a_secret

READ_ONLY: Final = frozenset(
    (
        "taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities",
        "registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt",
    )
)  # fmt: skip
_ROLES: Final = ("executionRoleArn", "taskRoleArn")


def for_image(config: Config, image: str) -> dict[str, Any]:
    """The definition of deploy.toml with `image` in it. UsageError: see `render`."""
    known = {"AWS_REGION": config.aws.region, "LOG_GROUP": config.logs.group}
    return render(config.task.definition, {**known, **config.task.values}, image, config.task.container)


def network_mode(config: Config) -> str:
    """The network mode of deploy.toml's task definition; `bridge` where it says none, as on Linux."""
    return str(_field(config, "networkMode") or "bridge")


def launch_type(config: Config) -> str:
    """What `[run] launch-type` says, else what the definition requires; empty: capacity providers decide."""
    named = config.run.launch_type
    if config.run.strategy or named == "none":
        return ""
    required = _field(config, "requiresCompatibilities") or ["FARGATE"]
    return str(named or ("FARGATE" if "FARGATE" in required else required[0]))


def on_fargate(config: Config) -> bool:
    """Whether Fargate runs the task, as far as deploy.toml tells."""
    providers = [entry.name for entry in config.run.strategy]
    return launch_type(config) == "FARGATE" or any(name.startswith("FARGATE") for name in providers)


def _field(config: Config, key: str) -> Any:
    template = config.task.definition
    return (template.get("taskDefinition") or template).get(key)


def render(
    template: Mapping[str, Any], values: Mapping[str, str], image: str, container: str
) -> dict[str, Any]:
    """The definition to register: every `${NAME}` replaced from `values` (`${IMAGE}` is `image`), and the
    image of `container` set to `image` whatever the template says.

    `${NAME:-default}` is left to the container unless `values` has NAME; `$${NAME}` becomes `${NAME}`.
    The answer of `aws ecs describe-task-definition` serves as a template as well; its tags are kept.
    UsageError: names without a value (all of them at once, and where), a field of another type than ECS
    knows, no family, or no container of that name.
    """
    missing: list[str] = []

    def note(name: str, path: str) -> str:
        missing.append(f"  {path}: ${{{name}}} has no value")
        return ""

    inner = template.get("taskDefinition") or template
    fields = {key: value for key, value in inner.items() if key not in READ_ONLY}
    if template.get("tags"):
        fields["tags"] = template["tags"]
    filled = _fill(fields, {**values, "IMAGE": image}, "", note)
    if missing:
        raise UsageError(
            "task definition: placeholders without a value:\n" + "\n".join(missing),
            "set them under [task.values] in deploy.toml; write $${NAME} for a variable of the container",
        )
    _container(filled, container)["image"] = image
    sizes = {key: size(str(filled[key])) for key in ("cpu", "memory") if key in filled}
    return {**filled, **sizes}


_LISTS: Final = ("environment", "secrets", "dependsOn", "mountPoints", "portMappings")
_OBJECTS: Final = ("logConfiguration", "firelensConfiguration", "repositoryCredentials")


def _container(definition: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The container of this name, of a definition whose fields have the types that are relied upon."""
    containers = definition.get("containerDefinitions")
    wrong = [] if definition.get("family") else ["family is missing"]
    wrong += [
        f"{key} must be a list of objects" for key in ("tags", "volumes") if not _is_list(definition, key)
    ]
    if not containers or not _is_list(definition, "containerDefinitions"):
        wrong, containers = [*wrong, "containerDefinitions must be a list of objects"], []
    for entry in containers:
        place = f"containerDefinitions[{entry.get('name')}]"
        wrong += [f"{place}.{key} must be a list of objects" for key in _LISTS if not _is_list(entry, key)]
        objects = [key for key in _OBJECTS if not isinstance(entry.get(key, {}), dict)]
        wrong += [f"{place}.{key} must be an object" for key in objects]
        logging = entry.get("logConfiguration", {})
        if not objects and not isinstance(logging.get("options", {}), dict):
            wrong.append(f"{place}.logConfiguration.options must be an object")
    if wrong:
        raise UsageError(
            "task definition: " + "\n".join(wrong), "fix it where [task] definition in deploy.toml has it"
        )
    named: dict[str, dict[str, Any]] = {str(entry.get("name")): entry for entry in containers}
    if name not in named:
        raise UsageError(
            f"task definition: no container {name!r} among: {', '.join(named) or '(none)'}",
            "fix [task] container in deploy.toml",
        )
    return named[name]


def _is_list(table: Mapping[str, Any], key: str) -> bool:
    entries = table.get(key, [])
    return isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)


def _fill(value: Any, values: Mapping[str, str], path: str, missing: Callable[[str, str], str]) -> Any:
    """With placeholders replaced and nulls left out."""
    if isinstance(value, Mapping):
        return {
            key: _fill(inner, values, f"{path}.{key}".lstrip("."), missing)
            for key, inner in value.items()
            if inner is not None
        }
    if isinstance(value, list | tuple):
        return [
            _fill(inner, values, f"{path}[{_label(inner, n)}]", missing)
            for n, inner in enumerate(value)
            if inner is not None
        ]
    if isinstance(value, str):
        return _substitute(value, values, lambda name: missing(name, path))
    return value


_VARIABLE: Final = re.compile(r"\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}")


def _substitute(text: str, values: Mapping[str, str], missing: Callable[[str], str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        escaped, name, default = match.groups()
        if escaped:
            return match[0][1:]
        if name in values:
            return values[name]
        return match[0] if default else missing(name)

    return _VARIABLE.sub(replaced, text)


def _label(item: Any, number: int) -> str:
    return str(item["name"]) if isinstance(item, Mapping) and "name" in item else str(number)


def registrable(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A registered definition in the form in which it can be registered again: an equal revision."""
    return {k: v for k, v in definition.items() if k not in READ_ONLY and v not in (None, "")}


def own_tags(definition: Mapping[str, Any]) -> dict[str, str]:
    """The definition's own tags; those that AWS reserves are left out."""
    tags = {str(tag.get("key") or ""): str(tag.get("value") or "") for tag in definition.get("tags") or ()}
    return {key: value for key, value in tags.items() if key and not key.lower().startswith("aws:")}


def changes(ours: Mapping[str, Any], registered: Revision) -> tuple[str, ...]:
    """The differences to a registered revision, its tags included."""
    tags = (
        f"tags[{key}]: {_shown(registered.tags.get(key))} -> {value!r}"
        for key, value in own_tags(ours).items()
        if registered.tags.get(key) != value
    )
    return (*differences(ours, registered.definition), *tags)


# The fields that identify an entry of a list; the entries' order means nothing to ECS.
_KEYS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "containerDefinitions": "name",
    "dependsOn": "containerName",
    "devices": "hostPath",
    "environment": "name",
    "extraHosts": "hostname",
    "inferenceAccelerators": "deviceName",
    "mountPoints": "containerPath",
    "portMappings": ("containerPort", "containerPortRange", "protocol"),
    "properties": "name",
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
    "": {"networkMode": "bridge", "requiresCompatibilities": ["EC2"]},
    "containerDefinitions": {"cpu": 0, "essential": True, "versionConsistency": "enabled"},
    "portMappings": {"protocol": "tcp"},
    "healthCheck": {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0},
    "restartPolicy": {"restartAttemptPeriod": 300},
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "efsVolumeConfiguration": {"rootDirectory": "/", "transitEncryption": "DISABLED"},
    "authorizationConfig": {"iam": "DISABLED"},
    "dockerVolumeConfiguration": {"scope": "task", "driver": "local"},
}


def canonical(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition in the form in which two can be compared; not for registering."""
    fields = {key: value for key, value in definition.items() if key not in (*READ_ONLY, "tags")}
    for key in ("cpu", "memory"):
        if fields.get(key) is not None:
            fields[key] = size(str(fields[key]))
    table: dict[str, Any] = _table(fields, "")
    own_address = fields.get("networkMode") in ("awsvpc", "host")
    for container in _entries(table.get("containerDefinitions")):
        for mapping in _entries(container.get("portMappings") if isinstance(container, dict) else None):
            if isinstance(mapping, dict) and (
                mapping.get("hostPort") == 0
                or (own_address and mapping.get("hostPort") == mapping.get("containerPort"))
            ):
                mapping.pop("hostPort", None)
    return table


def _entries(named: Any) -> Sequence[Any]:
    return list(named.values()) if isinstance(named, dict) else named if isinstance(named, list) else []


def size(text: str) -> str:
    """CPU units or MiB, which may be given as `.5 vCPU` or `1 GB`."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(vcpu|gb)", text.strip(), re.IGNORECASE)
    return str(round(float(match[1]) * 1024)) if match else text.strip()


def _table(table: Mapping[str, Any], place: str) -> dict[str, Any]:
    defaults = _DEFAULTS.get(place, {})
    kept = {
        key: _value(value, key)
        for key, value in table.items()
        if key not in defaults or value != defaults[key]
    }
    return {key: value for key, value in kept.items() if not _says_nothing(key, value)}


def _says_nothing(key: str, value: Any) -> bool:
    return value in (None, "") or value == [] or value == {} or (value is False and key != "essential")


def _value(value: Any, place: str) -> Any:
    if isinstance(value, Mapping):
        return dict(value) if place in _TEXTS else _table(value, place)
    if not isinstance(value, list | tuple):
        return value
    named = _named(value, place)
    if named is None:
        plain = [_value(entry, "") for entry in value]
        return sorted(plain, key=repr) if place in _SETS else plain
    if place in _PAIRS:
        return {name: entry.get(_PAIRS[place]) or "" for name, entry in named.items()}
    return {name: _table(entry, place) for name, entry in named.items()}


def _named(entries: Sequence[Any], place: str) -> dict[str, Mapping[str, Any]] | None:
    """The entries by what identifies them; None where that does not tell them apart."""
    key = _KEYS.get(place)
    if key is None or not all(isinstance(entry, Mapping) for entry in entries):
        return None
    fields = (key,) if isinstance(key, str) else key
    default = _DEFAULTS.get(place, {})
    named = {
        "/".join(str(value) for field in fields if (value := entry.get(field, default.get(field)))): entry
        for entry in entries
    }
    return named if len(named) == len(entries) and "" not in named else None


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[str, ...]:
    """Where `ours` differs from the registered `theirs`, each as `path: theirs -> ours`; none where ECS would
    run the same."""
    old, new = canonical(theirs), canonical(ours)
    for role in _ROLES:
        named, held = str(new.get(role, "")), str(old.get(role, ""))
        if named and held and (":" not in named or ":" not in held) and _last(named) == _last(held):
            new[role] = old[role]
    return tuple(_differences(old, new, ""))


def _last(role: str) -> str:
    """The name of a role, which stands for its ARN."""
    return role.rsplit("/", 1)[-1]


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) != isinstance(new, Mapping):
        old, new = ({} if value is None else value for value in (old, new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        named = path.rsplit(".", 1)[-1] in _KEYS
        for key in dict.fromkeys((*old, *new)):
            inner = f"{path}[{key}]" if named else f"{path}.{key}".lstrip(".")
            yield from _differences(old.get(key), new.get(key), inner)
    elif old != new:
        variable = _VARIABLE_OF.search(path)
        hidden = variable and names_a_secret(variable[1])
        yield f"{path}: (changed)" if hidden else f"{path}: {_shown(old)} -> {_shown(new)}"


_VARIABLE_OF: Final = re.compile(r"\.environment\[([^\]]+)\]$")
_LOOKS: Final = Redactor()


def _shown(value: Any) -> str:
    return "(none)" if value is None else _LOOKS.text(repr(value))
