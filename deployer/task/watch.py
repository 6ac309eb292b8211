"""The one watcher of a task: it asks ECS seldom, and knows that ECS is eventually consistent.

DescribeTasks may answer MISSING for seconds after RunTask, and now and then for a task that runs:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (eventual consistency).
"""

from dataclasses import dataclass, replace
from typing import Final

from deployer.model import TaskResult
from deployer.ports import Tasks, TaskStatus
from deployer.retry import RetryPolicy

_STARTING: Final = ("PROVISIONING", "PENDING", "ACTIVATING")
_STOPPING: Final = ("DEACTIVATING", "STOPPING", "DEPROVISIONING")
FASTEST: Final = 0.1
"""Seconds between two calls for a task that has just been launched."""
MISSING_SECONDS: Final = 30.0
MISSING_ANSWERS: Final = 3
"""ECS has forgotten a task after at least so many answers in a row without it, over so many seconds."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds between two calls: a twentieth of the task's age, within these bounds."""

    shortest: float = FASTEST
    longest: float = 1.0

    def after(self, age: float) -> float:
        return min(max(self.shortest, age / 20), self.longest)


class TaskWatch:
    """One task. `since`: when it was launched; `status` is None until ECS first describes it.

    `job`: its container of which the end is compared with the others'.
    A task that was never described counts as starting for `start_timeout` seconds from `since`. One that is
    missing counts as running for `forgive` seconds; 0 takes the first answer as it is.
    """

    def __init__(
        self,
        tasks: Tasks,
        arn: str,
        retry: RetryPolicy,
        *,
        since: float,
        status: TaskStatus | None = None,
        start_timeout: float = 0.0,
        forgive: float = MISSING_SECONDS,
        job: str = "",
        pace: Pace = Pace(),
    ) -> None:
        self.arn, self.since, self.status = arn, since, status
        self._tasks, self._retry, self._clock, self._pace = tasks, retry, retry.clock, pace
        self._start_timeout, self._forgive, self._job = start_timeout, forgive, job
        self._described = False
        self._asked = float("-inf")
        self._missing: list[float] = []
        self._ended_first: frozenset[str] = frozenset()

    def check(self) -> bool:
        """Asks ECS if a call is due; whether the task is over."""
        if not self.over:
            self.ask_if_due()
        return self.over

    def ask_if_due(self) -> None:
        if self._clock.now() - self._asked >= self._pace.after(self.age):
            self.ask()

    def ask(self) -> None:
        """Asks ECS now."""
        self._asked = self._clock.now()
        status = self._retry(lambda: self._tasks.status(self.arn))
        if status is None:
            self._missing.append(self._asked)
        else:
            self.status, self._described, self._missing = status, True, []
            if status.result is None and not status.ended & {self._job}:
                self._ended_first |= status.ended

    def wait(self) -> None:
        """Sleeps until the next call is due."""
        self._clock.sleep(self._pace.after(self.age))

    @property
    def age(self) -> float:
        return max(0.0, self._clock.now() - self.since)

    @property
    def result(self) -> TaskResult | None:
        """How it ended, with the containers that were seen to end before the job."""
        result = self.status.result if self.status else None
        if result is None or not self._ended_first:
            return result
        first = self._ended_first
        return replace(
            result, containers=tuple(replace(c, ended_first=c.name in first) for c in result.containers)
        )

    @property
    def last_status(self) -> str:
        return self.status.last_status if self.status else "PROVISIONING"

    @property
    def starting(self) -> bool:
        """No container has run yet as far as ECS reports; a failed start passes through stopping states."""
        if self.over or self.last_status in _STARTING:
            return not self.over
        started = self.status and (self.status.raw.get("startedAt") or self.status.ended)
        return self.last_status in _STOPPING and not started

    @property
    def forgotten(self) -> bool:
        """ECS does not describe the task, and not for a moment only."""
        if not self._missing or self.result:
            return False
        if not self._described and self._missing[-1] - self.since < self._start_timeout:
            return False
        lasted = self._missing[-1] - self._missing[0]
        return not self._forgive or (len(self._missing) >= MISSING_ANSWERS and lasted >= self._forgive)

    @property
    def over(self) -> bool:
        return self.result is not None or self.forgotten
