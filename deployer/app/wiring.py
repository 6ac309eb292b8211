"""The real ports of one environment."""

from collections.abc import Mapping
from pathlib import Path

from deployer.config import Config
from deployer.gateways.account import AwsAccount
from deployer.gateways.aws import AwsSession, Credentials
from deployer.gateways.clock import SystemClock
from deployer.gateways.cloudwatch import CloudWatchLogs
from deployer.gateways.compose import ComposeFile
from deployer.gateways.ecr import Ecr
from deployer.gateways.ecs import Ecs
from deployer.gateways.engine import DockerEngine
from deployer.gateways.ids import RandomIds
from deployer.gateways.mongo import MongoDatabase
from deployer.gateways.shell import LocalShell
from deployer.gateways.workspace import ProjectFolder
from deployer.redaction import Redactor
from deployer.release.evidence import Evidence
from deployer.release.ports import Ports
from deployer.sandbox.facts import ACCESS_KEY


def session(config: Config) -> AwsSession:
    """The sandbox takes any key; everywhere else AWS's own chain of credentials decides."""
    fixed = Credentials(ACCESS_KEY, ACCESS_KEY) if config.embedded else None
    return AwsSession(config.aws, fixed)


def real_ports(
    root: Path, folder: Path, config: Config, environ: Mapping[str, str], redactor: Redactor
) -> Ports:
    """`root` is the project's folder, `folder` the release's own."""
    aws, ids = session(config), RandomIds()
    return Ports(
        workspace=ProjectFolder(root, config.build),
        shell=LocalShell(root, environ),
        compose=ComposeFile(root, config.compose, environ, ids),
        engine=DockerEngine(root, config.build, environ),
        registry=Ecr(config, aws),
        tasks=Ecs(config, aws),
        logs=CloudWatchLogs(config, aws),
        database=MongoDatabase(config.verify.uri, config.verify.database),
        account=AwsAccount(config, aws),
        clock=SystemClock(),
        ids=ids,
        evidence=Evidence(folder, redactor),
    )
