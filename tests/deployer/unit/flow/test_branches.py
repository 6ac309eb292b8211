"""Whole releases over fakes: each branch of the flow, its end, its exit code, what it did to the world."""

from pathlib import Path

import pytest

from deployer.errors import Failure, TransientFailure
from deployer.events import Noted
from deployer.records.journal import read
from deployer.records.releases import summary
from tests.fakes.release import Releasing
from tests.fakes.shell import Program
from tests.fakes.tasks import STILLBORN, Outcome
from tests.fakes.world import REPOSITORY, TESTS, World, settings


@pytest.fixture
def world() -> World:
    return World()


def test_a_first_release_does_every_phase(world: World, tmp_path: Path) -> None:
    """Tests, compose, one push, one revision, one task, documents proven, and `latest` moved at the end."""
    world.tasks.script.append(world.loads(3))
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.exit_code) == ("END_SUCCESS", 0)
    effects = world.effects()
    (digest,) = effects["digests"][REPOSITORY]
    assert set(effects["tags"][REPOSITORY].values()) == {digest}
    assert "latest" in effects["tags"][REPOSITORY]
    assert (effects["pushes"], len(effects["revisions"]), effects["tasks"]) == (1, 1, ["1"])
    assert effects["documents"] == ["07015@0", "07015@1", "07015@2"]
    assert effects["compose sets left"] == []


def test_the_image_is_pinned_by_digest(world: World, tmp_path: Path) -> None:
    """The registered definition names the digest that the registry reported, not a tag that can move."""
    world.tasks.script.append(world.loads())
    Releasing(world, tmp_path).go()
    (revision,) = world.tasks.registered
    image = revision.definition["containerDefinitions"][0]["image"]
    assert image == f"registry.test/{REPOSITORY}@{next(iter(world.registry.digests[REPOSITORY]))}"


def test_unchanged_inputs_skip_build_push_and_register(world: World, tmp_path: Path) -> None:
    """The second release of the same content builds, pushes and registers nothing, and says so."""
    for number in (1, 2):
        world.tasks.script.append(world.loads())
        releasing = Releasing(world, tmp_path / str(number), f"r{number}")
        assert releasing.go().end == "END_SUCCESS"
    assert (len(world.registry.pushes), len(world.tasks.registered), len(world.tasks.tasks)) == (1, 1, 2)
    skipped = summary(read(releasing.path))["skipped"]
    assert skipped == ["DOCKER_BUILD", "ECR_LOGIN", "DOCKER_TAG", "DOCKER_PUSH", "REGISTER_TASK"]


def test_red_tests_pause_at_code(world: World, tmp_path: Path) -> None:
    """Failing local tests stop everything before anything is built: exit code 10 and their last lines."""
    world.shell.programs[TESTS] = Program(("E  assert 1 == 2", "1 failed"), exit_code=1)
    releasing = Releasing(world, tmp_path)
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CODE", 10)
    assert stop.release.cause and "1 failed" in stop.release.cause.evidence
    assert world.engine.builds == []
    world.shell.programs[TESTS] = Program(("2 passed",))
    world.tasks.script.append(world.loads())
    assert releasing.go().end == "END_SUCCESS"


def test_a_broken_build_pauses_at_the_dockerfile(world: World, tmp_path: Path) -> None:
    """With the local phase skipped a failing build leads to FIX_DOCKERFILE, and a good one goes on."""
    world.engine.build_errors.append("COPY failed: file not found in build context: no-such-file")
    releasing = Releasing(world, tmp_path, start_at="build")
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "FIX_DOCKERFILE", 11)
    world.tasks.script.append(world.loads())
    assert releasing.go().end == "END_SUCCESS"


def test_a_refused_push_logs_in_again(world: World, tmp_path: Path) -> None:
    """A push that the registry refuses for its credentials goes back to the login, and passes."""
    world.engine.faults.fail_next("push", Failure("registry-auth", "denied: token has expired"))
    world.tasks.script.append(world.loads())
    releasing = Releasing(world, tmp_path)
    assert releasing.go().end == "END_SUCCESS"
    assert releasing.path_walked().count("ECR_LOGIN") == 2


