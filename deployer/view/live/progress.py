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
    spots: dict[str, NodeProgress] = field(init=False)
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
        self.spots = {node: NodeProgress() for node in self.flow.nodes}

    def apply(self, event: Event) -> None:
        """Takes one event in; what does not change the board is ignored."""
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
                self.spots[event.node].mark = "halted"
            case Ended():
                self._end(event)

    def _begin(self, event: Begun) -> None:
        self.begun, self.started = event, self.now()
        if event.resumed:
            for node in self.course.before(event.node):
                self.spots[node].mark = "earlier"

    def _enter(self, event: Entered) -> None:
        spot = self.spots[event.node]
        spot.mark, spot.visits, spot.since = "current", event.visit, self.now()
        spot.answer, spot.summary, spot.setback = "", "", False
        self.current, self.retry, self.paused = event.node, None, None
        self.bars.clear()
        for node in self.course.ahead_of(event.node):
            ahead = self.spots[node]
            if not ahead.setback:
                ahead.mark = "pending"

    def _leave(self, event: Left) -> None:
        spot = self.spots[event.node]
        spot.mark = "skipped" if event.skipped else "passed"
        spot.seconds += event.seconds
        spot.answer, spot.summary = event.answer, event.summary
        spot.setback = self.course.setback(event.node, event.next)
        if self.flow.nodes[event.next].kind == "end" and event.next != self.course.goal:
            self.lost = event
        for node in self.course.between(event.node, event.next):
            self.spots[node].mark = "skipped"
        self.retry = None
        self.bars.clear()

    def _end(self, event: Ended) -> None:
        self.ended = event
        self.bars.clear()
        spot = self.spots.get(event.end) or self.spots.get(event.node)
        if spot is not None:
            spot.mark = "passed" if event.exit_code == 0 and event.end == self.course.goal else "halted"

    def phase_of(self, node: str) -> str:
        return self.flow.nodes[node].phase if node in self.flow.nodes else ""

    def nodes_of(self, phase: str) -> tuple[str, ...]:
        return tuple(node for node in self.course.order if self.phase_of(node) == phase)

    def spots_of(self, phase: str) -> tuple[NodeProgress, ...]:
        return tuple(self.spots[node] for node in self.nodes_of(phase))

    def spent(self, spot: NodeProgress) -> float:
        """Seconds spent at a node until now, all visits together."""
        return spot.seconds + (self.now() - spot.since if spot.mark == "current" else 0.0)

    def phase_seconds(self) -> Mapping[str, float]:
        """Seconds spent in each phase that was entered, in the phases' order."""
        return {
            phase: sum(spot.seconds for spot in self.spots_of(phase))
            for phase in self.flow.phases
            if any(spot.visits for spot in self.spots_of(phase))
        }
