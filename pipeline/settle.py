"""Brings a batch of documents into the collection and says, row by row, what that meant.

Verdicts, the only ones there are:
- inserted: the reading was not there (or is there from an earlier attempt of this very run at this very row);
- replaced: an earlier run had other values for it, and this row is newer;
- unchanged: an earlier run had it from this object, with the same values;
- duplicate: another row, of this run or of another object, stands for the reading already.

Of two rows that disagree the newer one's values stand, whatever the order of arrival: another version of the
same object beats the version that wrote the document; within one version the later row wins; between objects
the one modified last, then the greater key.

Inserting first is fastest when the readings are new, looking first when they are there: each batch goes the
way that suited the batch before it. Without a majority a primary slows writers down, vain inserts too, so
then each batch is looked up. Every step may be repeated after an interruption without doubling or losing a
row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """`write`: what to store in place of the old document; `restamp`: only its source's version changes.

    `corrects`: a row counted as unchanged before was a duplicate of this one. `takes_over`: the reading was
    another object's before.
    """

    verdict: Verdict
    write: Document | None = None
    restamp: bool = False
    corrects: bool = False
    takes_over: bool = False


def judge(new: Document, old: Document) -> Judgement:
    """What a row means for a reading that is there. Both documents are complete; neither is changed."""
    mine, theirs = new["source"], old.get("source") or {}
    equal = {**old, "run_id": new["run_id"], "source": mine} == new
    ours = old.get("run_id") == new["run_id"]
    same_object = theirs.get("object") == mine["object"]
    same_version = same_object and theirs.get("etag") == mine["etag"]
    same_row = same_version and theirs.get("position") == mine["position"]
    if ours:
        if same_row:
            return Judgement(Verdict.INSERTED, None if equal else new)
        return Judgement(Verdict.DUPLICATE, new if not equal and _newer(mine, theirs) else None)
    if equal:
        if same_row:
            return Judgement(Verdict.UNCHANGED)
        if same_object and not same_version:
            same_place = theirs.get("position") == mine["position"]
            moved = None if same_place else {**new, "run_id": old["run_id"]}
            return Judgement(Verdict.UNCHANGED, moved, restamp=same_place)
        return Judgement(Verdict.DUPLICATE)
    if not _newer(mine, theirs):
        return Judgement(Verdict.DUPLICATE)
    return Judgement(
        Verdict.REPLACED, new, corrects=same_version and not same_row, takes_over=not same_object
    )


def _newer(mine: Document, theirs: Document) -> bool:
    if mine["object"] == theirs.get("object"):
        return mine["etag"] != theirs.get("etag") or bool(mine["position"] >= theirs.get("position", 0))
    ranks = [(source.get("modified") or _LONG_AGO, source.get("object") or "") for source in (mine, theirs)]
    return bool(ranks[0] > ranks[1])


_INSERTED, _UNCHANGED = Judgement(Verdict.INSERTED), Judgement(Verdict.UNCHANGED)


@dataclass(slots=True)
class _Batch:
    """A batch on its way: rows still to settle, by id, and what was sent for rows whose outcome is open."""

    todo: dict[str, Measurement]
    tally: Tally = field(default_factory=Tally)
    sent: dict[str, Judgement] = field(default_factory=dict)

    def settle(self, ids: list[str], judgement: Judgement) -> None:
        """Rows that are done with: they mean this, or what an earlier attempt sent for them."""
        if self.sent:
            for id_ in ids:
                self._count(self.sent.get(id_, judgement), 1)
        else:
            self._count(judgement, len(ids))
        if len(ids) == len(self.todo):
            self.todo.clear()
        else:
            for id_ in ids:
                del self.todo[id_]

    def _count(self, judgement: Judgement, rows: int) -> None:
        setattr(self.tally, judgement.verdict, getattr(self.tally, judgement.verdict) + rows)
        self.tally.taken_over += rows * judgement.takes_over
        if judgement.corrects:
            self.tally.unchanged -= rows
            self.tally.duplicate += rows


class Settler:
    """Settles batches; may be used from several threads and processes on one collection at once."""

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

    def settle(self, measurements: Sequence[Measurement]) -> Tally:
        """Store a batch in the order of its rows; counts without `read`.

        Raises MongoError, and StoreInterrupted when the interruption outlasts the patience.
        """
        batch = _without_repetitions(measurements)
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
        return batch.tally

    def _work_off(self, batch: _Batch, *, look: bool) -> int:
        """Rounds of look, insert and replace until no row is open; how many readings were there before."""
        met = 0
        for _ in range(_ROUNDS):
            if not batch.todo:
                return met
            old = self._measurements.find(list(batch.todo)) if look else {}
            met = max(met, len(old))
            changes = self._judge(batch, old)
            self._insert(batch, [row for id_, row in batch.todo.items() if id_ not in old])
            self._replace(batch, changes)
            look = True
        raise MongoError(
            f"{len(batch.todo)} readings kept changing under this run, {next(iter(batch.todo))} for one",
            "Is another program writing the same readings? Stop it and run again.",
        )

    def _judge(self, batch: _Batch, old: dict[str, bytes]) -> list[tuple[str, Document, Judgement]]:
        """Settle what needs no writing; the rest with the old document that it is to take the place of.

        Of rows whose values are the same bytes it only matters where the stored one comes from: what that
        means is judged once for each run and object that is met.
        """
        changes: list[tuple[str, Document, Judgement]] = []
        judged: list[tuple[Judgement, list[str]]] = []
        like: dict[tuple[bytes, bool], list[str]] = {}
        for id_, stored in old.items():
            row = batch.todo[id_]
            stamp = row.stamp_in(stored)
            if stamp and (same := like.get(stamp)):
                same.append(id_)
                continue
            new, there = row.document(), bson.decode(stored)
            judgement = judge(new, there)
            if judgement.write is not None:
                changes.append((id_, there, judgement))
                continue
            judged.append((judgement, [id_]))
            if stamp and new.keys() == there.keys():
                like[stamp] = judged[-1][1]
        for judgement, ids in judged:
            if not judgement.restamp:
                batch.settle(ids, judgement)
        self._restamp(batch, [id_ for judgement, ids in judged if judgement.restamp for id_ in ids])
        return changes

    def _restamp(self, batch: _Batch, ids: list[str]) -> None:
        if ids and self._measurements.restamp(ids, batch.todo[ids[0]].document()["source"]) == len(ids):
            batch.settle(ids, _UNCHANGED)

    def _insert(self, batch: _Batch, fresh: list[Measurement]) -> None:
        if fresh:
            there = self._measurements.insert(fresh)
            batch.settle([row.id for row in fresh if row.id not in there], _INSERTED)

    def _replace(self, batch: _Batch, changes: list[tuple[str, Document, Judgement]]) -> None:
        if not changes:
            return
        for id_, _, judgement in changes:
            batch.sent.setdefault(id_, judgement)
        written = self._measurements.replace(
            [(there, judgement.write) for _, there, judgement in changes if judgement.write is not None]
        )
        if written == len(changes):
            for id_, _, judgement in changes:
                batch.settle([id_], judgement)


def _without_repetitions(measurements: Sequence[Measurement]) -> _Batch:
    """Rows of one batch with one id each.

    Equal ones count as duplicates of the first, else the last one stands.
    """
    batch = _Batch({row.id: row for row in measurements})
    if len(batch.todo) == len(measurements):
        return batch
    batch.todo.clear()
    for row in measurements:
        first = batch.todo.setdefault(row.id, row)
        if first is row:
            continue
        batch.tally.duplicate += 1
        if first.values != row.values:
            batch.todo[row.id] = row
    return batch
