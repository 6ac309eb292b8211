"""A release on a world of fakes: each `go` is a process of its own, resuming where the last left off."""

from pathlib import Path

from deployer.config.model import Config
from deployer.events import Event
from deployer.flow.release import FLOW
from deployer.flow.runner import Outcome, Runner, resume_point
from deployer.flow.steps import HANDLERS
from deployer.flow.trust import refuse_foreign
from deployer.model import Release, dump
from deployer.records.journal import Journal, read
from deployer.records.releases import state_of, summary
from tests.fakes.world import World, settings


class Releasing:
    """The journal is begun with the object; `journal` may be a Journal that kills its process."""

    def __init__(
        self,
        world: World,
        folder: Path,
        release: str = "r1",
        *,
        start_at: str = "test",
        config: Config | None = None,
        state: Release | None = None,
    ) -> None:
        self.world, self.folder, self.id = world, folder, release
        self.path = folder / "journal.jsonl"
        self.config = config or settings()
        self.events: list[Event] = []
        state = state or Release(release, "test", world.clock.now(), start_at=start_at)
        journal = Journal.create(
            self.path, world.clock, release=release, env="test", flow=FLOW.fingerprint, state=dump(state)
        )
        journal.close()

    def go(self, *, detach: bool = False, journal: Journal | None = None) -> Outcome:
        """Resumes in a new process and walks as far as it goes."""
        journal = journal or Journal.resume(self.path, self.world.clock)
        try:
            ports = self.world.ports(self.folder)
            refuse_foreign(state_of(journal.records), self.config, ports)
            runner = Runner(
                FLOW,
                HANDLERS,
                self.config,
                ports,
                journal,
                self.events.append,
                detach_after="TASK_STARTED" if detach else None,
            )
            return runner.run(resume_point(journal, FLOW))
        finally:
            journal.close()

    def state(self) -> Release:
        return state_of(read(self.path))

    def path_walked(self) -> list[str]:
        return list(summary(read(self.path))["path"])
