"""A part of the sandbox is a server process: what it is, and how it is brought up."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from deployer.errors import FailureClass
from deployer.sandbox import network, processes
from deployer.sandbox.errors import SandboxError
from deployer.sandbox.processes import Process
from deployer.sandbox.waiting import wait_for

_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_HUNG_GRACE_SECONDS = 5.0


class Part(Protocol):
    """A server with its own process, one port and one log."""

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
        """Where it listens: loopback first, the bridge last."""

    @property
    def log(self) -> Path:
        """Its own words."""

    @property
    def grace(self) -> float:
        """Seconds that a clean stop may take."""

    @property
    def marker(self) -> tuple[str, str]:
        """The two arguments that make its command line unlike any other's."""

    def command(self) -> list[str]:
        """What is run."""

    def environment(self) -> dict[str, str]:
        """The whole environment it is run with."""

    def healthy(self) -> bool:
        """Whether it answers as it should."""

    def complaint(self) -> str:
        """What its log says of why it ended."""


def ensure_running(part: Part, report: Callable[[str], None]) -> Process:
    """The part's process: the one that runs if it answers and is as wanted, else a new one.

    Raises SandboxError when its port is taken or it does not come up.
    """
    for process in processes.find(part.marker):
        if process.command != tuple(part.command()):
            report(f"{part.name} (pid {process.pid}) runs with other settings: restarting it")
            processes.stop(process, part.grace)
        elif wait_for(part.healthy, _ANSWER_SECONDS):
            return process
        else:
            report(f"{part.name} (pid {process.pid}) does not answer: restarting it")
            processes.stop(process, _HUNG_GRACE_SECONDS)
    if not network.is_free(part.port, part.addresses):
        raise SandboxError(
            f"port {part.port}, wanted for {part.name}, is held by {network.holder(part.port)}",
            "stop that program, or configure another port",
            failure_class="network",
        )
    return _start(part, report)


def stop(part: Part, report: Callable[[str], None], *, keep: bool) -> None:
    """End the part's processes; one that does not answer will not end cleanly and is not waited for long,
    nor is one whose files need not be kept."""
    for process in processes.find(part.marker):
        report(f"stopping {part.name} (pid {process.pid})")
        grace = part.grace if keep and part.healthy() else _HUNG_GRACE_SECONDS
        processes.stop(process, grace if keep else 0)
    Path(part.marker[1]).unlink(missing_ok=True)


def _start(part: Part, report: Callable[[str], None]) -> Process:
    report(f"starting {part.name} on port {part.port}")
    pid = processes.launch(part.command(), part.environment(), part.log)
    wait_for(lambda: part.healthy() or processes.read(pid) is None, _START_SECONDS)
    process = processes.read(pid)
    if process is None or not part.healthy():
        raise SandboxError(
            f"{part.name} did not come up: {part.complaint() or 'it did not say why'}",
            f"its log: {part.log}; to start afresh: deployer sandbox down --purge, then deployer sandbox up",
            failure_class=part.failure_class,
        )
    return process
