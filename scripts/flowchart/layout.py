"""Where a flowchart's boxes stand: a band a phase from top to bottom, the way from left to right in each.

A grid of columns and lines; what lies aside stands after or under the box that leads to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deployer.flow.main_path import Course


@dataclass(frozen=True)
class Place:
    """Column and line of a box; lines count through all bands."""

    column: int
    line: int


@dataclass(frozen=True)
class Band:
    """A phase: `lines` lines of boxes, from line `first` on."""

    phase: str
    first: int
    lines: int


@dataclass(frozen=True)
class Plan:
    """Every box's place, every phase's band."""

    places: dict[str, Place]
    bands: tuple[Band, ...]

    @property
    def columns(self) -> int:
        return max(place.column for place in self.places.values()) + 1


def plan(course: Course) -> Plan:
    """Places all nodes; the same flowchart always gives the same plan."""
    places: dict[str, Place] = {}
    bands: list[Band] = []
    line = 0
    for phase in course.flow.phases:
        nodes = [node for node in course.order if course.flow.nodes[node].phase == phase]
        placed = _band(course, nodes, line)
        places |= placed
        lines = max(place.line for place in placed.values()) - line + 1
        bands.append(Band(phase, line, lines))
        line += lines
    return Plan(places, tuple(bands))


def _band(course: Course, nodes: list[str], line: int) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for node in nodes:
        if node in course.way:
            places[node] = Place(len(places), line)
    for node in nodes:
        if node not in course.way:
            taken = set(places.values())
            last = Place(max((place.column for place in taken), default=-1), line)
            origin = next((places[s] for s in _sources(course, node) if s in places), last)
            places[node] = next(place for place in _near(origin) if place not in taken)
    return places


def _sources(course: Course, node: str) -> Iterator[str]:
    return (edge.source for edge in course.forward if edge.target == node)


def _near(origin: Place) -> Iterator[Place]:
    """Places in order of liking: to the right, else underneath, else further right."""
    yield Place(origin.column + 1, origin.line)
    yield Place(origin.column, origin.line + 1)
    for column in range(origin.column + 2, origin.column + 100):
        yield Place(column, origin.line)
