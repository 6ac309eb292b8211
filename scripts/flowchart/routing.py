"""Arrows between boxes: right-angled routes on a grid, each the cheapest around boxes and earlier arrows.

A* over (point, direction). Bends and crossings cost; two arrows share a stretch only if they lead to
the same box, and then it is cheaper, so that they join. Coordinates are grid points.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

Point = tuple[int, int]
Step = tuple[int, int]
"""One of the four directions."""
Port = tuple[Point, Step, float]
"""A point just outside a box, the direction away from it, what it costs to use."""

RIGHT, DOWN, LEFT, UP = (1, 0), (0, 1), (-1, 0), (0, -1)
_STEPS: Final[tuple[Step, ...]] = (RIGHT, DOWN, LEFT, UP)
_BEND: Final = 5.0
_CROSSING: Final = 6.0
_SHARED: Final = 0.8
_NEIGHBOUR: Final = 0.8
_ARRIVED: Final[Point] = (-1, -1)
_NEVER: Final = float("inf")
_SKIRTING: Final = 2.0
"""Running right beside a box, where other arrows leave and arrive."""


@dataclass(frozen=True)
class Box:
    """An obstacle; its sides are on grid lines. `slanted`: left and right are tips or slopes."""

    left: int
    top: int
    width: int
    height: int
    slanted: bool = False

    def grown(self) -> Iterator[Point]:
        """The box's points and those right beside it."""
        return Box(self.left - 1, self.top - 1, self.width + 2, self.height + 2).points()

    def points(self) -> Iterator[Point]:
        for x in range(self.left, self.left + self.width + 1):
            for y in range(self.top, self.top + self.height + 1):
                yield x, y

    def distance(self, point: Point) -> int:
        """Steps from `point` to the box, whatever is between."""
        x, y = point
        return max(self.left - x, x - self.left - self.width, 0) + max(
            self.top - y, y - self.top - self.height, 0
        )

    def ports(self, prices: Mapping[Step, float]) -> Iterator[Port]:
        """Where arrows may leave or arrive; a side has its price, its middle is the cheapest."""
        middle = self.top + self.height // 2
        for y in range(self.top + 1, self.top + self.height):
            if y == middle or not self.slanted:
                yield (self.left - 1, y), LEFT, prices[LEFT] + 1.5 * abs(y - middle)
                yield (self.left + self.width + 1, y), RIGHT, prices[RIGHT] + 1.5 * abs(y - middle)
        centre, inset = self.left + self.width // 2, 3 if self.slanted else 1
        for x in range(self.left + inset, self.left + self.width - inset + 1):
            yield (x, self.top - 1), UP, prices[UP] + 1.5 * abs(x - centre)
            yield (x, self.top + self.height + 1), DOWN, prices[DOWN] + 1.5 * abs(x - centre)

    def leaving(self) -> Iterator[Port]:
        """What is read from left to right leaves on the right."""
        return self.ports({RIGHT: 0, DOWN: 1, UP: 2, LEFT: 12})

    def arriving(self) -> Iterator[Port]:
        return self.ports({LEFT: 0, UP: 1, DOWN: 2, RIGHT: 12})


