"""What is known of a release under way, gathered from its events. Pure: no drawing, no clock of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from deployer.events import Begun, Ended, Entered, Event, Left, Paused, Progressed, Retried
from deployer.flow.chart import Flowchart
from deployer.flow.main_path import Course

Mark = Literal["pending", "earlier", "current", "passed", "skipped", "halted"]
"""`earlier`: passed before this process took the release up; `halted`: where it paused or failed."""


@dataclass
class NodeProgress:
    """One node's standing. `seconds` add up over its visits, `since` is the clock at the last entry."""

    mark: Mark = "pending"
    visits: int = 0
    seconds: float = 0.0
    since: float = 0.0
    answer: str = ""
    summary: str = ""
    setback: bool = False


@dataclass
class Progress:
    """All nodes of `flow`, the bars of the current one, and how it all ended.

    `lost` is the step that led to an end which is not the goal.
    """

    flow: Flowchart
    now: Callable[[], float]
    states: dict[str, NodeProgress] = field(init=False)
    begun: Begun | None = None
    started: float = 0.0
    current: str = ""
    bars: dict[str, Progressed] = field(default_factory=dict)
    retry: Retried | None = None
    paused: Paused | None = None
    lost: Left | None = None
    ended: Ended | None = None

    def __post_init__(self) -> None:
        self.course = Course(self.flow)
        self.states = {node: NodeProgress() for node in self.flow.nodes}

    def apply(self, event: Event) -> None:
        """Takes one event in; what does not change the progress is ignored."""
        match event:
            case Begun():
                self._begin(event)
            case Entered():
                self._enter(event)
            case Left():
                self._leave(event)
            case Progressed():
                self.bars[event.key] = event
            case Retried():
                self.retry = event
            case Paused():
                self.paused = event
                self.states[event.node].mark = "halted"
            case Ended():
                self._end(event)

    def _begin(self, event: Begun) -> None:
        self.begun, self.started = event, self.now()
        if event.resumed:
            for node in self.course.before(event.node):
                self.states[node].mark = "earlier"

    def _enter(self, event: Entered) -> None:
        state = self.states[event.node]
        state.mark, state.visits, state.since = "current", event.visit, self.now()
        state.answer, state.summary, state.setback = "", "", False
        self.current, self.retry, self.paused = event.node, None, None
        self.bars.clear()
        for node in self.course.ahead_of(event.node):
            ahead = self.states[node]
            if not ahead.setback:
                ahead.mark = "pending"

    def _leave(self, event: Left) -> None:
        state = self.states[event.node]
        state.mark = "skipped" if event.skipped else "passed"
        state.seconds += event.seconds
        state.answer, state.summary = event.answer, event.summary
        state.setback = self.course.setback(event.node, event.next)
        if self.flow.nodes[event.next].kind == "end" and event.next != self.course.goal:
            self.lost = event
        for node in self.course.between(event.node, event.next):
            self.states[node].mark = "skipped"
        self.retry = None
        self.bars.clear()

    def _end(self, event: Ended) -> None:
        self.ended = event
        self.bars.clear()
        state = self.states.get(event.end) or self.states.get(event.node)
        if state is not None:
            state.mark = "passed" if event.exit_code == 0 and event.end == self.course.goal else "halted"

    def phase_of(self, node: str) -> str:
        return self.flow.nodes[node].phase if node in self.flow.nodes else ""

    def nodes_of(self, phase: str) -> tuple[str, ...]:
        return tuple(node for node in self.course.order if self.phase_of(node) == phase)

    def states_of(self, phase: str) -> tuple[NodeProgress, ...]:
        return tuple(self.states[node] for node in self.nodes_of(phase))

    def spent(self, state: NodeProgress) -> float:
        """Seconds spent at a node until now, all visits together."""
        return state.seconds + (self.now() - state.since if state.mark == "current" else 0.0)

    def phase_seconds(self) -> Mapping[str, float]:
        """Seconds spent in each phase that was entered, in the phases' order."""
        return {
            phase: sum(state.seconds for state in self.states_of(phase))
            for phase in self.flow.phases
            if any(state.visits for state in self.states_of(phase))
        }
