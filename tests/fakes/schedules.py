"""EventBridge schedules in memory."""

from dataclasses import dataclass, field

from deployer.errors import Failure
from tests.fakes.faults import Faults


@dataclass
class FakeSchedules:
    """`targets`: the task definition that each schedule starts, by (group, name)."""

    targets: dict[tuple[str, str], str] = field(default_factory=dict)
    moves: int = 0
    faults: Faults = field(default_factory=Faults)

    def task_definition(self, name: str, group: str) -> str:
        self.faults.before("task_definition")
        if (group, name) not in self.targets:
            raise Failure(
                "aws-config",
                f"EventBridge schedule {group}/{name}: there is none",
                f"make it: `aws scheduler create-schedule --group-name {group} --name {name}`",
            )
        return self.targets[group, name]

    def move(self, name: str, group: str, task_definition: str) -> None:
        self.faults.before("move")
        if self.task_definition(name, group) != task_definition:
            self.targets[group, name] = task_definition
            self.moves += 1
        self.faults.after("move")

    def used(self) -> frozenset[str]:
        self.faults.before("used")
        return frozenset(self.targets.values())
