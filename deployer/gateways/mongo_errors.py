"""What pymongo raises, as our failures: which layer refused, and what to do about it."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deployer.errors import Failure, TransientFailure
from deployer.release.ports import QueryRefused, TimeLimitReached

if TYPE_CHECKING:
    from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

_ACCESS = "check that the host and port are right, and that Atlas's Network Access lists this machine's address"
_LAYERS = {
    "DNS": "check the host name in the address, and this machine's name server",
    "TCP": _ACCESS,
    "timeout": _ACCESS,
    "TLS": "check `tls` and the CA file in the address; Atlas also answers so to an address that "
    "Network Access does not list",
    "authentication": "check user, password and `authSource` in the address",
    "authorisation": "give the user of the address the role `read` on the database",
}
_AUTHENTICATION = {18, 8000}
_AUTHORISATION = {13}
_TIME_LIMIT = {50, 262}


@contextmanager
def translated(uri: str, within: float) -> Iterator[None]:
    """Turns whatever pymongo raises inside into a Failure of class `mongodb`; no password is ever shown."""
    from bson.errors import BSONError
    from pymongo.errors import PyMongoError

    try:
        yield
    except PyMongoError as error:
        raise _failure(error, uri, within) from error
    except BSONError as error:
        raise QueryRefused("mongodb", f"a value that MongoDB cannot store: {error}") from error


def redacted(text: str) -> str:
    """`text` with the user and password of every address in it left out."""
    return re.sub(r"(\w+://)[^/\s]*@", r"\1***@", text)


def _failure(error: "PyMongoError", uri: str, within: float) -> Failure:
    from pymongo.errors import (
        AutoReconnect,
        ConfigurationError,
        InvalidURI,
        OperationFailure,
        ServerSelectionTimeoutError,
    )

    if isinstance(error, ServerSelectionTimeoutError):
        return _unreachable(error, uri)
    if isinstance(error, OperationFailure):
        return _refused(error, uri, within)
    if isinstance(error, AutoReconnect):
        if error.timeout:
            return TimeLimitReached("mongodb", f"no answer within {within:g} s")
        return TransientFailure("mongodb", f"MongoDB at {_host(uri)}: connection lost: {_first_line(error)}")
    if isinstance(error, ConfigurationError) and not isinstance(error, InvalidURI) and "+srv" in uri:
        return _layer("DNS", uri, error)
    return Failure(
        "mongodb", f"MongoDB at {_host(uri)}: {_first_line(error)}", "check the address that verify.uri stands for"
    )


def _unreachable(error: "ServerSelectionTimeoutError", uri: str) -> Failure:
    servers = list(error.details.server_descriptions().values()) if error.details else []
    if any(server.is_server_type_known for server in servers):
        return TransientFailure(
            "mongodb",
            f"MongoDB at {_host(uri)}: the replica set has no primary now",
            "wait for the election to end; if none ends, look at the members' state",
        )
    cause = next((server.error for server in servers if server.error), error)
    return _layer(_layer_of(cause), uri, cause)


def _layer_of(error: BaseException) -> str:
    """Which layer an error of connecting belongs to, from the exception underneath it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return "TLS"
        if isinstance(seen, socket.gaierror):
            return "DNS"
        if isinstance(seen, TimeoutError):
            return "timeout"
        seen = seen.__cause__ or seen.__context__
    return "timeout" if "timed out" in str(error) else "TCP"


def _refused(error: "OperationFailure", uri: str, within: float) -> Failure:
    if error.code in _AUTHENTICATION:
        return _layer("authentication", uri, error)
    if error.code in _AUTHORISATION:
        return _layer("authorisation", uri, error)
    if error.code in _TIME_LIMIT:
        return TimeLimitReached("mongodb", f"not finished within {within:g} s")
    return QueryRefused("mongodb", _first_line(error))


def _layer(layer: str, uri: str, error: Any) -> Failure:
    return Failure("mongodb", f"MongoDB at {_host(uri)}: {layer} failed: {_first_line(error)}", _LAYERS[layer])


def _first_line(error: Any) -> str:
    text = redacted(str(error)).partition(", full error:")[0]
    return re.split(r"\n| \(configured timeouts:|, Timeout: ", text)[0].rstrip(". ")


def _host(uri: str) -> str:
    match = re.match(r"\w+(?:\+srv)?://(?:[^/]*@)?([^/?]+)", uri)
    return match[1] if match else "the given address"
