"""What lies ahead in the release flow, and what is a setback."""

from deployer.flow.chart import Edge
from deployer.flow.main_path import Course
from deployer.flow.release import FLOW

COURSE = Course(FLOW)


def test_the_way_runs_from_start_to_success() -> None:
    """The way holds what a release without a setback passes, in the order in which it passes it."""
    assert COURSE.way[0] == "START"
    assert COURSE.way[-1] == "END_SUCCESS"
    assert COURSE.way.index("RUN_TESTS") + 1 == COURSE.way.index("TEST_LOCAL")
    assert {"CHECK_CONFIG", "FIX_DOCKERFILE", "ANALYZE_LOGS", "BACK_OFF", "END_FAILED"}.isdisjoint(COURSE.way)


def test_without_the_arrows_back_there_is_no_cycle() -> None:
    """Every arrow that does not close a loop leads to a later layer."""
    assert all(COURSE.layers[edge.source] < COURSE.layers[edge.target] for edge in COURSE.forward)
    assert Edge("TEST_LOCAL", "CODE", "no") not in COURSE.forward


def test_setbacks() -> None:
    """Leaving the way or returning on it is a setback; skipping a node of it is not."""
    assert COURSE.setback("TEST_LOCAL", "CODE")
    assert COURSE.setback("PIPELINE_OK", "ANALYZE_LOGS")
    assert not COURSE.setback("UPDATE_TASK", "RUN_TASK")
    assert COURSE.between("UPDATE_TASK", "RUN_TASK") == ("REGISTER_TASK",)


def test_what_comes_before_a_node() -> None:
    """The fewest nodes to a repair node go through the decision that leads to it."""
    assert COURSE.before("CHECK_CONFIG")[-1] == "TASK_STARTED"
    assert COURSE.before("START") == ()
