"""A connection to MongoDB, and the one place where pymongo's errors become ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.errors import (
    ConfigurationError as PyMongoConfigurationError,
)

from pipeline import __version__
from pipeline.config import MongoSettings
from pipeline.errors import ConfigurationError, MongoError, StoreInterrupted

SELECTION_MS = 15_000
_INTERRUPTIONS = frozenset({6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 50, 112})
_MAY_BE_REPEATED = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")
_URI_HINT = "It must read mongodb://HOST:PORT/?replicaSet=NAME or mongodb+srv://CLUSTER/."
_AUTHENTICATION, _AUTHORISATION = 18, 13


def connect(
    settings: MongoSettings, selection_ms: int = SELECTION_MS, *, retry_writes: bool = True
) -> MongoClient[dict[str, Any]]:
    """A client that has not talked to the server yet (but has resolved an SRV name).

    `retry_writes`: the driver repeats a write that was interrupted. The server then keeps a record of each
    statement, which costs as much as the write.

    Raises ConfigurationError for a string that is no URI, MongoError when the SRV name does not resolve.
    """
    options = {**_options(selection_ms), "retryWrites": retry_writes}
    try:
        return MongoClient(
            settings.uri,
            appname=f"forecast-etl/{__version__}",
            **{name: value for name, value in options.items() if name not in settings.uri},
        )
    except InvalidURI as error:
        raise ConfigurationError(f"MONGO_URI is no connection string: {_safe(error)}", _URI_HINT) from error
    except PyMongoConfigurationError as error:
        if settings.uri.startswith("mongodb+srv://"):
            raise MongoError(
                f"dns: {_safe(error)}", "Is the cluster's name right, and does DNS work here?"
            ) from error
        raise ConfigurationError(f"MONGO_URI: {_safe(error)}", _URI_HINT) from error
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"MONGO_URI: {_safe(error)}", _URI_HINT) from error


def _options(selection_ms: int) -> dict[str, Any]:
    """The options of the driver that the URI does not set."""
    return {"serverSelectionTimeoutMS": selection_ms, "connectTimeoutMS": 10_000}


@contextmanager
def translated() -> Iterator[None]:
    """Raises StoreInterrupted for what may work in a moment, MongoError for the rest."""
    try:
        yield
    except AutoReconnect as error:
        raise StoreInterrupted(
            f"MongoDB went away: {_safe(error)}", "Run `python -m pipeline.connectivity`."
        ) from error
    except BulkWriteError as error:
        details = error.details
        raise bulk_failure(
            [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
        ) from error
    except OperationFailure as error:
        again = any(error.has_error_label(label) for label in _MAY_BE_REPEATED)
        raise _refused(error.code, _safe(error), retryable=again) from error
    except (PyMongoError, InvalidOperation) as error:
        raise MongoError(f"MongoDB: {_safe(error)}") from error


def bulk_failure(faults: Sequence[Mapping[str, Any]]) -> MongoError:
    """What the faults of a bulk write mean, when it is more than duplicate keys."""
    first: Mapping[str, Any] = next((fault for fault in faults if fault.get("code") != 11000), {})
    return _refused(first.get("code"), str(first.get("errmsg", "bulk write failed"))[:300], retryable=False)


def _refused(code: int | None, text: str, *, retryable: bool) -> MongoError:
    if retryable or code in _INTERRUPTIONS:
        return StoreInterrupted(f"MongoDB was interrupted: {text}", "Is the replica set electing a primary?")
    if code == _AUTHENTICATION:
        return MongoError(f"authentication: {text}", "Check user, password and authSource.")
    if code == _AUTHORISATION:
        return MongoError(f"authorisation: {text}", "Give the user readWrite on the database.")
    return MongoError(f"MongoDB refused: {text}")


def _safe(error: Exception) -> str:
    """The first line of an error; pymongo never puts the password in it, but may put a whole topology."""
    return str(error).split(", Timeout:")[0].splitlines()[0][:300]
