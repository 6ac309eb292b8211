"""A CloudWatch Live Tail session, listened to in a thread of its own.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.errors import Failure, TransientFailure

_MAY_PASS: Final = ("LimitExceededException", "ResourceNotFoundException")
"""Other sessions end, and the first run makes the group."""

_NEVER: Final = ("InvalidOperationException", "InvalidParameterException")
"""The group is of a class without Live Tail (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/
CloudWatch_Logs_Log_Classes.html)."""


class LiveTailSession:
    """`ports.LiveTail`. AWS sends an update every second, so the thread notices within one that it is closed;
    nobody waits for it."""

    def __init__(self, session: AwsSession, group: str, prefixes: Sequence[str]) -> None:
        self._session, self._group, self._prefixes = session, group, prefixes
        self._where = f"Live Tail in {session.region}, {group}"
        self._changed = threading.Condition()
        self._streams: set[str] = set()
        self._closed = False
        self._failure: Exception | None = None
        threading.Thread(target=self._listen, name="live-tail", daemon=True).start()

    def news(self, seconds: float) -> frozenset[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._streams or self._failure, seconds)
            streams = frozenset(self._streams)
            if not streams and self._failure:
                raise self._failure
            self._streams.clear()
        return streams

    def close(self) -> None:
        self._closed = True

    def _listen(self) -> None:
        """What goes wrong is raised where the news is asked for."""
        try:
            with translated(self._where), _interrupted(self._where), closing(self._start()) as updates:
                for update in updates:
                    if self._closed:
                        return
                    self._hear(update.get("sessionUpdate", {}))
            raise TransientFailure("network", f"{self._where}: the session ended")
        except Exception as error:  # noqa: BLE001  handed over to whoever asks for the news
            with self._changed:
                self._failure = error
                self._changed.notify()

    def _start(self) -> Any:
        client = self._session.client("logs")
        groups = client.describe_log_groups(logGroupNamePrefix=self._group)["logGroups"]
        arns = [entry["arn"].removesuffix(":*") for entry in groups if entry["logGroupName"] == self._group]
        if not arns:
            raise TransientFailure("aws-config", f"{self._where}: there is no such group yet")
        answer = client.start_live_tail(logGroupIdentifiers=arns, logStreamNamePrefixes=list(self._prefixes))
        return answer["responseStream"]

    def _hear(self, update: Mapping[str, Any]) -> None:
        """Of more than 500 events a second it names a sample."""
        streams = {event["logStreamName"] for event in update.get("sessionResults", ())}
        if streams:
            with self._changed:
                self._streams |= streams
                self._changed.notify()


@contextmanager
def _interrupted(where: str) -> Iterator[None]:
    """A session that was granted and broke, or may be granted later, is a transient failure."""
    from botocore.eventstream import ParserError
    from botocore.exceptions import ClientError, EventStreamError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        if isinstance(error, EventStreamError) or error_code(error) in _MAY_PASS:
            raise TransientFailure("capacity", f"{where}: {error}") from error
        if error_code(error) in _NEVER:
            raise Failure(
                "aws-config", f"{where}: {error}", "only groups of class Standard have it"
            ) from error
        raise
    except (HTTPError, OSError, ParserError) as error:
        message = f"{where}: the session broke: {type(error).__name__}: {error}"
        raise TransientFailure("network", message) from error
