"""One release per environment on all machines: an object in the shared state, renewed as a heartbeat.

    {"holder": {release, user, host, pid, since, node} or null, "lease": 60.0, "expires": ..., "by": ...}

Every write is conditional on the version that its writer has seen, so of many contenders one wins. Whether
a hold has expired is decided by the store's clock alone: `age >= lease`, both to be read there; the
machines' clocks need not agree. A holder counts its own time from before it sent its last renewal, and
stops `SLACK` of the lease earlier than others may take over, which covers the store's whole seconds.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from threading import Event, Lock, Thread
from typing import Any, Final

from deployer.errors import Failure, RefusedError
from deployer.lock.owner import Holder, refusal
from deployer.ports import Clock
from deployer.ports.object_store import Store, Stored

SLACK: Final = 0.2
BEATS: Final = 3
"""Renewals in the time of one lease."""
_CONTESTS: Final = 5


@dataclass(frozen=True)
class LockRecord:
    """What the object says. `holder` None: given back, or broken by whom `by` names."""

    holder: Holder | None
    lease: float
    age: float
    by: str = ""

    @classmethod
    def of(cls, stored: Stored, lease: float) -> "LockRecord":
        """`lease` stands in where the object cannot be read."""
        try:
            told = json.loads(stored.content)
            holder = told["holder"] and Holder(**told["holder"])
            return cls(holder, float(told["lease"]), stored.age, str(told.get("by", "")))
        except (ValueError, TypeError, KeyError):
            return cls(Holder("unknown", "unknown", "unknown", 0, 0.0), lease, stored.age)

    @property
    def live(self) -> bool:
        return self.holder is not None and self.age < self.lease

    def is_of(self, holder: Holder | None) -> bool:
        return self.holder is not None and self.holder.same_as(holder)


class SharedLock:
    """The lease on one environment. `seconds`: how long it blocks others once its holder is gone."""

    def __init__(
        self,
        store: Store,
        prefix: str,
        seconds: float,
        clock: Clock,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`prefix`: the environment's place in the store, `<project>/<env>/`."""
        self.key, self.seconds = f"{prefix}lease.json", seconds
        self._env = prefix.split("/")[1]
        self._store, self._clock, self._elapsed = store, clock, elapsed
        self._writing = Lock()
        self._holder: Holder | None = None
        self._version: str | None = None
        self._until = (0.0, 0.0)
        self._lost = ""

    def take(self, holder: Holder, stale_owner: Holder | None = None) -> None:
        """Takes it if it is free, has expired, or is `left_behind`'s, who is known to be dead.

        RefusedError: somebody holds it. Asking again after a lost answer finds one's own hold and keeps it.
        """
        for _ in range(_CONTESTS):
            found = self._store.read(self.key)
            hold = LockRecord.of(found, self.seconds) if found else None
            if hold and hold.live and not any(hold.is_of(own) for own in (holder, stale_owner)):
                raise refusal(self._env, hold.holder, _way_out(self._env, hold))
            if self._put(holder, found.version if found else None):
                self._holder = holder
                return
        raise RefusedError(f"several releases to {self._env} are starting at this moment", "try again")

    def at(self, node: str) -> None:
        """Where the release is, for the next renewal to tell."""
        if self._holder:
            self._holder = replace(self._holder, node=node)

    def renew(self) -> None:
        """One heartbeat. Failure: the store cannot be asked. Another holder is kept for `check` to tell."""
        with self._writing:
            holder, version = self._holder, self._version
            while holder and not self._lost and not self._put(holder, version):
                found = self._store.read(self.key)
                hold = LockRecord.of(found, self.seconds) if found else None
                if found is None or hold is None or not hold.is_of(holder):
                    self._lost = _taken_by(hold)
                    return
                version = found.version  # it was written, and only the answer was lost

    def check(self) -> None:
        """RefusedError: the lease is lost, or could not be renewed for so long that it may be.

        Asks the store only in that last case: nobody may have taken it, and then the release goes on.
        """
        if not self._lost and self._overdue():
            try:
                self.renew()
            except Failure as failure:
                raise self._stopped(f"it could not be renewed in time: {failure.message}") from failure
        if self._lost:
            raise self._stopped(self._lost)

    def give_back(self) -> None:
        """Frees it for the next one; where the store cannot be reached it expires by itself."""
        with self._writing, suppress(Failure):
            if self._holder and not self._lost:
                self._put(None, self._version)
            self._holder = None

    def hold(self) -> LockRecord | None:
        """Who holds it now, as the store has it; None: nobody does."""
        found = self._store.read(self.key)
        hold = LockRecord.of(found, self.seconds) if found else None
        return hold if hold and hold.live else None

    def break_hold(self, holder: Holder, by: str) -> bool:
        """Frees it from `holder`, also between two heartbeats; False: it is not `holder`'s any more."""
        while (found := self._store.read(self.key)) and LockRecord.of(found, self.seconds).is_of(holder):
            if self._put(None, found.version, by):
                return True
        return False

    def _put(self, holder: Holder | None, version: str | None, by: str = "") -> bool:
        """Writes it if it is still at `version` (None: still not there)."""
        now, begun = self._clock.now(), self._elapsed()
        told: dict[str, Any] = {"holder": asdict(holder) if holder else None, "lease": self.seconds}
        told |= {"expires": now + self.seconds, "by": by}
        content = json.dumps(told).encode()
        if version is None:
            new = self._store.create(self.key, content)
        else:
            new = self._store.replace(self.key, content, version)
        if new is None:
            return False
        safe = self.seconds * (1 - SLACK)
        self._version, self._until = new, (now + safe, begun + safe)
        return True

    def _overdue(self) -> bool:
        """By either clock: one stands still while the machine sleeps, the other may be set back."""
        until, elapsed_until = self._until
        return self._clock.now() > until or self._elapsed() > elapsed_until

    def _stopped(self, why: str) -> RefusedError:
        holder = self._holder
        env, release = self._env, holder.release if holder else ""
        return RefusedError(
            f"release {release} has stopped, because the lease on {env} is no longer its own: {why}",
            f"all that was done is recorded; `deployer status --env {env}` shows who releases now, "
            f"`deployer resume {release}` goes on afterwards",
        )


@contextmanager
def heartbeat(lease: SharedLock) -> Iterator[None]:
    """Renews it in the background, sooner again after a failure; gives it back at the end."""
    stop = Event()

    def beat() -> None:
        wait = lease.seconds / BEATS
        while not stop.wait(wait):
            wait = lease.seconds / BEATS
            try:
                lease.renew()
            except Failure:
                wait /= 5

    thread = Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        lease.give_back()
        thread.join()


def _way_out(env: str, hold: LockRecord) -> str:
    left = max(1, round(hold.lease - hold.age))
    return (
        f"if that process is dead the lease ends by itself in {left} s, "
        f"or at once with `deployer unlock --env {env}`"
    )


def _taken_by(hold: LockRecord | None) -> str:
    if hold is None:
        return "its object was removed"
    if hold.holder:
        return f"it was taken over by {hold.holder}"
    return f"it was broken by {hold.by}" if hold.by else "it was given back"
