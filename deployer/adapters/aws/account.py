"""The caller's identity, and checks of what RunTask depends on."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from deployer.adapters.aws.probes import (
    caller,
    image,
    resources,
    roles,
    secrets,
    security_groups,
    subnets,
    task_definition,
)
from deployer.adapters.aws.probes.probe import Probe, report_errors
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding

FIRST: Final[Mapping[str, Probe]] = {
    "task definition": task_definition.check,
    "cluster": resources.cluster,
    "subnets": subnets.check,
    "security groups": security_groups.check,
    "roles": roles.check,
    "log": resources.logs,
    "secrets": secrets.check,
    "tags": resources.tags,
}
"""A few quick reads of what every run needs."""
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
        return self._findings(FIRST)

    def diagnose(self, digest: str | None = None) -> Iterator[Finding]:
        return self._findings({**FIRST, "image": partial(image.check, digest=digest), **LATER})

    def _findings(self, probes: Mapping[str, Probe]) -> Iterator[Finding]:
        """Every probe, side by side; what may not be read is unknown."""

        def run(what: str, probe: Probe) -> list[Finding]:
            return list(report_errors(what, probe(self._config, self._session)))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for found in pool.map(run, probes.keys(), probes.values()):
                yield from found
