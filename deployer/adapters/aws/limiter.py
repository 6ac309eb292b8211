"""How often AWS is called, for all clients of a process together.

ECS and CloudWatch Logs allow tens of calls a second for a whole account and region; one process takes at most
20 of them. A throttled client slows down: the pause between two calls of a service doubles with each
throttled answer and shrinks with each good one.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html (GetLogEvents: 25)
"""

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

_PACE: Final[Mapping[str, float]] = {"ecs": 0.05, "cloudwatch-logs": 0.05}
"""Seconds between two calls of a service, however many threads make them."""
_SHORTEST: Final = 0.05
_LONGEST: Final = 5.0
_RECOVERY: Final = 0.9
_ATTEMPTS: Final = 4
"""Of one call that only reads."""
_DELAY: Final = 0.2
_READS: Final = ("Get", "Describe", "List", "BatchGet", "BatchCheck", "Head", "Simulate")
THROTTLED: Final = (
    "Throttl",
    "TooManyRequests",
    "RequestLimitExceeded",
    "SlowDown",
    "BandwidthLimitExceeded",
)


def is_throttled(code: str) -> bool:
    return any(word in code for word in THROTTLED)


class Limiter:
    """Hooks of botocore's events `before-send` and `after-call`, shared by all clients and threads."""

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()
        self._pause: dict[str, float] = defaultdict(float)
        self._next: dict[str, float] = defaultdict(float)

    def wait(self, event_name: str, **_: Any) -> None:
        """Sleeps until the service may be called again. `event_name`: `before-send.<service>.<operation>`."""
        service = event_name.split(".")[1]
        with self._lock:
            now = self._now()
            begin = max(now, self._next[service])
            self._next[service] = begin + max(self._pause[service], _PACE.get(service, 0.0))
        if begin > now:
            self._sleep(begin - now)

    def learn(self, parsed: Mapping[str, Any], event_name: str, **_: Any) -> None:
        """Slows the service down after a throttled answer, and lets it recover."""
        service = event_name.split(".")[1]
        with self._lock:
            pause = self._pause[service]
            if is_throttled(str(parsed.get("Error", {}).get("Code", ""))):
                self._pause[service] = min(max(2 * pause, _SHORTEST), _LONGEST)
            else:
                self._pause[service] = pause * _RECOVERY if pause > _SHORTEST / 2 else 0.0


def again(response: Any, operation: Any, attempts: int, caught_exception: Any, **_: Any) -> float | None:
    """Seconds after which botocore repeats a call that only reads; None: it does not."""
    if (
        attempts >= _ATTEMPTS
        or not operation.name.startswith(_READS)
        or not _passes(response, caught_exception)
    ):
        return None
    return float(_DELAY * 2 ** (attempts - 1) * random.uniform(0.75, 1.25))  # noqa: S311


def _passes(response: Any, caught_exception: Any) -> bool:
    from botocore.exceptions import ConnectionError as Unreachable
    from botocore.exceptions import HTTPClientError, SSLError

    if caught_exception is not None:
        return isinstance(caught_exception, Unreachable | HTTPClientError) and not isinstance(
            caught_exception, SSLError
        )
    http, parsed = response
    return http.status_code >= 500 or is_throttled(str(parsed.get("Error", {}).get("Code", "")))
