"""Combines reads with the same first stage and group key: the documents are read once for all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer.verification.plan import Read


@dataclass(frozen=True)
class BatchedRead:
    """One read instead of several: its only row has the rows of each, by name."""

    read: Read
    answers: Mapping[str, Read]


@dataclass
class _Grouping:
    """A grouping of the documents of `start`, and the rest of each read's pipeline."""

    collection: str
    start: Mapping[str, Any]
    group: dict[str, Any]
    tails: list[tuple[Read, list[dict[str, Any]]]] = field(default_factory=list)

    def take(self, read: Read) -> None:
        """Adds a read with the same group key, unless it gives another meaning to a name."""
        wanted = read.pipeline[1]["$group"]
        if all(self.group.get(name, meaning) == meaning for name, meaning in wanted.items()):
            self.group |= wanted
            self.tails.append((read, read.pipeline[2:]))

    def take_count(self, read: Read) -> None:
        """Adds a count of the same documents: it is the sum of the groups."""
        number = next((name for name, meaning in self.group.items() if meaning == {"$sum": 1}), None)
        if number and (read.collection, read.pipeline[0]) == (self.collection, self.start):
            total = {"_id": None, read.pipeline[1]["$count"]: {"$sum": f"${number}"}}
            self.tails.append((read, [{"$group": total}]))

    def joined(self) -> BatchedRead:
        facets = {f"r{n}": tail or [{"$match": {}}] for n, (_, tail) in enumerate(self.tails)}
        pipeline = [dict(self.start), {"$group": self.group}, {"$facet": facets}]
        answers = {f"r{n}": read for n, (read, _) in enumerate(self.tails)}
        return BatchedRead(Read(self.collection, pipeline), answers)


def batches(reads: Sequence[Read]) -> Iterator[BatchedRead]:
    """Batches of two reads or more; the other reads are in none of them."""
    groupings: dict[str, _Grouping] = {}
    for read in reads:
        if [*map(_name, read.pipeline[1:2])] == ["$group"]:
            start, key = read.pipeline[0], read.pipeline[1]["$group"]["_id"]
            alike = _Grouping(read.collection, start, {"_id": key})
            groupings.setdefault(repr((read.collection, start, key)), alike).take(read)
    for grouping in groupings.values():
        for read in reads:
            if [*map(_name, read.pipeline)] == ["$match", "$count"]:
                grouping.take_count(read)
        if len(grouping.tails) > 1:
            yield grouping.joined()


def _name(stage: Mapping[str, Any]) -> str:
    return next(iter(stage))
