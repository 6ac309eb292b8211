"""Whole runs over fakes: accounting, skipping, quarantine, verdicts."""

from __future__ import annotations

import signal
from datetime import timedelta

import orjson
import pytest

from pipeline.errors import Stopped, StoreInterrupted
from pipeline.model import Tally
from pipeline.report import Limits, RunReport, last_line
from tests.pipeline.fakes import NOON
from tests.pipeline.workshop import IICHTE19, Workshop, answer, csv, hour, jsonl, wu_row

TIMES = [f"00:{minute:02}:00" for minute in range(4, 60, 5)]
DAY = jsonl(wu_row(None) | dict.fromkeys(wu_row()), *[wu_row(time) for time in TIMES])


def shop() -> Workshop:
    return Workshop(
        {
            f"{IICHTE19}.jsonl": DAY,
            f"copy/{IICHTE19}.csv": csv(*[wu_row(time) for time in TIMES]),
            "infoclimat.json": orjson.dumps(answer(hour("07015", "2024-10-05 00:00:00"))),
            "README.md": b"not data",
        }
    )


def counts(report: RunReport) -> dict[str, int]:
    return {name: count for name, count in report.total.as_dict().items() if count}


def test_a_run_loads_everything_once_and_accounts_for_it() -> None:
    """Copies are duplicates, blank rows are outside the accounting, other files are ignored by name."""
    work = shop()
    report = work.run("r1")
    assert counts(report) == {"read": 25, "inserted": 13, "duplicate": 12}
    assert report.blank == 1
    assert report.statuses == {"loaded": 3, "ignored": 1}
    assert len(work.measurements.documents) == 13
    document = report.as_document()
    assert (document["status"], document["exit_code"]) == ("succeeded", 0)
    assert document["written"] == document["documents"] == document["measurements"] == 13
    assert document["stations"] == ["07015", "IICHTE19"]
    assert work.run_store.runs["r1"] == document
    assert set(work.run_store.stations) == {"07015", "IICHTE19"}


def test_each_object_and_the_whole_balance() -> None:
    """read = inserted + replaced + unchanged + duplicate + rejected, for each object and in total."""
    work = shop()
    work.source.objects["bad_ichtegem.jsonl"] = b"x\n" * 9
    document = work.run("r1").as_document()
    total = Tally()
    for item in document["objects"]:
        assert Tally.from_dict(item).balanced
        total.add(Tally.from_dict(item))
    assert total == Tally.from_dict(document["totals"])
    assert total.balanced


def test_a_second_run_reads_nothing_and_can_still_be_verified() -> None:
    """Skipped objects bring the counts of their load as `previous`; the run itself wrote nothing."""
    work = shop()
    work.run("r1")
    work.source.opened.clear()
    document = work.run("r2").as_document()
    assert work.source.opened == []
    assert document["object_counts"] == {"skipped": 3, "ignored": 1}
    assert document["exit_code"] == 0
    assert (document["written"], document["documents"], document["measurements"]) == (0, 13, 13)
    skipped = next(item for item in document["objects"] if item["status"] == "skipped")
    assert skipped["read"] == 0
    assert skipped["previous"]["read"] > 0
    assert document["last_timestamp"] is not None


def test_a_second_attempt_of_a_run_accounts_for_both() -> None:
    """What the first attempt had closed is this run's own: the report says what carries the run's id."""
    work = shop()
    whole = dict(work.source.objects)
    work.source.objects = dict(list(whole.items())[:2])
    work.run("r1")
    work.run_store.runs["r1"]["status"] = "running"  # as a run leaves it that dies
    work.source.objects = whole
    document = work.run("r1").as_document()
    ours = [held for held in work.measurements.documents.values() if held["run_id"] == "r1"]
    assert document["written"] == document["documents"] == len(ours) == 13
    assert document["previous"]["read"] == 0


def test_a_doubted_run_reads_everything_again() -> None:
    """A run that had succeeded and is asked for again restores what was lost since, and reports the same."""
    work = shop()
    before = work.run("r1").as_document()
    whole = dict(work.measurements.documents)
    del work.measurements.documents[next(iter(whole))]
    document = work.run("r1").as_document()
    assert work.measurements.documents == whole
    assert (document["written"], document["totals"]) == (before["written"], before["totals"])


