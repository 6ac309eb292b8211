"""Who holds the lock of an environment, and the error for everybody else."""

import getpass
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from deployer.errors import RefusedError


def user_name() -> str:
    """The user's name; a uid without a passwd entry, as containers in CI have it, is a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def who() -> str:
    """`user@host`, as people are named in records."""
    return f"{user_name()}@{socket.gethostname()}"


@dataclass(frozen=True)
class Holder:
    """Who releases, on which machine, since when (seconds since the epoch), and at which node."""

    release: str
    user: str
    host: str
    pid: int
    since: Annotated[float, Field(ge=0, le=2e11)]
    node: str = ""

    @classmethod
    def here(cls, release: str, now: float) -> "Holder":
        return cls(release, user_name(), socket.gethostname(), os.getpid(), now)

    def same_as(self, other: "Holder | None") -> bool:
        """Whether it is the same process, at whatever node."""
        return other is not None and self._identity == other._identity

    @property
    def _identity(self) -> tuple[str, str, str, int, float]:
        return (self.release, self.user, self.host, self.pid, self.since)

    def __str__(self) -> str:
        where = f", at {self.node}" if self.node else ""
        since = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{self.user}@{self.host} (process {self.pid}), release {self.release}{where}, since {since}"


def refusal(env: str, holder: Holder | None, way_out: str) -> RefusedError:
    """Why nobody else may release to `env` now. `way_out`: the command to type if the holder is dead."""
    if holder is None:
        return RefusedError(f"another release to {env} has just ended", "try again")
    return RefusedError(
        f"another release to {env} is running: {holder}",
        f"wait until it ends; `deployer show {holder.release}` shows it; {way_out}",
    )
