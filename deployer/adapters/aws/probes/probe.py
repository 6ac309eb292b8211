"""What a probe is: the parts of the task definition that it checks, and the findings that it reports."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.errors import DeployerError
from deployer.ports import Finding, FindingState
from deployer.task.definition import for_image

Probe = Callable[[Config, AwsSession], Iterator[Finding]]
_PROCESSORS: Final = {"X86_64": "amd64", "ARM64": "arm64"}


def passed(what: str, detail: str = "") -> Finding:
    return Finding(what, FindingState.PASS, detail)


def failed(what: str, detail: str, remedy: str) -> Finding:
    """AWS would surely refuse the release."""
    return Finding(what, FindingState.FAIL, detail, remedy)


def unknown(what: str, detail: str, remedy: str = "") -> Finding:
    """It cannot be read, or is only inferred: AWS may still allow it."""
    return Finding(what, FindingState.UNKNOWN, detail, remedy)


def report_errors(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of a probe; an `unknown` one where it cannot go on."""
    try:
        yield from findings
    except DeployerError as error:
        yield unknown(what, error.message, error.hint)


def definition(config: Config) -> Mapping[str, Any]:
    """The definition as it would be registered, but for the image."""
    return for_image(config, "image")


def container(config: Config) -> Mapping[str, Any]:
    """The job's own container in it."""
    containers = definition(config)["containerDefinitions"]
    found: Mapping[str, Any] = next(c for c in containers if c["name"] == config.task.container)
    return found


def platform(config: Config) -> str:
    """The task's platform, as image manifests spell it; Fargate's default is Linux on x86_64."""
    asked = definition(config).get("runtimePlatform", {})
    system = "windows" if asked.get("operatingSystemFamily", "LINUX").startswith("WINDOWS") else "linux"
    processor = asked.get("cpuArchitecture", "X86_64")
    return f"{system}/{_PROCESSORS.get(processor, processor)}"


def secrets(config: Config) -> dict[str, str]:
    """`valueFrom` of every container's secrets, by the variable's name; one that lacks either is found by the
    check of the definition."""
    return secrets_in(definition(config))


def secrets_in(definition: Mapping[str, Any]) -> dict[str, str]:
    """The same, of any definition."""
    return {
        secret["name"]: secret["valueFrom"]
        for entry in definition["containerDefinitions"]
        for secret in entry.get("secrets", ())
        if secret.get("name") and secret.get("valueFrom")
    }


def makes_log_group(config: Config) -> bool:
    """Whether the task creates its log group where that is missing."""
    options = container(config).get("logConfiguration", {}).get("options", {})
    return str(options.get("awslogs-create-group", "")).lower() == "true"


def roles(config: Config) -> dict[str, str]:
    """The definition's roles, ARNs or names, by what they are for."""
    filled = definition(config)
    named = {"execution role": "executionRoleArn", "task role": "taskRoleArn"}
    return {what: str(filled[key]) for what, key in named.items() if filled.get(key)}


def role_arn(role: str, session: AwsSession) -> str:
    """Of a role that the definition names by its ARN or, as ECS allows, by its name."""
    if role.startswith("arn:"):
        return role
    with translated(f"role {role}"):
        return str(session.client("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]["Arn"])


def region_of(arn: str, session: AwsSession) -> str:
    """The region that an ARN names, else the session's."""
    pieces = arn.split(":")
    return (pieces[3] if arn.startswith("arn:") and len(pieces) > 3 else "") or session.region


def parameter_names(source: str) -> tuple[str, ...]:
    """How a parameter may be asked for. AWS takes an ARN, in which a name has no leading slash; an emulator
    may take its name only."""
    name = source.partition(":parameter")[2]
    return (source, name, name.removeprefix("/")) if source.startswith("arn:") else (source,)
