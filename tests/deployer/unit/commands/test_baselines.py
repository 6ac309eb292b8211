"""The baseline that a person took: kept here and in the shared state, the newest of both counts."""

from pathlib import Path

import pytest

from deployer.commands.baselines import Baseline, Baselines
from deployer.commands.bootstrap import SharedState
from tests.fakes.store import FakeStore

FIRST, SECOND = Baseline(100.0, {"readings": 1}), Baseline(200.0, {"readings": 2})


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def shared() -> SharedState:
    return SharedState(FakeStore(), "job/test/", 60)


def test_none_is_taken_at_first(tmp_path: Path, told: list[str]) -> None:
    """Then the last verified release counts."""
    assert Baselines(tmp_path, "test", None, told.append).taken() is None


def test_what_was_taken_is_kept_by_environment(tmp_path: Path, told: list[str]) -> None:
    """The next one takes its place; another environment has its own."""
    baselines = Baselines(tmp_path / "baselines", "test", None, told.append)
    baselines.take(FIRST)
    baselines.take(SECOND)
    assert baselines.taken() == SECOND
    assert Baselines(tmp_path / "baselines", "other", None, told.append).taken() is None
    assert [path.name for path in (tmp_path / "baselines").iterdir()] == ["test.json"]


def test_another_machine_sees_it(tmp_path: Path, told: list[str], shared: SharedState) -> None:
    """Through the shared state; of two the newer one counts, wherever it was taken."""
    here = Baselines(tmp_path / "here", "test", shared, told.append)
    there = Baselines(tmp_path / "there", "test", shared, told.append)
    here.take(FIRST)
    assert there.taken() == FIRST
    there.take(SECOND)
    assert here.taken() == SECOND


def test_a_shared_state_that_is_away_stops_nothing(tmp_path: Path, told: list[str]) -> None:
    """It is kept and read here, and both times that is said."""
    baselines = Baselines(tmp_path, "test", SharedState(FakeStore(away=True), "job/test/", 60), told.append)
    baselines.take(FIRST)
    assert baselines.taken() == FIRST
    assert len(told) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"at": 1}', '{"at": 1, "counts": {"a": "many"}}'])
def test_a_damaged_file_is_none(tmp_path: Path, told: list[str], content: str) -> None:
    """Nothing is compared with numbers that nobody took."""
    (tmp_path / "test.json").write_text(content)
    assert Baselines(tmp_path, "test", None, told.append).taken() is None
