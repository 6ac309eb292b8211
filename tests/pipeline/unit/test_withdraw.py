"""What an object no longer has leaves the database: corrected files, corrected zones, overlapping objects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from pipeline.report import Limits, RunReport
from pipeline.stations import Catalog
from tests.pipeline.fakes import NOON
from tests.pipeline.workshop import Workshop, csv, wu_row

DAY, NEXT = "station_ichtegem_BE_011024.csv", "station_ichtegem_BE_021024.csv"
TIMES = [f"00:{minute:02}:00" for minute in range(4, 60, 5)]
LENIENT = Limits(rejected=1.0)


def counts(report: RunReport) -> dict[str, int]:
    return {name: count for name, count in report.total.as_dict().items() if count}


def in_zone(name: str) -> Workshop:
    work = Workshop()
    place(work, name)
    return work


def place(work: Workshop, zone: str) -> None:
    """The stations as another version of `stations.toml` has them."""
    stations = [replace(station, zone=ZoneInfo(zone)) for station in work.catalog.stations]
    work.catalog = Catalog(tuple(stations), work.catalog.networks)
    work.run_store.rules = zone


def test_rows_that_a_corrected_file_no_longer_has_are_withdrawn() -> None:
    """A row that is gone, one that is blank now and one that is refused now: three documents fewer."""
    work = Workshop({DAY: csv(*[wu_row(time) for time in TIMES])})
    work.run("r1")
    empty = dict.fromkeys(wu_row(), "")
    work.source.objects[DAY] = csv(*[wu_row(time) for time in TIMES[3:]], empty, wu_row("later"))
    report = work.run("r2", limits=LENIENT)
    assert counts(report) == {"read": 10, "unchanged": 9, "rejected": 1, "withdrawn": 3}
    assert report.total.balanced
    assert report.as_document()["grown"] == -3
    assert [item["run_id"] for item in work.measurements.history] == ["r1"] * 3
    assert len(work.measurements.documents) == 9


def test_a_file_of_which_nothing_is_right_any_longer_leaves_nothing() -> None:
    """All rows refused in the new version: what the old one had is withdrawn, the run is not good."""
    work = Workshop({DAY: csv(*[wu_row(time) for time in TIMES])})
    work.run("r1")
    work.source.objects[DAY] = csv(wu_row("noon"))
    report = work.run("r2")
    assert (report.total.withdrawn, report.as_document()["exit_code"]) == (12, 3)
    assert work.measurements.documents == {}


def test_a_file_that_grows_withdraws_nothing_and_looks_for_nothing() -> None:
    """When every old reading is met again the counts show it, and the collection is not searched."""
    work = Workshop({DAY: csv(*[wu_row(time) for time in TIMES[:5]])})
    work.run("r1")
    work.source.objects[DAY] = csv(*[wu_row(time) for time in TIMES])
    work.measurements.calls.clear()
    assert counts(work.run("r2")) == {"read": 12, "inserted": 7, "unchanged": 5}
    assert "stored" not in work.measurements.calls


def test_a_cut_file_withdraws_nothing_and_its_repair_withdraws_what_is_gone() -> None:
    """A broken version says nothing of the rest; the good one after it is compared with both before."""
    work = Workshop({DAY: csv(*[wu_row(time) for time in TIMES])})
    work.run("r1")
    work.source.objects[DAY] = csv(*[wu_row(time) for time in TIMES[:2]]) + b"\n\xff\xfe,"
    assert work.run("r2").statuses["quarantined"] == 1
    assert len(work.measurements.documents) == 12
    work.source.objects[DAY] = csv(*[wu_row(time) for time in TIMES[:4]])
    assert counts(work.run("r3"))["withdrawn"] == 8
    assert len(work.measurements.documents) == 4


def test_what_one_object_withdraws_another_one_still_stands_for() -> None:
    """A copy that had counted as a duplicate takes the place of a row that is withdrawn, in the same run."""
    work = Workshop({f"a/{DAY}": csv(*[wu_row(time) for time in TIMES])})
    work.run("r1")
    work.source.objects[f"b/{DAY}"] = csv(wu_row(TIMES[0]))
    assert counts(work.run("r2")) == {"read": 1, "duplicate": 1}
    work.source.objects[f"a/{DAY}"] = csv(*[wu_row(time) for time in TIMES[1:]])
    report = work.run("r3")
    assert counts(report) == {"read": 12, "inserted": 1, "unchanged": 11, "withdrawn": 1}
    assert report.total.balanced
    assert report.as_document()["object_counts"] == {"loaded": 2}
    assert len(work.measurements.documents) == report.as_document()["documents"] == 12


def test_a_value_that_was_taken_over_comes_back_when_its_newer_object_withdraws_it() -> None:
    """The older object's own reading stands again, with the older object's value."""
    work = Workshop({f"a/{DAY}": csv(wu_row(TIMES[0], temp="50 °F"))})
    work.source.modified[f"b/{DAY}"] = NOON + timedelta(hours=1)
    work.run("r1")
    work.source.objects[f"b/{DAY}"] = csv(wu_row(TIMES[0], temp="59 °F"), wu_row(TIMES[1]))
    work.run("r2")
    work.source.objects[f"b/{DAY}"] = csv(wu_row(TIMES[1]))
    work.run("r3")
    assert work.values()["IICHTE19@2024-09-30T22:04:00Z"]["temperature_c"] == 10.0
    assert len(work.measurements.documents) == 2


def test_a_corrected_zone_moves_the_readings() -> None:
    """Rows move onto the old places of their neighbors: as many documents as before, an hour later."""
    times = [(hour, minute) for hour in range(6) for minute in (4, 34)]
    rows = [wu_row(f"{hour:02}:{minute:02}:00", temp=f"{50 + hour} °F") for hour, minute in times]
    work = in_zone("Europe/Brussels")
    work.source.objects[DAY] = csv(*rows)
    work.run("r1")
    place(work, "Europe/London")
    report = work.run("r2")
    assert report.total.balanced
    assert (report.total.inserted, report.total.withdrawn) == (12, 12)
    fresh = in_zone("Europe/London")
    fresh.source.objects[DAY] = csv(*rows)
    fresh.run("r1")
    assert work.values() == fresh.values()


def test_a_corrected_zone_moves_readings_between_the_files_of_two_days() -> None:
    """The last hour of one file lands where the first hour of the next one was, which is older or newer."""
    for older, newer in ((DAY, NEXT), (NEXT, DAY)):
        work, fresh = in_zone("Europe/London"), in_zone("Europe/Brussels")
        for shop in (work, fresh):
            for day, degrees in ((DAY, 50), (NEXT, 60)):
                times = [f"{hour:02}:04:00" for hour in range(24)]
                shop.source.objects[day] = csv(*[wu_row(time, temp=f"{degrees} °F") for time in times])
            shop.source.modified = {older: NOON, newer: NOON + timedelta(hours=1)}
        work.run("r1")
        place(work, "Europe/Brussels")
        report = work.run("r2")
        fresh.run("r1")
        assert report.total.balanced
        assert work.values() == fresh.values()
        assert report.as_document()["documents"] == len(fresh.measurements.documents) == 48


def test_other_rules_that_change_nothing_withdraw_nothing() -> None:
    """A new release reads everything again; where each row is the same reading no document changes."""
    work = Workshop({DAY: csv(*[wu_row(time) for time in TIMES])})
    work.run("r1")
    before = dict(work.measurements.documents)
    work.run_store.rules = "another release"
    assert counts(work.run("r2")) == {"read": 12, "unchanged": 12}
    assert work.measurements.documents == before
