"""Live Tail cuts the pauses short, and is not needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from deployer.commands.logs.output import Screen
from deployer.commands.logs.request import TailRequest
from deployer.commands.logs.tail import tail
from deployer.errors import ExpiredCredentials, Failure, TransientFailure
from deployer.logs.live import LivePause
from deployer.ports import LogEvent
from tests.fakes.clock import FakeClock
from tests.fakes.logs import FakeLiveTail, FakeLogs
from tests.fakes.tasks import FakeTasks

GROUP = "/ecs/job"
REQUEST = TailRequest(
    group=GROUP, stream_prefix="ecs", container="job", family="job", drain=5, follow=True, live=True
)
ALL = replace(REQUEST, all_tasks=True, drain=1e6)
"""All tasks, of which ECS knows none, however long they are silent."""

ENDED = TransientFailure("capacity", "SessionTimeoutException")


@dataclass
class Scene:
    """A group whose sessions wait by the scene's clock."""

    clock: FakeClock = field(default_factory=FakeClock)
    logs: FakeLogs = field(default_factory=FakeLogs)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.logs.sleep = self.clock.sleep
        self.pause = LivePause(self.logs, GROUP, ["ecs/job/"], self.clock, self.notes.append)

    def passed(self, seconds: float) -> float:
        """How long a pause of so many seconds was in truth; it ended without news."""
        begun = self.clock.now()
        assert self.pause.wait(seconds) == frozenset()
        return self.clock.now() - begun


def test_the_streams_that_are_told_of_are_read_at_once() -> None:
    """News end the pause before its time, and say which streams to read."""
    scene = Scene()
    scene.pause.wait(1)
    scene.logs.put(GROUP, "ecs/job/7", LogEvent(0.0, "a line"))
    begun = scene.clock.now()
    assert scene.pause.wait(60) == {"ecs/job/7"}
    assert scene.clock.now() == begun


def test_without_news_the_pause_is_a_pause() -> None:
    """Nothing is to be read before its time."""
    assert Scene().passed(10) == 10


def test_a_refusal_is_said_in_one_line_and_followed_by_polling() -> None:
    """Without the permission it says so once, asks no more, and pauses as ever."""
    scene = Scene()
    refusal = Failure("aws-config", "AccessDeniedException", "allow logs:StartLiveTail for the caller in IAM")
    scene.logs.faults.fail_next("news", refusal)
    assert [scene.passed(10) for _ in range(20)] == [10] * 20
    assert len(scene.logs.sessions) == 1
    assert len(scene.notes) == 1
    assert "AccessDeniedException (allow logs:StartLiveTail" in scene.notes[0]
    assert "polling" in scene.notes[0]


def test_a_session_that_has_had_its_three_hours_is_replaced_at_once() -> None:
    """Nothing is said, and nothing waited for."""
    scene = Scene()
    scene.passed(3 * 3600)
    scene.logs.faults.fail_next("news", ENDED)
    scene.passed(1)
    assert [session.closed for session in scene.logs.sessions] == [True, False]
    assert scene.notes == []


@pytest.mark.parametrize(
    "failure",
    [
        TransientFailure("capacity", "ThrottlingException"),
        TransientFailure("capacity", "SessionStreamingException"),
        ExpiredCredentials("aws-config", "ExpiredTokenException", "log in"),
    ],
)
def test_sessions_that_end_early_are_asked_for_ever_more_seldom(failure: Failure) -> None:
    """Throttling is not answered with more calls; after the third it is said, once."""
    scene = Scene()
    for _ in range(2000):
        scene.logs.faults.fail_next("news", failure)
    assert [scene.passed(1) for _ in range(600)] == [1] * 600
    assert 10 < len(scene.logs.sessions) < 20
    assert len(scene.notes) == 1


def test_a_session_comes_back() -> None:
    """After a passing failure its news count again."""
    scene = Scene()
    scene.logs.faults.fail_next("news", TransientFailure("network", "reset"))
    scene.passed(10)
    scene.passed(1)
    scene.logs.put(GROUP, "ecs/job/7", LogEvent(0.0, "a line"))
    assert scene.pause.wait(60) == {"ecs/job/7"}
    assert scene.notes == []


class Interrupted(FakeClock):
    """Somebody presses Ctrl-C after so many sleeps; before each of them `happens`."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after
        self.put = 0
        self.logs = FakeLogs(sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if len(self.sleeps) > self.after:
            raise KeyboardInterrupt
        if len(self.sleeps) <= 200:
            self._write()

    def _write(self) -> None:
        """A line to one stream after another, each a millisecond later."""
        time = self.time - 1000 + self.put / 1000
        self.logs.put(GROUP, f"ecs/job/{self.put % 30}", LogEvent(time, f"line {self.put}"))
        self.put += 1


@pytest.mark.parametrize("deaf", [frozenset(), frozenset(f"ecs/job/{n}" for n in range(0, 30, 2))])
def test_what_live_tail_leaves_out_is_shown_all_the_same(deaf: frozenset[str]) -> None:
    """A session that never tells of half of the streams: every line is shown, once."""
    clock = Interrupted(after=500)
    clock.logs.deaf = deaf
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        tail(ALL, FakeTasks(clock.logs), clock.logs, clock, _screen(lines))
    assert clock.put == 200
    shown = [line.split("] ")[1] for line in lines]
    assert sorted(shown) == sorted(f"line {number}" for number in range(200))
    assert [session.closed for session in clock.logs.sessions] == [True]


@dataclass
class Teller(FakeLiveTail):
    """Tells of one stream at a time, and notes how many reads there were until then."""

    reads: list[int] = field(default_factory=list)

    def news(self, seconds: float) -> frozenset[str]:
        self.reads.append(self.logs.reads)
        if len(self.reads) == 6:
            raise KeyboardInterrupt
        return frozenset({f"ecs/job/{len(self.reads)}"})


class ToldLogs(FakeLogs):
    """Logs whose only session is a Teller."""

    def live(self, group: str, prefixes: Sequence[str]) -> Teller:
        self.teller = Teller(self, tuple(prefixes))
        return self.teller


def test_only_the_streams_that_are_told_of_are_read() -> None:
    """With many streams a line of one costs reads of this one and not of each."""
    logs, clock = ToldLogs(), FakeClock()
    for number in range(30):
        logs.put(GROUP, f"ecs/job/{number}", LogEvent(clock.time - 5000, "old"))
    with pytest.raises(KeyboardInterrupt):
        tail(ALL, FakeTasks(logs), logs, clock, _screen([]))
    reads = logs.teller.reads
    assert all(after - before <= 2 for before, after in pairwise(reads))
    assert sum(clock.sleeps) >= (reads[-1] - reads[0]) / 10
    assert logs.teller.closed


def _screen(lines: list[str]) -> Screen:
    return Screen(lines.append, lambda text: None)
