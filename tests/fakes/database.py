"""A database in memory, with the small part of the query language that checks and steps use."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.documents import Document, aggregated, matches
from tests.fakes.faults import Faults


@dataclass
class FakeDatabase:
    """`collections` as {collection: {_id: document}}; an index is what `listIndexes` says of it."""

    collections: dict[str, dict[Any, Document]] = field(default_factory=dict)
    made_with: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    extra_indexes: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def write(self, collection: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """What the job does: each document takes the place of the one with its `_id`."""
        held = self.collections.setdefault(collection, {})
        for document in documents:
            held[document["_id"]] = copy.deepcopy(dict(document))

    def remove(self, collection: str, identity: Any) -> None:
        del self.collections[collection][identity]

    def ping(self) -> None:
        self.faults.before("ping")

    def counts(self) -> dict[str, int]:
        self.faults.before("counts")
        return {name: len(self.collections[name]) for name in sorted(self.collections)}

    def find_one(self, collection: str, query: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self.faults.before("find_one")
        return next((copy.deepcopy(held) for held in self._held(collection) if matches(held, query)), None)

    def count(self, collection: str, query: Mapping[str, Any], within: float = 60) -> int:
        self.faults.before("count")
        return sum(matches(held, query) for held in self._held(collection))

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], within: float = 60
    ) -> list[Mapping[str, Any]]:
        self.faults.before("aggregate")
        return [copy.deepcopy(row) for row in aggregated(self._held(collection), pipeline)]

    def scans(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> bool:
        """Only looks at the first stage: a match or a sort on a field that leads an index does not scan."""
        self.faults.before("scans")
        aggregated([{}], pipeline)
        stages = [next(iter(stage.items())) for stage in pipeline]
        asked = {
            key for name, operand in stages[:2] if name in ("$match", "$sort") for key in list(operand)[:1]
        }
        leading = {next(iter(index["key"])) for index in self.indexes(collection)}
        return bool(leading) and not asked & leading

    def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        self.faults.before("indexes")
        if collection not in self.collections:
            return []
        return [{"name": "_id_", "key": {"_id": 1}}, *self.extra_indexes.get(collection, [])]

    def options(self, collection: str) -> Mapping[str, Any] | None:
        self.faults.before("options")
        return self.made_with.get(collection, {}) if collection in self.collections else None

    def _held(self, collection: str) -> list[Document]:
        return list(self.collections.get(collection, {}).values())
