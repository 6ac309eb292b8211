"""Who calls, and whether what RunTask depends on is there."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from deployer.adapters.aws.probes import (
    caller,
    cluster,
    image,
    log_group,
    roles,
    secrets,
    security_groups,
    subnets,
    task_definition,
)
from deployer.adapters.aws.probes.finding import Probe, report_errors
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding

FIRST: Final[Mapping[str, Probe]] = {
    "task definition": task_definition.check,
    "cluster": cluster.check,
    "subnets": subnets.check,
    "security groups": security_groups.check,
    "roles": roles.check,
    "log group": log_group.check,
    "secrets": secrets.check,
}
"""A few quick reads, without which nothing can run."""
LATER: Final[Mapping[str, Probe]] = {
    "execution role's permissions": roles.permissions,
    "caller's permissions": caller.check,
}
_AT_ONCE: Final = 12


class AwsAccount:
    """The account that the session's credentials belong to."""

    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config = config
        self._session = session

    def identity(self) -> str:
        with translated("AWS identity"):
            return str(self._session.client("sts").get_caller_identity()["Arn"])

    def preflight(self) -> Iterator[Finding]:
        return self._seen(FIRST)

    def diagnose(self, digest: str | None = None) -> Iterator[Finding]:
        return self._seen({**FIRST, "image": partial(image.check, digest=digest), **LATER})

    def _seen(self, probes: Mapping[str, Probe]) -> Iterator[Finding]:
        """Everything is looked at, side by side; what may not be seen is unknown, never fine."""

        def see(what: str, look: Probe) -> list[Finding]:
            return list(report_errors(what, look(self._config, self._session)))

        with ThreadPoolExecutor(_AT_ONCE) as eyes:
            for found in eyes.map(see, probes.keys(), probes.values()):
                yield from found
