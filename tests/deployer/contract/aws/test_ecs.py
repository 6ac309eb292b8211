"""What the steps rely on of ECS, held by the fake, moto and MiniStack."""

import pytest

from deployer.errors import Failure
from deployer.ports import ONE_OFF_TASK, TaskRequest, TaskStatus
from deployer.task.definition import differences, registrable
from tests.deployer.contract.aws.worlds import World, definition


def _start(world: World, name: str, mark: str) -> TaskStatus:
    arn = world.tasks.register(definition(name), {"deployer:release": "r1"})
    request = TaskRequest(
        task_definition=arn,
        token=f"token-of-{mark}",
        started_by=mark,
        container="forecast-etl",
        environment={"RUN_ID": "r1"},
        tags={"deployer:release": "r1"},
    )
    answer = world.tasks.run(request)
    assert answer.failures == ()
    assert answer.task is not None
    return answer.task


def test_a_family_without_revisions_has_no_newest(world: World, name: str) -> None:
    """A first release finds no revision, which is an answer and not an error."""
    assert world.tasks.newest_revision(name) is None


def test_what_was_registered_reads_back_without_differences(world: World, name: str) -> None:
    """Whatever defaults the service adds, the project's own definition compares equal to itself."""
    ours = definition(name)
    arn = world.tasks.register(ours, {"deployer:release": "r1"})
    newest = world.tasks.newest_revision(name)
    assert newest is not None
    assert newest.arn == arn
    assert differences(ours, newest.definition) == ()


def test_the_newest_revision_is_the_last_one_registered(world: World, name: str) -> None:
    """A second revision is the newest, and differs from the first where it was changed."""
    world.tasks.register(definition(name), {})
    arn = world.tasks.register(definition(name, COLOR="red"), {})
    newest = world.tasks.newest_revision(name)
    assert newest is not None
    assert newest.arn == arn
    assert differences(definition(name, COLOR="blue"), newest.definition) == (
        "containerDefinitions[forecast-etl].environment[COLOR]: 'red' -> 'blue'",
    )


def test_a_family_is_not_confused_with_one_whose_name_it_begins(world: World, name: str) -> None:
    """`job` is not `job-nightly`."""
    world.tasks.register(definition(f"{name}-nightly"), {})
    assert world.tasks.newest_revision(name) is None


def test_an_old_revision_is_read_by_its_arn(world: World, name: str) -> None:
    """A rollback finds the definition that an older revision has, also once it is deregistered."""
    first = world.tasks.register(definition(name, COLOR="red"), {"deployer:env": "test"})
    world.tasks.register(definition(name, COLOR="blue"), {})
    world.tasks.deregister(first)
    found = world.tasks.revision(first)
    assert found is not None
    assert (found.arn, found.tags) == (first, {"deployer:env": "test"})
    assert differences(definition(name, COLOR="red"), found.definition) == ()


def test_an_old_revision_can_be_registered_again(world: World, name: str) -> None:
    """What ECS gave back, less what only ECS writes, is a definition that it takes."""
    first = world.tasks.register(definition(name, COLOR="red"), {})
    found = world.tasks.revision(first)
    assert found is not None
    again = world.tasks.register(registrable(found.definition), {"deployer:release": "r1"})
    newest = world.tasks.newest_revision(name)
    assert newest is not None
    assert newest.arn == again != first
    assert differences(found.definition, newest.definition) == ()


def test_an_unknown_revision_is_none(world: World, name: str) -> None:
    """A revision that ECS does not have is an answer, not an error."""
    arn = world.tasks.register(definition(name), {})
    assert world.tasks.revision(arn.replace(f"{name}:1", f"{name}:99")) is None


def test_active_revisions_are_listed_in_their_order(world: World, name: str) -> None:
    """Oldest first, without deregistered ones and without those of a family that only begins the same."""
    world.tasks.register(definition(f"{name}-nightly"), {})
    arns = [world.tasks.register(definition(name, COLOR=color), {}) for color in ("red", "green", "blue")]
    for _ in range(2):
        world.tasks.deregister(arns[1])
        assert world.tasks.revisions(name) == (arns[0], arns[2])
        of_all = world.tasks.revisions(None)
        assert {arns[0], arns[2]} < {*of_all}
        assert arns[1] not in of_all


