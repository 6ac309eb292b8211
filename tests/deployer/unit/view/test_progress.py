"""What the progress knows after events."""

import pytest

from deployer.events import Entered, Left, Progressed
from deployer.flow.release import FLOW
from deployer.view.live.progress import Progress
from tests.deployer.unit.view.story import Clock, begun, ended, passed, paused, success


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress(FLOW, clock)


def test_a_release_that_succeeds(progress: Progress) -> None:
    """Every node of the way is passed or skipped in the end, also the one that an arrow went over."""
    for event in success():
        progress.apply(event)
    assert {node for node in progress.course.way if progress.states[node].mark == "skipped"} == {
        "DOCKER_BUILD",
        "REGISTER_TASK",
    }
    assert all(progress.states[node].mark in ("passed", "skipped") for node in progress.course.way)
    assert progress.phase_seconds()["TEST"] == 6.0


def test_a_loop_back(progress: Progress) -> None:
    """After a setback the nodes ahead are pending again, the decision keeps its answer."""
    for event in (
        begun(),
        *passed("CODE"),
        *passed("RUN_TESTS"),
        *passed("TEST_LOCAL", "no"),
        Entered("CODE", 2),
    ):
        progress.apply(event)
    assert progress.states["RUN_TESTS"].mark == "pending"
    assert progress.states["TEST_LOCAL"].setback
    assert progress.states["TEST_LOCAL"].answer == "no"
    assert progress.states["CODE"].visits == 2
    assert progress.current == "CODE"


def test_a_resumed_release(progress: Progress) -> None:
    """Resuming at a node shows what leads to it as passed earlier."""
    progress.apply(begun("RUN_TASK", resumed=True))
    assert progress.states["DOCKER_PUSH"].mark == "earlier"
    assert progress.states["RUN_TASK"].mark == "pending"


def test_time_runs_at_the_current_node(progress: Progress, clock: Clock) -> None:
    """A node's time is what it took in earlier visits and what it takes now."""
    for event in (begun(), *passed("CODE", seconds=3.0), Entered("CODE", 2)):
        progress.apply(event)
    clock.time = 2.0
    assert progress.spent(progress.states["CODE"]) == 5.0


def test_bars_belong_to_the_current_node(progress: Progress) -> None:
    """A bar is kept by its key until its node is left."""
    for done in (1, 2):
        progress.apply(Progressed("DOCKER_PUSH", "layer", "Pushing", done, 2))
    assert [bar.done for bar in progress.bars.values()] == [2]
    progress.apply(Left("DOCKER_PUSH", "", "PUSH_OK", 1.0))
    assert not progress.bars


def test_where_it_halted(progress: Progress) -> None:
    """A pause marks its node; a lost release knows the decision that gave up."""
    progress.apply(paused())
    assert progress.states["CHECK_CONFIG"].mark == "halted"
    for event in (*passed("ERROR_TYPE", "unknown"), ended("END_FAILED", 19, "END_FAILED")):
        progress.apply(event)
    assert progress.lost is not None
    assert progress.lost.answer == "unknown"
    assert progress.states["END_FAILED"].mark == "halted"