def test_a_push_that_never_passes_ends_the_release(world: World, tmp_path: Path) -> None:
    """The way back to the login is bounded: END_FAILED with the registry's exit code, nothing run."""
    for _ in range(20):
        world.engine.faults.fail_next("push", Failure("registry-auth", "denied"))
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.exit_code) == ("END_FAILED", 12)
    assert world.tasks.tasks == {}


def test_a_task_that_cannot_start_pauses_at_the_configuration(world: World, tmp_path: Path) -> None:
    """A standing reason not to start pauses at CHECK_CONFIG; resumed, a new launch with a new token runs."""
    world.tasks.script += [STILLBORN, world.loads()]
    releasing = Releasing(world, tmp_path)
    stop = releasing.go()
    assert (stop.end, stop.node) == ("PAUSED", "CHECK_CONFIG")
    assert releasing.go().end == "END_SUCCESS"
    first, second = releasing.state().launches
    assert first.token != second.token


def test_missing_capacity_is_waited_for(world: World, tmp_path: Path) -> None:
    """RunTask's passing failures lead to a wait and another launch, without a person."""
    busy = Outcome(failures=("Capacity is unavailable at this time. Please try again later",))
    world.tasks.script += [busy, world.loads()]
    releasing = Releasing(world, tmp_path)
    assert releasing.go().end == "END_SUCCESS"
    assert "BACK_OFF" in releasing.path_walked()


TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "job.py", line 3, in run',
    "KeyError: 'temperature'",
)
REFUSED = (
    "pymongo.errors.OperationFailure: Authentication failed., full error: "
    "{'ok': 0.0, 'errmsg': 'Authentication failed.', 'code': 18, 'codeName': 'AuthenticationFailed'}",
)


@pytest.mark.parametrize(
    ("outcome", "node", "exit_code"),
    [
        (Outcome(exit_code=1, lines=TRACEBACK), "CODE", 10),
        (Outcome(exit_code=4, lines=REFUSED), "CHECK_ATLAS", 16),
        (
            Outcome(exit_code=1, lines=("botocore: AccessDenied when calling GetObject: not authorized",)),
            "CHECK_CONFIG",
            13,
        ),
    ],
    ids=["code", "mongodb", "aws-config"],
)
def test_a_failed_task_pauses_where_its_cause_is(
    world: World, tmp_path: Path, outcome: Outcome, node: str, exit_code: int
) -> None:
    """What the log says decides the branch and the exit code."""
    world.tasks.script.append(outcome)
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", node, exit_code)


def test_unchanged_code_is_not_taken_for_mended(world: World, tmp_path: Path) -> None:
    """After a failure of the code, resuming without other code pauses again; with it the release goes on."""
    world.tasks.script += [Outcome(exit_code=1, lines=TRACEBACK), world.loads()]
    releasing = Releasing(world, tmp_path)
    releasing.go()
    again = releasing.go()
    assert (again.end, again.node, len(world.tasks.tasks)) == ("PAUSED", "CODE", 1)
    world.workspace.files["Dockerfile"] = "FROM base # mended"
    world.engine.content = "job 2"
    assert releasing.go().end == "END_SUCCESS"
    assert len(world.registry.pushes) == 2


def test_an_unknown_cause_ends_the_release(world: World, tmp_path: Path) -> None:
    """What nobody can explain is END_FAILED with exit code 19, never a guess."""
    world.tasks.script.append(Outcome(exit_code=77, lines=("zzz",)))
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.exit_code) == ("END_FAILED", 19)


def test_a_run_that_loaded_nothing_is_not_released(world: World, tmp_path: Path) -> None:
    """Exit code 0 is no proof: without documents and report the release pauses at the data, exit code 17."""
    world.tasks.script.append(Outcome(exit_code=0, lines=("done",)))
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_DATA", 17)
    assert "latest" not in world.registry.tags[REPOSITORY]


