"""Between RunTask and its record: what the journal's token is for, and for how long it can be relied on."""

from pathlib import Path
from typing import Any

import pytest

from deployer.errors import TransientFailure
from deployer.flow.runner import Outcome
from deployer.flow.steps.deploy import TOKEN_LIFETIME
from deployer.ports import TaskStatus
from deployer.records.journal import Journal, Record
from tests.fakes.release import Releasing
from tests.fakes.tasks import FakeTasks
from tests.fakes.world import GROUP, World, settings

LOST = TransientFailure("network", "connection reset")


class Killed(BaseException):
    """SIGKILL: nothing of the process may run after it."""


class BeforeRunTask(Journal):
    """Its process dies once the launch is recorded, and before ECS is asked for the task."""

    def append(self, kind: str, **fields: Any) -> Record:
        record = super().append(kind, **fields)
        if kind == "noted" and fields["node"] == "RUN_TASK":
            raise Killed
        return record


class AfterRunTask(Journal):
    """Its process dies once ECS has started the task, and before that is recorded."""

    def append(self, kind: str, **fields: Any) -> Record:
        if kind == "noted" and fields["state"]["launches"][0]["arn"]:
            raise Killed
        return super().append(kind, **fields)


class NotListedYet(FakeTasks):
    """ListTasks lags behind RunTask, as it may on AWS."""

    def started_by(self, started_by: str) -> tuple[TaskStatus, ...]:
        return ()


def died(journal: type[Journal], world: World, folder: Path) -> Releasing:
    """A release whose process has died there, with a job that takes a while."""
    world.tasks.script.append(world.loads(polls=600))
    releasing = Releasing(world, folder, config=settings(run={"max-runtime": "2h"}))
    with pytest.raises(Killed):
        releasing.go(journal=journal.resume(releasing.path, world.clock))
    return releasing


def resumed_after(seconds: float, world: World, releasing: Releasing) -> Outcome:
    world.clock.sleep(seconds)
    return releasing.go()


def test_a_task_that_is_not_listed_yet_is_found_by_its_token(tmp_path: Path) -> None:
    """RunTask's answer is lost and no list shows the task: the token gives the same one, not another."""
    world = World()
    world.tasks = NotListedYet(world.logs, GROUP)
    world.tasks.faults.lose_next_answer("run", LOST)
    world.tasks.script.append(world.loads())
    assert Releasing(world, tmp_path).go().end == "END_SUCCESS"
    assert len(world.tasks.tasks) == 1


def test_within_a_day_the_same_token_is_used_again(tmp_path: Path) -> None:
    """As long as ECS remembers it, a dead process's launch is asked for with its token; the task is as old
    as that call, and runs as long as any other."""
    world = World()
    releasing = died(BeforeRunTask, world, tmp_path)
    token = releasing.state().launches[0].token
    assert resumed_after(TOKEN_LIFETIME - 60, world, releasing).end == "END_SUCCESS"
    assert [task.request.token for task in world.tasks.tasks.values()] == [token]


def test_past_a_day_a_launch_without_a_task_is_not_repeated(tmp_path: Path) -> None:
    """ECS has forgotten the token, and a task that ran as well: nothing is started, a person is asked."""
    world = World()
    releasing = died(BeforeRunTask, world, tmp_path)
    for _ in range(2):
        stop = resumed_after(TOKEN_LIFETIME + 60, world, releasing)
        assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "RUN_TASK", 19)
        assert stop.release.cause and "no longer knows" in stop.release.cause.message
    assert world.tasks.tasks == {}


def test_past_a_day_the_launch_s_own_task_is_found(tmp_path: Path) -> None:
    """A task that carries its mark is the launch's, however long ago it was asked for: none is added."""
    world = World()
    releasing = died(AfterRunTask, world, tmp_path)
    stop = resumed_after(TOKEN_LIFETIME + 60, world, releasing)
    assert stop.release.launches[0].arn in world.tasks.tasks
    assert len(world.tasks.tasks) == 1
