"""What starts the family's newest revision starts proven code, however a release stops."""

from pathlib import Path

import pytest

from deployer.config.model import Config
from deployer.errors import Failure, TransientFailure
from deployer.events import Noted
from deployer.records.journal import read
from deployer.records.releases import summary
from tests.fakes.release import Releasing
from tests.fakes.tasks import STILLBORN, Outcome
from tests.fakes.world import World, settings

FAMILY = "arn:aws:ecs:eu-west-3:123456789012:task-definition/job"
TRACEBACK = ("Traceback (most recent call last):", '  File "job.py", line 3, in run', "KeyError: 'depth'")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One proven release is there: revision 1."""
    world = World()
    world.tasks.script.append(world.loads())
    assert Releasing(world, tmp_path / "proven", "r0").go().end == "END_SUCCESS"
    return world


def changed(**run: object) -> Config:
    """Settings that need another revision."""
    return settings(task={"definition": {**settings().task.definition, "cpu": "512"}}, run=run)


def newest(world: World) -> str:
    revision = world.tasks.newest_revision("job")
    assert revision
    return revision.arn


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        (Outcome(exit_code=1, lines=TRACEBACK), "PAUSED"),
        (Outcome(exit_code=77, lines=("zzz",)), "END_FAILED"),
        (Outcome(exit_code=0, lines=("done",)), "PAUSED"),
        (STILLBORN, "PAUSED"),
    ],
    ids=["code", "unknown", "nothing-loaded", "never-started"],
)
def test_a_failed_release_takes_its_revision_back(
    world: World, tmp_path: Path, outcome: Outcome, end: str
) -> None:
    """The proven one is the newest again; the journal says so, and so does `show`."""
    world.tasks.script.append(outcome)
    releasing = Releasing(world, tmp_path / "next", "r1", config=changed())
    assert releasing.go().end == end
    assert (newest(world), world.tasks.inactive) == (f"{FAMILY}:1", {f"{FAMILY}:2"})
    made = releasing.state().task_definition
    assert made
    assert (made.arn, made.status) == (f"{FAMILY}:2", "withdrawn")
    assert summary(read(releasing.path))["task_definition_status"] == "withdrawn"
    assert any("job:2 is deregistered" in e.text for e in releasing.events if isinstance(e, Noted))


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [
        (STILLBORN, "CHECK_CONFIG"),
        (
            Outcome(exit_code=4, lines=("pymongo.errors.OperationFailure: Authentication failed.",)),
            "CHECK_ATLAS",
        ),
        (Outcome(exit_code=0, lines=("done",)), "CHECK_DATA"),
    ],
)
def test_a_resumed_release_registers_it_again(
    world: World, tmp_path: Path, outcome: Outcome, pause: str
) -> None:
    """Once, as the same definition; the job runs with it, and once proven it stays."""
    world.tasks.script += [outcome, world.loads(7)]
    releasing = Releasing(world, tmp_path / "next", "r1", config=changed())
    assert releasing.go().node == pause
    assert releasing.go().end == "END_SUCCESS"
    assert (newest(world), len(world.tasks.registered)) == (f"{FAMILY}:3", 3)
    first, again = (revision.definition["containerDefinitions"] for revision in world.tasks.registered[1:])
    assert first == again
    assert releasing.state().launches[-1].task_definition == f"{FAMILY}:3"


def test_data_that_is_proven_after_all_has_a_revision_that_can_be_scheduled(
    world: World, tmp_path: Path
) -> None:
    """MongoDB was away when the data was to be verified: the job does not run again, the schedule moves to a
    revision that ECS starts."""
    world.tasks.script.append(world.loads())
    world.database.faults.fail_next("find_one", TransientFailure("mongodb", "connection reset"))
    world.schedules.targets["default", "nightly"] = f"{FAMILY}:1"
    also = settings(schedule={"name": "nightly"}, retries={"max-elapsed": 0.5})
    config = changed().model_copy(update={"schedule": also.schedule, "retries": also.retries})
    releasing = Releasing(world, tmp_path / "next", "r1", config=config)
    assert (releasing.go().node, newest(world)) == ("VERIFY_DATA", f"{FAMILY}:1")
    assert releasing.go().end == "END_SUCCESS"
    assert world.schedules.targets["default", "nightly"] == newest(world) == f"{FAMILY}:3"
    assert len(world.tasks.tasks) == 2


def test_a_task_that_may_yet_run_keeps_its_revision(world: World, tmp_path: Path) -> None:
    """ECS cannot be asked while the task runs: nothing has failed yet, and it is followed to its end."""
    world.tasks.script.append(world.loads(polls=9))
    releasing = Releasing(world, tmp_path / "next", "r1", config=changed())
    releasing.go(detach=True)
    world.tasks.faults.fail_next("status", Failure("aws-config", "the token has expired"))
    assert (releasing.go().node, newest(world)) == ("MONITOR", f"{FAMILY}:2")
    assert releasing.go().end == "END_SUCCESS"
    assert len(world.tasks.registered) == 2


def test_a_refused_start_takes_it_back_too(world: World, tmp_path: Path) -> None:
    """RunTask was refused for good; resumed, the same launch starts the revision that is there then."""
    world.tasks.script.append(world.loads())
    world.tasks.faults.fail_next("run", Failure("aws-config", "not authorized to perform: ecs:RunTask"))
    releasing = Releasing(world, tmp_path / "next", "r1", config=changed())
    assert (releasing.go().node, newest(world)) == ("RUN_TASK", f"{FAMILY}:1")
    assert releasing.go().end == "END_SUCCESS"
    (launch,) = releasing.state().launches
    assert launch.task_definition == newest(world) == f"{FAMILY}:3"


def test_a_proven_revision_is_never_taken_back(world: World, tmp_path: Path) -> None:
    """A release that fails with the revision of an earlier, proven one leaves it alone."""
    world.tasks.script.append(Outcome(exit_code=77, lines=("zzz",)))
    assert Releasing(world, tmp_path / "next", "r1").go().end == "END_FAILED"
    assert (newest(world), world.tasks.inactive) == (f"{FAMILY}:1", set())


def test_where_it_may_not_be_deregistered_that_is_said(world: World, tmp_path: Path) -> None:
    """With the command that does it by hand; the release ends as it would have ended."""
    world.tasks.script.append(Outcome(exit_code=77, lines=("zzz",)))
    world.tasks.faults.fail_next("deregister", Failure("aws-config", "not authorized"))
    releasing = Releasing(world, tmp_path / "next", "r1", config=changed())
    assert (releasing.go().exit_code, newest(world)) == (19, f"{FAMILY}:2")
    said = [event.text for event in releasing.events if isinstance(event, Noted)]
    assert any(f"aws ecs deregister-task-definition --task-definition {FAMILY}:2" in text for text in said)


def test_a_schedule_of_the_family_is_told_when_a_release_is_promoted(world: World, tmp_path: Path) -> None:
    """It would start the next unproven revision as well. Where it may not be read, nothing stops."""
    world.schedules.targets["default", "weekly"] = FAMILY
    for number, told in ((1, True), (2, False)):
        world.tasks.script.append(world.loads())
        releasing = Releasing(world, tmp_path / str(number), f"r{number}")
        if not told:
            world.schedules.faults.fail_next("triggers", Failure("aws-config", "not authorized"))
        assert releasing.go().end == "END_SUCCESS"
        said = [event.text for event in releasing.events if isinstance(event, Noted)]
        assert any("schedule default/weekly starts the newest revision" in text for text in said) == told
