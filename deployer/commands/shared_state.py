"""What one release shares with other machines while it runs: the lock, where it is, and its records."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from deployer.adapters.local.machine import SystemClock
from deployer.commands.bootstrap import SharedState, real_ports, shared_state
from deployer.commands.project import Project
from deployer.config.model import Config
from deployer.events import Emit, Ended, Entered, Event, Noted
from deployer.lock import Holder, Lock, acquire
from deployer.ports import Engine, JobNetwork, Logs, Ports, Registry, Schedules, Tasks
from deployer.records.journal import Journal, Record
from deployer.records.upload import Mirror, unsent
from deployer.redaction import Redactor
from deployer.retry import RetryPolicy


class Sharing:
    """Passes a release's events on; reports each node to the lock, and before the last event waits until the
    upload is complete, or notes what could not be sent."""

    def __init__(self, emit: Emit, lock: Lock, mirror: Mirror | None) -> None:
        self._emit, self._lock, self._mirror = emit, lock, mirror
        self._node = ""
        if mirror:
            mirror.start()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._node = event.node
            self._lock.report_node(event.node)
        elif isinstance(event, Ended):
            self.finish()
        self._emit(event)

    def finish(self) -> None:
        """Twice is safe."""
        mirror, self._mirror = self._mirror, None
        left = mirror.finish() if mirror else ""
        if left:
            self._emit(Noted(self._node, left))


def mirror_of(state: SharedState, folder: Path, lock: Lock) -> Mirror:
    """Uploads the release in `folder`, and those beside it that were not sent completely."""
    rest = [other for other in unsent(folder.parent, state.prefix) if other != folder]
    before = [Mirror(state.store, state.prefix, other, lock.check) for other in rest]
    return Mirror(state.store, state.prefix, folder, lock.check, before)


Check = Callable[[], None]
"""RefusedError: the lock is lost."""


class LockedJournal(Journal):
    """Writes nothing without the lock: another holder may be writing already."""

    check: Check = staticmethod(lambda: None)

    def append(self, kind: str, **fields: Any) -> Record:
        self.check()
        return super().append(kind, **fields)


@contextmanager
def locked_ports(project: Project, config: Config, holder: str) -> Iterator[Ports]:
    """Ports that answer while the environment's lock is held, here and where machines share it; `holder` says
    what for. RefusedError: a release is running."""
    state, me = shared_state(config), Holder.here(holder, SystemClock().now())
    retry = RetryPolicy.configured(config.retries, SystemClock())
    with ExitStack() as stack:
        held = acquire(project.folder / "locks", config.env, me, state.lock() if state else None)
        lock = retry(lambda: stack.enter_context(held))
        real = real_ports(project.root, project.folder, config, project.environ, Redactor())
        yield require_lock(real, lock.check)


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
