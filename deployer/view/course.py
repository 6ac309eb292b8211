"""The course of a flowchart: what lies straight ahead of a release, and what is a setback."""

from dataclasses import dataclass
from functools import cached_property

from deployer.flowchart import Edge, Flowchart


@dataclass(frozen=True)
class Course:
    """A flowchart read in its drawing order: arrows go forward or back, nodes lie on the way or aside.

    The way runs from the start to the end that the mission has, along arrows that go forward.
    """

    flow: Flowchart

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {node: rank for rank, node in enumerate(self.flow.nodes)}

    def goes_back(self, edge: Edge) -> bool:
        return self._rank[edge.target] <= self._rank[edge.source]

    @property
    def goal(self) -> str:
        """The end that is not added: success."""
        return next(n.id for n in self.flow.nodes.values() if n.kind == "end" and not n.added)

    @cached_property
    def way(self) -> tuple[str, ...]:
        """The nodes between start and goal, both included, in drawing order."""
        ahead = [edge for edge in self.flow.edges if not self.goes_back(edge)]
        reached, leading = {self.flow.start}, {self.goal}
        for edge in sorted(ahead, key=lambda edge: self._rank[edge.source]):
            if edge.source in reached:
                reached.add(edge.target)
        for edge in sorted(ahead, key=lambda edge: -self._rank[edge.target]):
            if edge.target in leading:
                leading.add(edge.source)
        return tuple(node for node in self.flow.nodes if node in reached & leading)

    def setback(self, source: str, target: str) -> bool:
        """Whether going from `source` to `target` leaves the way or returns on it."""
        return source in self.way and (target not in self.way or self._rank[target] <= self._rank[source])

    def ahead_of(self, node: str) -> tuple[str, ...]:
        """The nodes of the way that come after `node`; none where it lies aside."""
        return self.way[self.way.index(node) + 1 :] if node in self.way else ()

    def between(self, source: str, target: str) -> tuple[str, ...]:
        """The nodes of the way that an arrow passes over; none where it leaves the way or returns on it."""
        ahead = self.ahead_of(source)
        return ahead[: ahead.index(target)] if target in ahead else ()

    def before(self, node: str) -> tuple[str, ...]:
        """The fewest nodes that lead from the start to `node`, which is not one of them."""
        trails: dict[str, tuple[str, ...]] = {self.flow.start: ()}
        todo = [self.flow.start]
        for source in todo:
            for edge in self.flow.edges:
                if edge.source == source and edge.target not in trails:
                    trails[edge.target] = (*trails[source], source)
                    todo.append(edge.target)
        return trails.get(node, ())
