"""CloudWatch Logs, read one stream at a time: GetLogEvents with its forward token is ordered and complete."""

from typing import Any, Final

from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.ports import LogPage

_LAST_EVENT_LAG: Final = 3600.0
"""Seconds that `lastEventTimestamp` may be behind the events themselves
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html)."""


class CloudWatchLogs:
    def __init__(self, config: Config, session: AwsSession) -> None:
        self._where = f"CloudWatch Logs in {config.aws.region}"
        self._session = session

    @property
    def _client(self) -> Any:
        return self._session.client("logs")

    def read(self, group: str, stream: str, cursor: str | None, since: float = 0.0) -> LogPage:
        position = {"nextToken": cursor} if cursor else {}
        start = {"startTime": int(since * 1000)} if since else {}
        with translated(f"{self._where}, {group} {stream}"):
            try:
                answer = self._client.get_log_events(
                    logGroupName=group, logStreamName=stream, startFromHead=True, **position, **start
                )
            except Exception as error:
                if error_code(error) == "ResourceNotFoundException":
                    return LogPage((), (), cursor, exists=False)
                raise
        times = [event["timestamp"] / 1000 for event in answer["events"]]
        texts = [event["message"] for event in answer["events"]]
        return LogPage(times, texts, answer["nextForwardToken"])

    def retention(self, group: str) -> float | None:
        with translated(f"{self._where}, {group}"):
            groups = self._client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        days = [entry.get("retentionInDays") for entry in groups if entry["logGroupName"] == group]
        return days[0] * 86400.0 if any(days) else None

    def streams(
        self, group: str, prefix: str, since: float = 0.0, most: int | None = None
    ) -> tuple[str, ...]:
        """Ordered by last event, ListLogStreams takes no prefix, so the names are chosen here."""
        names: list[str] = []
        pages = self._client.get_paginator("describe_log_streams").paginate(
            logGroupName=group, orderBy="LastEventTime", descending=True
        )
        with translated(f"{self._where}, {group}"):
            try:
                for page in pages:
                    for stream in page["logStreams"]:
                        newest = stream.get("lastEventTimestamp", stream["creationTime"]) / 1000
                        if newest < since - _LAST_EVENT_LAG or len(names) == most:
                            return tuple(names)
                        if stream["logStreamName"].startswith(prefix):
                            names.append(stream["logStreamName"])
            except Exception as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
        return tuple(names)
