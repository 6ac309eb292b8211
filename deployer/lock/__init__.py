"""One release per environment: a file lock in this folder, an object in the shared state for all machines."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from deployer.lock import local
from deployer.lock.local import LocalLock, holder_of
from deployer.lock.owner import Holder, who
from deployer.lock.shared import LockRecord, SharedLock, heartbeat

__all__ = ["Holder", "Lock", "LockRecord", "SharedLock", "acquire", "holder_of", "who"]


class Lock:
    """Both locks of one release. `shared` is None without `[state] bucket`."""

    def __init__(self, here: LocalLock, shared: SharedLock | None) -> None:
        self._here, self._shared = here, shared

    def report_node(self, node: str) -> None:
        """Publishes the node that the release is at."""
        self._here.report_node(node)
        if self._shared:
            self._shared.report_node(node)

    def check(self) -> None:
        """RefusedError: the lock is lost; the release must stop."""
        if self._shared:
            self._shared.check()


@contextmanager
def acquire(folder: Path, env: str, holder: Holder, shared: SharedLock | None = None) -> Iterator[Lock]:
    """Locks the environment. RefusedError names the other holder, its machine, its node and since when.

    Failure: the shared state cannot be reached.
    """
    with local.acquire(folder, env, holder) as here:
        if shared:
            shared.acquire(holder, here.stale_owner)
        here.clear_stale()
        with heartbeat(shared) if shared else nullcontext():
            yield Lock(here, shared)
