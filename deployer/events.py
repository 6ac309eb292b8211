"""Events: the runner and the steps emit them, the views render them.

Every event is a frozen dataclass; `to_json` gives its wire form, `{"event": NAME, ...}`.
Times are seconds since the epoch (UTC); durations are seconds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """The base of all events; `name` is the wire name."""

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def to_json(self) -> dict[str, Any]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"event": self.name} | {
            key: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
            for key, value in values.items()
        }


@dataclass(frozen=True)
class Begun(Event):
    """A release starts, or continues at `node` (`resumed`)."""

    release: str
    env: str
    node: str
    resumed: bool = False


@dataclass(frozen=True)
class Entered(Event):
    """A node starts for the `visit`-th time (from 1) in this release."""

    node: str
    visit: int


@dataclass(frozen=True)
class Left(Event):
    """A node is done: its answer ("" if it has one outgoing edge), the next node, a summary."""

    node: str
    answer: str
    next: str
    seconds: float
    skipped: bool = False
    summary: str = ""


@dataclass(frozen=True)
class Retried(Event):
    """A transient error at `node`; the step is retried after `wait` seconds."""

    node: str
    error: str
    wait: float
    attempt: int


@dataclass(frozen=True)
class Progressed(Event):
    """Progress of long work: `done` of `total` `unit`s (total None: unknown). `key` tells bars apart."""

    node: str
    key: str
    label: str
    done: float
    total: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Logged(Event):
    """A line that a program printed. `source`: tests, compose, build, task. `time`: its own, or None."""

    source: str
    text: str
    time: float | None = None


@dataclass(frozen=True)
class Noted(Event):
    """A message for people about what happens at `node`."""

    node: str
    text: str


@dataclass(frozen=True)
class Failed(Event):
    """The release cannot go on: where that was noticed, the cause, its evidence, the fix."""

    node: str
    failure_class: str
    subcause: str
    message: str
    evidence: tuple[str, ...]
    remedy: str
    confidence: float = field(default=1.0, kw_only=True)


@dataclass(frozen=True)
class Paused(Failed):
    """The release waits at `node` for a fix; `resume` is the command that continues it afterwards."""

    resume: str
    exit_code: int


@dataclass(frozen=True)
class Ended(Event):
    """The last event of every run. `end`: END_SUCCESS, END_FAILED, PAUSED, DETACHED or INTERRUPTED.
    `untested`: what its environment, the sandbox, cannot show."""

    release: str
    end: str
    exit_code: int
    seconds: float
    node: str
    counts: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    next_command: str = ""
    untested: str = ""


Emit = Callable[[Event], None]
