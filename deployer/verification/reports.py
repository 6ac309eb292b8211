"""The reports of runs: which is the newest, also if the job does not write when it started."""

import datetime
import re
from collections.abc import Mapping
from typing import Any, Final

from deployer.ports import Database
from deployer.verification.plan import EPOCH

_NEWEST_IDS: Final = 100
_TIME_IN_ID: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[-T_ ]?(\d\d):?(\d\d):?(\d\d)")
"""As release IDs begin, and most other IDs that people make of a time."""


def newest(database: Database, collection: str, release: str | None) -> Mapping[str, Any] | None:
    """The report of the run that started last and has ended. A report without `started_at` counts by the time
    in its `_id`; if no report has either, the report of `release` is the one that is known to be new."""
    reports: list[Mapping[str, Any]] = []
    for start, order, most in (({"$gte": EPOCH}, "started_at", 1), (None, "_id", _NEWEST_IDS)):
        match = {"$match": {"status": {"$ne": "running"}, "started_at": start}}
        reports += database.aggregate(collection, [match, {"$sort": {order: -1}}, {"$limit": most}])
    dated = [(time, report) for report in reports if (time := started_at(report)) is not None]
    if dated:
        return max(dated, key=lambda pair: pair[0])[1]
    if release:
        return database.find_one(collection, {"_id": release})
    return reports[0] if len(reports) == 1 else None


def started_at(report: Mapping[str, Any] | None) -> float | None:
    """Seconds since the epoch: of `started_at`, else of the time in `_id`; None: unknown."""
    if report is None:
        return None
    given = report.get("started_at")
    if isinstance(given, datetime.datetime):
        return _utc(given).timestamp()
    identity = report.get("_id")
    made = getattr(identity, "generation_time", None)
    if isinstance(made, datetime.datetime):
        return _utc(made).timestamp()
    match = _TIME_IN_ID.search(identity) if isinstance(identity, str) else None
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return None
    return moment.timestamp()


def _utc(time: datetime.datetime) -> datetime.datetime:
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
