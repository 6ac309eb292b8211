"""Checks MongoDB connectivity: DNS, TCP, TLS, replica set, login, rights, write concern, storage.

    python -m pipeline.connectivity [--output json]

Changes nothing: what writing needs is tried with a delete of an id that does not exist.
Exit codes: 0 all passed, 2 configuration, 4 a stage failed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from pymongo import WriteConcern
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from pipeline.config import MongoSettings, mongo_settings
from pipeline.errors import ConfigurationError, MongoError, PipelineError
from pipeline.gateways.mongo import connect

_TIMEOUT_S = 5.0
HINTS = {
    "dns": "Check the host name, and that this network resolves it.",
    "tcp": "Check that MongoDB runs there, and security groups, firewalls and the Atlas network access list.",
    "tls": "Use tls=true exactly where the server speaks TLS, and check the CA bundle and tlsCAFile.",
    "replica-set": "Check MONGO_REPLICA_SET, that the members' names resolve here, and that one is primary.",
    "authentication": "Check user, password and authSource.",
    "authorisation": "Give the user readWrite on the database.",
    "write-concern": "See that a majority of the members is up: it has to acknowledge each write.",
    "storage": "Enlarge the storage, or delete what is no longer needed.",
}
_SCARCE = 0.05
"""The share of the storage below which a load may not find room."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the check. `ok` None: not permitted to see it. `detail`: what was found or failed."""

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Target:
    nodes: list[tuple[str, int]]
    srv: str | None
    tls: bool
    options: dict[str, Any]


def stages(settings: MongoSettings) -> Iterator[Stage]:
    """The stages in order, up to and including the first that fails."""
    for step in (_dns, _tcp, _tls):
        stage = step(settings)
        if stage is not None:
            yield stage
            if stage.ok is False:
                return
    for stage in _server(settings):
        yield stage
        if stage.ok is False:
            return


def explain(settings: MongoSettings, error: MongoError) -> MongoError:
    """The same failure, with the first connectivity stage that fails, where there is one."""
    failed = _failed(stages(settings))
    if failed is None:
        return error
    return MongoError(f"MongoDB is not reachable: {failed.name} failed: {failed.detail}", HINTS[failed.name])


def _failed(stages: Iterable[Stage]) -> Stage | None:
    return next((stage for stage in stages if stage.ok is False), None)


def _target(settings: MongoSettings) -> _Target:
    """Hosts and options of the URI. Raises OSError where an SRV record does not resolve."""
    srv = urlsplit(settings.uri).hostname if settings.uri.startswith("mongodb+srv://") else None
    try:
        parsed = parse_uri(settings.uri)
    except PyMongoError as error:
        if srv:
            raise OSError(f"_mongodb._tcp.{srv}: {error}") from error
        raise ConfigurationError(f"MONGO_URI: {error}") from error
    options = {name.lower(): value for name, value in parsed["options"].items()}
    nodes = [(host, port or 27017) for host, port in parsed["nodelist"]]
    return _Target(nodes, srv, bool(options.get("tls", srv is not None)), options)


def _dns(settings: MongoSettings) -> Stage:
    try:
        target = _target(settings)
    except OSError as error:
        return Stage("dns", False, str(error))
    found = f"SRV and TXT of {target.srv} and " if target.srv else ""
    return _any("dns", target, lambda host, port: socket.getaddrinfo(host, port)[0][4][0], found)


def _tcp(settings: MongoSettings) -> Stage:
    return _any("tcp", _target(settings), _open_and_close)


def _tls(settings: MongoSettings) -> Stage | None:
    target = _target(settings)
    return (
        _any("tls", target, lambda host, port: _shake_hands(host, port, target.options))
        if target.tls
        else None
    )


def _server(settings: MongoSettings) -> Iterator[Stage]:
    client = connect(settings, selection_ms=int(_TIMEOUT_S * 1000))
    try:
        try:
            hello = client.admin.command("hello")
            yield Stage("replica-set", True, hello.get("setName") or "a single server")
            database = client[settings.database]
            database["load_runs"].find_one({"_id": ""})
        except OperationFailure as error:
            if error.code != 13:
                yield Stage("authentication", False, _first_line(error))
                return
        except (ConnectionFailure, PyMongoError) as error:
            yield _wants_tls(settings) or Stage("replica-set", False, _first_line(error))
            return
        yield Stage("authentication", True, "accepted")
        yield _authorisation(client[settings.database])
        yield _write_concern(client[settings.database])
        yield Stage("server-version", True, str(client.server_info()["version"]))
        yield _storage(client[settings.database])
    finally:
        client.close()


