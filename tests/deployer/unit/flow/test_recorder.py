"""What every stop leaves behind for whoever looks days later, whatever phase it is in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployer.errors import Failure, TransientFailure
from deployer.ports import Finding, FindingState
from tests.fakes.release import Releasing
from tests.fakes.shell import Program
from tests.fakes.tasks import STILLBORN, Outcome
from tests.fakes.world import TESTS, World

BEGUN = {"source.json", "task-definition.json", "probes.json"}
ALWAYS = BEGUN | {"inputs.json"}
BUILT = ALWAYS | {"image-manifest.json"}
RAN = BUILT | {"task-1.json", "task-1.jsonl", "run-report.json"}
REFUSED = ("pymongo.errors.OperationFailure: Authentication failed.",)


def fail_tests(world: World) -> None:
    world.shell.programs[TESTS] = Program(("1 failed",), exit_code=1)


def break_account(world: World) -> None:
    world.account.first = {"cluster": Finding("cluster c", FindingState.FAIL, "is missing", "create it")}
    world.account.looks = world.account.first


def break_build(world: World) -> None:
    world.engine.build_errors.append("COPY failed: no such file")


def refuse_pushes(world: World) -> None:
    for _ in range(20):
        world.engine.faults.fail_next("push", Failure("registry-auth", "denied"))


def refuse_revision(world: World) -> None:
    world.tasks.faults.fail_next("register", Failure("aws-config", "not allowed"))


def run(outcome: Outcome) -> Callable[[World], None]:
    return lambda world: world.tasks.script.append(outcome)


def lose(world: World) -> None:
    world.tasks.script.append(world.loads(3, reported=4))


def fail_late(world: World) -> None:
    """The job has loaded and reported when it fails."""
    world.tasks.script.append(world.loads(3, exit_code=1, lines=("KeyError: 'x'",)))


@dataclass(frozen=True)
class Stop:
    """How it comes about, where, and what is kept besides `<command>.log`."""

    make: Callable[[World], None]
    node: str
    kept: set[str]
    start_at: str = "test"


STOPS = {
    "development": Stop(fail_tests, "CODE", BEGUN),
    "before the build": Stop(break_account, "CHECK_CONFIG", BEGUN),
    "build": Stop(break_build, "FIX_DOCKERFILE", ALWAYS, "build"),
    "push": Stop(refuse_pushes, "END_FAILED", ALWAYS),
    "deploy": Stop(refuse_revision, "REGISTER_TASK", BUILT),
    "start": Stop(run(STILLBORN), "CHECK_CONFIG", BUILT | {"task-1.json"}),
    "monitoring": Stop(fail_late, "CODE", RAN),
    "mongodb": Stop(
        run(Outcome(exit_code=4, lines=REFUSED)), "CHECK_ATLAS", RAN - {"run-report.json"} | {"mongodb.json"}
    ),
    "validation": Stop(lose, "CHECK_DATA", RAN),
}


def kept(folder: Path) -> dict[str, Any]:
    return {
        path.name: json.loads(path.read_text()) if path.suffix == ".json" else path.read_text()
        for path in (folder / "evidence").iterdir()
        if path.suffix != ".log"
    }


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS.keys())
def test_every_stop_leaves_its_evidence(stop: Stop, tmp_path: Path) -> None:
    """Commit and what differs from it, definition, manifest, task, log, probes and the run's report: all that
    there can be in that phase."""
    world = World()
    stop.make(world)
    ended = Releasing(world, tmp_path, start_at=stop.start_at).go()
    assert ended.node == stop.node
    files = kept(tmp_path)
    assert files.keys() == stop.kept
    assert {"commit", "dirty", "changes"} <= files["source.json"].keys()
    assert files["task-definition.json"]["family"] == "job"
    assert not [name for name, held in files.items() if isinstance(held, dict) and "unknown" in held]


def test_the_definition_names_the_image_that_was_meant(tmp_path: Path) -> None:
    """Before the push by its tag, afterwards by its digest."""
    for name, make, sign in (("tag", refuse_pushes, ":src-"), ("digest", refuse_revision, "@sha256:")):
        world = World()
        make(world)
        Releasing(world, tmp_path / name).go()
        definition = kept(tmp_path / name)["task-definition.json"]
        assert sign in definition["containerDefinitions"][0]["image"]


def test_what_cannot_be_seen_at_a_stop_is_recorded_as_unknown(tmp_path: Path) -> None:
    """A service that fails while the stop is recorded changes neither the cause nor the rest."""
    world = World()
    world.tasks.script.append(Outcome(exit_code=1, lines=("KeyError: 'x'",)))
    for said in ("no answer", "still no answer"):
        world.registry.faults.fail_next("manifest", TransientFailure("network", said))
    stop = Releasing(world, tmp_path).go()
    assert (stop.node, stop.exit_code) == ("CODE", 10)
    assert kept(tmp_path)["image-manifest.json"] == {"unknown": "still no answer"}


def test_what_could_not_be_seen_is_looked_for_again_at_the_stop(tmp_path: Path) -> None:
    """What was unknown on the way is known in the end, where that is possible."""
    world = World()
    world.tasks.script.append(Outcome(exit_code=1, lines=("KeyError: 'x'",)))
    world.registry.faults.fail_next("manifest", TransientFailure("network", "no answer"))
    Releasing(world, tmp_path).go()
    assert "config" in kept(tmp_path)["image-manifest.json"]


def test_a_release_that_succeeds_needs_no_last_look(tmp_path: Path) -> None:
    """Its steps have kept what there is."""
    world = World()
    world.tasks.script.append(world.loads(3))
    assert Releasing(world, tmp_path).go().end == "END_SUCCESS"
    assert kept(tmp_path).keys() == {*RAN, "probes.json"}
