"""One release per environment: in this folder by a lock, on all machines by an object in the shared state."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from deployer.lock import local
from deployer.lock.local import LocalLock, holder_of
from deployer.lock.owner import Holder
from deployer.lock.shared import LockRecord, SharedLock, heartbeat

__all__ = ["Holder", "Lock", "LockRecord", "SharedLock", "held", "holder_of"]


class Lock:
    """Both holds of one release. `shared` is None where there is no `[state] bucket`."""

    def __init__(self, here: LocalLock, shared: SharedLock | None) -> None:
        self._here, self._shared = here, shared

    def at(self, node: str) -> None:
        """Tells others where the release is."""
        self._here.at(node)
        if self._shared:
            self._shared.at(node)

    def check(self) -> None:
        """RefusedError: it is no longer ours, and nothing more may be done."""
        if self._shared:
            self._shared.check()


@contextmanager
def held(folder: Path, env: str, holder: Holder, shared: SharedLock | None = None) -> Iterator[Lock]:
    """Holds the environment. RefusedError names who else does, from where, at which node, since when.

    Failure: the shared state cannot be asked.
    """
    with local.held(folder, env, holder) as here:
        if shared:
            shared.take(holder, here.stale_owner)
        here.settle()
        with heartbeat(shared) if shared else nullcontext():
            yield Lock(here, shared)
