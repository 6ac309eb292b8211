"""What the probes look for is named in the project's own task definition."""

from collections.abc import Mapping
from typing import Any

from deployer.config import Config
from deployer.release.definition import for_image


def definition(config: Config) -> Mapping[str, Any]:
    """The definition as it would be registered, but for the image."""
    return for_image(config, "image")


def container(config: Config) -> Mapping[str, Any]:
    """The job's own container in it."""
    containers = definition(config)["containerDefinitions"]
    found: Mapping[str, Any] = next(c for c in containers if c["name"] == config.task.container)
    return found


def secrets(config: Config) -> dict[str, str]:
    """`valueFrom` of every container's secrets, by the variable's name."""
    return {
        secret["name"]: secret["valueFrom"]
        for entry in definition(config)["containerDefinitions"]
        for secret in entry.get("secrets", ())
    }


def roles(config: Config) -> dict[str, str]:
    """The ARNs of the definition's roles, by what they are for."""
    filled = definition(config)
    named = {"execution role": "executionRoleArn", "task role": "taskRoleArn"}
    return {what: filled[key] for what, key in named.items() if filled.get(key)}