def test_full_reads_again_and_changes_nothing() -> None:
    """With --full every reading is unchanged, every copy a duplicate, and no document differs."""
    work = shop()
    work.run("r1")
    before = dict(work.measurements.documents)
    assert counts(work.run("r2", full=True)) == {"read": 25, "unchanged": 13, "duplicate": 12}
    assert work.measurements.documents == before


def test_a_changed_object_is_read_again() -> None:
    """Another etag: one corrected reading is replaced, the others stay, and untouched objects are skipped."""
    work = shop()
    work.run("r1")
    rows = [wu_row(time, temp="59 °F" if time == TIMES[3] else "56.8 °F") for time in TIMES]
    key = next(iter(work.measurements.documents.values()))["source"]["object"]
    work.source.objects[key] = csv(*rows) if key.endswith("csv") else jsonl(*rows)
    report = work.run("r2")
    assert counts(report) == {"read": 12, "replaced": 1, "unchanged": 11}
    assert report.statuses["skipped"] == 2
    assert work.values()["IICHTE19@2024-09-30T22:19:00Z"]["temperature_c"] == 15.0


@pytest.mark.parametrize("objects", [{}, {"README.md": b"x"}, {f"{IICHTE19}.jsonl": b""}])
def test_an_empty_source_is_not_a_success(objects: dict[str, bytes]) -> None:
    """Never a silent zero: nothing loaded exits 3 and says so."""
    document = Workshop(objects).run("r1").as_document()
    assert (document["status"], document["exit_code"]) == ("failed", 3)
    assert "nothing loaded" in document["error"]


def test_refused_rows_are_kept_with_reason_and_place() -> None:
    """A refused row is kept, and the share that is allowed decides about the exit code."""
    work = Workshop({f"{IICHTE19}.jsonl": jsonl(*[wu_row(time) for time in TIMES], wu_row("noon"))})
    report = work.run("r1", limits=Limits(0.5))
    assert report.verdict() is None
    ((run_id, refused),) = work.run_store.rejections.values()
    assert (run_id, refused.reason, refused.position, refused.row["Time"]) == ("r1", "bad_time", 13, "noon")
    verdict = Workshop(work.source.objects).run("r1", limits=Limits(0.05)).verdict()
    assert verdict is not None
    assert verdict.exit_code == 3
    assert "1 of 13 rows were refused" in verdict.message
    assert "bad_time: 1" in verdict.message


def test_a_broken_object_is_quarantined_and_the_others_load() -> None:
    """What could be read of it stands, it is named with its reason, exit 3, and it is tried again."""
    work = shop()
    work.source.objects["zz/station_ichtegem_BE_021024.jsonl"] = jsonl(wu_row()) + b'{"\xff'
    report = work.run("r1")
    broken = next(item for item in report.objects.values() if item["status"] == "quarantined")
    assert broken["key"] == "zz/station_ichtegem_BE_021024.jsonl"
    assert broken["error"].startswith("not_utf8: line 2")
    assert broken["inserted"] == 1
    assert counts(report)["inserted"] == 14
    assert report.as_document()["exit_code"] == 3
    work.source.objects[broken["key"]] = jsonl(wu_row())
    assert work.run("r2").as_document()["exit_code"] == 0


def test_an_object_of_which_no_row_is_a_record_is_quarantined() -> None:
    """A text file under a known name is reported as such, not as a thousand bad rows alone."""
    work = shop()
    work.source.objects["letter_ichtegem.jsonl"] = b"Dear Sir,\nhere is some text.\n"
    report = work.run("r1")
    assert report.statuses["quarantined"] == 1
    assert report.total.balanced


def test_an_object_that_cannot_be_read_is_named_and_the_others_load() -> None:
    """Exit 5; all others are loaded, and the next run completes it."""
    work = shop()
    work.source.unreadable = {"infoclimat.json"}
    document = work.run("r1").as_document()
    assert document["exit_code"] == 5
    assert "infoclimat.json" in document["error"]
    work.source.unreadable = set()
    document = work.run("r2").as_document()
    assert document["object_counts"] == {"skipped": 2, "loaded": 1, "ignored": 1}
    assert (document["exit_code"], document["documents"]) == (0, 13)


