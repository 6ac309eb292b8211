"""MongoDB, as this machine reaches it or as the job does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from deployer.errors import Failure
from deployer.ports.cloud import Finding


class Unreachable(Failure):
    """No connection: name, port or TLS. From another network it may work."""


class TimeLimitReached(Failure):
    """The database stopped a read at its time limit."""


class QueryRefused(Failure):
    """The database refuses a query: invalid, or not supported."""


class NotPermitted(QueryRefused):
    """The user of the address has no privilege for a query; others may work."""


class Database(Protocol):
    """The database that the job loads, read-only.

    A read sees every write that was acknowledged before it started. `within` is its time limit in seconds,
    after which it raises TimeLimitReached. QueryRefused: this query is refused, others may work.
    """

    def ping(self) -> None:
        """Failure `mongodb` names the layer that failed (name, port, TLS, authentication)."""

    def counts(self) -> dict[str, int]:
        """Estimated documents per collection, also of time-series collections; no views, no system
        collections."""

    def find_one(self, collection: str, query: Mapping[str, Any]) -> Mapping[str, Any] | None: ...

    def count(self, collection: str, query: Mapping[str, Any], within: float = 60) -> int: ...

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]: ...

    def scans(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it would read the whole collection, by the database's query plan; runs nothing."""

    def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        """`{"name", "key": {field: 1 or -1}, "unique", ...}` each; none for a view or a missing one."""

    def options(self, collection: str) -> Mapping[str, Any] | None:
        """The options of the collection or view (`validator`, ...); None: it does not exist."""


class DatabaseServer(Protocol):
    """Connectivity to MongoDB from this machine, and the state of the server."""

    def check(self) -> Iterator[Finding]:
        """Names, port, TLS, login, privileges: one finding each, up to and including the first that fails;
        after the last one `findings`."""

    def findings(self) -> Iterator[Finding]:
        """Server version, write concern, free storage, as far as they may be read: one finding each."""


@dataclass(frozen=True)
class Question:
    """One read, for a one-off task. `body` is a query (`find_one`) or a pipeline (`aggregate`, `explain`);
    `within` its time limit in seconds."""

    kind: Literal["counts", "find_one", "aggregate", "explain", "indexes", "options"]
    collection: str = ""
    body: Any = None
    within: float = 60.0


@dataclass(frozen=True)
class Reply:
    """The answer to a question, or the error. `seconds`: how long it took."""

    answer: Any = None
    error: Failure | None = None
    seconds: float = 0.0


class JobNetwork(Protocol):
    """MongoDB as the job reaches it: one-off tasks of its own image in its own network, which only read.

    `revision`: the task definition's ARN, None for the newest. Both methods raise UsageError if deploy.toml
    names no command, RefusedError if no revision is registered yet, Failure if the task fails.
    """

    def check(self, revision: str | None = None) -> tuple[Finding, ...]:
        """Connectivity from there, one finding a step, up to and including the first that fails."""

    def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
        """A reply to each, in order."""
