"""Does AWS accept the task definition, and does it fit the launch type and the image's platform?

Sizes: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deployer.adapters.aws.api_model import violations
from deployer.adapters.aws.probes.probe import definition, failed, passed, platform
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.ports import Finding
from deployer.task.definition import on_fargate, size

_MEMORY: Final[Mapping[int, range | tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""MiB that go with each number of CPU units (1024 are a vCPU)."""


_FARGATE_LOG_DRIVERS: Final = ("awslogs", "splunk", "awsfirelens")
_SHOWN: Final = 5


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    filled = definition(config)
    refused = violations("ecs", "RegisterTaskDefinition", filled)
    if refused:
        yield failed("task definition", "; ".join(refused[:_SHOWN]), "fix [task] definition in deploy.toml")
    if on_fargate(config):
        yield _size(filled)
        yield from _fargate(filled, config)
        yield from _log_drivers(filled)
    yield _architecture(config)


def _log_drivers(filled: Mapping[str, Any]) -> Iterator[Finding]:
    for entry in filled["containerDefinitions"]:
        driver = entry.get("logConfiguration", {}).get("logDriver", "awslogs")
        if driver not in _FARGATE_LOG_DRIVERS:
            use = f"use one of: {', '.join(_FARGATE_LOG_DRIVERS)}"
            yield failed(f"log driver of {entry['name']}", f"is {driver}, which Fargate does not have", use)


def _size(filled: Mapping[str, Any]) -> Finding:
    cpu, memory = (size(str(filled.get(key, ""))) for key in ("cpu", "memory"))
    fitting = _MEMORY.get(int(cpu)) if cpu.isdigit() else None
    what = "size of the task"
    if fitting is None:
        units = ", ".join(map(str, _MEMORY))
        return failed(what, f"Fargate has no {cpu or 'empty'} CPU units", f"set cpu to one of: {units}")
    if not memory.isdigit() or int(memory) not in fitting:
        fix = f"set memory to one of: {', '.join(map(str, fitting))}"
        return failed(what, f"{memory or 'no'} MiB do not go with {cpu} CPU units", fix)
    return passed(what, f"{cpu} CPU units, {memory} MiB")


def _fargate(filled: Mapping[str, Any], config: Config) -> Iterator[Finding]:
    if filled.get("networkMode") != "awsvpc":
        mode = filled.get("networkMode", "not set")
        yield failed("network mode", f"is {mode}; Fargate has awsvpc only", 'set "networkMode": "awsvpc"')
    elif not config.run.subnets:
        yield failed("subnets", "are not set, which the network mode awsvpc needs", "set subnets under [run]")
    if "FARGATE" not in filled.get("requiresCompatibilities", ()):
        fix = 'set "requiresCompatibilities": ["FARGATE"]'
        yield failed("compatibilities", "do not name FARGATE, which [run] launches on", fix)


def _architecture(config: Config) -> Finding:
    """An image for another architecture fails with `exec format error`."""
    asked, built = platform(config), config.build.platform
    if "/".join(built.split("/")[:2]) == asked:
        return passed("architecture", f"{built} for a task on {asked}")
    fix = f'set platform = "{asked}" under [build], or runtimePlatform.cpuArchitecture in the task definition'
    return failed("architecture", f"the image is built for {built}, the task runs on {asked}", fix)