def test_one_lost_document_is_not_released(world: World, tmp_path: Path) -> None:
    """A run that reports one document more than is there does not end at END_SUCCESS."""
    world.tasks.script.append(world.loads(4949, reported=4950))
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_DATA", 17)
    assert stop.release.cause
    assert any("4950" in line and "4949" in line for line in stop.release.cause.evidence)


def test_a_contract_that_proves_nothing_ends_unproven(world: World, tmp_path: Path) -> None:
    """Every check passes on old data as well: exit code 17, `latest` stays. With a check that is bound to the
    run the same release ends well, and the job does not run again."""
    weak = {"kind": "count", "name": "some", "collection": "measurements", "at-least": 1}
    world.tasks.script.append(world.loads(3))
    releasing = Releasing(world, tmp_path, config=settings(verify={"checks": [weak]}))
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_DATA", 17)
    assert stop.release.cause
    assert stop.release.cause.subcause == "unproven"
    assert "${RUN_ID}" in stop.release.cause.evidence[0]
    shown = [event.text for event in releasing.events if isinstance(event, Noted)]
    assert "[[verify.checks]]" in shown  # a line of its own, to be copied
    assert "latest" not in world.registry.tags[REPOSITORY]
    releasing.config = settings()
    assert releasing.go().end == "END_SUCCESS"
    assert len(world.tasks.tasks) == 1


def test_a_compose_run_that_loads_nothing_stops_before_the_cloud(world: World, tmp_path: Path) -> None:
    """Collections that stay empty in the compose test pause at CODE; nothing was pushed or run."""
    from tests.fakes.compose import JobRun

    world.compose.next_runs.append(JobRun(documents={}))
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CODE", 17)
    assert world.registry.pushes == []
    assert world.compose.sets == {}


def test_a_database_that_is_away_pauses_verification(world: World, tmp_path: Path) -> None:
    """No check counts as passed when MongoDB cannot be asked: exit code 16, and resuming verifies."""
    world.tasks.script.append(world.loads())
    world.database.faults.fail_next("find_one", TransientFailure("mongodb", "connection reset"))
    releasing = Releasing(world, tmp_path)
    releasing.config = settings(retries={"max-elapsed": 0.5})
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "VERIFY_DATA", 16)
    assert stop.release.verification is None
    assert releasing.go().end == "END_SUCCESS"
    assert len(world.tasks.tasks) == 1


def test_from_deploy_needs_the_image(world: World, tmp_path: Path) -> None:
    """--start-at deploy refuses what the registry does not hold, else it skips tests, compose and build."""
    stop = Releasing(world, tmp_path / "a", start_at="deploy").go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "BUILD_PHASE", 13)
    world.tasks.script += [world.loads(), world.loads()]
    Releasing(world, tmp_path / "b", "r2").go()
    releasing = Releasing(world, tmp_path / "c", "r3", start_at="deploy")
    assert releasing.go().end == "END_SUCCESS"
    assert {"RUN_TESTS", "DOCKER_COMPOSE", "DOCKER_BUILD"} <= set(releasing.state().skipped)


def test_a_task_that_runs_too_long_is_stopped(world: World, tmp_path: Path) -> None:
    """[run] max-runtime ends the task through ECS, and that is no success."""
    world.tasks.script.append(Outcome(polls=10**9))
    releasing = Releasing(world, tmp_path, config=settings(run={"max-runtime": "1h"}))
    stop = releasing.go()
    assert (stop.end, stop.exit_code) == ("END_FAILED", 19)
    assert stop.release.cause and "max-runtime" in stop.release.cause.remedy
    (task,) = world.tasks.tasks.values()
    assert task.stopped and task.stopped.stop_code == "UserInitiated"


