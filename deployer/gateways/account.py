"""Who calls, and whether what RunTask depends on is there."""

from collections.abc import Iterator, Mapping
from typing import Final

from deployer.config import Config
from deployer.gateways.aws import AwsSession, translated
from deployer.gateways.probes import (
    caller,
    cluster,
    log_group,
    roles,
    secrets,
    security_groups,
    subnets,
    task_definition,
)
from deployer.gateways.probes.finding import Probe, guarded
from deployer.release.ports import Finding

PROBES: Final[Mapping[str, Probe]] = {
    "task definition": task_definition.look,
    "cluster": cluster.look,
    "subnets": subnets.look,
    "security groups": security_groups.look,
    "roles": roles.look,
    "log group": log_group.look,
    "secrets": secrets.look,
    "caller's permissions": caller.look,
}


class AwsAccount:
    """The account that the session's credentials belong to."""

    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config = config
        self._session = session

    def identity(self) -> str:
        with translated("AWS identity"):
            return str(self._session.client("sts").get_caller_identity()["Arn"])

    def findings(self) -> Iterator[Finding]:
        """Everything is looked at; what may not be seen is unknown, never fine."""
        for what, look in PROBES.items():
            yield from guarded(what, look(self._config, self._session))
