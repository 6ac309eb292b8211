"""How long the reads take that people make of this data, against a limit each, and by which index."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from pymongo import DESCENDING
from pymongo.database import Database

from pipeline.errors import DataError
from pipeline.gateways.mongo import translated

Database_ = Database[dict[str, Any]]
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Access:
    """One way of reading: the median of its times, in milliseconds."""

    name: str
    milliseconds: float
    limit_ms: float
    documents: int
    plan: str

    @property
    def met(self) -> bool:
        return self.milliseconds <= self.limit_ms


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    limit_ms: float
    read: Callable[[Database_], list[Any]]
    stages: list[dict[str, Any]]


def measure(database: Database_, clock: Callable[[], float] = time.perf_counter) -> list[Access]:
    """Five ways of reading, for the station with the newest reading. Raises DataError when there is none."""
    with translated():
        newest = database["measurements"].find_one({}, sort=[("timestamp", DESCENDING)])
        if newest is None:
            raise DataError(f"there are no measurements in {database.name}", "Run `forecast-etl run` first.")
        return [
            _measured(database, asked, clock)
            for asked in _asked(newest["_id"], newest["station_id"], newest["timestamp"])
        ]


def _asked(id_: str, station: str, until: datetime) -> list[_Asked]:
    day, week, month = (until - timedelta(days=days) for days in (1, 7, 30))
    return [
        _by_pipeline("one reading by its key", 100, [{"$match": {"_id": id_}}]),
        _by_pipeline(
            "the latest reading of a station",
            100,
            [{"$match": {"station_id": station}}, {"$sort": {"timestamp": -1}}, {"$limit": 1}],
        ),
        _by_pipeline(
            "a day of a station",
            300,
            [
                {"$match": {"station_id": station, "timestamp": {"$gt": day, "$lte": until}}},
                {"$sort": {"timestamp": 1}},
            ],
        ),
        _by_pipeline(
            "a week of all stations, by hour",
            3000,
            [
                {"$match": {"timestamp": {"$gt": week, "$lte": until}}},
                {"$group": {"_id": {"$dateTrunc": {"date": "$timestamp", "unit": "hour"}},
                            "temperature_c": {"$avg": "$temperature_c"}}},
            ],
        ),
        _by_pipeline(
            "a month of a station, by day",
            1500,
            [
                {"$match": {"station_id": station, "timestamp": {"$gt": month, "$lte": until}}},
                {"$group": {"_id": {"$dateTrunc": {"date": "$timestamp", "unit": "day"}},
                            "low": {"$min": "$temperature_c"}, "high": {"$max": "$temperature_c"}}},
            ],
        ),
    ]  # fmt: skip


def _by_pipeline(name: str, limit_ms: float, stages: list[dict[str, Any]]) -> _Asked:
    return _Asked(name, limit_ms, lambda database: list(database["measurements"].aggregate(stages)), stages)


def _measured(database: Database_, asked: _Asked, clock: Callable[[], float]) -> Access:
    times, found = [], []
    for _ in range(ROUNDS):
        begun = clock()
        found = asked.read(database)
        times.append((clock() - begun) * 1000)
    aggregation = {"aggregate": "measurements", "pipeline": asked.stages, "cursor": {}}
    explained = database.command({"explain": aggregation, "verbosity": "queryPlanner"})
    return Access(asked.name, round(median(times), 1), asked.limit_ms, len(found), _plan(explained))


def _plan(explained: object) -> str:
    """The index that is used, or COLLSCAN."""
    if isinstance(explained, list):
        return next(filter(None, map(_plan, explained)), "")
    if not isinstance(explained, dict):
        return ""
    if explained.get("stage") in ("COLLSCAN", "IDHACK", "EXPRESS_IXSCAN", "EXPRESS_CLUSTERED_IXSCAN"):
        return str(explained["stage"])
    if isinstance(explained.get("indexName"), str):
        return str(explained["indexName"])
    inner = (value for key, value in explained.items() if key != "rejectedPlans")
    return next(filter(None, map(_plan, inner)), "")


def as_document(accesses: list[Access]) -> dict[str, Any]:
    """What `--output json` prints."""
    listed = [{**asdict(item), "met": item.met} for item in accesses]
    return {"event": "performance", "ok": all(item.met for item in accesses), "accesses": listed}


def lines(accesses: list[Access]) -> list[str]:
    """A table for people."""
    head = f"{'access':34} {'median':>10} {'limit':>10} {'documents':>10}  by"
    return [
        head,
        *(
            f"{item.name:34} {item.milliseconds:>7.1f} ms {item.limit_ms:>7.0f} ms {item.documents:>10,}  "
            f"{item.plan}{'' if item.met else '  TOO SLOW'}"
            for item in accesses
        ),
    ]
