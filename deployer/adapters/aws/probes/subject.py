"""What the probes look for is named in the project's own task definition."""

from collections.abc import Mapping
from typing import Any, Final

from deployer.config.model import Config
from deployer.task.definition import for_image

_PROCESSORS: Final = {"X86_64": "amd64", "ARM64": "arm64"}


def definition(config: Config) -> Mapping[str, Any]:
    """The definition as it would be registered, but for the image."""
    return for_image(config, "image")


def container(config: Config) -> Mapping[str, Any]:
    """The job's own container in it."""
    containers = definition(config)["containerDefinitions"]
    found: Mapping[str, Any] = next(c for c in containers if c["name"] == config.task.container)
    return found


def platform(config: Config) -> str:
    """What the task runs on, as image manifests spell it; Fargate's default is Linux on x86_64."""
    asked = definition(config).get("runtimePlatform", {})
    system = "windows" if asked.get("operatingSystemFamily", "LINUX").startswith("WINDOWS") else "linux"
    processor = asked.get("cpuArchitecture", "X86_64")
    return f"{system}/{_PROCESSORS.get(processor, processor)}"


def secrets(config: Config) -> dict[str, str]:
    """`valueFrom` of every container's secrets, by the variable's name."""
    return {
        secret["name"]: secret["valueFrom"]
        for entry in definition(config)["containerDefinitions"]
        for secret in entry.get("secrets", ())
    }


def makes_log_group(config: Config) -> bool:
    """Whether the task itself makes its log group where that is missing."""
    options = container(config).get("logConfiguration", {}).get("options", {})
    return bool(options.get("awslogs-create-group") == "true")


def roles(config: Config) -> dict[str, str]:
    """The ARNs of the definition's roles, by what they are for."""
    filled = definition(config)
    named = {"execution role": "executionRoleArn", "task role": "taskRoleArn"}
    return {what: filled[key] for what, key in named.items() if filled.get(key)}
