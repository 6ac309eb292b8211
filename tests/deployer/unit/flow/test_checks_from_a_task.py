"""A release whose operator does not reach MongoDB as the job does: what is asked from where the job runs."""

from pathlib import Path
from typing import Any

import pytest

from deployer.config.model import Config
from deployer.errors import TransientFailure
from deployer.events import Noted
from deployer.ports import Finding, FindingState, Unreachable
from tests.fakes.release import Releasing
from tests.fakes.tasks import Outcome
from tests.fakes.world import World, settings

REFUSED = ("pymongo.errors.OperationFailure: Authentication failed.",)


class Walled(World):
    """The operator's machine is on no access list: every connection from it times out, each time anew."""

    def wall(self, *methods: str, times: int = 9) -> None:
        for method in methods:
            for _ in range(times):
                refusal = Unreachable(
                    "mongodb", "MongoDB at db.test: time-out failed: timed out", "let it in"
                )
                self.database.faults.fail_next(method, refusal)


@pytest.fixture
def world() -> Walled:
    return Walled()


def asking(**verify: Any) -> Config:
    commands = {"query": ["ask"], "connectivity": ["connectivity"]}
    return settings(**{"verify": verify, "job-commands": commands})


def notes(releasing: Releasing) -> str:
    return "\n".join(event.text for event in releasing.events if isinstance(event, Noted))


def test_the_checks_are_asked_where_the_job_runs(world: Walled, tmp_path: Path) -> None:
    """With MongoDB out of reach the release is proven all the same, by its own revision, and says so."""
    world.wall("ping", "counts", "find_one")
    world.tasks.script.append(world.loads(3))
    releasing = Releasing(world, tmp_path, config=asking())
    assert releasing.go().end == "END_SUCCESS"
    verification = releasing.state().verification
    assert verification is not None
    assert (verification.ok, verification.via) == (True, "task")
    assert verification.counts == {"measurements": 3, "load_runs": 1}
    assert set(world.job_network.revisions) == {world.tasks.registered[0].arn}
    assert notes(releasing).count("network") == 2
    assert len(world.tasks.tasks) == 1


def test_the_baseline_is_counted_there_before_the_job_runs(world: Walled, tmp_path: Path) -> None:
    """A check of growth holds against what was there before, though nobody here could count it."""
    world.database.write("measurements", [{"_id": "old", "run_id": "r0"}])
    world.wall("ping", "counts", "find_one")
    world.tasks.script.append(world.loads(3))
    check = {"kind": "count", "name": "grew", "collection": "measurements", "change-equals-report": "written"}
    releasing = Releasing(world, tmp_path, config=asking(checks=[{**check, "when": "release"}]))
    assert releasing.go().end == "END_SUCCESS"
    assert releasing.state().baseline == {"measurements": 1, "load_runs": 0}


def test_a_failed_check_is_one_wherever_it_was_asked(world: Walled, tmp_path: Path) -> None:
    """Data that is not there as promised ends as it does elsewhere: a pause with exit code 17."""
    world.wall("ping", "counts", "find_one")
    world.tasks.script.append(world.loads(3, reported=4))
    stop = Releasing(world, tmp_path, config=asking()).go()
    assert (stop.end, stop.exit_code) == ("PAUSED", 17)


def test_without_a_command_for_it_nothing_is_asked_there(world: Walled, tmp_path: Path) -> None:
    """An image that cannot be asked leaves the failure what it is: MongoDB, exit code 16."""
    world.wall("counts")
    stop = Releasing(world, tmp_path).go()
    assert (stop.end, stop.exit_code) == ("PAUSED", 16)
    assert world.job_network.asked == []


def paused_at_atlas(world: Walled, folder: Path, config: Config) -> Releasing:
    world.tasks.script.extend([Outcome(exit_code=4, lines=REFUSED), world.loads(3)])
    releasing = Releasing(world, folder, config=config)
    stop = releasing.go()
    assert (stop.node, stop.exit_code) == ("CHECK_ATLAS", 16)
    return releasing


def test_a_standing_cause_comes_with_what_both_sides_see(world: Walled, tmp_path: Path) -> None:
    """Where this machine gets through, a task walks before the release pauses, and the step it is refused at
    is evidence; where this machine does not, no task is needed."""
    world.job_network.way = (Finding("from the task: tcp", FindingState.FAIL, "timed out"),)
    releasing = paused_at_atlas(world, tmp_path / "1", asking())
    cause = releasing.state().cause
    assert cause is not None
    assert cause.evidence[-1] == "from the task: tcp: timed out"
    assert "password" in cause.remedy
    asked = len(world.job_network.revisions)
    world.server.way = [
        Finding("MongoDB: DNS", FindingState.PASS),
        Finding("MongoDB: TCP", FindingState.FAIL, "refused", "open it"),
    ]
    releasing = paused_at_atlas(world, tmp_path / "2", asking())
    cause = releasing.state().cause
    assert cause is not None
    assert cause.evidence[-1] == "MongoDB: TCP: refused"
    assert len(world.job_network.revisions) == asked
    assert (tmp_path / "2/evidence/mongodb.json").is_file()


def test_a_task_that_is_away_for_a_moment_hides_no_cause(world: Walled, tmp_path: Path) -> None:
    """The look beside the pause may fail in passing; the cause stays what it is."""
    world.job_network.faults.fail_next("check", TransientFailure("capacity", "slow down"))
    releasing = paused_at_atlas(world, tmp_path, asking())
    assert "unknown: slow down" in notes(releasing)


def test_what_the_operator_reaches_is_walked_by_a_task_as_well(world: Walled, tmp_path: Path) -> None:
    """A standing cause, resumed: fine from here is not enough; what is refused to a task is named."""
    releasing = paused_at_atlas(world, tmp_path, asking())
    world.job_network.way = (
        Finding("from the task: dns", FindingState.PASS),
        Finding("from the task: tcp", FindingState.FAIL, "timed out", "list the NAT gateway's address"),
    )
    stop = releasing.go()
    assert (stop.end, stop.node) == ("PAUSED", "CHECK_ATLAS")
    cause = stop.release.cause
    assert cause is not None
    assert cause.evidence[-1] == "from the task: tcp: timed out"
    assert cause.remedy == "list the NAT gateway's address"
    assert (tmp_path / "evidence/connectivity.json").is_file()
    world.job_network.way = (Finding("from the task: dns", FindingState.PASS),)
    assert releasing.go().end == "END_SUCCESS"
    made = [revision.arn for revision in world.tasks.registered]
    assert (world.job_network.revisions, len(made)) == (made, 3)


def test_a_task_that_cannot_tell_does_not_hold_the_release(world: Walled, tmp_path: Path) -> None:
    """An older image without the command: that is said, and the job itself will show."""
    releasing = paused_at_atlas(world, tmp_path, asking())
    world.job_network.faults.fail_next("check", Unreachable("code", "no such command"))
    assert releasing.go().end == "END_SUCCESS"
    assert "unknown: no such command" in notes(releasing)


def test_an_operator_who_reaches_nothing_goes_by_the_task(world: Walled, tmp_path: Path) -> None:
    """Somebody on no access list may resume, where the job's own network is let in."""
    releasing = paused_at_atlas(world, tmp_path, asking())
    world.wall("ping")
    assert releasing.go().end == "END_SUCCESS"


def test_without_the_command_only_this_machine_looks(world: Walled, tmp_path: Path) -> None:
    """The walk of the task is asked for in deploy.toml."""
    releasing = paused_at_atlas(world, tmp_path, settings())
    assert releasing.go().end == "END_SUCCESS"
    assert world.job_network.revisions == []
