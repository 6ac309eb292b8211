"""One release per environment at a time on this machine.

The lock is the kernel's (through filelock), so a crash leaves nothing behind; the file beside it only says
who holds it, for the refusal.
"""

import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from deployer.errors import RefusedError


@dataclass(frozen=True)
class Holder:
    """Who releases, from where, since when (seconds since the epoch)."""

    release: str
    user: str
    host: str
    pid: int
    since: float

    @classmethod
    def here(cls, release: str, now: float) -> "Holder":
        return cls(release, getpass.getuser(), socket.gethostname(), os.getpid(), now)


@contextmanager
def held(folder: Path, env: str, holder: Holder) -> Iterator[None]:
    """Holds the environment's lease. RefusedError names who else does, and since when."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / f"{env}.json"
    lock = FileLock(folder / f"{env}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise _refusal(env, holder_of(folder, env)) from None
    try:
        told.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        yield
    finally:
        told.unlink(missing_ok=True)
        lock.release()


def holder_of(folder: Path, env: str) -> Holder | None:
    """Who holds the lease now; None if nobody does (a crash may leave the file, not the lock)."""
    lock = FileLock(folder / f"{env}.lock")
    if not Path(lock.lock_file).exists():
        return None
    try:
        with lock.acquire(blocking=False):
            return None
    except Timeout:
        pass
    try:
        return Holder(**json.loads((folder / f"{env}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Holder("unknown", "unknown", "unknown", 0, 0.0)


def _refusal(env: str, holder: Holder | None) -> RefusedError:
    if holder is None:
        return RefusedError(f"another release to {env} has only just ended", "try again")
    since = datetime.fromtimestamp(holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return RefusedError(
        f"{env} is being released to by {holder.user}@{holder.host} (process {holder.pid}), "
        f"release {holder.release}, since {since}",
        f"watch it with `deployer show {holder.release}`; wait until it has ended or end that process",
    )
