"""The flowchart as one SVG, light or dark as its reader is; `python -m` of this module prints it."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from textwrap import wrap
from typing import Final
from xml.sax.saxutils import escape

from deployer.flow.chart import Edge, Flowchart, Node
from deployer.flow.main_path import Course
from deployer.view.svg.geometry import SIDE, Geometry, geometry
from deployer.view.svg.labels import Label, labels
from deployer.view.svg.routing import Box, Point

_STYLE: Final = """
.flow{--paper:#ffffff;--ink:#1f2937;--soft:#6b7280;--line:#475569;--back:#c2410c;--box:#ffffff;--lit:#15803d;--litbox:#dcfce7;--lost:#b91c1c;--lostbox:#fee2e2;
 --h1:#6366f1;--h2:#0284c7;--h3:#0d9488;--h4:#b45309;--h5:#16a34a;
 font-family:-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.flow{--paper:#0d1117;--ink:#e6edf3;--soft:#9aa4b2;--line:#8b98a9;
 --back:#fb923c;--box:#161b22;--lit:#3fb950;--litbox:#12351f;--lost:#f85149;--lostbox:#3d1517;
 --h1:#818cf8;--h2:#38bdf8;--h3:#2dd4bf;--h4:#fbbf24;--h5:#4ade80}}
.flow .paper{fill:var(--paper)}
.flow .band{stroke-width:1;fill-opacity:.07;stroke-opacity:.35}
.flow .title{font-size:13px;font-weight:600}
.flow .box{fill:var(--box);stroke-width:1.5}
.flow .added{stroke-dasharray:4 3}
.flow .label{font-size:11.5px;fill:var(--ink);text-anchor:middle}
.flow .line{fill:none;stroke:var(--line);stroke-width:1.5;stroke-linejoin:round}
.flow .back{stroke:var(--back)}
.flow .fail{stroke:var(--lost);stroke-width:1.2}
.flow .head{fill:var(--line)}
.flow .head.back{fill:var(--back);stroke:none}
.flow .head.fail{fill:var(--lost);stroke:none}
.flow .answer{font-size:11px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.flow .legend{font-size:11px;fill:var(--soft)}
.flow .walked .box{fill:var(--litbox);stroke:var(--lit);stroke-width:2.5}
.flow .lost .box{fill:var(--lostbox);stroke:var(--lost);stroke-width:2.5}
.flow .line.walked{stroke:var(--lit);stroke-width:3;stroke-dasharray:none}
.flow .head.walked{fill:var(--lit)}
.flow .visits{font-size:11px;font-weight:700;fill:var(--lit)}
"""
_LEGEND_LINES: Final = (
    ("line", "leads on"),
    ("line back", "a setback, and back from it"),
    ("line fail", "gives up"),
    ("line added", "added to the mission"),
    ("line walked", "walked"),
)
_LEGEND: Final = 34
"""Pixels under the flowchart."""


def draw(flow: Flowchart, path: Iterable[str] = (), *, stopped_at: str = "") -> str:
    """An SVG document. The nodes of `path` and the arrows between them are lit, `stopped_at` is marked."""
    walked = list(path)
    shape = geometry(flow)
    steps = set(pairwise(walked))
    width, height = shape.width * SIDE, shape.height * SIDE + _LEGEND
    parts = [
        f'<svg class="flow" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="The release flowchart">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        *_bands(flow, shape),
        *_arrows(Course(flow), shape, steps),
        *_nodes(flow, shape, {node: walked.count(node) for node in walked}, stopped_at),
        *_legend(shape, _LEGEND_LINES if walked else _LEGEND_LINES[:-1]),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bands(flow: Flowchart, shape: Geometry) -> Iterator[str]:
    for hue, (phase, band) in enumerate(shape.bands.items(), start=1):
        x, y, width, height = (SIDE * value for value in (band.left, band.top, band.width, band.height))
        yield (
            f'<rect class="band" x="{x}" y="{y}" width="{width}" height="{height}" rx="8" '
            f'style="fill:var(--h{hue});stroke:var(--h{hue})"/>'
        )
        title = escape(flow.phases[phase])
        yield f'<text class="title" x="{x + 10}" y="{y + 18}" style="fill:var(--h{hue})">{title}</text>'


def _arrows(course: Course, shape: Geometry, steps: Collection[tuple[str, str]]) -> Iterator[str]:
    order = sorted(shape.ways.items(), key=lambda way: (way[0].source, way[0].target) in steps)
    drawn: dict[str, set[Point]] = defaultdict(set)
    for edge, points in order:
        classes = _classes(course, edge, steps)
        before = drawn[edge.target]
        line = points if "walked" in classes else _until(points, before)
        if len(line) > 1:
            yield _line(edge, line, classes)
        if line[-1] == points[-1]:
            yield _head(line, classes)
        before.update(_every(points))
    for label in labels(shape):
        yield _answer(label)


def _classes(course: Course, edge: Edge, steps: Collection[tuple[str, str]]) -> str:
    names = []
    if course.flow.nodes[edge.target].kind == "end" and edge.target != course.goal:
        names.append("fail")
    elif not course.leads_on(edge):
        names.append("back")
    if edge.added:
        names.append("added")
    if (edge.source, edge.target) in steps:
        names.append("walked")
    return " ".join(names)


def _every(points: list[Point]) -> Iterator[Point]:
    """All grid points of a line of corners."""
    yield points[0]
    for (x, y), (u, v) in pairwise(points):
        dx, dy = (u > x) - (u < x), (v > y) - (v < y)
        yield from ((x + dx * step, y + dy * step) for step in range(1, abs(u - x) + abs(v - y) + 1))


def _until(points: list[Point], drawn: Collection[Point]) -> list[Point]:
    """The line up to where it joins one that leads to the same box: drawn once, dashes stay dashes."""
    cut: list[Point] = []
    for point in _every(points):
        cut.append(point)
        if point in drawn:
            break
    return [p for i, p in enumerate(cut) if i in (0, len(cut) - 1) or p in points]


def _line(edge: Edge, points: list[Point], classes: str) -> str:
    path = _rounded([(SIDE * x, SIDE * y) for x, y in points])
    return f'<path class="line {classes}" d="{path}"><title>{escape(str(edge))}</title></path>'


def _head(points: list[Point], classes: str) -> str:
    """The tip, which covers the line's end."""
    (x1, y1), (x2, y2) = points[-2:]
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    x, y = SIDE * x2, SIDE * y2
    wings = f"{x - 8 * dx + 4 * dy},{y - 8 * dy + 4 * dx} {x - 8 * dx - 4 * dy},{y - 8 * dy - 4 * dx}"
    return f'<polygon class="head {classes}" points="{x},{y} {wings}"/>'


def _rounded(spots: list[tuple[int, int]], radius: int = 4) -> str:
    """A path through the corners, each rounded."""
    path = [f"M{spots[0][0]} {spots[0][1]}"]
    for before, (x, y), after in zip(spots, spots[1:], spots[2:], strict=False):
        into = [(a > b) - (a < b) for a, b in zip((x, y), before, strict=True)]
        out = [(a > b) - (a < b) for a, b in zip(after, (x, y), strict=True)]
        path.append(f"L{x - radius * into[0]} {y - radius * into[1]}")
        path.append(f"Q{x} {y} {x + radius * out[0]} {y + radius * out[1]}")
    path.append(f"L{spots[-1][0]} {spots[-1][1]}")
    return "".join(path)


def _answer(label: Label) -> str:
    return f'<text class="answer" x="{label.x:.0f}" y="{label.y:.0f}">{escape(label.text)}</text>'


def _nodes(flow: Flowchart, shape: Geometry, visits: Mapping[str, int], stopped: str) -> Iterator[str]:
    hues = {phase: hue for hue, phase in enumerate(flow.phases, start=1)}
    for node in flow.nodes.values():
        state = "lost" if node.id == stopped else "walked" if node.id in visits else ""
        box = shape.boxes[node.id]
        yield f'<g class="{state}"><title>{node.id}</title>{_outline(node, box, hues[node.phase])}'
        yield from _text(node.label, box)
        if visits.get(node.id, 0) > 1:
            x, y = SIDE * box.left, SIDE * box.top - 3
            yield f'<text class="visits" x="{x}" y="{y}">×{visits[node.id]}</text>'
        yield "</g>"


def _outline(node: Node, box: Box, hue: int) -> str:
    x, y, w, h = (SIDE * value for value in (box.left, box.top, box.width, box.height))
    stroke = "var(--lost)" if node.kind == "end" and node.added else f"var(--h{hue})"
    look = f'class="box{" added" if node.added else ""}" style="stroke:{stroke}"'
    if node.kind in ("start", "end"):
        return f'<rect {look} x="{x}" y="{y}" width="{w}" height="{h}" rx="{h / 2}"/>'
    if node.kind == "decision":
        cut = 10
        corners = [(x + cut, y), (x + w - cut, y), (x + w, y + h / 2), (x + w - cut, y + h)]
        corners += [(x + cut, y + h), (x, y + h / 2)]
    elif node.kind == "repair":
        corners = [(x + 7, y), (x + w + 3, y), (x + w - 7, y + h), (x - 3, y + h)]
    else:
        return f'<rect {look} x="{x}" y="{y}" width="{w}" height="{h}" rx="4"/>'
    return f'<polygon {look} points="{" ".join(f"{a},{b:g}" for a, b in corners)}"/>'


def _text(label: str, box: Box) -> Iterator[str]:
    lines = wrap(label, 17)
    x, middle = SIDE * (box.left + box.width / 2), SIDE * (box.top + box.height / 2)
    for index, line in enumerate(lines):
        y = middle + 4 + 13 * (index - (len(lines) - 1) / 2)
        yield f'<text class="label" x="{x:g}" y="{y:g}">{escape(line)}</text>'


def _legend(shape: Geometry, entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    y = shape.height * SIDE + 12
    x = SIDE * 2
    for classes, text in entries:
        yield f'<path class="{classes}" d="M{x} {y}h30"/>'
        yield f'<text class="legend" x="{x + 38}" y="{y + 4}">{text}</text>'
        x += 60 + 6 * len(text)


if __name__ == "__main__":
    from deployer.flow.release import FLOW

    sys.stdout.write(draw(FLOW))
