"""Short tasks: another command of the job's image, in the job's network, never left running."""

import json

import pytest

from deployer.errors import Failure, RefusedError, TransientFailure
from deployer.task.one_off import OVERRIDES, OneOffRunner, OneOffTask
from tests.fakes.clock import FakeClock
from tests.fakes.tasks import STILLBORN, FakeTask, FakeTasks, Outcome
from tests.fakes.world import World, settings

ERRAND = OneOffTask("look", ("connectivity", "--output", "json"), {"COLOR": "red"}, within=60)


class Interrupted(FakeClock):
    """Somebody presses Ctrl-C while it is waited."""

    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt


class Forgetting(FakeClock):
    """While it is waited, ECS forgets every task."""

    def __init__(self, tasks: FakeTasks) -> None:
        super().__init__()
        self.tasks = tasks

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.tasks.tasks.clear()


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks.register({"family": "job", "containerDefinitions": []}, {})
    world.tasks.register({"family": "job", "containerDefinitions": []}, {})
    return world


def short(world: World, **tables: object) -> OneOffRunner:
    config = settings(**{"run": {"environment": {"REGION": "eu"}}, **tables})  # type: ignore[arg-type]
    return OneOffRunner(config, world.tasks, world.logs, world.clock, world.ids)


def only(world: World) -> FakeTask:
    (task,) = world.tasks.tasks.values()
    return task


def test_it_runs_another_command_of_the_newest_revision(world: World) -> None:
    """The job's container, its variables and network, the command of the errand, a mark of its own."""
    world.tasks.script.append(Outcome(lines=("a", "b")))
    returned = short(world).run(ERRAND)
    request = only(world).request
    assert request.task_definition.endswith("job:2")
    assert request.command == ERRAND.command
    assert request.environment == {"REGION": "eu", "COLOR": "red"}
    assert request.started_by.startswith("deployer-look-")
    assert (returned.exit_code, returned.lines) == (0, ("a", "b"))


def test_a_named_revision_is_run(world: World) -> None:
    """A release looks with the revision that it runs itself, also where a newer one is there."""
    first = world.tasks.revisions("job")[0]
    short(world).run(ERRAND, first)
    assert only(world).request.task_definition == first


def test_without_a_revision_it_is_refused() -> None:
    """Before a first release there is no image that could look; nothing is started."""
    world = World()
    with pytest.raises(RefusedError, match="no active revision") as refused:
        short(world).run(ERRAND)
    assert refused.value.hint
    assert world.tasks.tasks == {}


def test_a_lost_answer_starts_no_second_task(world: World) -> None:
    """The call is repeated under its token."""
    world.tasks.faults.lose_next_answer("run", TransientFailure("network", "reset"))
    assert short(world).run(ERRAND).exit_code == 0
    assert len(world.tasks.tasks) == 1


def test_reasons_not_to_start_are_a_classified_failure(world: World) -> None:
    """What RunTask says is diagnosed as a release's launch would be."""
    world.tasks.script.append(Outcome(failures=("RESOURCE:MEMORY",)))
    with pytest.raises(Failure, match="RESOURCE:MEMORY") as caught:
        short(world).run(ERRAND)
    assert caught.value.failure_class in ("capacity", "resources")


def test_one_that_never_ran_says_why(world: World) -> None:
    """A task that ECS could not start has no exit code, and its failure holds ECS's reason."""
    world.tasks.script.append(STILLBORN)
    returned = short(world).run(ERRAND)
    assert returned.exit_code is None
    assert "ResourceInitializationError" in returned.failure().message


def test_its_failure_is_classified_by_its_lines(world: World) -> None:
    """A log that speaks of MongoDB makes it a failure of class mongodb, with its remedy."""
    line = "pymongo.errors.OperationFailure: Authentication failed."
    world.tasks.script.append(Outcome(exit_code=4, lines=(line,)))
    failure = short(world).run(ERRAND).failure()
    assert failure.failure_class == "mongodb"
    assert failure.hint


def test_one_that_takes_too_long_is_stopped(world: World) -> None:
    """After its time the task is stopped, and that is a failure."""
    world.tasks.script.append(Outcome(polls=10_000))
    with pytest.raises(Failure, match="60 s"):
        short(world).run(ERRAND)
    assert only(world).stopped is not None


def test_one_that_does_not_start_in_time_is_stopped(world: World) -> None:
    """A task that stays in PENDING is stopped after `[run] start-timeout`."""
    world.tasks.script.append(Outcome(polls=10_000, pending=10_000))
    with pytest.raises(Failure, match="PENDING") as caught:
        short(world).run(ERRAND)
    assert caught.value.failure_class == "capacity"
    assert only(world).stopped is not None


def test_an_interrupt_stops_it(world: World) -> None:
    """Ctrl-C while it runs leaves no task behind."""
    world.clock = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        short(world).run(ERRAND)
    assert only(world).stopped is not None


def test_one_that_ecs_forgets_is_no_success(world: World) -> None:
    """Where how it ended cannot be told, nothing is concluded."""
    world.clock = Forgetting(world.tasks)
    with pytest.raises(Failure, match="no longer knows"):
        short(world).run(ERRAND)


def test_the_room_for_a_variable_counts_every_character(world: World) -> None:
    """A variable that fills the room makes overrides of exactly what ECS takes."""
    tasks = short(world)
    empty = OneOffTask(ERRAND.purpose, ERRAND.command, {"QUESTIONS": ""})
    pairs = [{"name": "REGION", "value": "eu"}, {"name": "QUESTIONS", "value": "x" * tasks.room(empty)}]
    override = {"name": "job", "environment": pairs, "command": list(ERRAND.command)}
    assert len(json.dumps({"containerOverrides": [override]})) == OVERRIDES


def test_a_task_whose_start_was_not_waited_for_is_stopped(world: World) -> None:
    """Ctrl-C while RunTask is under way: the task that ECS starts all the same is found by its mark."""
    world.tasks.script.append(Outcome(lines=("a",)))
    world.tasks.faults.lose_next_answer("run", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        short(world).run(ERRAND)
    stopped = only(world).stopped
    assert stopped is not None and "interrupted" in stopped.stopped_reason
