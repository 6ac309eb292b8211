"""Compose sets that run in memory."""

from collections import deque
from dataclasses import dataclass, field

from deployer.errors import Failure
from deployer.ports import OnLine
from tests.fakes.faults import Faults


@dataclass(frozen=True)
class JobRun:
    """How the job of one set ends: its lines, its exit code, what it then has loaded. `interrupt` is raised
    while it runs, as Ctrl-C would be."""

    lines: tuple[str, ...] = ("loading", "done")
    exit_code: int = 0
    documents: dict[str, int] = field(default_factory=lambda: {"measurements": 3, "load_runs": 1})
    interrupt: BaseException | None = None


@dataclass
class FakeCompose:
    """`next_runs`: of the coming sets, `JobRun()` when there are no more. `sets`: documents of those that
    are up. `started`: (project, image, run id) of every set ever started."""

    faults: Faults = field(default_factory=Faults)
    next_runs: deque[JobRun] = field(default_factory=deque)
    sets: dict[str, dict[str, int]] = field(default_factory=dict)
    found: tuple[str, ...] = ("compose.yaml",)
    started: list[tuple[str, str, str]] = field(default_factory=list)

    def files(self) -> tuple[str, ...]:
        return self.found

    def up(self, project: str, image: str, run_id: str, on_line: OnLine) -> int:
        self.faults.before("up")
        run = self.next_runs.popleft() if self.next_runs else JobRun()
        self.started.append((project, image, run_id))
        self.sets[project] = {}
        for line in run.lines:
            on_line(line)
        if run.interrupt is not None:
            raise run.interrupt
        self.sets[project] = dict(run.documents)
        self.faults.after("up")
        return run.exit_code

    def count_documents(self, project: str) -> dict[str, int]:
        self.faults.before("count_documents")
        if project not in self.sets:
            raise Failure("docker", f"compose project {project}: nothing is up")
        return dict(self.sets[project])

    def down(self, project: str, on_line: OnLine) -> None:
        self.faults.before("down")
        if self.sets.pop(project, None) is not None:
            on_line(f"{project} removed")
        self.faults.after("down")
