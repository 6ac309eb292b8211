"""A flowchart's plan on a grid of `SIDE` pixels a step: boxes, bands and routed arrows, ready to be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from deployer.flow.chart import Edge, Flowchart
from deployer.flow.main_path import Course
from scripts.flowchart.layout import Plan, plan
from scripts.flowchart.routing import Box, Point, Router

SIDE: Final = 9
_WIDTH: Final = 12
_HEIGHT: Final = 4
_COLUMN: Final = 18
"""From one box's left side to the next one's."""
_MARGIN: Final = 5
_TITLE: Final = 5
"""Steps above a band's first line, its title among them."""
_BETWEEN: Final = 6
"""Steps between two lines of a band."""
_FOOT: Final = 3
_GAP: Final = 2
"""Steps between two bands."""


@dataclass(frozen=True)
class Geometry:
    """Everything in grid steps; `ways` holds the corners of each arrow's line."""

    width: int
    height: int
    boxes: Mapping[str, Box]
    bands: Mapping[str, Box]
    ways: Mapping[Edge, list[Point]]


def geometry(flow: Flowchart) -> Geometry:
    """The flowchart laid out; computed once a process for each set of arrows."""
    return _geometry(_ByArrows(flow))


@dataclass(frozen=True, eq=False)
class _ByArrows:
    """A flowchart as a cache key."""

    flow: Flowchart

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByArrows) and self.flow.edges == other.flow.edges

    def __hash__(self) -> int:
        return hash(self.flow.edges)


@lru_cache(maxsize=4)
def _geometry(key: _ByArrows) -> Geometry:
    course = Course(key.flow)
    drawn = plan(course)
    width = 2 * _MARGIN + _COLUMN * drawn.columns - (_COLUMN - _WIDTH)
    boxes, bands = _boxes(course.flow, drawn, width)
    height = max(band.top + band.height for band in bands.values()) + 1
    router = Router(boxes, _titles(bands), width + 1, height + 1)
    ways = {edge: router.route(edge.source, edge.target) for edge in _by_ease(course, drawn)}
    return Geometry(width, height, boxes, bands, ways)


def _boxes(flow: Flowchart, drawn: Plan, width: int) -> tuple[dict[str, Box], dict[str, Box]]:
    tops: dict[int, int] = {}
    bands: dict[str, Box] = {}
    y = 1
    for band in drawn.bands:
        top, y = y, y + _TITLE
        for line in range(band.first, band.first + band.lines):
            tops[line], y = y, y + _HEIGHT + _BETWEEN
        y += _FOOT - _BETWEEN
        bands[band.phase], y = Box(1, top, width - 2, y - top), y + _GAP
    boxes = {
        node: Box(
            _MARGIN + _COLUMN * place.column,
            tops[place.line],
            _WIDTH,
            _HEIGHT,
            slanted=flow.nodes[node].kind in ("decision", "repair"),
        )
        for node, place in drawn.places.items()
    }
    return boxes, bands


def _titles(bands: Mapping[str, Box]) -> list[Box]:
    """Where the bands' titles stand: no arrow runs through them."""
    return [Box(band.left, band.top, 20, 2) for band in bands.values()]


def _by_ease(course: Course, drawn: Plan) -> list[Edge]:
    """The way first, then what is near, then what is far: easy arrows get the straight lines."""

    def ease(edge: Edge) -> tuple[bool, bool, int]:
        here, there = drawn.places[edge.source], drawn.places[edge.target]
        distance = abs(here.column - there.column) + 2 * abs(here.line - there.line)
        return not course.leads_on(edge), here.line != there.line, distance

    return sorted(course.flow.edges, key=ease)
