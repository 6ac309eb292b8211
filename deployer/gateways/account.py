"""Who calls, and whether what RunTask depends on is there."""

from collections.abc import Iterator

from deployer.config import Config
from deployer.gateways.aws import AwsSession, translated
from deployer.release.ports import Finding


class AwsAccount:
    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config = config
        self._session = session

    def identity(self) -> str:
        with translated("AWS identity"):
            return str(self._session.client("sts").get_caller_identity()["Arn"])

    def findings(self) -> Iterator[Finding]:
        yield from ()
