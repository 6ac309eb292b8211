"""Reads that begin alike and group alike, made one: the documents are gone through once for all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer.verification.plan import Read


@dataclass(frozen=True)
class BatchedRead:
    """One read in the place of several: in its only row stand, by name, the rows of each."""

    read: Read
    answers: Mapping[str, Read]


@dataclass
class _Grouping:
    """Groups of `start`'s documents, and what each read makes of them."""

    collection: str
    start: Mapping[str, Any]
    group: dict[str, Any]
    tails: list[tuple[Read, list[dict[str, Any]]]] = field(default_factory=list)

    def take(self, read: Read) -> None:
        """A grouping by the same key; it stays alone where it gives another meaning to a name."""
        wanted = read.pipeline[1]["$group"]
        if all(self.group.get(name, meaning) == meaning for name, meaning in wanted.items()):
            self.group |= wanted
            self.tails.append((read, read.pipeline[2:]))

    def take_count(self, read: Read) -> None:
        """A count of the same documents is the sum of the groups, where these are counted."""
        number = next((name for name, meaning in self.group.items() if meaning == {"$sum": 1}), None)
        if number and (read.collection, read.pipeline[0]) == (self.collection, self.start):
            total = {"_id": None, read.pipeline[1]["$count"]: {"$sum": f"${number}"}}
            self.tails.append((read, [{"$group": total}]))

    def joined(self) -> BatchedRead:
        facets = {f"r{n}": tail or [{"$match": {}}] for n, (_, tail) in enumerate(self.tails)}
        pipeline = [dict(self.start), {"$group": self.group}, {"$facet": facets}]
        answers = {f"r{n}": read for n, (read, _) in enumerate(self.tails)}
        return BatchedRead(Read(self.collection, pipeline), answers)


def passes(reads: Sequence[Read]) -> Iterator[BatchedRead]:
    """Of two reads or more each; what can be joined with nothing is in none of them."""
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
