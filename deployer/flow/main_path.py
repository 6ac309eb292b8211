"""The course of a flowchart: which arrows lead on or back, what lies straight ahead and what aside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from deployer.flow.chart import Edge, Flowchart


@dataclass(frozen=True)
class Course:
    """A flowchart with its loops opened: arrows that lead back to where one has been are set apart.

    What is left has no cycle, so every node has a `layer`: the most arrows that lead to it from the start.
    """

    flow: Flowchart

    @cached_property
    def forward(self) -> tuple[Edge, ...]:
        """The arrows that do not close a loop."""
        back = set(self._closing(self.flow.start, (), set()))
        return tuple(edge for edge in self.flow.edges if edge not in back)

    def _closing(self, node: str, trail: tuple[str, ...], seen: set[str]) -> Iterator[Edge]:
        """The arrows that lead back onto the trail walked depth first."""
        seen.add(node)
        trail = (*trail, node)
        for edge in self.flow.edges:
            if edge.source == node and edge.target in trail:
                yield edge
            elif edge.source == node and edge.target not in seen:
                yield from self._closing(edge.target, trail, seen)

    @cached_property
    def layers(self) -> Mapping[str, int]:
        layers = dict.fromkeys(self.flow.nodes, 0)
        for _ in layers:
            for edge in self.forward:
                layers[edge.target] = max(layers[edge.target], layers[edge.source] + 1)
        return layers

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All nodes, by layer."""
        return tuple(sorted(self.flow.nodes, key=self.layers.__getitem__))

    @property
    def goal(self) -> str:
        """The end that is not added: success."""
        return next(n.id for n in self.flow.nodes.values() if n.kind == "end" and not n.added)

    @cached_property
    def way(self) -> tuple[str, ...]:
        """The nodes between start and goal, both included: what a release without a setback may pass."""
        leading = {self.goal}
        for node in reversed(self.order):
            if any(edge.source == node and edge.target in leading for edge in self.forward):
                leading.add(node)
        return tuple(node for node in self.order if node in leading)

    def leads_on(self, edge: Edge) -> bool:
        """Whether an arrow goes from one node of the way to a later one."""
        return edge.target in self.ahead_of(edge.source)

    def setback(self, source: str, target: str) -> bool:
        """Whether going from `source` to `target` leaves the way or returns on it."""
        return source in self.way and target not in self.ahead_of(source)

    def ahead_of(self, node: str) -> tuple[str, ...]:
        """The nodes of the way that come after `node`; none where it lies aside."""
        return self.way[self.way.index(node) + 1 :] if node in self.way else ()

    def between(self, source: str, target: str) -> tuple[str, ...]:
        """The nodes of the way that an arrow passes over; none where it leaves the way or returns on it."""
        ahead = self.ahead_of(source)
        return ahead[: ahead.index(target)] if target in ahead else ()

    def before(self, node: str) -> tuple[str, ...]:
        """The fewest nodes that lead from the start to `node`, which is not one of them; by arrows that are
        added only where no others lead there."""
        trails: dict[str, tuple[str, ...]] = {self.flow.start: ()}
        for edges in ([edge for edge in self.flow.edges if not edge.added], self.flow.edges):
            todo = list(trails)
            for source in todo:
                for edge in edges:
                    if edge.source == source and edge.target not in trails:
                        trails[edge.target] = (*trails[source], source)
                        todo.append(edge.target)
        return trails.get(node, ())
