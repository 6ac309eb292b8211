"""Following one stream: begins before it exists, ends when it is drained."""

from collections.abc import Callable

import pytest

from deployer.errors import Failure, TransientFailure
from deployer.logs.follow import follow
from deployer.ports import LogEvent
from tests.fakes.clock import FakeClock
from tests.fakes.logs import FakeLogs

GROUP, STREAM = "/ecs/job", "ecs/job/1"


def _lines(first: int, count: int) -> list[LogEvent]:
    return [LogEvent(float(number), f"line {number}") for number in range(first, first + count)]


class Scene:
    """A stream to follow; `plan` maps the number of a status question to what happens just before it."""

    def __init__(self, stops_at: int, plan: dict[int, Callable[[], None]] | None = None) -> None:
        self.logs, self.clock = FakeLogs(), FakeClock()
        self.asked = 0
        self._stops_at, self._plan = stops_at, plan or {}

    def is_stopped(self) -> bool:
        self.asked += 1
        self._plan.pop(self.asked, lambda: None)()
        return self.asked >= self._stops_at

    def plan(self, at: int, happens: Callable[[], None]) -> None:
        self._plan[at] = happens

    def follow(self, cursor: str | None = None) -> list[LogEvent]:
        return list(
            follow(
                self.logs,
                GROUP,
                STREAM,
                is_stopped=self.is_stopped,
                clock=self.clock,
                drain=5,
                cursor=cursor,
            )
        )


def test_it_begins_before_the_stream_exists() -> None:
    """The stream appears only after the task has started; nothing of it is missed."""
    scene = Scene(stops_at=10)
    scene.plan(5, lambda: scene.logs.put(GROUP, STREAM, *_lines(0, 3)))
    assert scene.follow() == _lines(0, 3)


def test_many_pages_are_complete_and_in_order() -> None:
    """A burst larger than a page is read to its end, each line once."""
    scene = Scene(stops_at=1)
    scene.logs.page = 7
    scene.logs.put(GROUP, STREAM, *_lines(0, 100))
    assert scene.follow() == _lines(0, 100)


def test_lines_that_come_between_reads_are_shown_once() -> None:
    """Lines written while it follows come in order, none twice."""
    scene = Scene(stops_at=12)
    for turn in range(1, 10):
        scene.plan(turn, lambda turn=turn: scene.logs.put(GROUP, STREAM, *_lines(turn * 2, 2)))  # type: ignore[misc]
    assert scene.follow() == _lines(2, 18)


def test_lines_that_arrive_after_the_stop_are_shown() -> None:
    """CloudWatch shows the last lines some time after STOPPED; the stream is read until it stays silent."""
    scene = Scene(stops_at=1)
    scene.logs.put(GROUP, STREAM, *_lines(0, 2))
    scene.logs.put_late(GROUP, STREAM, 10, *_lines(2, 3))
    assert scene.follow() == _lines(0, 5)


def test_a_stream_that_never_appears_is_not_waited_for_for_ever() -> None:
    """A task that never started has no stream: it ends once the drain time has passed after the stop."""
    scene = Scene(stops_at=3)
    begun = scene.clock.now()
    assert scene.follow() == []
    assert scene.clock.now() - begun < 10


def test_it_goes_on_from_a_cursor() -> None:
    """A resumed release reads on from where it was."""
    scene = Scene(stops_at=1)
    scene.logs.put(GROUP, STREAM, *_lines(0, 5))
    first = scene.logs.read(GROUP, STREAM, None)
    scene.logs.put(GROUP, STREAM, *_lines(5, 2))
    assert scene.follow(first.cursor) == _lines(5, 2)


def test_throttling_costs_time_and_no_line() -> None:
    """A read that is throttled is repeated; nothing is lost or shown twice."""
    scene = Scene(stops_at=2)
    scene.logs.page = 2
    scene.logs.put(GROUP, STREAM, *_lines(0, 6))
    for _ in range(3):
        scene.logs.faults.fail_next("read", TransientFailure("capacity", "Throttled"))
    assert scene.follow() == _lines(0, 6)


def test_reads_that_keep_failing_are_not_hidden() -> None:
    """After some minutes the transient failure is the caller's."""
    scene = Scene(stops_at=2)
    for _ in range(100):
        scene.logs.faults.fail_next("read", TransientFailure("network", "reset"))
    with pytest.raises(TransientFailure):
        scene.follow()


def test_a_refusal_is_not_tried_again() -> None:
    """A missing permission does not pass by itself: it is said at once."""
    scene = Scene(stops_at=2)
    scene.logs.faults.fail_next("read", Failure("aws-config", "AccessDenied"))
    with pytest.raises(Failure, match="AccessDenied"):
        scene.follow()
    assert scene.clock.sleeps == []


def test_it_looks_less_often_where_nothing_comes() -> None:
    """A silent minute is not one of five reads a second, however soon the stop would be seen."""
    scene = Scene(stops_at=1000)
    begun = scene.clock.now()
    scene.follow()
    assert scene.clock.now() - begun > 80
    assert scene.logs.reads < 150


def test_a_stop_is_seen_while_nothing_comes() -> None:
    """The pauses have become long; the stop ends one of them, and the last words are read at once."""
    scene = Scene(stops_at=100)
    scene.plan(100, lambda: scene.logs.put(GROUP, STREAM, *_lines(0, 1)))
    assert scene.follow() == _lines(0, 1)
    assert scene.logs.reads < 50
