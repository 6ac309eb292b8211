"""Commands that exist because a test installed them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deployer.ports import OnLine


@dataclass
class Program:
    """What a command prints and ends with; `interrupt` is raised after its lines, as Ctrl-C would be."""

    lines: tuple[str, ...] = ()
    exit_code: int = 0
    interrupt: BaseException | None = None


@dataclass
class FakeShell:
    """`programs`: by command. `runs`: every command that was started, in order."""

    programs: dict[tuple[str, ...], Program] = field(default_factory=dict)
    runs: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, command: Sequence[str], on_line: OnLine) -> int:
        program = self.programs.get(tuple(command))
        if program is None:
            on_line(f"{command[0]}: no such program or folder")
            return 127
        self.runs.append(tuple(command))
        for line in program.lines:
            on_line(line)
        if program.interrupt is not None:
            raise program.interrupt
        return program.exit_code
