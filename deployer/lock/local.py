"""One release per environment at a time in this folder.

The lock is the kernel's (through filelock), so a crash leaves nothing behind that blocks; the file beside
it only says who holds it, for the refusal. Where that file is left without the lock, its writer is dead.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from filelock import FileLock, Timeout

from deployer.lock.owner import Holder, refusal


class LocalLock:
    """The lock, held. `left_behind`: the holder that a crash ended here; it may still stand elsewhere."""

    def __init__(self, told: Path, holder: Holder) -> None:
        self.stale_owner = _told(told)
        self._told, self._holder = told, holder
        self._tell(holder)

    def at(self, node: str) -> None:
        """Says where the release is."""
        self._tell(replace(self._holder, node=node))

    def settle(self) -> None:
        """Nothing of the dead holder stands any more."""
        self.stale_owner = None

    def clear(self) -> None:
        """Takes the name away; that of a dead holder who is not settled stays for the next one."""
        if self.stale_owner:
            self._tell(self.stale_owner)
        else:
            self._told.unlink(missing_ok=True)

    def _tell(self, holder: Holder) -> None:
        new = self._told.with_suffix(".new")
        new.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        os.replace(new, self._told)


@contextmanager
def held(folder: Path, env: str, holder: Holder) -> Iterator[LocalLock]:
    """Holds the environment's lock. RefusedError names who else does, and since when."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / f"{env}.json"
    lock = FileLock(folder / f"{env}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        other = holder_of(folder, env)
        raise refusal(env, other, f"or end it: `kill {other.pid}`" if other else "") from None
    try:
        lease = LocalLock(told, holder)
        try:
            yield lease
        finally:
            lease.clear()
    finally:
        lock.release()


def holder_of(folder: Path, env: str) -> Holder | None:
    """Who holds the lock now; None if nobody does (a crash may leave the file, not the lock)."""
    lock = FileLock(folder / f"{env}.lock")
    if not Path(lock.lock_file).exists():
        return None
    try:
        with lock.acquire(blocking=False):
            return None
    except Timeout:
        return _told(folder / f"{env}.json") or Holder("unknown", "unknown", "unknown", 0, 0.0)


def _told(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