def test_six_hours_are_followed_to_their_end(world: World, tmp_path: Path) -> None:
    """No hidden waiter gives up: a task of six hours is followed until it stops, and then verified."""
    world.tasks.script.append(world.loads(polls=6 * 3600))
    begun = world.clock.time
    releasing = Releasing(world, tmp_path, config=settings(run={"max-runtime": "20h"}))
    assert releasing.go().end == "END_SUCCESS"
    assert world.clock.time - begun > 5.9 * 3600


def test_a_task_that_ecs_has_forgotten_is_not_called_good(world: World, tmp_path: Path) -> None:
    """When ECS no longer knows how the task ended, nothing is concluded from that."""
    world.tasks.script.append(Outcome())
    releasing = Releasing(world, tmp_path)
    releasing.go(detach=True)
    for arn in list(world.tasks.tasks):
        world.tasks.forget(arn)
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_CONFIG", 19)


def test_a_task_that_was_missing_for_a_while_is_followed_after_all(world: World, tmp_path: Path) -> None:
    """Resumed, the release finds the same task again instead of running the job a second time."""
    world.tasks.script.append(world.loads())
    releasing = Releasing(world, tmp_path)
    releasing.go(detach=True)
    hidden = dict(world.tasks.tasks)
    world.tasks.tasks.clear()
    assert releasing.go().end == "PAUSED"
    world.tasks.tasks.update(hidden)
    assert releasing.go().end == "END_SUCCESS"
    assert len(world.tasks.tasks) == 1


def test_detaching_leaves_the_task_to_be_picked_up(world: World, tmp_path: Path) -> None:
    """--detach returns once the task has started; resuming follows and verifies the same task."""
    world.tasks.script.append(world.loads())
    releasing = Releasing(world, tmp_path)
    assert releasing.go(detach=True).end == "DETACHED"
    assert releasing.go().end == "END_SUCCESS"
    assert len(world.tasks.tasks) == 1


@pytest.mark.parametrize("method", ["newest_revision", "register", "run", "started_by", "status"])
@pytest.mark.parametrize("when", ["fail_next", "lose_next_answer"])
def test_a_passing_fault_of_any_ecs_call_changes_nothing(tmp_path: Path, method: str, when: str) -> None:
    """A call that fails once, before or after its effect, ends in the same effects as one that does not."""
    calm, faulty = World(honours_tokens=False), World(honours_tokens=False)
    getattr(faulty.tasks.faults, when)(method, TransientFailure("network", "connection reset"))
    for world, folder in ((calm, "calm"), (faulty, "faulty")):
        world.tasks.script.append(world.loads())
        assert Releasing(world, tmp_path / folder).go().end == "END_SUCCESS"
    assert faulty.effects() == calm.effects()


def test_a_mend_in_the_code_is_built_before_the_job_runs_again(world: World, tmp_path: Path) -> None:
    """Paused for what looked like configuration; where the person changed the code, another image is run."""
    world.tasks.script += [Outcome(exit_code=137), world.loads()]
    releasing = Releasing(world, tmp_path)
    assert releasing.go().node == "CHECK_CONFIG"
    world.workspace.files["Dockerfile"] += "\nENV ROWS_AT_ONCE=10"
    world.engine.content = "job 2"
    assert releasing.go().end == "END_SUCCESS"
    assert (len(world.registry.pushes), len(world.tasks.registered), len(world.tasks.tasks)) == (2, 2, 2)


def test_a_task_that_was_stopped_by_hand_waits_to_be_run_again(world: World, tmp_path: Path) -> None:
    """It ended with 0 because somebody stopped it: not good, nothing to mend; resumed, the job runs again."""
    stopped = Outcome(exit_code=0, stop_code="UserInitiated", stopped_reason="Task stopped by user")
    world.tasks.script += [stopped, world.loads()]
    releasing = Releasing(world, tmp_path)
    stop = releasing.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_CONFIG", 19)
    assert releasing.go().end == "END_SUCCESS"
