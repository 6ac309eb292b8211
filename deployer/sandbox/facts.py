"""What a caller may know of a sandbox: its facts when up, and the status of its parts."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class SandboxFacts:
    """Everything a release needs to be pointed at the sandbox."""

    endpoint: str
    registry: str
    subnet: str
    security_group: str
    execution_role: str
    task_role: str
    mongo_secret_arn: str
    mongo_uri: str = field(repr=False)
    bucket: str
    state_bucket: str
    log_group: str
    cluster: str
    account: str
    region: str
    access_key: str = field(repr=False)

    @classmethod
    def stand_ins(cls) -> dict[str, str]:
        """The same variables with each fact's own name as its value: for reading a file before `up`."""
        return cls(**{item.name: item.name for item in fields(cls)}).as_environment()

    def as_environment(self) -> dict[str, str]:
        """The facts as variables for `deploy.toml`'s `${VAR}` and for any AWS SDK."""
        return {
            "SANDBOX_ENDPOINT": self.endpoint,
            "SANDBOX_REGISTRY": self.registry,
            "SANDBOX_SUBNET": self.subnet,
            "SANDBOX_SECURITY_GROUP": self.security_group,
            "SANDBOX_EXECUTION_ROLE": self.execution_role,
            "SANDBOX_TASK_ROLE": self.task_role,
            "SANDBOX_MONGO_SECRET_ARN": self.mongo_secret_arn,
            "SANDBOX_MONGO_URI": self.mongo_uri,
            "SANDBOX_BUCKET": self.bucket,
            "SANDBOX_STATE_BUCKET": self.state_bucket,
            "SANDBOX_LOG_GROUP": self.log_group,
            "SANDBOX_CLUSTER": self.cluster,
            "SANDBOX_ACCOUNT": self.account,
            "SANDBOX_ACCESS_KEY": self.access_key,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


@dataclass(frozen=True)
class PartStatus:
    """One part of the sandbox. `pid`, `port` and `since` are None where they do not apply."""

    name: str
    state: Literal["running", "stopped", "unhealthy"]
    pid: int | None = None
    port: int | None = None
    since: datetime | None = None
    hint: str = ""


@dataclass(frozen=True)
class SandboxStatus:
    """Every part, in the order they are started."""

    parts: tuple[PartStatus, ...]

    @property
    def up(self) -> bool:
        """Whether every part runs and answers."""
        return all(part.state == "running" for part in self.parts)