@dataclass
class Router:
    """Routes one arrow after the other within `width` x `height` points, around `boxes` and `walls`."""

    boxes: Mapping[str, Box]
    walls: Collection[Box]
    width: int
    height: int
    _blocked: frozenset[Point] = field(init=False)
    _skirts: frozenset[Point] = field(init=False)
    _uses: dict[Point, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._blocked = frozenset(p for box in (*self.boxes.values(), *self.walls) for p in box.points())
        self._skirts = frozenset(point for box in self.boxes.values() for point in box.grown())
        self._uses = defaultdict(dict)

    def route(self, source: str, target: str) -> list[Point]:
        """The corners of an arrow's line, from the source's side to the target's, both on the boxes."""
        ends = {point: (step, cost) for point, step, cost in self.boxes[target].arriving()}
        trail = self._search(self.boxes[source].leaving(), ends, target)
        first = next(step for point, step, _ in self.boxes[source].leaving() if point == trail[0])
        last, _ = ends[trail[-1]]
        whole = [_moved(trail[0], first, -1), *trail, _moved(trail[-1], last, -1)]
        for before, point, after in zip(whole, whole[1:], whole[2:], strict=False):
            axis = _axis(before, point, after)
            self._uses[point][target] = axis if self._uses[point].get(target, axis) == axis else "bend"
        return list(_corners(whole))

    def _search(
        self, starts: Iterable[Port], ends: Mapping[Point, tuple[Step, float]], target: str
    ) -> list[Point]:
        box = self.boxes[target]
        queue: list[tuple[float, float, Point, Step]] = []
        best: dict[tuple[Point, Step], float] = {}
        came: dict[tuple[Point, Step], tuple[Point, Step]] = {}
        for point, step, cost in starts:
            if point not in self._blocked and not self._foreign(point, target):
                best[point, step] = cost
                heapq.heappush(queue, (cost + _SHARED * box.distance(point), cost, point, step))
        while queue:
            _, cost, point, step = heapq.heappop(queue)
            if point == _ARRIVED:
                return list(_trail(came, (point, step)))
            if cost > best.get((point, step), cost):
                continue
            for following, onward, more in self._onward(point, step, target):
                there = following, onward
                if cost + more < best.get(there, _NEVER):
                    best[there], came[there] = cost + more, (point, step)
                    ahead = cost + more + _SHARED * box.distance(following)
                    heapq.heappush(queue, (ahead, cost + more, *there))
            if point in ends and not self._foreign(point, target):
                outward, extra = ends[point]
                whole = cost + extra + (0.0 if step == _reverse(outward) else _BEND)
                if step != outward and whole < best.get((_ARRIVED, step), _NEVER):
                    best[_ARRIVED, step], came[_ARRIVED, step] = whole, (point, step)
                    heapq.heappush(queue, (whole, whole, _ARRIVED, step))
        raise ValueError(f"no room for an arrow to {target}")

    def _onward(self, point: Point, step: Step, target: str) -> Iterator[tuple[Point, Step, float]]:
        for onward in _STEPS:
            if onward == _reverse(step):
                continue
            turning = onward != step
            if turning and self._foreign(point, target):
                continue
            following = _moved(point, onward)
            if not self._free(following):
                continue
            cost = self._passing(following, onward, target)
            if cost is not None:
                yield following, onward, cost + (_BEND if turning else 0.0)

    def _free(self, point: Point) -> bool:
        x, y = point
        return 0 <= x < self.width and 0 <= y < self.height and point not in self._blocked

    def _foreign(self, point: Point, target: str) -> bool:
        return any(other != target for other in self._uses.get(point, ()))

    def _passing(self, point: Point, step: Step, target: str) -> float | None:
        """What it costs to reach `point` in this direction; None: another arrow is in the way."""
        uses = self._uses.get(point, {})
        axis = "h" if step[0] else "v"
        others = [use for other, use in uses.items() if other != target]
        if any(use in (axis, "bend") for use in others):
            return None
        if target in uses:
            return _SHARED + _CROSSING * len(others)
        beside = ((0, 1), (0, -1)) if axis == "h" else ((1, 0), (-1, 0))
        close = sum(other != target for side in beside for other in self._uses.get(_moved(point, side), ()))
        skirting = _SKIRTING if point in self._skirts else 0.0
        return 1.0 + skirting + _CROSSING * len(others) + _NEIGHBOUR * close


def _reverse(step: Step) -> Step:
    return -step[0], -step[1]


def _moved(point: Point, step: Step, times: int = 1) -> Point:
    return point[0] + times * step[0], point[1] + times * step[1]


def _axis(before: Point, point: Point, after: Point) -> str:
    if before[0] == point[0] == after[0]:
        return "v"
    return "h" if before[1] == point[1] == after[1] else "bend"


def _trail(came: Mapping[tuple[Point, Step], tuple[Point, Step]], end: tuple[Point, Step]) -> list[Point]:
    trail: list[Point] = []
    while end in came:
        end = came[end]
        trail.append(end[0])
    return trail[::-1]


def _corners(points: list[Point]) -> Iterator[Point]:
    yield points[0]
    for before, point, after in zip(points, points[1:], points[2:], strict=False):
        if _axis(before, point, after) == "bend":
            yield point
    yield points[-1]
