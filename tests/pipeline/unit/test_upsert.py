"""Batches into the collection: verdicts, conflicts, interruptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from pipeline.errors import MongoError, StoreInterrupted
from pipeline.model import Document
from pipeline.upsert import Upserter
from tests.pipeline.fakes import NOON, FakeMeasurements
from tests.pipeline.workshop import measurement


def reading(minute: int = 0, value: float = 1.0, run: str = "r1", **source: Any) -> Document:
    moment = NOON + timedelta(minutes=minute)
    where = {"object": "a.csv", "etag": "v1", "modified": NOON, "position": minute + 1, **source}
    return {
        "_id": f"S@{moment.isoformat()}Z", "station_id": "S", "timestamp": moment, "temperature_c": value,
        "run_id": run, "source": where,
    }  # fmt: skip


def write(store: FakeMeasurements, *batches: Sequence[Document]) -> dict[str, int]:
    """The counts of some batches, one after the other; counts of zero, and of those taken over, left out."""
    upserter = Upserter(store, sleep=lambda _: None)
    counts: dict[str, int] = {}
    for batch in batches:
        for name, count in upserter.write([[measurement(row) for row in batch]])[0].as_dict().items():
            counts[name] = counts.get(name, 0) + count
    return {name: count for name, count in counts.items() if count and name != "taken_over"}


def value(store: FakeMeasurements, minute: int = 0) -> Any:
    return store.documents[reading(minute)["_id"]]["temperature_c"]


def test_new_readings_are_inserted() -> None:
    """Nothing there: all inserted."""
    assert write(FakeMeasurements(), [reading(n) for n in range(5)]) == {"inserted": 5}


def test_the_same_rows_in_a_later_run_are_unchanged_and_nothing_is_written() -> None:
    """A second run over the same object changes no document."""
    store = FakeMeasurements()
    write(store, [reading(n) for n in range(5)])
    before = dict(store.documents)
    assert write(store, [reading(n, run="r2") for n in range(5)]) == {"unchanged": 5}
    assert store.documents == before


def test_a_copy_in_another_object_is_a_duplicate_in_every_run() -> None:
    """The object that wrote the reading stands for it, whichever run looks."""
    store = FakeMeasurements()
    write(store, [reading()])
    for run in ("r1", "r2"):
        assert write(store, [reading(run=run, object="b.csv")]) == {"duplicate": 1}


@pytest.mark.parametrize(
    "correction",
    [
        {"etag": "v2"},
        {"etag": "v2", "position": 9, "modified": NOON - timedelta(days=9)},
        {"object": "b.csv", "modified": NOON + timedelta(seconds=1)},
        {"object": "b.csv"},
    ],
    ids=["new version", "new version elsewhere", "newer object", "greater key"],
)
def test_a_correction_replaces(correction: dict[str, Any]) -> None:
    """Other values from a newer source take the place of the old ones, and carry the new run and source."""
    store = FakeMeasurements()
    write(store, [reading()])
    corrected = reading(value=2.0, run="r2", **correction)
    assert write(store, [corrected]) == {"replaced": 1}
    assert store.documents[corrected["_id"]] == corrected


def test_an_older_object_does_not_undo_a_correction() -> None:
    """Bulletins out of order converge: the older one that comes later counts as a duplicate."""
    store = FakeMeasurements()
    write(store, [reading(value=2.0, object="b.csv", modified=NOON)])
    late = reading(value=1.0, run="r2", object="a.csv", modified=NOON - timedelta(hours=1))
    assert write(store, [late]) == {"duplicate": 1}
    assert value(store) == 2.0


def test_bulletins_converge_in_every_order() -> None:
    """Three objects that disagree leave the same values and one reading, in each order of arrival."""
    rows = [reading(value=float(n), object=f"{n}.csv", modified=NOON + timedelta(n % 2)) for n in range(3)]
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)):
        store = FakeMeasurements()
        assert write(store, *[[rows[n]] for n in order]) == {"inserted": 1, "duplicate": 2}
        assert value(store) == 1.0


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_of_two_rows_of_one_object_the_last_stands(*, together: bool) -> None:
    """Within an object the later row wins; the other is a conflict, also when the object is read again."""
    store = FakeMeasurements()
    for run, expected in (("r1", {"inserted": 1, "conflict": 1}), ("r2", {"unchanged": 1, "conflict": 1})):
        rows = [reading(value=1.0, run=run), reading(value=2.0, run=run, position=7)]
        assert write(store, *([rows] if together else [[row] for row in rows])) == expected
        assert value(store) == 2.0


def test_equal_rows_twice_in_an_object_count_once() -> None:
    """A doubled row is one reading, at its first place, in the first and in every later run."""
    store = FakeMeasurements()
    for run, expected in (("r1", "inserted"), ("r2", "unchanged")):
        assert write(store, [reading(run=run)], [reading(run=run, position=7)]) == {
            expected: 1,
            "duplicate": 1,
        }


def test_a_new_version_of_an_object_takes_its_readings_over() -> None:
    """Equal values of a new version stay of their run but name the version that exists."""
    store = FakeMeasurements()
    write(store, [reading()])
    again = [reading(run="r2", etag="v2", position=5)], [reading(run="r2", etag="v2", position=6)]
    assert write(store, *again) == {"unchanged": 1, "duplicate": 1}
    (document,) = store.documents.values()
    assert (document["run_id"], document["source"]["etag"], document["source"]["position"]) == ("r1", "v2", 5)


def test_readings_that_kept_their_place_in_a_new_version_are_restamped_together() -> None:
    """A new version that repeats a reading in its place only moves the version's name.

    A repetition is found.
    """
    store = FakeMeasurements()
    write(store, [reading(n) for n in range(3)])
    again = [reading(n, run="r2", etag="v2") for n in range(3)], [reading(run="r2", etag="v2", position=9)]
    store.calls.clear()
    assert write(store, *again) == {"unchanged": 3, "duplicate": 1}
    assert store.calls == ["find", "restamp", "find"]
    assert {item["source"]["etag"] for item in store.documents.values()} == {"v2"}
    assert {item["run_id"] for item in store.documents.values()} == {"r1"}


def test_a_correction_appended_to_a_growing_object_counts_once() -> None:
    """The old row is repeated in the new version, the correction follows: one replaced, one conflict."""
    store = FakeMeasurements()
    write(store, [reading()])
    grown = [reading(run="r2", etag="v2")], [reading(run="r2", etag="v2", value=2.0, position=9)]
    assert write(store, *grown) == {"replaced": 1, "conflict": 1}
    assert value(store) == 2.0


def test_a_row_that_this_run_has_already_written_counts_as_inserted() -> None:
    """A run that is started again under its id, or a task that runs again, gives the same report."""
    store = FakeMeasurements()
    for _ in range(2):
        assert write(store, [reading(n) for n in range(3)]) == {"inserted": 3}


@pytest.mark.parametrize("failures", range(1, 8))
def test_interruptions_lose_and_double_nothing(failures: int) -> None:
    """Calls that fail before or after their effect are repeated: same documents, same counts."""
    store = FakeMeasurements()
    write(store, [reading(n) for n in range(4)])
    store.interrupt = failures
    batch = [
        *(reading(n, run="r2") for n in range(2)),
        *(reading(n, run="r2", value=5.0, etag="v2") for n in range(2, 4)),
        *(reading(n, run="r2") for n in range(4, 6)),
    ]
    assert write(store, batch) == {"unchanged": 2, "replaced": 2, "inserted": 2}
    assert [value(store, n) for n in range(6)] == [1.0, 1.0, 5.0, 5.0, 1.0, 1.0]


@pytest.mark.parametrize(("object_", "taken_over"), [("a.csv", 0), ("b.csv", 1)])
def test_a_reading_taken_over_is_counted_once(object_: str, taken_over: int) -> None:
    """A correction from another object replaces, but the reading stays in the count of the first."""
    store = FakeMeasurements()
    first = Upserter(store, sleep=lambda _: None).write([[measurement(reading(object="a.csv"))]])[0]
    corrected = reading(value=2.0, run="r2", object=object_, etag="v2", modified=NOON + timedelta(days=1))
    tally = Upserter(store, sleep=lambda _: None).write([[measurement(corrected)]])[0]
    assert (tally.replaced, tally.taken_over) == (1, taken_over)
    assert first.documents + tally.documents == 2 - taken_over


def test_an_interruption_that_does_not_end_is_an_error() -> None:
    """Patience is bounded."""
    store = FakeMeasurements()
    store.interrupt = 10**9
    with pytest.raises(StoreInterrupted):
        Upserter(store, sleep=lambda _: None, patience_s=0.0).write([[measurement(reading())]])


def test_two_writers_of_the_same_reading_do_not_both_replace_it() -> None:
    """A reading that changes between the look and the write is looked at again."""

    class Rival(FakeMeasurements):
        rivals = 1

        def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
            if self.rivals:
                self.rivals = 0
                rival = reading(value=3.0, run="r2", object="z.csv", modified=NOON + timedelta(days=1))
                self.documents[rival["_id"]] = rival
            return super().replace(changes)

    store = Rival()
    write(store, [reading()])
    assert write(store, [reading(value=2.0, run="r2", object="b.csv")]) == {"replaced": 1}
    assert value(store) == 3.0


def test_readings_that_keep_changing_are_an_error() -> None:
    """Another writer at the same readings is reported after a bounded number of rounds."""

    class Restless(FakeMeasurements):
        def replace(self, changes: Sequence[tuple[Document, Document]]) -> int:
            return 0

    store = Restless()
    write(store, [reading()])
    with pytest.raises(MongoError, match="kept changing"):
        write(store, [reading(value=2.0, run="r2", etag="v2")])


def test_known_readings_are_looked_up_before_they_are_written() -> None:
    """After a batch that was there already no insert is tried in vain; after a new one no look is wasted."""
    store = FakeMeasurements()
    fresh = [[reading(n * 10 + m) for m in range(10)] for n in range(3)]
    write(store, *fresh)
    assert store.calls == ["find", "insert", "insert", "insert"]
    store.calls.clear()
    write(store, *fresh)
    assert store.calls == ["find", "find", "find"]
