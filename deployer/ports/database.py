"""MongoDB, asked from here or from where the job runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from deployer.errors import Failure
from deployer.ports.cloud import Finding


class Unreachable(Failure):
    """No connection comes about: name, port or TLS. From another network it may well do."""


class TimeLimitReached(Failure):
    """The database ended a read at its time limit."""


class QueryRefused(Failure):
    """The database does not understand a query, or cannot answer it."""


class Database(Protocol):
    """The database that the job loads, read-only, from where the deployer runs.

    A read sees every write that was acknowledged before it began. `within` is its time limit in seconds;
    TimeLimitReached at the end of it, QueryRefused for a query that is none.
    """

    def ping(self) -> None:
        """Failure `mongodb`, saying which layer (name, port, TLS, authentication) refused."""

    def counts(self) -> dict[str, int]:
        """Estimated documents per collection (views and system collections left out)."""

    def find_one(self, collection: str, query: Mapping[str, Any]) -> Mapping[str, Any] | None: ...

    def count(self, collection: str, query: Mapping[str, Any], within: float = 60) -> int: ...

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]: ...

    def scans(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it would read the whole collection, by the database's own plan; nothing is run."""

    def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        """`{"name", "key": {field: 1 or -1}, "unique", ...}` each; none for a missing collection."""

    def options(self, collection: str) -> Mapping[str, Any] | None:
        """What the collection was made with (`validator`, ...); None where there is no such collection."""


class DatabaseServer(Protocol):
    """The way to the database from here, and what a release depends on beyond being let in."""

    def walk(self) -> Iterator[Finding]:
        """The way from this machine (names, port, TLS, login, rights), a finding a step, up to and including
        the first that is refused; behind the last one `findings`."""

    def findings(self) -> Iterator[Finding]:
        """Server version, write concern, storage left, where they may be read: one finding each."""


@dataclass(frozen=True)
class Question:
    """One read, for a short task. `body` is a query (`find_one`) or a pipeline (`aggregate`, `explain`);
    `within` its time limit in seconds."""

    kind: Literal["counts", "find_one", "aggregate", "explain", "indexes", "options"]
    collection: str = ""
    body: Any = None
    within: float = 60.0


@dataclass(frozen=True)
class Reply:
    """What the database said to a question, or why it did not. `seconds`: how long it took."""

    answer: Any = None
    error: Failure | None = None
    seconds: float = 0.0


class JobNetwork(Protocol):
    """MongoDB as the job reaches it: short tasks of its own image in its own network, which only look.

    `revision`: the task definition's ARN, None for the newest. Both methods raise UsageError where
    deploy.toml does not say how, RefusedError where nothing is registered yet, Failure where the task fails.
    """

    def walk(self, revision: str | None = None) -> tuple[Finding, ...]:
        """The way from there to MongoDB, a finding a step, up to and including the first that is refused."""

    def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
        """A reply to each, in order."""