def test_a_deregistered_revision_is_no_longer_the_newest(world: World, name: str) -> None:
    """The one before it is; it can still be read, and says that it is not active."""
    arns = [world.tasks.register(definition(name, COLOR=color), {}) for color in ("red", "green")]
    world.tasks.deregister(arns[1])
    newest, withdrawn = world.tasks.newest_revision(name), world.tasks.revision(arns[1])
    assert newest and withdrawn
    assert (newest.arn, newest.active, withdrawn.active) == (arns[0], True, False)


def test_a_started_task_is_found_by_its_mark(world: World, name: str) -> None:
    """A process that died after RunTask finds the task by `startedBy`, and no other."""
    task = _start(world, name, f"{name}-1")
    _start(world, name, f"{name}-2")
    assert task.started_by == f"{name}-1"
    assert [found.arn for found in world.tasks.started_by(f"{name}-1")] == [task.arn]
    assert world.tasks.started_by(f"{name}-3") == ()


def test_a_stopped_task_is_still_found_by_its_mark(world: World, name: str) -> None:
    """The task of a launch is found as well when it ended before anyone looked."""
    task = _start(world, name, f"{name}-1")
    world.tasks.stop(task.arn, "a test")
    found = world.tasks.started_by(f"{name}-1")
    assert [one.arn for one in found] == [task.arn]


def test_the_tasks_of_a_family_are_listed_running_or_stopped(world: World, name: str) -> None:
    """`deployer logs` finds the newest task of a project, whether it runs or has ended."""
    first = _start(world, name, f"{name}-1")
    world.tasks.stop(first.arn, "a test")
    second = _start(world, name, f"{name}-2")
    assert {task.arn for task in world.tasks.of_family(name)} == {first.arn, second.arn}
    assert world.tasks.of_family(f"{name}-other") == ()


def test_a_stopped_task_says_how_it_ended(world: World, name: str) -> None:
    """Once STOPPED, a task has a result with the reason that was given."""
    task = _start(world, name, f"{name}-1")
    world.tasks.stop(task.arn, "a test")
    status = world.tasks.status(task.arn)
    assert status is not None
    assert status.last_status == "STOPPED"
    assert status.result is not None
    assert status.result.stopped_reason == "a test"


def test_a_task_may_be_given_another_command(world: World, name: str) -> None:
    """A short task runs another command than the image's own, in the same container."""
    arn = world.tasks.register(definition(name), {})
    mark = f"{ONE_OFF_TASK}look-{name[-8:]}"
    command = ("connectivity", "--output", "json")
    answer = world.tasks.run(TaskRequest(arn, f"token-of-{name}", mark, "forecast-etl", {}, {}, command))
    assert answer.failures == ()
    assert answer.task is not None
    assert answer.task.one_off
    status = world.tasks.status(answer.task.arn)
    assert status is not None
    assert [container["command"] for container in status.raw["overrides"]["containerOverrides"]] == [
        list(command)
    ]


def test_a_running_task_has_no_result(world: World, name: str) -> None:
    """Nothing is said of how a task ended before it has."""
    assert _start(world, name, f"{name}-1").result is None


def test_a_task_that_ecs_does_not_know_has_no_status(world: World, name: str) -> None:
    """A forgotten task is an answer (None), not an error."""
    gone = f"arn:aws:ecs:eu-west-3:123456789012:task/{name}/{'0' * 32}"
    assert world.tasks.status(gone) is None


@pytest.mark.parametrize("world", ["fake", "ministack"], indirect=True)
def test_stopping_a_task_that_is_gone_is_fine(world: World, name: str) -> None:
    """StopTask may be repeated after a crash, also when the task is long gone."""
    world.tasks.stop(f"arn:aws:ecs:eu-west-3:123456789012:task/{name}/{'0' * 32}", "a test")


def test_an_unknown_task_definition_is_a_failure(world: World, name: str) -> None:
    """RunTask of a revision that does not exist fails as aws-config and names it."""
    request = TaskRequest(f"{name}:7", "token", "mark", "forecast-etl", {}, {})
    with pytest.raises(Failure) as caught:
        world.tasks.run(request)
    assert caught.value.failure_class == "aws-config"
