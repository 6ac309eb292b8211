"""One release per environment on all machines: an object in the shared state, renewed by a heartbeat.

    {"holder": {release, user, host, pid, since, node} or null, "ttl": 60.0, "expires": ..., "by": ...}

Every write is conditional on the version that its writer has read, so one of many contenders wins. The
store's clock alone decides whether a lock has expired: `age >= ttl`, both read from the store; the clocks
of the machines need not agree. A holder measures from before its last renewal, and stops `SLACK` of the
time-to-live earlier than others may take over, because the store counts in whole seconds.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from threading import Event, Lock, Thread
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from deployer.config.model import LONGEST_TTL
from deployer.errors import Failure, RefusedError
from deployer.lock.owner import Holder, refusal
from deployer.ports import Clock
from deployer.ports.object_store import Store, Stored

SLACK: Final = 0.2
BEATS: Final = 3
"""Renewals during one time-to-live."""
_CONTESTS: Final = 5


@checked
class _Object:
    holder: Holder | None
    ttl: Annotated[float, Field(ge=0, le=LONGEST_TTL)]
    by: str = ""


_ADAPTER: Final = TypeAdapter(_Object)


@dataclass(frozen=True)
class LockRecord:
    """The lock as stored. `holder` None: released, or broken by `by`."""

    holder: Holder | None
    ttl: float
    age: float
    by: str = ""

    @classmethod
    def of(cls, stored: Stored, ttl: float) -> "LockRecord":
        """`ttl` is used if the object cannot be read."""
        try:
            told = _ADAPTER.validate_json(stored.content)
            return cls(told.holder, told.ttl, stored.age, told.by)
        except ValidationError:
            return cls(Holder("unknown", "unknown", "unknown", 0, 0.0), ttl, stored.age)

    @property
    def live(self) -> bool:
        return self.holder is not None and self.age < self.ttl

    def is_of(self, holder: Holder | None) -> bool:
        return self.holder is not None and self.holder.same_as(holder)


class SharedLock:
    """The shared lock of one environment. `ttl`: seconds that it blocks others after its holder has died."""

    def __init__(
        self,
        store: Store,
        prefix: str,
        ttl: float,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`prefix`: of the environment's keys in the store, `<project>/<env>/`."""
        self.key, self.ttl = f"{prefix}lock.json", ttl
        self._env = prefix.split("/")[1]
        self._store, self._clock, self._elapsed = store, clock, elapsed
        self._writing = Lock()
        self._holder: Holder | None = None
        self._version: str | None = None
        self._until = (0.0, 0.0)
        self._lost = ""

    def acquire(self, holder: Holder, stale_owner: Holder | None = None) -> None:
        """Takes the lock if it is free, has expired, or belongs to `stale_owner`, who is known to be dead.

        RefusedError: somebody else holds it. After a lost answer a second call finds the own lock.
        """
        for _ in range(_CONTESTS):
            found = self._store.read(self.key)
            hold = LockRecord.of(found, self.ttl) if found else None
            if hold and hold.live and not any(hold.is_of(own) for own in (holder, stale_owner)):
                raise refusal(self._env, hold.holder, _way_out(self._env, hold))
            if self._put(holder, found.version if found else None):
                self._holder = holder
                return
        raise RefusedError(f"several releases to {self._env} are starting at the same time", "try again")

    def report_node(self, node: str) -> None:
        """The next renewal publishes this node."""
        if self._holder:
            self._holder = replace(self._holder, node=node)

    def renew(self) -> None:
        """One heartbeat. Failure: the store cannot be reached. A lost lock is reported by `check`."""
        with self._writing:
            holder, version = self._holder, self._version
            while holder and not self._lost and not self._put(holder, version):
                found = self._store.read(self.key)
                hold = LockRecord.of(found, self.ttl) if found else None
                if found is None or hold is None or not hold.is_of(holder):
                    self._lost = _taken_by(hold)
                    return
                version = found.version  # written, but the answer was lost

    def check(self) -> None:
        """RefusedError: the lock is lost, or was not renewed for so long that it may be.

        Only in the second case it reads the store: if nobody has taken the lock, the release continues.
        """
        if not self._lost and self._overdue():
            try:
                self.renew()
            except Failure as failure:
                raise self._stopped(f"it could not be renewed in time: {failure.message}") from failure
        if self._lost:
            raise self._stopped(self._lost)

    def release(self) -> None:
        """Frees the lock; if the store cannot be reached it expires by itself."""
        with self._writing, suppress(Failure):
            if self._holder and not self._lost:
                self._put(None, self._version)
            self._holder = None

    def current(self) -> LockRecord | None:
        """The lock as the store has it now; None: nobody holds it."""
        found = self._store.read(self.key)
        hold = LockRecord.of(found, self.ttl) if found else None
        return hold if hold and hold.live else None

    def force_release(self, holder: Holder, by: str) -> bool:
        """Takes the lock away from `holder`, also between two heartbeats; False: another one holds it."""
        while (found := self._store.read(self.key)) and LockRecord.of(found, self.ttl).is_of(holder):
            if self._put(None, found.version, by):
                return True
        return False

    def _put(self, holder: Holder | None, version: str | None, by: str = "") -> bool:
        """Writes the object if it is still at `version` (None: does not exist)."""
        now, begun = self._clock.now(), self._elapsed()
        record: dict[str, Any] = {"holder": asdict(holder) if holder else None, "ttl": self.ttl}
        record |= {"expires": now + self.ttl, "by": by}
        content = json.dumps(record).encode()
        if version is None:
            new = self._store.create(self.key, content)
        else:
            new = self._store.replace(self.key, content, version)
        if new is None:
            return False
        safe = self.ttl * (1 - SLACK)
        self._version, self._until = new, (now + safe, begun + safe)
        return True

    def _overdue(self) -> bool:
        """By either clock: one stops while the machine sleeps, the other may be set back."""
        until, elapsed_until = self._until
        return self._clock.now() > until or self._elapsed() > elapsed_until

    def _stopped(self, why: str) -> RefusedError:
        holder = self._holder
        env, release = self._env, holder.release if holder else ""
        return RefusedError(
            f"release {release} has stopped, because it no longer holds the lock of {env}: {why}",
            f"everything done so far is recorded; `deployer status --env {env}` shows who releases now, "
            f"`deployer resume {release}` continues afterwards",
        )


@contextmanager
def heartbeat(lock: SharedLock) -> Iterator[None]:
    """Renews the lock in the background, sooner after a failure; releases it at the end."""
    stop = Event()

    def beat() -> None:
        wait = lock.ttl / BEATS
        while not stop.wait(wait):
            wait = lock.ttl / BEATS
            try:
                lock.renew()
            except Failure:
                wait /= 5

    thread = Thread(target=beat, name="lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        lock.release()
        thread.join()


def _way_out(env: str, hold: LockRecord) -> str:
    left = max(1, round(hold.ttl - hold.age))
    return (
        f"if that process is dead, its lock expires in {left} s, "
        f"or remove the lock now: `deployer unlock --env {env}`"
    )


def _taken_by(hold: LockRecord | None) -> str:
    if hold is None:
        return "the lock object was removed"
    if hold.holder:
        return f"it was taken over by {hold.holder}"
    return f"it was broken by {hold.by}" if hold.by else "it was released"
