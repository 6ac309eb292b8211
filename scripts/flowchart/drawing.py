"""The flowchart as one SVG, light or dark as its reader is."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import pairwise
from textwrap import wrap
from typing import Final
from xml.sax.saxutils import escape

from deployer.flow.chart import Edge, Flowchart, Node
from deployer.flow.main_path import Course
from scripts.flowchart.geometry import SIDE, Geometry, geometry
from scripts.flowchart.labels import Label, labels
from scripts.flowchart.routing import Box, Point

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
.flow .walk{display:none}
.flow .walk .line{stroke:var(--lit);stroke-width:3}
.flow .walk .head{fill:var(--lit)}
.flow .visits{font-size:11px;font-weight:700;fill:var(--lit)}
"""
_LEGEND_LINES: Final = (
    ("key", "line", "next"),
    ("key", "line back", "a setback, and back from it"),
    ("key", "line fail", "gives up"),
    ("key", "line added", "added to the original chart"),
    ("walk taken", "line", "taken"),
)
_LEGEND: Final = 34
"""Pixels under the flowchart."""


def draw(flow: Flowchart) -> str:
    """An SVG document, made to be lit by a style: each node is a group of class `n-NODE` with an empty text
    `v-NODE` for its visits, each edge has a hidden line of class `w-SOURCE-TARGET`."""
    shape = geometry(flow)
    width, height = shape.width * SIDE, shape.height * SIDE + _LEGEND
    parts = [
        f'<svg class="flow" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="The release flowchart">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        *_bands(flow, shape),
        *_arrows(Course(flow), shape),
        *_nodes(flow, shape),
        *_legend(shape),
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


def _arrows(course: Course, shape: Geometry) -> Iterator[str]:
    drawn: dict[str, set[Point]] = defaultdict(set)
    for edge, points in shape.ways.items():
        classes = _classes(course, edge)
        line = _until(points, drawn[edge.target])
        if len(line) > 1:
            yield _line(edge, line, classes)
        if line[-1] == points[-1]:
            yield _head(line, classes)
        drawn[edge.target].update(_every(points))
    for edge, points in shape.ways.items():
        walk = f"walk w-{edge.source}-{edge.target}"
        yield f'<g class="{walk}">{_line(edge, points, "")}{_head(points, "")}</g>'
    for label in labels(shape):
        yield _answer(label)


def _classes(course: Course, edge: Edge) -> str:
    names = []
    if course.flow.nodes[edge.target].kind == "end" and edge.target != course.goal:
        names.append("fail")
    elif not course.leads_on(edge):
        names.append("back")
    if edge.added:
        names.append("added")
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


def _nodes(flow: Flowchart, shape: Geometry) -> Iterator[str]:
    hues = {phase: hue for hue, phase in enumerate(flow.phases, start=1)}
    for node in flow.nodes.values():
        box = shape.boxes[node.id]
        yield f'<g class="n-{node.id}"><title>{node.id}</title>{_outline(node, box, hues[node.phase])}'
        yield from _text(node.label, box)
        x, y = SIDE * box.left, SIDE * box.top - 3
        yield f'<text class="visits v-{node.id}" x="{x}" y="{y}"></text></g>'


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


def _legend(shape: Geometry) -> Iterator[str]:
    y = shape.height * SIDE + 12
    x = SIDE * 2
    for group, classes, text in _LEGEND_LINES:
        yield f'<g class="{group}"><path class="{classes}" d="M{x} {y}h30"/>'
        yield f'<text class="legend" x="{x + 38}" y="{y + 4}">{text}</text></g>'
        x += 60 + 6 * len(text)
