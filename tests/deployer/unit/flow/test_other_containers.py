"""A release whose task definition has more containers than the job's."""

from pathlib import Path
from typing import Any

from deployer.events import Logged, Noted, Paused
from deployer.model import ContainerResult
from deployer.ports import LogEvent
from tests.fakes.release import Releasing
from tests.fakes.tasks import Outcome
from tests.fakes.world import World, settings


def _definition() -> dict[str, Any]:
    options = {"awslogs-group": "/ecs/side", "awslogs-stream-prefix": "side", "awslogs-region": "eu-west-3"}
    logging = {"logDriver": "awslogs", "options": options}
    proxy = {"name": "proxy", "image": "p", "essential": True, "logConfiguration": logging}
    return {"family": "job", "containerDefinitions": [{"name": "job", "image": "x"}, proxy]}


def releasing(world: World, folder: Path, outcome: Outcome, *lines: str) -> Releasing:
    world.tasks.script.append(outcome)
    config = settings(task={"definition": _definition(), "container": "job"})
    found = Releasing(world, folder, config=config)
    stream = f"side/proxy/{1:032x}"
    world.logs.put("/ecs/side", stream, *(LogEvent(1.0 + n, line) for n, line in enumerate(lines)))
    return found


def said(found: Releasing) -> str:
    return "\n".join(event.text for event in found.events if isinstance(event, Noted | Logged))


def test_a_container_that_fails_after_the_job_is_a_warning(tmp_path: Path) -> None:
    """The release is proven by its data; the container is named, and its own log is shown."""
    world = World()
    outcome = world.loads(others=(ContainerResult("proxy", 2),))
    found = releasing(world, tmp_path, outcome, "proxy: bad route")
    assert found.go().end == "END_SUCCESS"
    assert "warning: the job is not affected: container proxy ended with exit code 2" in said(found)
    assert "proxy: bad route" in said(found)


def test_a_container_that_ended_first_is_the_cause_of_a_pause(tmp_path: Path) -> None:
    """It is named with its exit code and its last line; resumed, the job runs again."""
    world = World()
    outcome = Outcome(exit_code=143, others=(ContainerResult("proxy", 1),))
    found = releasing(world, tmp_path, outcome, "proxy: no certificate")
    stop = found.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "CHECK_CONFIG", 10)
    cause = stop.release.cause
    assert cause and cause.container == "proxy"
    assert "proxy: no certificate" in cause.evidence
    world.tasks.script.append(world.loads())
    assert found.go().end == "END_SUCCESS"


def test_an_init_container_that_fails_is_launched_once(tmp_path: Path) -> None:
    """ECS calls it a failed start; it is the container's own failure, which no waiting heals."""
    world = World()
    outcome = Outcome(
        exit_code=None, stop_code="TaskFailedToStart", others=(ContainerResult("proxy", 3, essential=False),)
    )
    stop = releasing(world, tmp_path, outcome, "no such table").go()
    assert (stop.end, len(world.tasks.tasks)) == ("PAUSED", 1)
    cause = stop.release.cause
    assert cause and (cause.container, "exit code 3" in cause.message) == ("proxy", True)


def test_capacity_is_waited_for_and_then_the_release_can_be_resumed(tmp_path: Path) -> None:
    """Growing pauses for `[retries] max-wait`, then a pause; never an end that cannot be resumed."""
    world = World()
    world.tasks.script.extend(Outcome(failures=("Capacity is unavailable at this time",)) for _ in range(60))
    found = Releasing(world, tmp_path)
    begun = world.clock.time
    stop = found.go()
    assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "BACK_OFF", 14)
    assert 800 < world.clock.time - begun < 1000
    assert [event for event in found.events if isinstance(event, Paused)]
    world.tasks.script.clear()
    world.tasks.script.append(world.loads())
    assert found.go().end == "END_SUCCESS"


def test_a_task_that_spot_keeps_interrupting_pauses(tmp_path: Path) -> None:
    """After as many launches as a loop may have, a person decides."""
    world = World()
    interrupted = Outcome(
        exit_code=143, stop_code="SpotInterruption", stopped_reason="Your Spot Task was interrupted."
    )
    world.tasks.script.extend(interrupted for _ in range(4))
    found = Releasing(world, tmp_path)
    assert found.go().end == "PAUSED"
    world.tasks.script.append(world.loads())
    assert found.go().end == "END_SUCCESS"


def test_the_fix_of_an_ended_release_is_a_new_one(tmp_path: Path) -> None:
    """What ended is never told to be resumed."""
    world = World()
    world.tasks.script.append(Outcome(exit_code=143, lines=("done",)))
    found = Releasing(world, tmp_path)
    stop = found.go()
    assert stop.end == "END_FAILED"
    assert stop.release.cause and "resume" not in stop.release.cause.remedy
