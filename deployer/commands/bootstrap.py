"""The real ports of one environment."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from deployer.adapters.aws import secrets
from deployer.adapters.aws.account import AwsAccount
from deployer.adapters.aws.ecr import Ecr
from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.aws.object_store import StateBucket
from deployer.adapters.aws.scheduler import EventBridgeScheduler
from deployer.adapters.aws.session import READ_TIMEOUT, AwsSession, Credentials
from deployer.adapters.docker.compose import ComposeFile
from deployer.adapters.docker.engine import DockerEngine
from deployer.adapters.local.machine import RandomIds, SystemClock
from deployer.adapters.local.shell import LocalShell
from deployer.adapters.local.workspace import ProjectFolder
from deployer.adapters.mongodb import atlas
from deployer.adapters.mongodb.connectivity import MongoConnectivity
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.adapters.one_off_task import OneOffNetwork
from deployer.config.model import Aws, Config
from deployer.errors import Failure, UsageError
from deployer.lock import SharedLock
from deployer.ports import Finding, Ports
from deployer.ports.object_store import Store
from deployer.records.evidence import EvidenceFolder
from deployer.records.journal import Signer
from deployer.records.remote import Archive
from deployer.redaction import Redactor, parts_of, secrets_of, without_secrets
from deployer.task.one_off import OneOffRunner


def session(config: Config) -> AwsSession:
    """The process's one session for these settings. The sandbox has a key of its own; elsewhere AWS's own
    chain of credentials decides."""
    return _session(config.aws, config.sandbox.access_key if config.sandbox else "")


@cache
def _session(settings: Aws, key: str) -> AwsSession:
    return AwsSession(settings, Credentials(key, key) if key else None)


@dataclass(frozen=True)
class SharedState:
    """What machines share of one environment: `prefix` is its place in the store, `<project>/<env>/`."""

    store: Store
    prefix: str
    seconds: float
    key: Callable[[], bytes] | None = None
    """Reads the key that signs the records; None where they are not signed."""

    def archive(self) -> Archive:
        return Archive(self.store, self.prefix, self.signer)

    def signer(self, release: str) -> Signer | None:
        return Signer(self.key, f"{self.prefix}{release}") if self.key else None

    def lock(self) -> SharedLock:
        return SharedLock(self.store, self.prefix, self.seconds, SystemClock())


def shared_state(config: Config) -> SharedState | None:
    """None where deploy.toml names no `[state] bucket`."""
    state, aws = config.state, session(config)
    if not state.bucket:
        return None
    store = StateBucket(state.bucket, aws, min(READ_TIMEOUT, state.lock_ttl / 6), state.bucket_owner)
    key = cache(lambda: _signing_key(state.key, aws)) if state.key else None
    return SharedState(store, f"{config.project.name}/{config.env}/", state.lock_ttl, key)


_SHORTEST_KEY: Final = 32


def _signing_key(name: str, aws: AwsSession) -> bytes:
    key = secrets.SecretStore(aws).get(name).encode()
    if len(key) < _SHORTEST_KEY:
        raise Failure(
            "aws-config",
            f"[state] key: the secret {name} is shorter than {_SHORTEST_KEY} characters",
            f"make another: `openssl rand -base64 48 | deployer secret set {name}`",
        )
    return key


def redactor_of(
    config: Config,
    aws: AwsSession,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    *,
    strict: bool,
) -> Redactor:
    """Knows the operator's secrets, and the job's as far as the operator may read them. `tell` is told which
    ones not; if it is to be `strict`, that is a Failure."""
    clear = frozenset(_texts(config.model_dump(exclude={"verify": {"uri"}})))
    found, unread = list[str](), list[str]()
    with suppress(UsageError):
        found, unread = secrets.values(config, aws)
    if unread:
        names = ", ".join(unread)
        what = f"secrets of the job that cannot be read, and so are hidden by their looks only: {names}"
        if strict:
            raise Failure("aws-config", what, "allow secretsmanager:GetSecretValue, or leave --strict out")
        tell(what)
    jobs = (part for value in found for part in parts_of(value, clear))
    return Redactor((*secrets_of(config.verify.uri, environ), *jobs))


def _texts(value: object) -> Iterator[str]:
    """Every text in nested tables and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for inner in value.values() for text in _texts(inner))
    elif isinstance(value, list | tuple):
        yield from (text for inner in value for text in _texts(inner))


def job_network(
    config: Config,
    aws: AwsSession,
    environ: Mapping[str, str],
    note: Callable[[str], None] = lambda text: None,
) -> OneOffNetwork:
    """MongoDB from where the job runs; `note` is called for each one-off task that is started."""

    def gate() -> Iterator[Finding]:
        return atlas.check(config, aws, environ)

    short = OneOffRunner(config, Ecs(config, aws), CloudWatchLogs(config, aws), SystemClock(), RandomIds())
    return OneOffNetwork(config, short, note, gate)


def real_ports(
    root: Path, folder: Path, config: Config, environ: Mapping[str, str], redactor: Redactor
) -> Ports:
    """`root` is the project's folder, `folder` the release's own."""
    aws, ids = session(config), RandomIds()
    registry = Ecr(config, aws)
    engine = DockerEngine(root, config.build, environ, registry.login, config.image.registry)
    compose = ComposeFile(
        root,
        config.compose,
        without_secrets(environ, config.compose.environment),
        ids,
        hints=(config.task.container, config.project.name),
        database=config.verify.database,
    )
    mongodb = MongoDatabase(config.verify.uri, config.verify.database)
    return Ports(
        workspace=ProjectFolder(root, config.build, engine.bases),
        shell=LocalShell(root, without_secrets(environ, config.test.environment)),
        compose=compose,
        engine=engine,
        registry=registry,
        tasks=Ecs(config, aws),
        schedules=EventBridgeScheduler(config, aws),
        logs=CloudWatchLogs(config, aws),
        database=mongodb,
        server=MongoConnectivity(config.verify.uri, mongodb),
        job_network=job_network(config, aws, environ),
        account=AwsAccount(config, aws),
        clock=SystemClock(),
        ids=ids,
        evidence=EvidenceFolder(folder, redactor),
    )
