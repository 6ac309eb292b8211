"""What a sandbox is made for, and where it keeps its files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SandboxSettings:
    """The names a release uses, as `deploy.toml` gives them.

    `data` is the folder that the bucket is seeded from; None: `seed_command` makes one, if there is any.
    `mongo_image` is what MongoDB runs from, where the engine has it or can pull it.
    A port that is None is chosen free and remembered.
    """

    root: Path
    project: str
    repository: str
    cluster: str
    log_group: str
    bucket: str
    secret: str
    region: str = "eu-west-3"
    database: str = "test"
    mongo_image: str = "mongo:8.0"
    data: Path | None = None
    seed_command: tuple[str, ...] = ()
    seed_environment: tuple[str, ...] = ()
    """Variables with credentials that it may have."""
    aws_port: int | None = None
    mongo_port: int | None = None

    @property
    def state_bucket(self) -> str:
        """The bucket for release locks and mirrored journals."""
        return f"{self.bucket}-state"

    @property
    def execution_role(self) -> str:
        """The role that pulls the image, reads the secret and writes the logs."""
        return f"{self.repository.replace('/', '-')}-execution"

    @property
    def task_role(self) -> str:
        """The role the program in the container acts as."""
        return f"{self.repository.replace('/', '-')}-task"
