"""One release per environment at a time in this folder.

The lock is the kernel's (through filelock), so a crash leaves nothing behind that blocks; the file beside
it only names the holder, for the error message. If that file is left without the lock, its writer is dead.
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
    """The held lock. `stale_owner`: the holder that crashed here; its shared lock may still exist."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.stale_owner = _read(path)
        self._path, self._holder = path, holder
        self._write(holder)

    def report_node(self, node: str) -> None:
        """Publishes the node that the release is at."""
        self._write(replace(self._holder, node=node))

    def clear_stale(self) -> None:
        """The shared lock of the dead holder is gone as well."""
        self.stale_owner = None

    def clear(self) -> None:
        """Removes the name; that of a dead holder stays until its shared lock is gone."""
        if self.stale_owner:
            self._write(self.stale_owner)
        else:
            self._path.unlink(missing_ok=True)

    def _write(self, holder: Holder) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        os.replace(new, self._path)


@contextmanager
def acquire(folder: Path, env: str, holder: Holder) -> Iterator[LocalLock]:
    """Locks the environment. RefusedError names the other holder, and since when."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{env}.json"
    lock = FileLock(folder / f"{env}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        other = holder_of(folder, env)
        raise refusal(env, other, f"or end it: `kill {other.pid}`" if other else "") from None
    try:
        held = LocalLock(path, holder)
        try:
            yield held
        finally:
            held.clear()
    finally:
        lock.release()


def holder_of(folder: Path, env: str) -> Holder | None:
    """Who holds the lock now; None: nobody (a crash may leave the file, not the lock)."""
    lock = FileLock(folder / f"{env}.lock")
    if not Path(lock.lock_file).exists():
        return None
    try:
        with lock.acquire(blocking=False):
            return None
    except Timeout:
        return _read(folder / f"{env}.json") or Holder("unknown", "unknown", "unknown", 0, 0.0)


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
