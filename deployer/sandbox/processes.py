"""The sandbox's processes: started apart from the command, found again, stopped.

A process is recognized by its own command line: the flag and path of its pid file, which lies in the
sandbox's folder, are arguments that no other program has. So nothing has to be recorded that a crash could
lose, and a pid that the system gave to someone else is never mistaken for ours. Source: proc(5).
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from deployer.sandbox.errors import SandboxError
from deployer.sandbox.waiting import wait_for

_PROC = Path("/proc")
# The shell ends at once, so that the child belongs to init and not to the command that started it.
_DETACH = '"$@" >&2 & echo "$!"'


@dataclass(frozen=True)
class Process:
    """A living process. Its pid and its start (clock ticks after boot) together are its identity."""

    pid: int
    started: int
    command: tuple[str, ...]

    @property
    def since(self) -> datetime:
        """When it was started, to the second, in UTC."""
        boot = next(
            int(line.split()[1])
            for line in (_PROC / "stat").read_text().splitlines()
            if line.startswith("btime")
        )
        return datetime.fromtimestamp(boot + self.started // os.sysconf("SC_CLK_TCK"), UTC)


def read(pid: int) -> Process | None:
    """The process with that pid, or None when there is none alive.

    A zombie is dead, unless threads of it are still ending: these hold its files and ports.
    """
    folder = _PROC / str(pid)
    try:
        # The name in parentheses may hold anything, so the fields are counted from its end.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        dead = fields[0] in "ZX" and len(list((folder / "task").iterdir())) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if dead else Process(pid, int(fields[19]), tuple(command))


def find(marker: tuple[str, str]) -> list[Process]:
    """The processes with these two arguments after one another in their command line."""
    wanted = "\0".join(marker).encode()
    numbers = (entry.name for entry in _PROC.iterdir() if entry.name.isdigit())
    living = (read(int(number)) for number in numbers if wanted in _command_line(number))
    return [
        process
        for process in living
        if process and process.command[:1] != ("sh",) and marker in pairwise(process.command)
    ]


def _command_line(number: str) -> bytes:
    """As proc(5) has it; empty for a process that has just ended."""
    try:
        return (_PROC / number / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def launch(command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a process that outlives this one, in a session of its own; returns its pid.

    It writes a new log; that of the process before it is kept as `<log>.old`.
    """
    if log.exists():
        log.replace(log.with_name(f"{log.name}.old"))
    with log.open("wb") as output:
        shell = subprocess.run(
            ["sh", "-c", _DETACH, "sh", *command],
            env=dict(environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            check=True,
            text=True,
        )
    return int(shell.stdout)


def stop(process: Process, grace: float) -> None:
    """Ask it to end; after `grace` seconds make it. Raises SandboxError when it is still there."""
    for sign, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        if not _alive(process):
            return
        try:
            os.kill(process.pid, sign)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise SandboxError(
                f"process {process.pid} ({process.command[0]}) belongs to another user",
                f"stop it as that user: kill {process.pid}",
            ) from error
        wait_for(lambda: not _alive(process), seconds)
    if _alive(process):
        raise SandboxError(f"process {process.pid} ({process.command[0]}) does not end")


def _alive(process: Process) -> bool:
    now = read(process.pid)
    return now is not None and now.started == process.started
