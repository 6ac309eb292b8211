"""One object never stops the others: unreadable, deadly, defective, left out; and what a run says of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.errors import Interrupted, UnreadableObject
from pipeline.load import KEPT_REJECTIONS
from pipeline.model import ObjectRef
from pipeline.report import Limits
from tests.pipeline.fakes import FakeSource
from tests.pipeline.workshop import IICHTE19, Workshop, csv, jsonl, wu_row

GOOD = f"{IICHTE19}.csv"


def shop(**objects: bytes) -> Workshop:
    return Workshop({GOOD: csv(wu_row()), **objects})


def test_a_broken_link_is_named_and_left_for_the_next_run() -> None:
    """The listing already knows: the others load, exit 5, the key and the reason are in the error."""
    work = shop()
    work.source.broken_links = {"a/station_ichtegem_BE_021024.csv", "a/notes.txt"}
    document = work.run("r1").as_document()
    assert (document["exit_code"], document["written"]) == (5, 1)
    assert document["object_counts"] == {"loaded": 1, "unread": 1, "ignored": 1}
    assert "a/station_ichtegem_BE_021024.csv: No such file or directory" in document["hint"]
    work.source.broken_links = set()
    assert work.run("r2").as_document()["exit_code"] == 0


class Silent(FakeSource):
    """A source that answers for no object at all."""

    def open(self, ref: ObjectRef) -> Any:
        self.opened.append(ref.key)
        raise Interrupted(f"{ref.key}: S3 answered 503", "Is S3 reachable from here?")


def test_a_source_that_delivers_nothing_at_all_is_not_asked_for_every_object() -> None:
    """After a few objects in a row the source is what fails: exit 5, not an hour of attempts."""
    work = Workshop()
    work.source = Silent({f"{n}/{IICHTE19}.csv": b"x" for n in range(400)})
    work.source.readers = 1
    document = work.run("r1").as_document()
    assert (document["exit_code"], len(work.source.opened)) == (5, 5)
    assert "S3 answered 503" in document["error"]


class Denying(FakeSource):
    """A source that refuses some objects, and breaks off in the middle of others."""

    def open(self, ref: ObjectRef) -> Any:
        if "denied" in ref.key:
            raise UnreadableObject(f"{ref.key}: S3 answered AccessDenied")
        return super().open(ref)


def test_many_refused_objects_are_counted_and_the_first_are_named() -> None:
    """Hundreds of them: every other one is loaded, the error stays a line."""
    work = Workshop()
    refused = {f"denied/{n:03}_station_ichtegem_BE_011024.csv": b"x" for n in range(300)}
    work.source = Denying({GOOD: csv(wu_row()), **refused})
    document = work.run("r1").as_document()
    assert document["object_counts"] == {"unread": 300, "loaded": 1}
    assert document["hint"].endswith("and 297 more. The next run tries again.")
    assert sum(line.startswith("unread key=") for line in work.said) == 20
    assert "unread more=280" in work.said


def test_an_object_that_a_run_died_of_comes_last_and_alone() -> None:
    """The others are loaded before it is tried again."""
    work = shop(**{"a/station_ichtegem_BE_021024.csv": csv(wu_row())})
    work.source.readers = 1
    ref = work.source.ref("a/station_ichtegem_BE_021024.csv")
    work.run_store.dead = {(ref.key, ref.etag): 1}
    report = work.run("r1")
    assert work.source.opened == [GOOD, ref.key]
    assert report.statuses == {"loaded": 2}


def test_an_object_that_two_runs_died_of_is_quarantined() -> None:
    """It is not opened again in this version, the others load, and the exit code says so."""
    work = shop(**{"a/station_ichtegem_BE_021024.csv": csv(wu_row())})
    ref = work.source.ref("a/station_ichtegem_BE_021024.csv")
    work.run_store.dead = {(ref.key, ref.etag): 2}
    document = work.run("r1").as_document()
    assert work.source.opened == [GOOD]
    assert (document["exit_code"], document["written"]) == (3, 1)
    assert f"{ref.key}: deadly: 2 runs died while it was being read" in document["hint"]
    work.source.objects[ref.key] = csv(wu_row("01:00:00"))
    assert work.run("r2").as_document()["exit_code"] == 0


class Defective(FakeSource):
    """Bytes that make a reader fail in a way that nobody expects."""

    def open(self, ref: ObjectRef) -> Any:
        return super().open(ref) if "defect" not in ref.key else _Failing()


class _Failing:
    def __enter__(self) -> _Failing:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, size: int = -1) -> bytes:
        raise ZeroDivisionError("nobody thought of this")


def test_a_defect_in_reading_one_object_quarantines_that_object() -> None:
    """The place in the code is named, and the others load."""
    work = Workshop()
    work.source = Defective({GOOD: csv(wu_row()), "defect/station_ichtegem_BE_021024.jsonl": b"x" * 2**21})
    document = work.run("r1").as_document()
    assert (document["exit_code"], document["written"]) == (3, 1)
    assert "defect: test_one_object.py:" in document["hint"]
    assert "ZeroDivisionError: nobody thought of this" in document["hint"]


@pytest.mark.parametrize("name", ["x.csv.7z", "x.ods", "folder/x.bak"])
def test_a_station_s_file_of_no_known_format_is_quarantined(name: str) -> None:
    """It is named, not ignored in silence; --exclude leaves it out."""
    key = name.replace("x", "station_ichtegem_BE_021024")
    work = shop(**{key: b"x", "notes.txt": b"x"})
    document = work.run("r1").as_document()
    assert document["object_counts"] == {"loaded": 1, "quarantined": 1, "ignored": 1}
    assert document["exit_code"] == 3
    assert any(line.startswith(f"quarantined key={key} ") for line in work.said)
    document = work.run("r2", exclude=("*.7z", "*.ods", "folder/*")).as_document()
    assert document["object_counts"] == {"skipped": 1, "excluded": 1, "ignored": 1}
    assert document["exit_code"] == 0


def test_when_all_is_quarantined_the_hint_says_why() -> None:
    """The number and the first reasons, not a question about the folder."""
    work = Workshop({"station_nowhere.csv": csv(wu_row()), f"{IICHTE19}.csv.gz": b"\x1f\x8b broken"})
    document = work.run("r1").as_document()
    assert document["error"].startswith("nothing loaded: no reading in memory; 2 objects are quarantined: ")
    assert "station_nowhere.csv: unknown_station" in document["hint"]
    assert f"{IICHTE19}.csv.gz: broken_gzip" in document["hint"]
    assert "folder or prefix" not in document["hint"]


def test_the_reason_is_said_the_second_time_too() -> None:
    """Objects that are skipped bring their reasons; none of them is called loaded."""
    work = Workshop({f"{IICHTE19}.jsonl": jsonl(wu_row("noon"), wu_row("later"))})
    first, second = (work.run(run).as_document() for run in ("r1", "r2"))
    assert first["error"] == second["error"] == "nothing loaded: all 2 rows were refused (bad_time: 2)"
    assert first["object_counts"] == {"refused": 1}
    assert work.said[0].startswith(f"refused key={IICHTE19}.jsonl read=2 rejected=2 reasons=bad_time: 2")


def test_an_object_without_rows_is_not_called_loaded() -> None:
    """Only a header: it is empty, and is not read again."""
    work = shop(**{"a/station_ichtegem_BE_021024.csv": csv()})
    assert work.run("r1").as_document()["object_counts"] == {"loaded": 1, "empty": 1}
    assert work.run("r2").as_document()["object_counts"] == {"skipped": 2}


def test_a_column_that_cannot_be_used_is_not_good() -> None:
    """Four of four values of a field dropped: exit 3 with the field, also when it is skipped later."""
    rows = [wu_row(f"00:0{n}:00", temp="warm") for n in range(4)]
    others = {f"{n:02}/{GOOD}": csv(*[wu_row(f"{n:02}:{m:02}:00") for m in range(60)]) for n in range(1, 20)}
    work = Workshop({f"z/{GOOD}": csv(*rows), **others})
    for run in ("r1", "r2"):
        document = work.run(run).as_document()
        assert document["exit_code"] == 3
        assert "4 values of temperature_c in 4 readings were dropped" in document["error"]
    assert "dropped=4" in next(line for line in work.said if f"key=z/{GOOD}" in line)
    assert work.run("r3", limits=Limits(dropped=1.0)).verdict() is None


def test_rows_that_contradict_each_other_have_a_limit() -> None:
    """Two values for one time in one object: the last stands, the share that is allowed decides."""
    work = Workshop({GOOD: csv(wu_row(temp="50 °F"), wu_row(temp="59 °F"))})
    document = work.run("r1").as_document()
    assert (document["totals"]["inserted"], document["totals"]["conflict"]) == (1, 1)
    assert "1 of 2 rows conflict" in document["error"]
    assert work.run("r2", limits=Limits(conflicts=0.5)).verdict() is None


def test_refused_rows_are_stored_up_to_a_limit_and_all_counted() -> None:
    """A bad file does not fill the database."""
    rows = [wu_row("noon")] * (KEPT_REJECTIONS + 500)
    work = Workshop({GOOD: csv(*rows), f"b/{GOOD}": csv(*rows[:10])})
    document = work.run("r1").as_document()
    assert document["totals"]["rejected"] == KEPT_REJECTIONS + 510
    assert document["kept_rejections"] == len(work.run_store.rejections) == KEPT_REJECTIONS + 10


def test_an_object_that_has_vanished_is_named() -> None:
    """Its readings stay; the run says how to forget it, and that is no failure."""
    work = shop(**{"a/station_ichtegem_BE_021024.csv": csv(wu_row("01:00:00"))})
    work.run("r1")
    del work.source.objects["a/station_ichtegem_BE_021024.csv"]
    document = work.run("r2").as_document()
    assert document["missing"] == {"objects": 1, "keys": ["a/station_ichtegem_BE_021024.csv"]}
    assert document["exit_code"] == 0
    assert any("forecast-etl forget a/station_ichtegem_BE_021024.csv" in line for line in work.said)
    assert len(work.measurements.documents) == 2


def many(count: int) -> Iterator[tuple[str, bytes]]:
    for n in range(count):
        yield f"{n:04}/{IICHTE19}.csv", csv(wu_row(f"{n // 60:02}:{n % 60:02}:00"))


def test_small_objects_share_lines_and_batches() -> None:
    """Five hundred objects of one row: a line a hundred, few inserts, and each has its own counts."""
    work = Workshop(dict(many(500)))
    document = work.run("r1").as_document()
    assert {item["inserted"] for item in document["objects"]} == {1}
    assert len(document["objects"]) == 500
    assert len(work.said) <= 20 + 5
    assert "objects loaded=100 read=100 inserted=100" in work.said
    assert len(work.measurements.calls) <= 8


def test_small_objects_that_hold_the_same_readings_are_told_apart() -> None:
    """Objects of one group that overlap and disagree: the one modified last stands, each is accounted for."""
    work = Workshop({f"{n}/{GOOD}": csv(wu_row(temp=f"{50 + n} °F"), wu_row("01:00:00")) for n in range(9)})
    document = work.run("r1").as_document()
    assert (document["totals"]["inserted"], document["totals"]["duplicate"]) == (2, 16)
    assert work.values()["IICHTE19@2024-09-30T22:04:00Z"]["temperature_c"] == 14.44
    assert document["written"] == document["documents"] == 2
