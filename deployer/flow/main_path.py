"""The main path of a flowchart: which edges lead forward or back, which nodes lie on the main path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from deployer.flow.chart import Edge, Flowchart


@dataclass(frozen=True)
class Course:
    """A flowchart without its retry edges.

    The rest has no cycle, so every node has a `layer`: the length of the longest path to it from the start.
    """

    flow: Flowchart

    @cached_property
    def forward(self) -> tuple[Edge, ...]:
        """The edges that do not close a loop, nor lead from an added repair back to a step."""
        back = set(self._closing(self.flow.start, (), set()))
        return tuple(edge for edge in self.flow.edges if edge not in back and not self._returns(edge))

    def _returns(self, edge: Edge) -> bool:
        source, target = self.flow.nodes[edge.source], self.flow.nodes[edge.target]
        return edge.added and source.kind == "repair" and target.kind == "step"

    def _closing(self, node: str, trail: tuple[str, ...], seen: set[str]) -> Iterator[Edge]:
        """The edges that lead back onto the trail, found depth first."""
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
        """The main path, from start to goal: the nodes of a release without a setback."""
        leading = {self.goal}
        for node in reversed(self.order):
            if any(edge.source == node and edge.target in leading for edge in self.forward):
                leading.add(node)
        return tuple(node for node in self.order if node in leading)

    def leads_on(self, edge: Edge) -> bool:
        """Whether an edge leads from one node of the main path to a later one."""
        return edge.target in self.ahead_of(edge.source)

    def setback(self, source: str, target: str) -> bool:
        """Whether going from `source` to `target` leaves the main path or goes back on it."""
        return source in self.way and target not in self.ahead_of(source)

    def ahead_of(self, node: str) -> tuple[str, ...]:
        """The nodes of the main path after `node`; none if it is not on the main path."""
        return self.way[self.way.index(node) + 1 :] if node in self.way else ()

    def between(self, source: str, target: str) -> tuple[str, ...]:
        """The nodes of the main path that an edge skips; none if it leaves it or goes back."""
        ahead = self.ahead_of(source)
        return ahead[: ahead.index(target)] if target in ahead else ()

    def before(self, node: str) -> tuple[str, ...]:
        """The shortest path from the start to `node`, without `node`; added edges only if no others lead
        there."""
        trails: dict[str, tuple[str, ...]] = {self.flow.start: ()}
        for edges in ([edge for edge in self.flow.edges if not edge.added], self.flow.edges):
            todo = list(trails)
            for source in todo:
                for edge in edges:
                    if edge.source == source and edge.target not in trails:
                        trails[edge.target] = (*trails[source], source)
                        todo.append(edge.target)
        return trails.get(node, ())
