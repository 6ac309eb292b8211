"""Nothing more is done once the lease is lost: every record, and every call to what machines share, asks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from deployer.ports import Engine, JobNetwork, Logs, Ports, Registry, Schedules, Tasks
from deployer.records.journal import Journal, Record

Check = Callable[[], None]
"""RefusedError: the lease is lost."""


class GuardedJournal(Journal):
    """Writes nothing without the lease: the release's next holder may be writing already."""

    check: Check = staticmethod(lambda: None)

    def append(self, kind: str, **fields: Any) -> Record:
        self.check()
        return super().append(kind, **fields)


def guarded(ports: Ports, check: Check) -> Ports:
    """The same ports; what only concerns this machine (tests, compose) still may be ended in order."""
    return replace(
        ports,
        engine=cast(Engine, _Guarded(ports.engine, check)),
        registry=cast(Registry, _Guarded(ports.registry, check)),
        tasks=cast(Tasks, _Guarded(ports.tasks, check)),
        schedules=cast(Schedules, _Guarded(ports.schedules, check)),
        logs=cast(Logs, _Guarded(ports.logs, check)),
        job_network=cast(JobNetwork, _Guarded(ports.job_network, check)),
    )


class _Guarded:
    def __init__(self, port: object, check: Check) -> None:
        self._port, self._check = port, check

    def __getattr__(self, name: str) -> Any:
        self._check()
        return getattr(self._port, name)
