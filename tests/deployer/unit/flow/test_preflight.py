"""What is seen of the account before anything is built, and what is built again after it was lost."""

from dataclasses import asdict
from pathlib import Path

import pytest

from deployer.events import Noted
from deployer.model import dump
from deployer.ports import Finding, FindingState
from deployer.records.journal import Journal
from tests.fakes.release import Releasing
from tests.fakes.tasks import STILLBORN, Outcome
from tests.fakes.world import REPOSITORY, World

MISSING = Finding(
    "cluster c", FindingState.FAIL, "is missing in eu-west-3", "aws ecs create-cluster --cluster-name c"
)


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_that_could_not_succeed_stops_before_the_build(world: World, tmp_path: Path) -> None:
    """CHECK_CONFIG, exit code 13, with the finding and its command; no test has run and nothing is built.
    Mended and resumed, the same release does every phase."""
    world.account.first["cluster"] = world.account.looks["cluster"] = MISSING
    releasing = Releasing(world, tmp_path)
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_CONFIG", 13)
    assert releasing.path_walked() == ["START", "CODE"]
    cause = stop.release.cause
    assert cause is not None
    assert (cause.evidence, cause.remedy) == (("cluster c: is missing in eu-west-3",), MISSING.remedy)
    assert world.engine.builds == []
    world.account.first["cluster"] = world.account.looks["cluster"] = Finding("cluster c", FindingState.PASS)
    world.tasks.script.append(world.loads(3))
    assert releasing.go().end == "END_SUCCESS"
    assert releasing.path_walked()[2:5] == ["CHECK_CONFIG", "CODE", "RUN_TESTS"]


def test_where_nothing_is_to_be_built_the_task_s_start_shows_it(world: World, tmp_path: Path) -> None:
    """An unchanged release looks at nothing beforehand; with the local tests before it, it does."""
    world.tasks.script += [world.loads(3), STILLBORN]
    assert Releasing(world, tmp_path / "1", "r1").go().end == "END_SUCCESS"
    world.account.first["cluster"] = world.account.looks["cluster"] = MISSING
    build, dev = (Releasing(world, tmp_path / phase, phase, start_at=phase) for phase in ("build", "test"))
    assert (build.go().node, dev.go().node) == ("CHECK_CONFIG", "CHECK_CONFIG")
    assert ("RUN_TASK" in build.path_walked(), "RUN_TASK" in dev.path_walked()) == (True, False)


def test_it_stays_stopped_until_it_is_mended(world: World, tmp_path: Path) -> None:
    """Resumed too early it says the same again."""
    world.account.first["cluster"] = MISSING
    releasing = Releasing(world, tmp_path)
    first, second = releasing.go(), releasing.go()
    assert (first.node, second.node) == ("CHECK_CONFIG", "CHECK_CONFIG")
    assert second.release.cause == first.release.cause


def test_what_cannot_be_seen_stops_nothing(world: World, tmp_path: Path) -> None:
    """Somebody who may not look at the account may still release."""
    world.account.first["cluster"] = Finding("cluster c", FindingState.UNKNOWN, "not allowed to look")
    world.tasks.script.append(world.loads(3))
    assert Releasing(world, tmp_path).go().end == "END_SUCCESS"


def test_an_image_that_is_gone_is_pushed_again_once_resumed(world: World, tmp_path: Path) -> None:
    """Without its image a task cannot start: the way on leads through the build, which has it already."""
    world.tasks.script += [STILLBORN, world.loads(3)]
    releasing = Releasing(world, tmp_path)
    assert releasing.go().node == "CHECK_CONFIG"
    tags = world.registry.tags[REPOSITORY]
    world.registry.remove(REPOSITORY, list(tags))
    assert releasing.go().end == "END_SUCCESS"
    assert releasing.path_walked().count("DOCKER_PUSH") == 2


def test_a_person_may_overrule_a_finding(world: World, tmp_path: Path) -> None:
    """Accepted by name it no longer stops the release, before the build and after it; it is told how."""
    world.account.first["cluster"] = world.account.looks["cluster"] = MISSING
    releasing = Releasing(world, tmp_path)
    stop = releasing.go()
    told = [event.text for event in releasing.events if isinstance(event, Noted)]
    assert any('--accept "cluster c"' in text for text in told)
    journal = Journal.resume(releasing.path, world.clock)
    accepted = stop.release.with_(accepted=("cluster c",))
    journal.append("noted", node=stop.node, state=dump(accepted))
    journal.append("paused", node=stop.node, cause=asdict(stop.release.cause), state=dump(accepted))
    world.tasks.script.append(world.loads(3))
    assert releasing.go(journal=journal).end == "END_SUCCESS"


def test_a_task_that_ran_overrules_a_finding(world: World, tmp_path: Path) -> None:
    """What the account has done weighs more than what a check infers from it."""
    world.tasks.script.append(
        Outcome(exit_code=1, lines=("AccessDeniedException: not authorized to s3:GetObject",))
    )
    releasing = Releasing(world, tmp_path)
    assert releasing.go().node == "CHECK_CONFIG"
    world.account.first["cluster"] = world.account.looks["cluster"] = MISSING
    world.tasks.script.append(world.loads(3))
    assert releasing.go().end == "END_SUCCESS"
