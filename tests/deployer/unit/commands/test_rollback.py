"""Going back: what is chosen, what is said, what is put back, and that twice is the same as once."""

import json
from pathlib import Path
from typing import Any

import pytest

from deployer.commands.release import first_state
from deployer.commands.rollback import Rollback, choose
from deployer.config.model import Config
from deployer.errors import Failure, RefusedError, TransientFailure
from deployer.model import Release
from deployer.records.evidence import EvidenceFolder
from deployer.records.journal import Journal, read
from deployer.records.releases import PUT_BACK, Releases, state_of, summary
from deployer.redaction import Redactor
from tests.fakes.release import Releasing
from tests.fakes.tasks import Outcome
from tests.fakes.world import REPOSITORY, World, settings

SCHEDULED = settings(schedule={"name": "nightly"})
FAMILY = "arn:aws:ecs:eu-west-3:123456789012:task-definition/job"


class Project:
    """Releases of one job to one world, each of its own content and CPU size."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, World()
        self.world.schedules.targets["default", "nightly"] = FAMILY
        self.releases = Releases(folder)

    def release(self, name: str, outcome: Outcome | None = None) -> Releasing:
        self.world.workspace.files["Dockerfile"] = f"FROM {name}"
        self.world.engine.content = name
        self.world.tasks.script.append(outcome or self.world.loads())
        releasing = Releasing(self.world, self.folder / name, name, config=self.config(name))
        releasing.go()
        return releasing

    def config(self, cpu: str) -> Config:
        definition = SCHEDULED.task.definition | {"cpu": cpu}
        return settings(task={"definition": definition}, schedule={"name": "nightly"})

    def back(self, wanted: str | None = None) -> Rollback:
        target, newest = choose(self.releases, "test", wanted)
        ports = self.world.ports(self.folder / "none")

        def kept() -> Any:
            return EvidenceFolder(self.folder / target.id, Redactor()).read("task-definition")

        return Rollback(SCHEDULED, ports, target, newest, kept)

    def deployed(self) -> tuple[str, Any, str]:
        """The digest of `latest`, the newest definition's CPU and image, the schedule's revision."""
        newest = self.world.tasks.newest_revision("job")
        assert newest
        container = newest.definition["containerDefinitions"][0]
        return (
            self.world.registry.tags[REPOSITORY]["latest"],
            (newest.definition["cpu"], container["image"]),
            self.world.schedules.targets["default", "nightly"],
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_proven_release_moves_the_schedule(project: Project) -> None:
    """The schedule starts the new revision once the data is proven, and not before."""
    project.release("a1")
    assert project.deployed()[2] == f"{FAMILY}:1"
    project.release("a2", Outcome(exit_code=0))
    assert project.deployed()[2] == f"{FAMILY}:1"


def test_a_missing_schedule_pauses_before_the_end(project: Project) -> None:
    """No schedule of that name: paused at PROMOTE with the command that makes it; made, the release ends."""
    project.world.schedules.targets.clear()
    releasing = project.release("a1")
    cause = releasing.state().cause
    assert cause and (cause.failure_class, cause.node) == ("aws-config", "PROMOTE")
    assert "deployer schedule" in cause.remedy
    project.world.schedules.targets["default", "nightly"] = FAMILY
    assert releasing.go().end == "END_SUCCESS"
    assert len(project.world.tasks.tasks) == 1


def test_everything_is_put_back(project: Project) -> None:
    """`latest`, definition and schedule are those of the release before; nothing is built."""
    project.release("a1")
    before = project.deployed()
    project.release("a2")
    pushes = len(project.world.registry.pushes)
    back = project.back()
    assert back.changes()["changes"]
    back.put_back()
    assert project.deployed() == (before[0], before[1], f"{FAMILY}:3")
    assert len(project.world.registry.pushes) == pushes


def test_going_back_twice_is_the_same_as_once(project: Project) -> None:
    """A second time there is nothing to do, and nothing is registered or moved."""
    project.release("a1")
    project.release("a2")
    project.back().put_back()
    effects, moves = project.world.effects(), project.world.schedules.moves
    again = project.back()
    assert again.target.id == "a1"
    assert not again.changes()["changes"]
    assert {step["action"] for step in again.changes()["steps"]} == {"skip"}
    again.put_back()
    assert (project.world.effects(), project.world.schedules.moves) == (effects, moves)


@pytest.mark.parametrize(
    ("port", "method"), [("registry", "move_tag"), ("tasks", "register"), ("schedules", "move")]
)
def test_a_lost_answer_doubles_nothing(project: Project, port: str, method: str) -> None:
    """A call that took effect and then failed is found done when it is tried again."""
    project.release("a1")
    project.release("a2")
    faults = getattr(project.world, port).faults
    faults.lose_next_answer(method, TransientFailure("network", "connection reset"))
    back = project.back()
    back.put_back()
    assert not back.changes()["changes"]
    assert len(project.world.tasks.registered) == 3


def test_what_changes_is_said_and_nothing_is_done(project: Project) -> None:
    """The fields that differ, the digests and the schedule are named; the world stays as it is."""
    project.release("a1")
    project.release("a2")
    before = json.dumps(project.world.effects(), default=str), project.deployed()
    changes = project.back().changes(run=True)
    assert (changes["release"], changes["newest"], changes["changes"]) == ("a1", "a2", True)
    assert [(step["node"], step["action"]) for step in changes["steps"]] == [
        ("PROMOTE", "do"), ("REGISTER_TASK", "do"), ("PROMOTE", "do"), ("RUN_TASK", "do"),
    ]  # fmt: skip
    assert "cpu: 'a2' -> 'a1'" in changes["differences"]
    assert (json.dumps(project.world.effects(), default=str), project.deployed()) == before


def test_a_failed_release_is_gone_back_from(project: Project) -> None:
    """Where the newest release failed after it had registered a revision, the verified one is put back."""
    project.release("a1")
    project.release("a2", Outcome(exit_code=1, lines=("zzz",)))
    back = project.back()
    assert (back.target.id, back.newest) == ("a1", "a2")
    back.put_back()
    assert project.deployed()[1][0] == "a1"


def test_a_release_of_the_same_is_passed_over(project: Project) -> None:
    """Nightly releases of unchanged inputs are no way back: the last one that was different is."""
    project.release("a1")
    for number in (1, 2):
        project.world.tasks.script.append(project.world.loads())
        project.world.workspace.files["Dockerfile"] = "FROM a2"
        project.world.engine.content = "a2"
        Releasing(
            project.world, project.folder / f"b{number}", f"b{number}", config=project.config("a2")
        ).go()
    assert project.back().target.id == "a1"


def test_any_verified_release_can_be_named(project: Project) -> None:
    """With an ID the way back may be further."""
    for name in ("a1", "a2", "a3"):
        project.release(name)
    project.back("a1").put_back()
    assert project.deployed()[1][0] == "a1"


def test_there_must_be_a_verified_release(project: Project) -> None:
    """Nothing to go back to, a release that was never proven, one that is not known: refused, exit code 3."""
    with pytest.raises(RefusedError, match="no verified release"):
        choose(project.releases, "test", None)
    project.release("a1", Outcome(exit_code=1, lines=("zzz",)))
    project.release("a2")
    with pytest.raises(RefusedError, match="no verified release to test is known to go back to from a2"):
        choose(project.releases, "test", None)
    with pytest.raises(RefusedError, match="a1 was not verified"):
        choose(project.releases, "test", "a1")
    with pytest.raises(RefusedError, match="no release 'a9'"):
        choose(project.releases, "test", "a9")
    with pytest.raises(RefusedError, match="went to test, not to production"):
        choose(project.releases, "production", "a2")


def test_an_image_that_is_gone_stops_before_anything_changes(project: Project) -> None:
    """Without the image nothing is registered and the schedule stays."""
    project.release("a1")
    project.release("a2")
    before = project.deployed()
    state = choose(project.releases, "test", None)[0]
    assert state.image
    project.world.registry.remove(REPOSITORY, [state.image.tag])
    with pytest.raises(Failure, match="no image"):
        project.back().put_back()
    assert project.deployed() == before


def test_a_definition_that_ecs_forgot_comes_from_the_evidence(project: Project) -> None:
    """What the release kept of it is registered; where that was redacted, nothing is."""
    project.release("a1")
    project.release("a2")
    del project.world.tasks.registered[0]
    project.back().put_back()
    assert project.deployed()[1][0] == "a1"
    del project.world.tasks.registered[1:]
    path = project.folder / "a1/evidence/task-definition.json"
    path.write_text(path.read_text().replace('"a1"', '"***"'))
    with pytest.raises(RefusedError, match="has no complete copy"):
        project.back()


def run_again(project: Project, name: str, outcome: Outcome) -> Releasing:
    """What `--run` does once it is put back: a release of its own, resumable as any other."""
    state = first_state(Release(name, "test", project.world.clock.now()), project.back().put_back())
    project.world.tasks.script.append(outcome)
    return Releasing(project.world, project.folder / name, name, config=project.config("a2"), state=state)


def test_what_is_put_back_can_be_run_and_verified(project: Project) -> None:
    """--run releases the old image and definition: nothing tested, built or registered, one task."""
    project.release("a1")
    project.release("a2")
    releasing = run_again(project, "b1", project.world.loads())
    effects = project.world.effects()
    stop = releasing.go()
    assert stop.end == "END_SUCCESS"
    assert stop.release.image == state_of(project.releases.records("a1")).image
    told = summary(read(releasing.path))
    assert told["rollback_to"] == "a1"
    assert {"RUN_TESTS", "DOCKER_COMPOSE", "DOCKER_BUILD", "DOCKER_PUSH", "REGISTER_TASK"} <= set(
        told["skipped"]
    )
    assert stop.release.launches[-1].task_definition == f"{FAMILY}:3"
    after = project.world.effects()
    assert {key: after[key] for key in ("digests", "tags", "pushes", "revisions")} == {
        key: effects[key] for key in ("digests", "tags", "pushes", "revisions")
    }
    assert project.deployed()[1][0] == "a1"


def test_after_a_run_back_the_way_back_is_the_same(project: Project) -> None:
    """A release that was itself a rollback is neither gone back from nor to."""
    project.release("a1")
    project.release("a2")
    run_again(project, "b1", project.world.loads()).go()
    back = project.back()
    assert (back.target.id, back.newest, back.changes()["changes"]) == ("a1", "a2", False)


def test_from_a_release_after_a_rollback_it_goes_back_to_what_was_put_back(project: Project) -> None:
    """a1, a bad a2, back to a1 (run or not), then a3: from a3 it goes back to a1's, not to a2."""
    project.release("a1")
    project.release("a2")
    put_back = first_state(Release("b1", "test", 0.0), project.back().put_back())
    path = Releasing(project.world, project.folder / "b1", "b1", state=put_back).path
    journal = Journal.resume(path, project.world.clock)
    journal.append("ended", end=PUT_BACK, exit_code=0)
    journal.close()
    project.release("c3")
    back = project.back()
    assert (back.target.id, back.newest) == ("b1", "c3")
    back.put_back()
    assert project.deployed()[1][0] == "a1"


def test_a_failed_run_back_goes_on_when_resumed(project: Project) -> None:
    """Its code cannot change: it pauses at CODE, and a person's resume runs the same revision again."""
    project.release("a1")
    project.release("a2")
    traceback = ("Traceback (most recent call last):", "KeyError: 'temperature'")
    releasing = run_again(project, "b1", Outcome(exit_code=1, lines=traceback))
    assert (releasing.go().node, len(project.world.registry.pushes)) == ("CODE", 2)
    project.world.tasks.script.append(project.world.loads())
    assert releasing.go().end == "END_SUCCESS"
    assert {launch.task_definition for launch in releasing.state().launches} == {f"{FAMILY}:3"}
    assert len(project.world.registry.pushes) == 2
