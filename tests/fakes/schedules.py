"""EventBridge schedules in memory."""

from dataclasses import dataclass, field

from deployer.errors import Failure
from deployer.ports import NewSchedule, Trigger
from tests.fakes.faults import Faults


@dataclass
class FakeSchedules:
    """`targets`: the task definition that each schedule starts, by (group, name)."""

    targets: dict[tuple[str, str], str] = field(default_factory=dict)
    disabled: set[tuple[str, str]] = field(default_factory=set)
    rules: list[Trigger] = field(default_factory=list)
    moves: int = 0
    faults: Faults = field(default_factory=Faults)

    def task_definition(self, name: str, group: str) -> str:
        self.faults.before("task_definition")
        if (group, name) not in self.targets:
            raise Failure(
                "aws-config",
                f"EventBridge schedule {group}/{name}: there is none",
                "`deployer schedule 'cron(0 3 * * ? *)'` makes it",
            )
        return self.targets[group, name]

    def move(self, name: str, group: str, task_definition: str) -> None:
        self.faults.before("move")
        if self.task_definition(name, group) != task_definition:
            self.targets[group, name] = task_definition
            self.moves += 1
        self.faults.after("move")

    def triggers(self) -> tuple[Trigger, ...]:
        self.faults.before("triggers")
        schedules = (
            Trigger("schedule", f"{group}/{name}", arn, enabled=(group, name) not in self.disabled)
            for (group, name), arn in self.targets.items()
        )
        return (*schedules, *self.rules)

    def put(self, schedule: NewSchedule) -> None:
        self.faults.before("put")
        self.targets[schedule.group, schedule.name] = schedule.task_definition
        self.disabled.discard((schedule.group, schedule.name))

    def disable(self, name: str, group: str) -> None:
        self.task_definition(name, group)
        self.disabled.add((group, name))
