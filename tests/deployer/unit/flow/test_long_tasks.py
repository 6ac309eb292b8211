"""Tasks that run for many hours, while logins and credentials run out. The clock is a fake."""

from pathlib import Path

from deployer.errors import ExpiredCredentials
from deployer.ports import TaskRequest
from tests.fakes.release import Releasing
from tests.fakes.tasks import Outcome
from tests.fakes.world import World, settings

HOURS = 3600
LONG = settings(run={"max-runtime": "20h"})


def test_a_registry_token_that_expired_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    """A task of thirteen hours fails while its code is mended: the same process logs in anew and pushes."""
    world = World()

    def mended_meanwhile(request: TaskRequest) -> None:
        world.engine.restart()  # ECR's token is good for twelve hours
        world.workspace.files["Dockerfile"] += "\nENV MENDED=1"
        world.engine.content = "job 2"

    traceback = ("Traceback (most recent call last):", '  File "job.py", line 3', "KeyError: 'temperature'")
    failing = Outcome(exit_code=1, lines=traceback, polls=13 * HOURS, effect=mended_meanwhile)
    world.tasks.script += [failing, world.loads()]
    begun = world.clock.time
    assert Releasing(world, tmp_path, config=LONG).go().end == "END_SUCCESS"
    assert world.clock.time - begun > 12 * HOURS
    assert (len(world.registry.pushes), len(world.tasks.tasks)) == (2, 2)


def test_credentials_that_ran_out_cost_nothing_but_a_resume(tmp_path: Path) -> None:
    """Hours into a task they expire: it stops at once, exit code 13; renewed, the same task is followed to
    its end, with each of its lines."""
    world = World()
    lines = tuple(f"line {number}" for number in range(600))
    world.tasks.script.append(world.loads(polls=6 * HOURS, lines=lines))
    releasing = Releasing(world, tmp_path, config=LONG)
    begun = world.clock.time
    expired = ExpiredCredentials("aws-config", "The security token is expired", "aws sso login")
    assert releasing.go(detach=True).end == "DETACHED"
    for _ in range(2):
        world.clock.sleep(2 * HOURS)
        world.tasks.faults.fail_next("status", expired)
        stop = releasing.go()
        assert (stop.end, stop.node, stop.exit_code) == ("PAUSED", "MONITOR", 13)
    assert releasing.go().end == "END_SUCCESS"
    assert world.clock.time - begun > 6 * HOURS
    assert (len(world.tasks.tasks), releasing.state().launches[0].lines) == (1, len(lines))
