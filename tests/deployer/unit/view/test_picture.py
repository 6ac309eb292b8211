"""The flowchart's picture, and the report that has it in it."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deployer.flow.release import FLOW
from deployer.view.html.release import release_page
from deployer.view.picture import light
from scripts.flowchart import PICTURES
from scripts.flowchart.drawing import draw
from scripts.flowchart.geometry import SIDE, Geometry, geometry
from scripts.flowchart.labels import Area, labels
from scripts.flowchart.routing import Point
from tests.deployer.unit.view.story import RELEASE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shape() -> Geometry:
    return geometry(FLOW)


@pytest.fixture(scope="module")
def drawn() -> str:
    return draw(FLOW)


def points(corners: list[Point]) -> list[Point]:
    """Every grid point of a line, its ends on the boxes left out."""
    line = [corners[0]]
    for (x, y), (u, v) in pairwise(corners):
        steps = abs(u - x) + abs(v - y)
        line += [(x + (u - x) * n // steps, y + (v - y) * n // steps) for n in range(1, steps + 1)]
    return line[1:-1]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.parent.name)
def test_the_committed_picture_is_current(drawn: str, picture: Path) -> None:
    """Both copies are what `python -m scripts.flowchart` writes for today's edge table."""
    assert picture.read_text(encoding="utf-8") == drawn


def test_every_node_and_answer_is_drawn(drawn: str) -> None:
    """The picture names each node and shows each answer of the table."""
    root = ElementTree.fromstring(drawn)
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert set(FLOW.nodes) <= titles
    answers = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "answer"]
    assert sorted(filter(None, answers)) == sorted(edge.answer for edge in FLOW.edges if edge.answer)


def test_no_arrow_runs_through_a_box(shape: Geometry) -> None:
    """Arrows keep clear of all boxes."""
    walls = {point for box in shape.boxes.values() for point in box.points()}
    for edge, corners in shape.ways.items():
        assert walls.isdisjoint(points(corners)), edge


def test_arrows_share_a_stretch_only_to_the_same_box(shape: Geometry) -> None:
    """Where two arrows run on one line they have the same target, so that every answer can be followed."""
    owners: dict[frozenset[Point], str] = {}
    for edge, corners in shape.ways.items():
        for stretch in pairwise(points(corners)):
            assert owners.setdefault(frozenset(stretch), edge.target) == edge.target, edge


def test_no_answer_hides_a_box_or_another_answer(shape: Geometry) -> None:
    """Labels stand on free ground."""
    placed = [label.area for label in labels(shape)]
    boxes = [
        Area(SIDE * b.left, SIDE * b.top, SIDE * (b.left + b.width), SIDE * (b.top + b.height))
        for b in shape.boxes.values()
    ]
    for index, area in enumerate(placed):
        assert not any(area.meets(other) for other in (*boxes, *placed[index + 1 :]))


def test_the_walked_path_is_lit() -> None:
    """A release's nodes and edges are lit by the style, a node that was visited twice has its count."""
    picture = light(["START", "CODE", "RUN_TESTS", "TEST_LOCAL", "CODE"], stopped_at="CODE")
    root = ElementTree.fromstring(picture)
    style = root.findtext(f"{SVG}style") or ""
    lit = set(re.findall(r"\.w-[A-Z_-]+", style))
    assert lit == {".w-START-CODE", ".w-CODE-RUN_TESTS", ".w-RUN_TESTS-TEST_LOCAL", ".w-TEST_LOCAL-CODE"}
    assert re.findall(r"\.n-(\w+) \.box\{fill:var\(--lostbox\)", style) == ["CODE"]
    classes = {name for group in root.iter(f"{SVG}g") for name in str(group.get("class")).split()}
    assert {name.removeprefix(".") for name in lit} <= classes
    visits = [text.text for text in root.iter(f"{SVG}text") if "visits" in str(text.get("class"))]
    assert [text for text in visits if text] == ["×2"]


def test_nothing_is_lit_without_a_path(drawn: str) -> None:
    """Of a release that has not begun the picture is the flowchart itself."""
    assert light([]) == drawn


def test_a_report_stands_alone() -> None:
    """The page needs no network, runs nothing, and shows foreign text as text."""
    html = release_page(
        {
            "id": RELEASE,
            "end": "PAUSED",
            "at": "CHECK_CONFIG",
            "exit_code": 13,
            "path": ["START", "CODE", "unheard of"],
            "timings": [{"node": "CODE", "seconds": 2.0}, {"node": "RUN_TESTS", "seconds": 1.0}],
            "diagnosis": {
                "failure_class": "aws-config",
                "subcause": "x",
                "evidence": ["<script>alert(1)</script>"],
            },
            "verification": {
                "ok": False,
                "checks": [{"name": "<b>", "ok": False, "expected": "1", "found": "0"}],
            },
        },
        FLOW,
        ["\x1b[31mred & <i>"],
    )
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "red &amp; &lt;i&gt;" in html
    assert html.count("http") == html.count("http://www.w3.org/2000/svg")
    assert 'style="width:50.0%"' in html
    assert ".n-CHECK_CONFIG .box{fill:var(--lostbox)" in html


def test_a_report_of_a_release_that_just_began() -> None:
    """What is not there yet is left out."""
    html = release_page({"id": RELEASE, "end": None}, FLOW)
    assert "under way" in html
    assert "<h2>Data</h2>" not in html
    assert "None" not in html
