"""What one release shares with other machines while it runs: the lock, where it is, and its records."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from deployer.commands.bootstrap import SharedState
from deployer.events import Emit, Ended, Entered, Event, Noted
from deployer.lock import Lock
from deployer.ports import Engine, JobNetwork, Logs, Ports, Registry, Schedules, Tasks
from deployer.records.journal import Journal, Record
from deployer.records.upload import Mirror, unsent


class Sharing:
    """Stands before a release's listeners: each node entered is told to the lease, and before the last event
    the mirror has caught up, or it is said what it could not send."""

    def __init__(self, emit: Emit, lease: Lock, mirror: Mirror | None) -> None:
        self._emit, self._lease, self._mirror = emit, lease, mirror
        self._node = ""
        if mirror:
            mirror.start()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._node = event.node
            self._lease.report_node(event.node)
        elif isinstance(event, Ended):
            self.finish()
        self._emit(event)

    def finish(self) -> None:
        """Twice is safe, and says nothing more."""
        mirror, self._mirror = self._mirror, None
        left = mirror.finish() if mirror else ""
        if left:
            self._emit(Noted(self._node, left))


def mirror_of(state: SharedState, folder: Path, lease: Lock) -> Mirror:
    """Of the release in `folder`, and of those beside it that were not wholly sent."""
    rest = [other for other in unsent(folder.parent, state.prefix) if other != folder]
    before = [Mirror(state.store, state.prefix, other, lease.check) for other in rest]
    return Mirror(state.store, state.prefix, folder, lease.check, before)


Check = Callable[[], None]
"""RefusedError: the lock is lost."""


class LockedJournal(Journal):
    """Writes nothing without the lock: another holder may be writing already."""

    check: Check = staticmethod(lambda: None)

    def append(self, kind: str, **fields: Any) -> Record:
        self.check()
        return super().append(kind, **fields)


def require_lock(ports: Ports, check: Check) -> Ports:
    """The same ports, which refuse every call once the lock is lost; those that only concern this machine
    (tests, compose) may still end in order."""
    return replace(
        ports,
        engine=cast(Engine, _Locked(ports.engine, check)),
        registry=cast(Registry, _Locked(ports.registry, check)),
        tasks=cast(Tasks, _Locked(ports.tasks, check)),
        schedules=cast(Schedules, _Locked(ports.schedules, check)),
        logs=cast(Logs, _Locked(ports.logs, check)),
        job_network=cast(JobNetwork, _Locked(ports.job_network, check)),
    )


class _Locked:
    def __init__(self, port: object, check: Check) -> None:
        self._port, self._check = port, check

    def __getattr__(self, name: str) -> Any:
        self._check()
        return getattr(self._port, name)
