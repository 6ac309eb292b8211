"""TCP ports on this machine: which are free, and who holds the others."""

import socket
from collections.abc import Iterable
from pathlib import Path

from deployer.sandbox import processes

_LISTENING = "0A"


def is_free(port: int, addresses: Iterable[str]) -> bool:
    """Whether a server could listen on that port of every address."""
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port(addresses: tuple[str, ...]) -> int:
    """A port that is free on every address."""
    while True:
        with socket.socket() as probe:
            probe.bind((addresses[0], 0))
            port: int = probe.getsockname()[1]
        if is_free(port, addresses):
            return port


def is_local(address: str) -> bool:
    """Whether a server on this machine can listen on that address."""
    return is_free(0, (address,))


def listeners(port: int) -> dict[str, int]:
    """The IPv4 and IPv6 addresses listening on a port, as hexadecimal text of the kernel -> socket inode."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, number = fields[1].partition(":")
            if fields[3] == _LISTENING and int(number, 16) == port:
                found[address] = int(fields[9])
    return found


def holder(port: int) -> str:
    """Who listens on the port, as "name (pid)"; "another program" where it cannot be seen."""
    sockets = {f"socket:[{inode}]" for inode in listeners(port).values()}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        if _target(descriptor) in sockets:
            process = processes.read(int(descriptor.parts[2]))
            if process and process.command:
                return f"{Path(process.command[0]).name} (pid {process.pid})"
    return "another program"


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed meanwhile, or another user's
        return ""