def test_a_database_that_goes_away_for_good_ends_the_run() -> None:
    """Exit 4, and the report is there all the same."""
    work = shop()

    def gone(refs: object) -> None:
        raise StoreInterrupted("no primary")

    work.run_store.loaded = gone  # type: ignore[method-assign, assignment]
    document = work.run("r1").as_document()
    assert (document["exit_code"], document["status"]) == (4, "failed")


def test_a_signal_to_stop_is_not_taken_for_a_broken_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM in a library whose exceptions mean a damaged file: the run ends and refuses nothing."""

    class Interrupted:
        @staticmethod
        def from_filelike(_content: object) -> None:
            raise Stopped(signal.SIGTERM)

    empty_archive = b"PK\x05\x06" + bytes(18)
    work = Workshop({f"{IICHTE19}.xlsx": empty_archive})
    monkeypatch.setattr("pipeline.parsers.workbooks.python_calamine.CalamineWorkbook", Interrupted)
    document = work.run("r1").as_document()
    assert (document["exit_code"], document["status"]) == (143, "failed")
    assert document["object_counts"] == {}
    assert work.run_store.runs["r1"] == document


def test_a_defect_is_raised_and_its_entry_says_that_the_run_failed() -> None:
    """An exception nobody expects leaves no entry that says succeeded."""
    work = shop()

    def defective(refs: object) -> None:
        raise TypeError("no such thing")

    work.run_store.loaded = defective  # type: ignore[method-assign, assignment]
    with pytest.raises(TypeError, match="no such thing"):
        work.run("r1")
    entry = work.run_store.runs["r1"]
    assert (entry["exit_code"], entry["status"]) == (1, "failed")
    assert "TypeError: no such thing" in entry["error"]


def test_only_objects_with_refused_rows_are_retried() -> None:
    """After a fix the rows that pass are loaded and their entries are gone; other objects are not read."""
    work = shop()
    work.source.objects["station_la_madelaine_FR.jsonl"] = jsonl(wu_row())
    work.run("r1", limits=Limits(1.0))
    assert work.run_store.rejected_objects() == {"station_la_madelaine_FR.jsonl"}
    work.source.opened.clear()
    work.source.objects["station_la_madelaine_FR.jsonl"] = jsonl(wu_row("2024-10-01 00:04:00"))
    report = work.run("r2", only=frozenset(work.run_store.rejected_objects()))
    assert work.source.opened == ["station_la_madelaine_FR.jsonl"]
    assert counts(report) == {"read": 1, "inserted": 1}
    assert work.run_store.rejected_objects() == set()


def test_bulletins_in_any_order_leave_the_same_documents() -> None:
    """Objects that overlap and disagree are loaded one by one in two orders: same documents."""
    older = csv(*[wu_row(time, temp="50 °F") for time in TIMES])
    newer = csv(*[wu_row(time, temp="59 °F") for time in TIMES[4:]])
    results = []
    for order in (("a", "b"), ("b", "a")):
        work = Workshop()
        work.source.modified = {f"a/{IICHTE19}.csv": NOON, f"b/{IICHTE19}.csv": NOON + timedelta(hours=1)}
        for name in order:
            work.source.objects[f"{name}/{IICHTE19}.csv"] = older if name == "a" else newer
            work.run(f"r{name}")
        results.append(work.values())
    assert results[0] == results[1]


def test_the_last_line_lists_troubled_objects_first_and_stays_short() -> None:
    """The printed report has at most 200 objects and says how many it leaves out."""
    work = Workshop(
        {f"{n:03}_{IICHTE19}.csv": csv(wu_row(f"{n // 60:02}:{n % 60:02}:00")) for n in range(250)}
    )
    work.source.objects["zzz.xlsx"] = b""
    line = last_line(work.run("r1").as_document())
    assert len(line["objects"]) == 200
    assert line["objects_omitted"] == 51
    assert line["objects"][0]["status"] == "quarantined"
    assert line["run_id"] == "r1"
