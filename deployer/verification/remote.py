"""Runs checks here on a database that only the job can reach.

The checks run on a database object that collects the questions it has no reply for. All are sent at once, and
the checks run again with the replies, until no question is open: about three rounds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock, local
from typing import Any

from deployer.config.checks import Check
from deployer.errors import UsageError
from deployer.model import Verification
from deployer.ports import Question, Reply
from deployer.verification.prefilter import A_FEW
from deployer.verification.prepare import collections_of
from deployer.verification.run import VerifyContext, verify

Ask = Callable[[Sequence[Question]], Sequence[Reply]]


class RemoteDatabase:
    """`ports.Database` from replies. A read without a reply returns nothing and becomes an open question, so
    results only count once it is `complete`."""

    def __init__(self, ask: Ask, prefetch: Sequence[Question] = ()) -> None:
        """`prefetch`: questions that are certain to come, sent along with the first ones."""
        self._ask = ask
        self._known: dict[str, Reply] = {}
        self._open = {repr(question): question for question in prefetch}
        self._lock = Lock()
        self._spent = local()

    def send(self) -> None:
        """Sends the open questions."""
        self._known |= zip(self._open, self._ask(list(self._open.values())), strict=True)
        self._open = {}

    @property
    def complete(self) -> bool:
        """No question is open: the results rest on replies alone."""
        return not self._open

    def seconds(self) -> float:
        """How long the database worked for this thread; only differences have a meaning."""
        return getattr(self._spent, "seconds", 0.0)

    def ping(self) -> None:
        """A reply shows that the database was reached."""

    def counts(self) -> dict[str, int]:
        return {str(name): int(number) for name, number in self._answer(Question("counts"), {}).items()}

    def find_one(self, collection: str, query: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._answer(Question("find_one", collection, query), None)
        return found

    def count(self, collection: str, query: Mapping[str, Any], within: float = 60) -> int:
        rows = self.aggregate(collection, [{"$match": query}, {"$count": "documents"}], within)
        return int(rows[0]["documents"]) if rows else 0

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]:
        return list(self._answer(Question("aggregate", collection, list(pipeline), within), []))

    def scans(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> bool:
        return "COLLSCAN" in self._answer(Question("explain", collection, list(pipeline)), [])

    def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        return list(self._answer(Question("indexes", collection), []))

    def options(self, collection: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._answer(Question("options", collection), None)
        return found

    def _answer(self, question: Question, nothing: Any) -> Any:
        key = repr(question)
        with self._lock:
            reply = self._known.get(key)
            if reply is None:
                if not self._is_early(question):
                    self._open[key] = question
                return nothing
        self._spent.seconds = self.seconds() + reply.seconds
        if reply.error:
            raise reply.error
        return reply.answer

    def _is_early(self, question: Question) -> bool:
        """Documents, except samples, are read only after every query has been explained."""
        reads = question.kind == "aggregate" and question.body[0] != A_FEW
        return reads and any(other.kind == "explain" for other in self._open.values())


def verify_by_asking(
    checks: Sequence[Check], database: RemoteDatabase, context: VerifyContext
) -> Verification:
    """`verification.run.verify` in rounds; they end because no question is sent twice. Raises what `verify`
    and `Ask` raise."""
    context = replace(context, timer=database.seconds)
    while True:
        try:
            verification = verify(checks, database, context)
        except UsageError:
            if database.complete:
                raise
        else:
            if database.complete:
                return replace(verification, via="task")
        database.send()


def prefetch(checks: Sequence[Check]) -> list[Question]:
    """The questions about every collection before any document is read."""
    names = sorted({name for check in checks for name in collections_of(check)})
    return [Question(kind, name) for name in names for kind in ("options", "indexes")]
