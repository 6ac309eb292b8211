"""Where the answers stand: beside their arrow, near its start, on nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from scripts.flowchart.geometry import SIDE, Geometry
from scripts.flowchart.routing import Point

_CHARACTER: Final = 5.8
"""Pixels of a character at the answers' size, on average."""
_TALL: Final = 11


@dataclass(frozen=True)
class Area:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Area") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True)
class Label:
    """An answer; `x` is its left edge, `y` its base line, in pixels."""

    text: str
    x: float
    y: float

    @property
    def area(self) -> Area:
        return Area(self.x, self.y - _TALL + 2, self.x + _CHARACTER * len(self.text), self.y + 2)


def labels(shape: Geometry) -> Iterator[Label]:
    """A label for each arrow that has an answer: the first free spot along it, else the least bad."""
    taken = [
        Area(SIDE * b.left, SIDE * b.top, SIDE * (b.left + b.width), SIDE * (b.top + b.height))
        for b in shape.boxes.values()
    ]
    lines = [area for points in shape.ways.values() for area in _strokes(points)]
    for edge, points in shape.ways.items():
        if edge.answer:
            label = min(_spots(edge.answer, points), key=lambda spot: _harm(spot, taken, lines))
            taken.append(label.area)
            yield label


def _harm(label: Label, taken: list[Area], lines: list[Area]) -> int:
    """Covering a box or a label is worse than covering a line; of equals the first is taken."""
    area = label.area
    return 10 * sum(area.meets(other) for other in taken) + sum(area.meets(line) for line in lines)


def _spots(text: str, points: list[Point]) -> Iterator[Label]:
    width = _CHARACTER * len(text)
    for (ax, ay), (bx, by) in pairwise(points):
        x1, y1, x2, y2 = SIDE * ax, SIDE * ay, SIDE * bx, SIDE * by
        if y1 == y2:
            start = x1 + 3 if x2 > x1 else x1 - 3 - width
            for shift in range(0, max(int(abs(x2 - x1) - width), 0) + 1, SIDE):
                x = start + shift if x2 > x1 else start - shift
                yield Label(text, x, y1 - 3)
                yield Label(text, x, y1 + 11)
        else:
            for shift in range(0, max(abs(y2 - y1) - _TALL, 0) + 1, SIDE):
                y = y1 + _TALL + shift if y2 > y1 else y1 - 3 - shift
                yield Label(text, x1 + 4, y)
                yield Label(text, x1 - 4 - width, y)


def _strokes(points: list[Point]) -> Iterator[Area]:
    for (ax, ay), (bx, by) in pairwise(points):
        yield Area(
            SIDE * min(ax, bx) - 1, SIDE * min(ay, by) - 1, SIDE * max(ax, bx) + 1, SIDE * max(ay, by) + 1
        )
