"""A part of the sandbox is a server, a process or a container: what it is, and how it is brought up."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from deployer.errors import FailureClass
from deployer.sandbox import network
from deployer.sandbox.errors import SandboxError
from deployer.sandbox.waiting import wait_for

_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_HUNG_GRACE_SECONDS = 5.0


class Running(Protocol):
    """A process or container that lives. Its `repr` tells it from every other, before and after."""

    @property
    def pid(self) -> int: ...

    @property
    def since(self) -> datetime: ...


class Part(Protocol):
    """A server with one port and one log."""

    @property
    def name(self) -> str:
        """What people know it as."""

    @property
    def failure_class(self) -> FailureClass:
        """Whose trouble it is when it does not come up."""

    @property
    def port(self) -> int:
        """Its one port."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens: loopback first."""

    @property
    def log(self) -> Path | str:
        """Its own words: a file, or a command that prints them."""

    @property
    def grace(self) -> float:
        """Seconds that a clean stop may take."""

    def find(self) -> Sequence[Running]:
        """What of it runs now."""

    def as_wanted(self) -> bool:
        """Whether what runs was started as it would be now."""

    def launch(self) -> None:
        """Start it, apart from this command."""

    def end(self, grace: float) -> None:
        """Ask what runs of it to end; after `grace` seconds make it."""

    def healthy(self) -> bool:
        """Whether it answers as it should."""

    def complaint(self) -> str:
        """What its log says of why it ended."""


def ensure_running(part: Part, report: Callable[[str], None]) -> Running:
    """What runs of the part, if it answers and is as wanted; else it is started anew.

    Raises SandboxError when its port is taken or it does not come up.
    """
    if found := part.find():
        if not part.as_wanted():
            report(f"{part.name} (pid {found[0].pid}) runs with other settings: restarting it")
            part.end(part.grace)
        elif wait_for(part.healthy, _ANSWER_SECONDS):
            return found[0]
        else:
            report(f"{part.name} (pid {found[0].pid}) does not answer: restarting it")
            part.end(_HUNG_GRACE_SECONDS)
    if not network.is_free(part.port, part.addresses):
        raise SandboxError(
            f"port {part.port}, wanted for {part.name}, is held by {network.holder(part.port)}",
            "stop that program, or configure another port",
            failure_class="network",
        )
    return _start(part, report)


def stop(part: Part, report: Callable[[str], None], *, keep: bool) -> None:
    """End what runs of the part; one that does not answer will not end cleanly and is not waited for long,
    nor is one whose data need not be kept."""
    if found := part.find():
        report(f"stopping {part.name} (pid {found[0].pid})")
        grace = part.grace if keep and part.healthy() else _HUNG_GRACE_SECONDS
        part.end(grace if keep else 0)


def _start(part: Part, report: Callable[[str], None]) -> Running:
    report(f"starting {part.name} on port {part.port}")
    part.launch()
    wait_for(lambda: part.healthy() or not part.find(), _START_SECONDS)
    found = part.find()
    if not found or not part.healthy():
        raise SandboxError(
            f"{part.name} did not come up: {part.complaint() or 'it did not say why'}",
            f"its log: {part.log}; to start afresh: deployer sandbox down --purge, then deployer sandbox up",
            failure_class=part.failure_class,
        )
    return found[0]
