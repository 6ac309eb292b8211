"""The watcher of a task, on an ECS that is eventually consistent."""

from collections.abc import Iterable, Iterator

from deployer.model import ContainerResult, TaskResult
from deployer.ports import TaskStatus
from deployer.retry import RetryPolicy
from deployer.task.watch import TaskWatch
from tests.fakes.clock import FakeClock
from tests.fakes.tasks import FakeTasks

ARN = "arn:aws:ecs:eu-west-3:123456789012:task/c/1"


def status(last: str, *ended: str, result: TaskResult | None = None, **raw: str) -> TaskStatus:
    return TaskStatus(ARN, last, "", result, frozenset(ended), raw)


class Answers(FakeTasks):
    """ECS that gives these answers, the last one for ever."""

    def __init__(self, answers: Iterable[TaskStatus | None]) -> None:
        super().__init__()
        self.answers: Iterator[TaskStatus | None] = iter(answers)
        self.now: TaskStatus | None = None

    def status(self, arn: str) -> TaskStatus | None:
        self.now = next(self.answers, self.now)
        return self.now


def watching(*answers: TaskStatus | None, start_timeout: float = 60.0) -> tuple[TaskWatch, FakeClock]:
    clock = FakeClock()
    watch = TaskWatch(
        Answers(answers),
        ARN,
        RetryPolicy(clock=clock),
        since=clock.now(),
        start_timeout=start_timeout,
        job="job",
    )
    return watch, clock


def seconds_until_over(watch: TaskWatch, clock: FakeClock, most: float = 300.0) -> float:
    begun = clock.now()
    while not watch.check() and clock.now() - begun < most:
        watch.wait()
    return clock.now() - begun


def test_a_task_that_is_not_yet_described_is_starting() -> None:
    """MISSING right after RunTask says nothing, up to the start timeout."""
    watch, clock = watching(None)
    watch.check()
    assert (watch.starting, watch.over) == (True, False)
    assert seconds_until_over(watch, clock) >= 60
    assert watch.forgotten


def test_a_task_missing_once_is_asked_for_again() -> None:
    """One answer without a task that ran is not its end."""
    done = status("STOPPED", result=TaskResult(containers=(ContainerResult("job", 0),), job="job"))
    watch, clock = watching(status("RUNNING"), None, status("RUNNING"), None, None, done)
    seconds_until_over(watch, clock)
    assert watch.result and watch.result.exit_code == 0


def test_a_task_missing_for_half_a_minute_is_forgotten() -> None:
    """Several answers in a row without it, over thirty seconds."""
    watch, clock = watching(status("RUNNING"), None)
    assert 30 <= seconds_until_over(watch, clock) < 40
    assert watch.result is None


def test_a_failed_start_is_a_start_until_it_is_stopped() -> None:
    """It passes through DEPROVISIONING; a task that ran and does so is past its start."""
    failing, _ = watching(status("DEPROVISIONING"))
    failing.check()
    ran, _ = watching(status("DEPROVISIONING", startedAt="2024-01-01"))
    ran.check()
    assert (failing.starting, ran.starting) == (True, False)


def test_a_container_that_ends_before_the_job_is_remembered() -> None:
    """Only looking at the running task shows the order; the result of the stopped one does not."""
    both = (ContainerResult("job", 0), ContainerResult("proxy", 1))
    watch, clock = watching(
        status("RUNNING"),
        status("RUNNING", "proxy"),
        status("STOPPED", "proxy", "job", result=TaskResult("EssentialContainerExited", "", both, "job")),
    )
    seconds_until_over(watch, clock)
    assert watch.result and watch.result.culprit
    assert watch.result.culprit.name == "proxy"
