"""The job's own network in memory: there the database is reached, whatever the operator's machine can do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer.ports import Finding, FindingState, QueryRefused, Question, Reply, TimeLimitReached
from tests.fakes.database import FakeDatabase
from tests.fakes.faults import Faults


@dataclass
class FakeJobNetwork:
    """`way` is what `walk` finds. `asked` holds every batch of questions, `revisions` what was run for it."""

    database: FakeDatabase
    way: tuple[Finding, ...] = (Finding("from the task: dns", FindingState.PASS, "db.test"),)
    faults: Faults = field(default_factory=Faults)
    asked: list[list[Question]] = field(default_factory=list)
    revisions: list[str | None] = field(default_factory=list)

    def check(self, revision: str | None = None) -> tuple[Finding, ...]:
        self.faults.before("check")
        self.revisions.append(revision)
        return self.way

    def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
        self.faults.before("ask")
        self.revisions.append(revision)
        self.asked.append(list(questions))
        return tuple(self._reply(question) for question in questions)

    def _reply(self, question: Question) -> Reply:
        try:
            return Reply(self._answer(question), seconds=0.25)
        except (QueryRefused, TimeLimitReached) as error:
            return Reply(error=error, seconds=0.25)

    def _answer(self, question: Question) -> Any:
        """What is left at the other side of a fault is there: it is another way that leads to it."""
        database = FakeDatabase(
            self.database.collections, self.database.made_with, self.database.extra_indexes
        )
        name, body = question.collection, question.body
        if question.kind == "counts":
            return database.counts()
        if question.kind == "find_one":
            return database.find_one(name, body)
        if question.kind == "aggregate":
            return database.aggregate(name, body, question.within)
        if question.kind == "explain":
            return ["COLLSCAN"] if database.scans(name, body) else ["IXSCAN"]
        return database.indexes(name) if question.kind == "indexes" else database.options(name)