def _authorisation(database: Any) -> Stage:
    try:
        for name in ("measurements", "stations", "load_runs", "rejected_records", "loaded_objects"):
            database[name].find_one({"_id": ""})
            database[name].delete_one({"_id": ""})
    except PyMongoError as error:
        return Stage("authorisation", False, _first_line(error))
    return Stage("authorisation", True, f"may read and write {database.name}")


def _wants_tls(settings: MongoSettings) -> Stage | None:
    """The stage that fails where the server speaks only TLS and the address does not ask for it."""
    target = _target(settings)
    if target.tls:
        return None
    anyone = {"tlsinsecure": True}
    spoken = _any("tls", target, lambda host, port: f"speaks {_shake_hands(host, port, anyone)}")
    return Stage("tls", False, f"{spoken.detail}; the address does not ask for it") if spoken.ok else None


def _write_concern(database: Any) -> Stage:
    majority = WriteConcern("majority", wtimeout=int(_TIMEOUT_S * 1000))
    try:
        database.get_collection("load_runs", write_concern=majority).delete_one({"_id": ""})
    except PyMongoError as error:
        return Stage("write-concern", False, _first_line(error))
    return Stage("write-concern", True, "a majority acknowledges")


def _storage(database: Any) -> Stage:
    try:
        stats = database.command("dbStats")
    except PyMongoError as error:
        return Stage("storage", None, _first_line(error))
    total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
    if not total or used is None:
        return Stage("storage", None, "the server does not say what is left")
    left = (total - used) / total
    return Stage("storage", left >= _SCARCE, f"{left:.0%} of {total / 1024**3:.1f} GB are left")


def _any(name: str, target: _Target, attempt: Callable[[str, int], Any], prefix: str = "") -> Stage:
    """A stage passes when one of the hosts passes it; the detail names each."""
    passed, details = False, []
    for host, port in target.nodes:
        try:
            details.append(f"{host}:{port} {attempt(host, port)}")
            passed = True
        except OSError as error:
            details.append(f"{host}:{port} {error}")
    return Stage(name, passed, prefix + "; ".join(details))


def _open_and_close(host: str, port: int) -> str:
    with socket.create_connection((host, port), _TIMEOUT_S):
        return "open"


def _shake_hands(host: str, port: int, options: dict[str, Any]) -> str:
    context = ssl.create_default_context(cafile=options.get("tlscafile"))
    if own := options.get("tlscertificatekeyfile"):
        context.load_cert_chain(own, password=options.get("tlscertificatekeyfilepassword"))
    if options.get("tlsallowinvalidhostnames"):
        context.check_hostname = False
    if options.get("tlsallowinvalidcertificates") or options.get("tlsinsecure"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, port), _TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as safe,
    ):
        return str(safe.version())


def _first_line(error: Exception) -> str:
    return str(error).split(", Timeout:")[0].split(", full error:")[0].splitlines()[0][:300]


def main() -> None:
    import typer

    typer.run(_command)


def _command(output: str = "plain") -> None:
    """Check MongoDB connectivity stage by stage and name the first stage that fails."""
    import sys

    try:
        code = check(output)
    except PipelineError as error:
        print(f"error: {error.message}\n{error.hint}", file=sys.stderr)
        code = error.exit_code
    raise SystemExit(code)


_STATES = {True: "ok", False: "FAILED", None: "unknown"}


def check(output: str) -> int:
    """Prints the stages, as lines or JSON; returns the exit code. ConfigurationError: no usable address."""
    import orjson

    found = list(stages(mongo_settings()))
    failed = _failed(found)
    if output == "json":
        facts = {
            "ok": failed is None,
            "failed": failed.name if failed else None,
            "stages": [asdict(stage) for stage in found],
        }
        print(orjson.dumps({**facts, "hint": HINTS[failed.name] if failed else None}).decode())
    else:
        for stage in found:
            print(f"{_STATES[stage.ok]:8}{stage.name:15} {stage.detail}")
        if failed:
            print(HINTS[failed.name])
    return 4 if failed else 0


if __name__ == "__main__":
    main()
