"""Brings a batch of documents into the collection and says, row by row, what that meant.

Verdicts, the only ones there are:
- inserted: the reading was not there (or is there from an earlier attempt of this very run at this very row);
- replaced: an earlier run had other values for it, and this row is newer;
- unchanged: an earlier run had it from this object, with the same values;
- duplicate: another row, of this run or of another object, stands for the reading already;
- conflict: another row of the same version of the same object stands for it, with other values.

Of two rows that disagree the newer one's values stand, whatever the order of arrival: another version of the
same object beats the version that wrote the document; within one version the later row wins; between objects
the one modified last, then the greater key.

Inserting first is fastest when the readings are new, looking first when they are there: each batch does what
suited the batch before it. Without a majority a primary slows writers down, vain inserts too, so
then each batch is looked up. Every step may be repeated after an interruption without doubling or losing a
row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import bson
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pipeline.errors import MongoError, StoreInterrupted
from pipeline.measurement import Measurement
from pipeline.model import Document, Tally
from pipeline.ports import Measurements

_LOOK_FIRST_FROM = 0.2
_ROUNDS = 50
_LONG_AGO = datetime(1, 1, 1)  # noqa: DTZ001 - naive UTC, as everywhere in this package


class Verdict(StrEnum):
    INSERTED = "inserted"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Decision:
    """`write`: what to store in place of the old document; `restamp`: only its source's version changes.

    `corrects`: a row counted as unchanged before conflicts with this one. `takes_over`: the reading was
    another object's before.
    """

    verdict: Verdict
    write: Document | None = None
    restamp: bool = False
    corrects: bool = False
    takes_over: bool = False


def decide(new: Document, old: Document) -> Decision:
    """What a row means for a reading that is there. Both documents are complete; neither is changed."""
    mine, theirs = new["source"], old.get("source") or {}
    equal = {**old, "run_id": new["run_id"], "source": mine} == new
    ours = old.get("run_id") == new["run_id"]
    same_object = theirs.get("object") == mine["object"]
    same_version = same_object and theirs.get("etag") == mine["etag"]
    same_row = same_version and theirs.get("position") == mine["position"]
    second = Verdict.CONFLICT if same_version and not same_row and not equal else Verdict.DUPLICATE
    if ours:
        if same_row or (same_object and not same_version):
            return Decision(Verdict.INSERTED, None if equal and same_row else new)
        return Decision(second, new if not equal and _newer(mine, theirs) else None)
    if equal:
        if same_row:
            return Decision(Verdict.UNCHANGED)
        if same_object and not same_version:
            same_place = theirs.get("position") == mine["position"]
            moved = None if same_place else {**new, "run_id": old["run_id"]}
            return Decision(Verdict.UNCHANGED, moved, restamp=same_place)
        return Decision(Verdict.DUPLICATE)
    if not _newer(mine, theirs):
        return Decision(second)
    return Decision(Verdict.REPLACED, new, corrects=same_version and not same_row, takes_over=not same_object)


def _newer(mine: Document, theirs: Document) -> bool:
    if mine["object"] == theirs.get("object"):
        return mine["etag"] != theirs.get("etag") or bool(mine["position"] >= theirs.get("position", 0))
    ranks = [(source.get("modified") or _LONG_AGO, source.get("object") or "") for source in (mine, theirs)]
    return bool(ranks[0] > ranks[1])


_INSERTED, _UNCHANGED = Decision(Verdict.INSERTED), Decision(Verdict.UNCHANGED)


@dataclass(slots=True)
class _Batch:
    """A batch on its way: rows still to write, by id, and what was sent for rows whose outcome is open.

    `tallies` are of the parts; `part_of` says which part a row belongs to, where there are several.
    """

    todo: dict[str, Measurement]
    tallies: list[Tally]
    part_of: dict[str, int]
    sent: dict[str, Decision] = field(default_factory=dict)

    def finish(self, ids: list[str], decision: Decision) -> None:
        """Rows that are done with: they mean this, or what an earlier attempt sent for them."""
        if self.sent:
            for id_ in ids:
                self._count([id_], self.sent.get(id_, decision))
        else:
            self._count(ids, decision)
        if len(ids) == len(self.todo):
            self.todo.clear()
        else:
            for id_ in ids:
                del self.todo[id_]

    def of_one_object(self, ids: list[str]) -> Iterator[list[str]]:
        """The same rows, those of each part together."""
        if not self.part_of:
            yield ids
            return
        parts: dict[int, list[str]] = {}
        for id_ in ids:
            parts.setdefault(self.part_of[id_], []).append(id_)
        yield from parts.values()

    def _count(self, ids: list[str], decision: Decision) -> None:
        for part in self.of_one_object(ids):
            if part:
                _add(self.tallies[self.part_of.get(part[0], 0)], decision, len(part))


def _add(tally: Tally, decision: Decision, rows: int) -> None:
    setattr(tally, decision.verdict, getattr(tally, decision.verdict) + rows)
    tally.taken_over += rows * decision.takes_over
    if decision.corrects:
        tally.unchanged -= rows
        tally.conflict += rows


class Upserter:
    """Writes batches; may be used from several threads and processes on one collection at once."""

    def __init__(
        self,
        measurements: Measurements,
        sleep: Callable[[float], None],
        patience_s: float = 90.0,
    ) -> None:
        self._measurements = measurements
        self._sleep = sleep
        self._patience_s = patience_s
        self._look_first = True

    @property
    def degraded(self) -> bool:
        return self._measurements.degraded

    def write(self, parts: Sequence[Sequence[Measurement]]) -> list[Tally]:
        """Store a batch; for each part, the rows of one object in their order, its counts without `read`.

        No reading may be in two parts.

        Raises MongoError, and StoreInterrupted when the interruption outlasts the patience.
        """
        batch = _batch(parts)
        size, look = len(batch.todo), self._look_first or self.degraded
        met = 0
        for attempt in Retrying(
            retry=retry_if_exception_type(StoreInterrupted),
            wait=wait_random_exponential(0.2, max=5),
            stop=stop_after_delay(self._patience_s),
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                look = look or attempt.retry_state.attempt_number > 1
                met = self._work_off(batch, look=look)
        if size:
            self._look_first = met / size >= _LOOK_FIRST_FROM
        return batch.tallies

    def _work_off(self, batch: _Batch, *, look: bool) -> int:
        """Rounds of look, insert and replace until no row is open; how many readings were there before."""
        met = 0
        for _ in range(_ROUNDS):
            if not batch.todo:
                return met
            old = self._measurements.find(list(batch.todo)) if look else {}
            met = max(met, len(old))
            changes = self._decide(batch, old)
            self._insert(batch, [row for id_, row in batch.todo.items() if id_ not in old])
            self._replace(batch, changes)
            look = True
        raise MongoError(
            f"{len(batch.todo)} readings kept changing under this run, {next(iter(batch.todo))} for one",
            "Is another program writing the same readings? Stop it and run again.",
        )

    def _decide(self, batch: _Batch, old: dict[str, bytes]) -> list[tuple[str, Document, Decision]]:
        """Finish what needs no writing; the rest with the old document that it is to take the place of.

        Of rows whose values are the same bytes it only matters where the stored one comes from: what that
        means is decided once for each run and object that is met.
        """
        changes: list[tuple[str, Document, Decision]] = []
        decided: list[tuple[Decision, list[str]]] = []
        like: dict[tuple[bytes, bool, int], list[str]] = {}
        for id_, stored in old.items():
            row = batch.todo[id_]
            stamp = row.stamp_in(stored)
            seen = (*stamp, batch.part_of.get(id_, 0)) if stamp else None
            if seen and (same := like.get(seen)):
                same.append(id_)
                continue
            new, there = row.document(), bson.decode(stored)
            decision = decide(new, there)
            if decision.write is not None:
                changes.append((id_, there, decision))
                continue
            decided.append((decision, [id_]))
            if seen and new.keys() == there.keys():
                like[seen] = decided[-1][1]
        for decision, ids in decided:
            if not decision.restamp:
                batch.finish(ids, decision)
        self._restamp(batch, [id_ for decision, ids in decided if decision.restamp for id_ in ids])
        return changes

    def _restamp(self, batch: _Batch, ids: list[str]) -> None:
        for part in batch.of_one_object(ids):
            if part and self._measurements.restamp(part, batch.todo[part[0]].document()["source"]) == len(
                part
            ):
                batch.finish(part, _UNCHANGED)

    def _insert(self, batch: _Batch, fresh: list[Measurement]) -> None:
        if fresh:
            there = self._measurements.insert(fresh)
            batch.finish([row.id for row in fresh if row.id not in there], _INSERTED)

    def _replace(self, batch: _Batch, changes: list[tuple[str, Document, Decision]]) -> None:
        if not changes:
            return
        for id_, _, decision in changes:
            batch.sent.setdefault(id_, decision)
        written = self._measurements.replace(
            [(there, decision.write) for _, there, decision in changes if decision.write is not None]
        )
        if written == len(changes):
            for id_, _, decision in changes:
                batch.finish([id_], decision)


def _batch(parts: Sequence[Sequence[Measurement]]) -> _Batch:
    """The rows of all parts, those of one part with one id each."""
    batch = _Batch({}, [Tally() for _ in parts], {})
    for number, rows in enumerate(parts):
        once = {row.id: row for row in rows}
        if len(once) < len(rows):
            once = _without_repetitions(rows, batch.tallies[number])
        if len(parts) == 1:
            batch.todo = once
        else:
            batch.todo |= once
            batch.part_of |= dict.fromkeys(once, number)
    return batch


def _without_repetitions(rows: Sequence[Measurement], tally: Tally) -> dict[str, Measurement]:
    """Rows of one object with one id each: equal ones are duplicates of the first.

    Of rows that conflict the last one stands.
    """
    once: dict[str, Measurement] = {}
    for row in rows:
        first = once.setdefault(row.id, row)
        if first is row:
            continue
        if first.values == row.values:
            tally.duplicate += 1
        else:
            tally.conflict += 1
            once[row.id] = row
    return once
