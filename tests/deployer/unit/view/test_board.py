"""What the board knows after events."""

import pytest

from deployer.events import Entered, Left, Progressed
from deployer.flow.release import FLOW
from deployer.view.live.progress import Progress
from tests.deployer.unit.view.story import Clock, begun, ended, passed, paused, success


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Progress:
    return Progress(FLOW, clock)


def test_a_release_that_succeeds(board: Progress) -> None:
    """Every node of the way is passed or skipped in the end, also the one that an arrow went over."""
    for event in success():
        board.apply(event)
    assert {node for node in board.course.way if board.spots[node].mark == "skipped"} == {
        "DOCKER_BUILD",
        "REGISTER_TASK",
    }
    assert all(board.spots[node].mark in ("passed", "skipped") for node in board.course.way)
    assert board.phase_seconds()["DEV"] == 6.0


def test_a_loop_back(board: Progress) -> None:
    """After a setback the nodes ahead are pending again, the decision keeps its answer."""
    for event in (
        begun(),
        *passed("CODE"),
        *passed("RUN_TESTS"),
        *passed("TEST_LOCAL", "no"),
        Entered("CODE", 2),
    ):
        board.apply(event)
    assert board.spots["RUN_TESTS"].mark == "pending"
    assert board.spots["TEST_LOCAL"].setback
    assert board.spots["TEST_LOCAL"].answer == "no"
    assert board.spots["CODE"].visits == 2
    assert board.current == "CODE"


def test_a_resumed_release(board: Progress) -> None:
    """Resuming at a node shows what leads to it as passed earlier."""
    board.apply(begun("RUN_TASK", resumed=True))
    assert board.spots["DOCKER_PUSH"].mark == "earlier"
    assert board.spots["RUN_TASK"].mark == "pending"


def test_time_runs_at_the_current_node(board: Progress, clock: Clock) -> None:
    """A node's time is what it took in earlier visits and what it takes now."""
    for event in (begun(), *passed("CODE", seconds=3.0), Entered("CODE", 2)):
        board.apply(event)
    clock.time = 2.0
    assert board.spent(board.spots["CODE"]) == 5.0


def test_bars_belong_to_the_current_node(board: Progress) -> None:
    """A bar is kept by its key until its node is left."""
    for done in (1, 2):
        board.apply(Progressed("DOCKER_PUSH", "layer", "Pushing", done, 2))
    assert [bar.done for bar in board.bars.values()] == [2]
    board.apply(Left("DOCKER_PUSH", "", "PUSH_OK", 1.0))
    assert not board.bars


def test_where_it_halted(board: Progress) -> None:
    """A pause marks its node; a lost release knows the decision that gave up."""
    board.apply(paused())
    assert board.spots["CHECK_CONFIG"].mark == "halted"
    for event in (*passed("ERROR_TYPE", "unknown"), ended("END_FAILED", 19, "END_FAILED")):
        board.apply(event)
    assert board.lost is not None
    assert board.lost.answer == "unknown"
    assert board.spots["END_FAILED"].mark == "halted"
