"""Audit the quality of what is in MongoDB.

    python -m pipeline.reporting.check_quality [--days N] [--output plain|json] [--html FILE] [thresholds]

Exit codes: 0 good; 1 an error was found; 2 configuration; 3 there is nothing to audit; 4 MongoDB.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from pipeline.config import mongo_settings
from pipeline.connectivity import explain
from pipeline.errors import ConfigurationError, DataError, MongoError, PipelineError
from pipeline.fields import FIELDS
from pipeline.gateways.mongo import connect, translated
from pipeline.gateways.run_store import utc_now
from pipeline.gateways.schema import missing_indexes
from pipeline.reporting.audit import Around, Audit, audit
from pipeline.reporting.findings import Thresholds
from pipeline.reporting.loads import Loads, loads_of
from pipeline.reporting.series import StationSeries, Window
from pipeline.words import printable


class Output(StrEnum):
    plain = "plain"
    json = "json"


def read_audit(database: Database[dict[str, Any]], days: int, thresholds: Thresholds, now: datetime) -> Audit:
    """Audit the last `days` days up to the newest reading.

    Raises DataError when there is none, MongoError.
    """
    with translated():
        ever = _ever(database)
        if not ever:
            raise DataError(f"there are no measurements in {database.name}", "Run `forecast-etl run` first.")
        until = min(max(last for _, last in ever.values()), now)
        window = Window(until - timedelta(days=days), until, now)
        wanted = {"_id": 0, "station_id": 1, "timestamp": 1, **dict.fromkeys(FIELDS, 1)}
        cursor = database["measurements"].find(
            {"timestamp": {"$gt": window.since}}, wanted,
            sort=[("station_id", ASCENDING), ("timestamp", ASCENDING)],
            hint=[("station_id", ASCENDING), ("timestamp", ASCENDING)],
        )  # fmt: skip
        stations = list(database["stations"].find())
        around = Around(stations, ever, _loads(database), tuple(missing_indexes(database)))
        return audit(cursor, window, around, thresholds)


def _ever(database: Database[dict[str, Any]]) -> dict[str, tuple[datetime, datetime]]:
    """The first and last timestamp of each station, which the index on both gives without a scan."""
    each: list[dict[str, Any]] = [
        {"$sort": {"station_id": 1, "timestamp": 1}},
        {
            "$group": {
                "_id": "$station_id",
                "first": {"$first": "$timestamp"},
                "last": {"$last": "$timestamp"},
            }
        },
    ]
    found = database["measurements"].aggregate(each)
    return {item["_id"]: (item["first"], item["last"]) for item in found}


def _loads(database: Database[dict[str, Any]]) -> Loads:
    last = database["load_runs"].find_one({"status": {"$ne": "running"}}, sort=[("started_at", DESCENDING)])
    wanted = ["status", "error", "unread", "read", "rejected", "conflict", "dropped", "reasons"]
    return loads_of(last, database["loaded_objects"].find({}, wanted))


def as_document(result: Audit) -> dict[str, Any]:
    """The audit as it is printed with `--output json`."""
    return {
        "event": "quality",
        "ok": result.ok,
        "since": result.window.since,
        "until": result.window.until,
        "now": result.window.now,
        "readings": sum(one.readings for one in result.stations),
        "missing_indexes": list(result.missing_indexes),
        "findings": [
            {"severity": item.severity, "check": item.check, "station": item.station, "message": item.message}
            for item in result.findings
        ],
        "loads": _said(result.loads),
        "stations": [_station(one) for one in result.stations],
    }


def _said(loads: Loads) -> dict[str, Any]:
    last = loads.last or {}
    return {
        "last_run": last.get("_id"), "status": last.get("status"), "finished_at": last.get("finished_at"),
        "rows": loads.read, "rejected": loads.rejected, "conflicts": loads.conflicts,
        "dropped": dict(loads.dropped), "reasons": dict(loads.reasons),
        "quarantined": dict(loads.quarantined), "unread": dict(loads.unread),
    }  # fmt: skip


def _station(one: StationSeries) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.about.get("name"),
        "readings": one.readings,
        "expected": one.expected,
        "completeness": round(one.completeness, 4),
        "cadence_minutes": one.cadence / timedelta(minutes=1),
        "first": one.first,
        "last": one.last,
        "duplicates": one.duplicates,
        "gaps": one.gap_count,
        "longest_gaps": [{"from": start, "to": end} for start, end in one.gaps],
        "fields": {name: round(one.share(name), 4) for name in one.fields},
        "out_of_range": dict(one.out_of_range),
        "jumps": dict(one.jumps),
        "flat": {
            name: {"from": start, "to": end, "value": at} for name, (start, end, at) in one.flat.items()
        },
        "days": {
            f"{day}": {
                "readings": count,
                "expected": one.expected_on(day),
                "fields": {name: counts[day] for name, counts in one.fields.items()},
            }
            for day, count in sorted(one.days.items())
        },
    }


def print_plain(result: Audit) -> None:
    """A table for people, the worst station first."""
    print(
        f"{'station':12} {'name':16} {'readings':>9} {'complete':>9} {'gaps':>5}  first, UTC        last, UTC"
    )
    for one in result.stations:
        name = printable(one.about.get("name", ""))[:16]
        last_ever = one.ever[1] if one.ever else None
        first, last = (
            f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in (one.first, one.last or last_ever)
        )
        counts = f"{one.readings:>9,} {one.completeness:>9.1%} {one.gap_count:>5}"
        print(f"{one.id:12} {name:16} {counts}  {first:16}  {last}")
    for finding in result.findings:
        told = printable(finding.message)
        print(f"{finding.severity:8} {finding.check:13} {finding.station or '':12} {told}")
    print("good" if result.ok else "not good")


def command(
    days: Annotated[int, typer.Option(min=1, help="How far to look back from the newest reading.")] = 30,
    min_completeness: Annotated[float, typer.Option(min=0, max=1)] = 0.9,
    max_age_hours: Annotated[
        float | None, typer.Option(min=0, help="An older last reading is an error.")
    ] = None,
    output: Annotated[Output, typer.Option()] = Output.plain,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained page here as well.")] = None,
) -> None:
    """Audit each station alone and beside the others, and what the loads said; the worst first."""
    max_age = None if max_age_hours is None else timedelta(hours=max_age_hours)
    try:
        result = _read(days, Thresholds(min_completeness, max_age))
        if html:
            _write_page(result, html)
    except PipelineError as error:
        print(f"error: {printable(error.message)}\nhint: {printable(error.hint)}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    if output is Output.json:
        print(orjson.dumps(as_document(result), option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode())
    else:
        print_plain(result)
    raise SystemExit(0 if result.ok else 1)


def _read(days: int, thresholds: Thresholds) -> Audit:
    settings = mongo_settings()
    with connect(settings) as client:
        try:
            return read_audit(client[settings.database], days, thresholds, utc_now())
        except MongoError as error:
            raise explain(settings, error) from error


def _write_page(result: Audit, path: Path) -> None:
    from pipeline.reporting.page import page

    try:
        path.write_text(page(result), "utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"--html {path}: {error.strerror}", "Name a file that can be written."
        ) from error


def main() -> None:
    typer.run(command)


if __name__ == "__main__":
    main()
