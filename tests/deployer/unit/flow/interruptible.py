"""A release over fakes whose task never ends, in a process of its own: for signals that are real.

    python -m tests.deployer.unit.flow.interruptible FOLDER ask|leave|stop

Prints each event as a line of JSON; at its end what ECS saw of the task.
"""

import json
import sys
import time
from pathlib import Path

from deployer.cli.release import _ask_to_stop
from deployer.commands.session import ReleaseOptions, Session
from deployer.flow.release import FLOW
from deployer.model import Release, dump
from deployer.records.journal import Journal
from deployer.records.releases import Releases
from deployer.signals import end_on_terminate
from deployer.view.json import JsonView
from tests.fakes.clock import FakeClock
from tests.fakes.tasks import Outcome
from tests.fakes.world import World, settings


class RealClock(FakeClock):
    """Sleeps a little, so that a signal finds the process waiting as it would."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(0.02)


def main(folder: Path, on_interrupt: str) -> int:
    end_on_terminate()
    world = World()
    world.clock = RealClock()
    world.tasks.script.append(Outcome(polls=10**9, lines=()))
    config = settings(run={"on-interrupt": on_interrupt})
    state = dump(Release("r1", "test", world.clock.now()))
    path = folder / "r1" / "journal.jsonl"
    journal = Journal.create(path, world.clock, release="r1", env="test", flow=FLOW.fingerprint, state=state)
    ask = _ask_to_stop(lambda: None) if sys.stdin.isatty() else None
    ports = world.ports(folder / "r1")
    session = Session(config, ports, journal, ReleaseOptions(), JsonView(sys.stdout), ask, Releases(folder))
    code = session.run()
    stopped = [task.stopped.stopped_reason if task.stopped else None for task in world.tasks.tasks.values()]
    print(json.dumps({"event": "seen", "stopped": stopped}), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
