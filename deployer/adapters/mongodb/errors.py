"""Translates pymongo's exceptions into failures: which layer failed, and what to do about it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from deployer.diagnosis.classify import classify
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import PYMONGO
from deployer.errors import Failure, TransientFailure
from deployer.ports import NotPermitted, QueryRefused, TimeLimitReached, Unreachable

if TYPE_CHECKING:
    from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

_REACH: Final = "check host and port in the address, and that Atlas's Network Access allows this machine"
HINTS: Final = {
    "DNS": "check the host name in the address, and this machine's name server",
    "TCP": _REACH,
    "time-out": _REACH,
    "TLS": "check `tls` and the CA file in the address; Atlas also refuses TLS to machines that its "
    "Network Access does not allow",
    "replica set": "check `replicaSet` in the address",
    "authentication": "check user, password and `authSource` in the address",
    "authorization": "grant the user of the address the role `read` on the database",
}
_LAYERS: Final = {
    "host-unresolved": "DNS",
    "tls": "TLS",
    "atlas-ip-not-allowed": "TLS",
    "replica-set": "replica set",
    "server-selection-timeout": "time-out",
}
"""The layer of a connection error, by the diagnosis of its text, which is all that pymongo has.
Anything else is TCP's."""
_NETWORK: Final = ("DNS", "TCP", "time-out", "TLS")
_AUTHENTICATION: Final = {18}
_UNAUTHORIZED: Final = {13}
_ATLAS: Final = 8000
"""Atlas's proxy answers with this code to everything that it refuses; only the text says what it is."""
_ATLAS_MEANINGS: Final = (
    (18, r"bad auth|[Aa]uthentication failed|auth error"),
    (13, r"not (?:allowed|authorized) to|not authorized|user is not allowed"),
)
_TIME_LIMIT: Final = {50, 262}
_INTERRUPTED: Final = {91, 189, 11600, 11602, 10107, 13435, 13436}
"""The server shuts down or changes its state: the codes of MongoDB's retryable reads specification."""


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turns every pymongo exception into a Failure of class `mongodb`, without passwords."""
    from bson.errors import BSONError
    from pymongo.errors import PyMongoError

    try:
        yield
    except PyMongoError as error:
        raise _failure(error, uri) from error
    except BSONError as error:
        raise QueryRefused("mongodb", f"a value that BSON cannot represent: {_brief(error)}") from error


@contextmanager
def address_checked(uri: str) -> Iterator[None]:
    """For creating the client, which also resolves `mongodb+srv`. An invalid address is never shown: the
    password may be anywhere in it."""
    from pymongo.errors import ConfigurationError, InvalidURI

    try:
        yield
    except OSError as error:
        message = f"the database's address: {error.strerror or error}"
        raise Failure(
            "mongodb", message, "set tlsCAFile (or tlsCertificateKeyFile) to a readable file"
        ) from error
    except (ConfigurationError, ValueError) as error:
        if "DNS" in str(error) and not isinstance(error, InvalidURI):
            raise _layer("DNS", _host(uri), error) from error
        raise Failure(
            "mongodb",
            f"the database's address is not a valid MongoDB address ({type(error).__name__})",
            "write mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS with user and password percent-encoded",
        ) from None


def _failure(error: "PyMongoError", uri: str) -> Failure:
    from pymongo.errors import (
        AutoReconnect,
        OperationFailure,
        ServerSelectionTimeoutError,
    )

    host = _host(uri)
    if isinstance(error, ServerSelectionTimeoutError):
        return _unreachable(error, host)
    if isinstance(error, AutoReconnect):
        return _lost(host, error)
    if isinstance(error, OperationFailure):
        return _refused(error, host)
    return Failure("mongodb", f"MongoDB at {host}: {_brief(error)}", "check the database's address")


def _unreachable(error: "ServerSelectionTimeoutError", host: str) -> Failure:
    text = _brief(error)
    if re.search("match selector|No primary available", text):
        if re.search("NetworkTimeout|timed out", str(error)):
            return _layer("time-out", host, error)  # a primary may exist, out of reach from here
        return TransientFailure(
            "mongodb",
            f"MongoDB at {host}: its members answer, but none is the primary",
            "wait for the election to end; if it does not end, check the state of the members",
        )
    subcause = classify(Evidence(text, PYMONGO)).cause.subcause
    return _layer(_LAYERS.get(subcause, "TCP"), host, error)


def _refused(error: "OperationFailure", host: str) -> Failure:
    code = error.code
    if code == _ATLAS:
        code = next((number for number, words in _ATLAS_MEANINGS if re.search(words, str(error))), code)
    if code in _AUTHENTICATION:
        return _layer("authentication", host, error)
    if code in _UNAUTHORIZED:
        return NotPermitted("mongodb", f"MongoDB at {host}: {_brief(error)}", HINTS["authorization"])
    if error.code in _TIME_LIMIT:
        return TimeLimitReached("mongodb", "not finished within its time limit")
    if error.code in _INTERRUPTED:
        return _lost(host, error)
    return QueryRefused("mongodb", _brief(error))


def _lost(host: str, error: "PyMongoError") -> TransientFailure:
    return TransientFailure(
        "mongodb",
        f"MongoDB at {host}: connection lost: {_brief(error)}",
        "it may be back in a moment; if not, check the state of MongoDB's members",
    )


def _layer(layer: str, host: str, error: BaseException) -> Failure:
    kind = Unreachable if layer in _NETWORK else Failure
    return kind("mongodb", f"MongoDB at {host}: {layer} failed: {_brief(error)}", HINTS[layer])


def _brief(error: BaseException) -> str:
    """The first line, without the server's whole answer, the command, or any address's password."""
    text = re.sub(r"(\w+://)[^/\s]*@", r"\1***@", str(error).partition(", full error:")[0])
    text = re.sub(r" to execute command \{ (\w+):.*", r" to run \1", text, flags=re.DOTALL)
    return re.split(r"\n| \(configured timeouts:|, Timeout: ", text)[0].rstrip(". ")


def _host(uri: str) -> str:
    match = re.match(r"[\w+]+://(?:[^/]*@)?([^/?]+)", uri)
    return match[1] if match else "the given address"
