"""Connectivity to MongoDB from this machine, step by step: DNS, port, TLS, login, privileges, the server."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.adapters.mongodb.errors import HINTS, address_checked
from deployer.adapters.mongodb.server import MongoServer
from deployer.errors import Failure
from deployer.ports import Finding, FindingState

_TIMEOUT: Final = 3.0
_PORT: Final = 27017


@dataclass(frozen=True)
class _Target:
    """The hosts and options of the address. `found_by`: how the hosts were found."""

    hosts: list[tuple[str, int]]
    options: Mapping[str, Any]
    found_by: str

    @property
    def tls(self) -> bool:
        return bool(self.options.get("tls", self.options.get("ssl", False)))


class MongoConnectivity(MongoServer):
    """`ports.DatabaseServer`, of one address."""

    def __init__(self, uri: str, database: MongoDatabase) -> None:
        super().__init__(database)
        self._uri = uri

    def check(self) -> Iterator[Finding]:
        try:
            target = _target(self._uri)
        except Failure as failure:
            yield Finding("MongoDB: DNS", FindingState.FAIL, failure.message, failure.hint)
            return
        for step in self._steps(target):
            yield step
            if step.state is FindingState.FAIL:
                return
        yield from self.findings()

    def _steps(self, target: _Target) -> Iterator[Finding]:
        yield _any("DNS", target, _resolved, target.found_by)
        yield _any("TCP", target, _connected)
        if target.tls:
            yield _any("TLS", target, lambda host, port: _handshake(host, port, target.options))
        if said := unprotected(target.hosts, target.options):
            yield Finding("MongoDB: encryption", FindingState.UNKNOWN, *said)
        yield _accepted("login", self._database.ping)
        yield _accepted("rights", self._database.counts)


def _target(uri: str) -> _Target:
    """Failure: the address is invalid, or its SRV record does not resolve."""
    from pymongo.uri_parser import parse_uri

    with address_checked(uri):
        parsed = parse_uri(uri)
    srv = urlsplit(uri).hostname if uri.startswith("mongodb+srv://") else ""
    hosts = [(host, port or _PORT) for host, port in parsed["nodelist"] if not host.startswith("/")]
    options = {name.lower(): value for name, value in parsed["options"].items()}
    return _Target(hosts, options, f"SRV and TXT of {srv}; " if srv else "")


def _any(step: str, target: _Target, attempt: Callable[[str, int], str], prefix: str = "") -> Finding:
    """A step passes if it passes on one of the hosts."""
    passed, seen = not target.hosts, []
    for host, port in target.hosts:
        try:
            seen.append(f"{host}:{port} {attempt(host, port)}")
            passed = True
        except OSError as error:
            seen.append(f"{host}:{port} {error}")
    detail = prefix + "; ".join(seen)
    what = f"MongoDB: {step}"
    return (
        Finding(what, FindingState.PASS, detail)
        if passed
        else Finding(what, FindingState.FAIL, detail, HINTS[step])
    )


def _accepted(step: str, ask: Callable[[], object]) -> Finding:
    try:
        ask()
    except Failure as failure:
        return Finding(f"MongoDB: {step}", FindingState.FAIL, failure.message, failure.hint)
    return Finding(f"MongoDB: {step}", FindingState.PASS, "accepted")


def unprotected(hosts: Sequence[tuple[str, int]], options: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why others may read what goes to these hosts, and the fix; None where nothing is known against it.
    `options`: of the address, in small letters. A host in a private network is not asked about."""
    if options.get("tlsinsecure") or options.get("tlsallowinvalidcertificates"):
        said = "the address accepts any certificate: whoever is on the way can read and change everything"
        return said, "remove tlsAllowInvalidCertificates and tlsInsecure; name the CA by tlsCAFile"
    if options.get("tls", options.get("ssl")):
        return None
    for host, port in hosts:
        with suppress(OSError):
            if ip_address(_resolved(host, port)).is_global:
                return f"password and data go to {host} unencrypted", "add tls=true to the address"
    return None


def _resolved(host: str, port: int) -> str:
    return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])


def _connected(host: str, port: int) -> str:
    with socket.create_connection((host, port), _TIMEOUT):
        return "open"


def _handshake(host: str, port: int, options: Mapping[str, Any]) -> str:
    context = ssl.create_default_context(cafile=options.get("tlscafile"))
    if options.get("tlscertificatekeyfile"):
        context.load_cert_chain(
            options["tlscertificatekeyfile"], password=options.get("tlscertificatekeyfilepassword")
        )
    if options.get("tlsinsecure") or options.get("tlsallowinvalidcertificates"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if options.get("tlsallowinvalidhostnames"):
        context.check_hostname = False
    with (
        socket.create_connection((host, port), _TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=host) as safe,
    ):
        return str(safe.version())
