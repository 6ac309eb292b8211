"""The interface between the runner and the code of a node: three kinds, their results, their context."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deployer.config.model import Config
from deployer.events import Emit, Logged, Noted, Progressed
from deployer.model import Cause, Release
from deployer.ports import LineLog, OnLine, OnProgress, Ports


@dataclass(frozen=True)
class Context:
    """What a node may reach while it runs.

    `record` journals a state in the middle of a node. `resumed`: a person resumed the release, which had
    paused at this node.
    """

    node: str
    config: Config
    ports: Ports
    emit: Emit
    record: Callable[[Release], None]
    resumed: bool = False

    def note(self, text: str) -> None:
        self.emit(Noted(self.node, text))

    def progress(self) -> OnProgress:
        return lambda key, label, done, total, unit: self.emit(
            Progressed(self.node, key, label, done, total, unit)
        )

    def log(self, source: str) -> "SourceLog":
        """Shows each line and writes it to `evidence/<source>.log` of the release."""
        return SourceLog(source, self.ports.evidence.lines(f"{source}.log"), self.emit)


class SourceLog:
    """The output of one program: shown as it comes, written to a file, the last lines kept in memory."""

    def __init__(self, source: str, kept: LineLog, emit: Emit) -> None:
        self._source, self._kept, self._emit = source, kept, emit
        self.name = kept.name

    def __enter__(self) -> OnLine:
        return self._line

    def __exit__(self, *_: object) -> None:
        self._kept.__exit__()

    @property
    def tail(self) -> tuple[str, ...]:
        return self._kept.tail

    def _line(self, text: str) -> None:
        self._kept.line(text)
        self._emit(Logged(self._source, text))


@dataclass(frozen=True)
class StepResult:
    """A step's result: the new state, one sentence about it, and whether the step had nothing to do."""

    release: Release
    summary: str = ""
    skipped: bool = False


@dataclass(frozen=True)
class Resolved:
    """A repair's result if the release may continue, along the edge of `answer`."""

    release: Release
    answer: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Unresolved:
    """A repair's result if a person is needed; the cause says why."""

    release: Release
    cause: Cause


Step = Callable[[Release, Context], StepResult]
Decision = Callable[[Release], str]
Repair = Callable[[Release, Context], Resolved | Unresolved]


def _nothing_to_record(release: Release, config: Config, ports: Ports) -> None:
    pass


def _as_it_is(release: Release, context: Context) -> Release:
    return release


@dataclass(frozen=True)
class Handlers:
    """The code of every node, by node id. `record_stop` and `withdraw` run before a pause or a failed end is
    journaled."""

    steps: Mapping[str, Step]
    decisions: Mapping[str, Decision]
    repairs: Mapping[str, Repair]
    record_stop: Callable[[Release, Config, Ports], None] = _nothing_to_record
    withdraw: Callable[[Release, Context], Release] = _as_it_is
