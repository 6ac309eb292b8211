"""`forecast-etl` as a process against a real mongod."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from pipeline.config import MongoSettings
from pipeline.model import Tally
from tests.pipeline.integration.conftest import READINGS
from tests.pipeline.oracle import expected, stored
from tests.pipeline.process import Ended, end, etl, load, start, wait_for
from tests.pipeline.workshop import IICHTE19, csv, jsonl, wu_row


@pytest.fixture
def database(mongo: MongoSettings) -> Any:
    with MongoClient(mongo.uri) as client:
        yield client[mongo.database]


def verify(ended: Ended, database: Database[dict[str, Any]]) -> None:
    """What any verifier may check of a run: balance, counts, and that `load_runs` says what was printed."""
    report = ended.report
    entry = database["load_runs"].find_one({"_id": report["run_id"]})
    assert entry is not None
    total = Tally()
    for item in entry["objects"]:
        assert Tally.from_dict(item).balanced
        total.add(Tally.from_dict(item))
    assert total == Tally.from_dict(report["totals"]) == Tally.from_dict(entry["totals"])
    assert database["measurements"].count_documents({"run_id": report["run_id"]}) == report["written"]
    assert database["measurements"].count_documents({}) == report["measurements"] == report["documents"]
    assert database["rejected_records"].count_documents({"run_id": report["run_id"]}) == total.rejected
    assert entry["status"] == report["status"]


def test_a_first_run_a_second_and_a_full_one(
    mongo: MongoSettings, sample: Path, database: Database[dict[str, Any]]
) -> None:
    """Exactly the readings of the files; then nothing is read; then all is read and nothing changes."""
    first = load(mongo, sample, RUN_ID="one")
    assert (first.code, first.err) == (0, "")
    verify(first, database)
    assert first.report["run_id"] == "one"
    assert first.report["totals"]["inserted"] == READINGS
    assert stored(mongo) == expected(sample)
    second = load(mongo, sample)
    assert second.code == 0
    verify(second, database)
    assert set(second.report["object_counts"]) == {"skipped"}
    assert second.report["documents"] == READINGS
    full = load(mongo, sample, "--full", "--output", "json")
    assert full.code == 0
    verify(full, database)
    assert full.report["totals"]["unchanged"] == READINGS
    assert all(json.loads(line)["event"] for line in full.out.splitlines())


def test_the_indexes_stations_and_licences_are_there(
    mongo: MongoSettings, sample: Path, database: Database[dict[str, Any]]
) -> None:
    """Six stations with coordinates and zone, licences of InfoClimat, and the indexes that queries need."""
    load(mongo, sample)
    stations = {item["_id"]: item for item in database["stations"].find()}
    assert set(stations) == {"IICHTE19", "ILAMAD25", "07015", "00052", "000R5", "STATIC0010"}
    assert all(
        {"latitude", "longitude", "elevation_m", "timezone"} <= set(item) for item in stations.values()
    )
    assert stations["07015"]["license"]["license"] == "Etalab Open License"
    assert stations["IICHTE19"]["timezone"] == "Europe/Brussels"
    keys = [list(item["key"]) for item in database["measurements"].index_information().values()]
    assert [("station_id", 1), ("timestamp", 1)] in [[tuple(part) for part in key] for key in keys]


@pytest.mark.parametrize("workers", [["--workers", "2"]], ids=["two processes"])
def test_two_processes_do_what_one_does(
    mongo: MongoSettings, sample: Path, database: Database[dict[str, Any]], workers: list[str]
) -> None:
    """The same documents, and the same totals."""
    ended = load(mongo, sample, *workers)
    assert (ended.code, ended.err) == (0, "")
    verify(ended, database)
    assert stored(mongo) == expected(sample)
    assert ended.report["totals"]["inserted"] == READINGS


def test_a_corrected_reading_replaces_the_old_one(
    mongo: MongoSettings, tmp_path: Path, database: Database[dict[str, Any]]
) -> None:
    """The same file with one other value: one replaced, the rest unchanged, and the report says so."""
    path = tmp_path / f"{IICHTE19}.csv"
    path.write_bytes(csv(*[wu_row(f"{hour:02}:00:00") for hour in range(24)]))
    load(mongo, tmp_path)
    path.write_bytes(
        csv(*[wu_row(f"{n:02}:00:00", temp="59 °F" if n == 3 else "56.8 °F") for n in range(24)])
    )
    ended = load(mongo, tmp_path)
    verify(ended, database)
    assert (ended.report["totals"]["replaced"], ended.report["totals"]["unchanged"]) == (1, 23)
    assert (
        database["measurements"].find_one({"_id": "IICHTE19@2024-10-01T01:00:00Z"})["temperature_c"] == 15.0
    )  # type: ignore[index]


def test_broken_objects_are_quarantined_and_rows_refused(
    mongo: MongoSettings, sample: Path, tmp_path: Path, database: Database[dict[str, Any]]
) -> None:
    """Broken gzip, cut XLSX, foreign text, no UTF-8: named with a reason, exit 3, the others load."""
    shutil.copytree(sample, tmp_path / "in")
    broken = {
        "bad/station_ichtegem_BE_011023.jsonl.gz": b"\x1f\x8brubbish",
        "bad/station_ichtegem_BE.xlsx": (sample / "station_ichtegem_BE.xlsx").read_bytes()[:5000],
        "bad/station_ichtegem_BE_021023.jsonl": b"Dear Sir,\n",
        "bad/station_ichtegem_BE_031023.csv": csv(wu_row()) + b"\n\xff\xfe",
        "bad/infoclimat.json": b"not json",
    }
    for name, content in broken.items():
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    ended = load(mongo, tmp_path / "in")
    verify(ended, database)
    assert ended.code == 3
    assert "5 objects are quarantined" in ended.err
    assert "Traceback" not in ended.err
    quarantined = {
        item["key"]: item["error"] for item in ended.report["objects"] if item["status"] == "quarantined"
    }
    assert set(quarantined) == set(broken)
    assert {error.split(":")[0] for error in quarantined.values()} == {
        "broken_gzip", "broken_workbook", "unknown_format", "not_utf8", "not_json",
    }  # fmt: skip
    assert (
        database["rejected_records"].find_one({"object": "bad/station_ichtegem_BE_021023.jsonl"})["row"]
        == "Dear Sir,"
    )  # type: ignore[index]


def test_refused_rows_are_retried_after_a_fix(
    mongo: MongoSettings, tmp_path: Path, database: Database[dict[str, Any]]
) -> None:
    """`retry-rejected` reads only objects with refused rows, loads what passes now, clears the rest."""
    path = tmp_path / f"{IICHTE19}.jsonl"
    path.write_bytes(jsonl(wu_row(), wu_row("noon")))
    ended = load(mongo, tmp_path)
    assert ended.code == 3
    assert "bad_time: 1" in ended.err
    entry = database["rejected_records"].find_one()
    assert entry is not None
    assert (entry["reason"], entry["position"], entry["object"]) == ("bad_time", 2, f"{IICHTE19}.jsonl")
    path.write_bytes(jsonl(wu_row(), wu_row("12:00:00")))
    retried = etl(mongo, "retry-rejected", "--source", tmp_path)
    assert retried.code == 0
    assert retried.report["totals"]["inserted"] == 1
    assert database["rejected_records"].count_documents({}) == 0
    nothing = etl(mongo, "retry-rejected", "--source", tmp_path)
    assert (nothing.code, nothing.report["totals"]["read"]) == (0, 0)


def test_a_killed_run_says_so_and_the_next_completes_it(
    mongo: MongoSettings, tmp_path: Path, sample: Path, database: Database[dict[str, Any]]
) -> None:
    """SIGKILL in the middle: the next run closes the entry as failed, and loses and doubles nothing."""
    process = start(["pipeline", "run", "--source", sample], mongo, RUN_ID="killed")
    wait_for(lambda: database["measurements"].estimated_document_count() > 0)
    process.send_signal(signal.SIGKILL)
    end(process)
    ended = load(mongo, sample, RUN_ID="next")
    assert ended.code == 0
    died = database["load_runs"].find_one({"_id": "killed"})
    assert died is not None
    assert (died["status"], "died" in died["error"]) == ("failed", True)
    assert stored(mongo) == expected(sample)
    assert Tally.from_dict(ended.report["totals"]).balanced


def test_a_run_started_again_under_its_id_reports_the_whole(
    mongo: MongoSettings, sample: Path, database: Database[dict[str, Any]]
) -> None:
    """A task that is restarted with the same RUN_ID counts what its first attempt wrote as its own."""
    process = start(["pipeline", "run", "--source", sample], mongo, RUN_ID="again")
    wait_for(lambda: database["measurements"].estimated_document_count() > 0)
    process.send_signal(signal.SIGKILL)
    end(process)
    ended = load(mongo, sample, "--full", RUN_ID="again")
    assert ended.code == 0
    verify(ended, database)
    assert ended.report["written"] == READINGS


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_closes_its_entry(
    mongo: MongoSettings, sample: Path, database: Database[dict[str, Any]], told: signal.Signals
) -> None:
    """SIGTERM, as ECS sends it, and Ctrl-C: the report is printed, `load_runs` says failed, the code why."""
    process = start(["pipeline", "run", "--source", sample], mongo, RUN_ID="stopped")
    wait_for(lambda: database["measurements"].estimated_document_count() > 0)
    process.send_signal(told)
    ended = end(process)
    assert ended.code == 128 + told
    assert ended.report["status"] == "failed"
    assert told.name in ended.report["error"]
    assert database["load_runs"].find_one({"_id": "stopped"})["status"] == "failed"  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "more", "code", "said"),
    [
        (["run"], {}, 2, "neither MONGO_URI nor MONGO_HOST"),
        (["run"], {"MONGO_URI": "mongodb://"}, 2, "MONGO_URI"),
        (["run"], {"MONGO_URI": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=10"}, 4, "tcp failed"),
        (["run"], {"MONGO_URI": "mongodb://nowhere.invalid/?serverSelectionTimeoutMS=10"}, 4, "dns failed"),
        (["sample", "--rows", "5", "--out", "/proc/x"], {}, 2, "--out /proc/x"),
        (["sample", "--rows", "5", "--out", "x", "--end", "soon"], {}, 2, "--end soon"),
    ],
)
def test_a_mistake_is_one_clear_message(
    arguments: list[str], more: dict[str, str], code: int, said: str
) -> None:
    """The documented exit code, where and what, a hint, and no traceback."""
    ended = etl(None, *arguments, **more)
    assert ended.code == code
    assert said in ended.err
    assert "hint: " in ended.err
    assert "Traceback" not in ended.err


def test_a_missing_folder_exits_5(mongo: MongoSettings, tmp_path: Path) -> None:
    """The source that cannot be read is named."""
    ended = load(mongo, tmp_path / "nowhere")
    assert ended.code == 5
    assert "nowhere does not exist" in ended.err
    assert ended.report["exit_code"] == 5


def test_the_quality_report_of_a_load(mongo: MongoSettings, sample: Path, tmp_path: Path) -> None:
    """A good sample passes; an empty database exits 3; a limit on age makes old data an error. The window is
    that of all stations, so one whose last slot had not come yet lacks that one."""
    module = "pipeline.reporting.check_quality"
    assert end(start([module], mongo)).code == 3
    load(mongo, sample)
    page = tmp_path / "quality.html"
    good = end(start([module, "--output", "json", "--html", page], mongo))
    assert (good.code, good.err) == (0, "")
    assert good.report["readings"] == READINGS
    assert all(0.99 < station["completeness"] <= 1.0 for station in good.report["stations"])
    assert page.read_text().startswith("<!doctype html>")
    old = end(start([module, "--max-age-hours", "24"], mongo))
    assert old.code == 1
    assert "freshness" in old.out
