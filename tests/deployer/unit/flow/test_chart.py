"""The release flow against the guide's flowchart."""

import pytest

from deployer.flow.chart import Edge, Flowchart, Node
from deployer.flow.release import FLOW
from deployer.flow.steps import HANDLERS

# The arrows of the release guide's first diagram, in its order: from, answer, to.
GUIDE = """
START CODE
CODE TEST_LOCAL
TEST_LOCAL no CODE
TEST_LOCAL yes DOCKER_COMPOSE
DOCKER_COMPOSE LOCAL_OK
LOCAL_OK no CODE
LOCAL_OK yes BUILD_PHASE
BUILD_PHASE DOCKER_BUILD
DOCKER_BUILD BUILD_OK
BUILD_OK no FIX_DOCKERFILE
FIX_DOCKERFILE DOCKER_BUILD
BUILD_OK yes ECR_LOGIN
ECR_LOGIN DOCKER_TAG
DOCKER_TAG DOCKER_PUSH
DOCKER_PUSH PUSH_OK
PUSH_OK no ECR_LOGIN
PUSH_OK yes DEPLOY_PHASE
DEPLOY_PHASE UPDATE_TASK
UPDATE_TASK yes REGISTER_TASK
UPDATE_TASK no RUN_TASK
REGISTER_TASK RUN_TASK
RUN_TASK TASK_STARTED
TASK_STARTED no CHECK_CONFIG
CHECK_CONFIG RUN_TASK
TASK_STARTED yes MONITOR
MONITOR PIPELINE_OK
PIPELINE_OK no ANALYZE_LOGS
ANALYZE_LOGS ERROR_TYPE
ERROR_TYPE code CODE
ERROR_TYPE aws-config CHECK_CONFIG
ERROR_TYPE mongodb CHECK_ATLAS
CHECK_ATLAS RUN_TASK
PIPELINE_OK yes VERIFY_DATA
VERIFY_DATA DATA_OK
DATA_OK no ANALYZE_LOGS
DATA_OK yes END_SUCCESS
"""


def guide_edges() -> set[tuple[str, str, str]]:
    rows = [line.split() for line in GUIDE.strip().splitlines()]
    return {(row[0], row[-1], row[1] if len(row) == 3 else "") for row in rows}


def test_taking_out_what_is_added_leaves_the_guide() -> None:
    """Without our nodes and edges the flow is the guide's flowchart: all 36 edges and no other."""
    assert len(guide_edges()) == 36
    assert FLOW.contracted() == guide_edges()


def test_the_flow_has_no_problems() -> None:
    """Every answer has one arrow, every node can be reached, every path can end."""
    assert FLOW.problems() == []


def test_every_node_has_its_code() -> None:
    """Steps, decisions and repairs of the table are exactly those that have a function."""
    behind = {"step": HANDLERS.steps, "decision": HANDLERS.decisions, "repair": HANDLERS.repairs}
    for kind, functions in behind.items():
        assert set(functions) == {node.id for node in FLOW.nodes.values() if node.kind == kind}


def test_every_step_says_why_twice_is_safe() -> None:
    """A step's and a repair's docstring names its effect and why running it again does no harm."""
    for function in (*HANDLERS.steps.values(), *HANDLERS.repairs.values()):
        assert "wice is safe" in " ".join((function.__doc__ or "").split()), function.__name__


def test_the_label_of_a_step_is_its_docstrings_first_line() -> None:
    """What the diagram calls a node and what the code says it does are the same words."""
    for node, function in (*HANDLERS.steps.items(), *HANDLERS.repairs.items()):
        assert (function.__doc__ or "").splitlines()[0] == FLOW.nodes[node].label + "."


def test_the_json_form_names_every_arrow() -> None:
    """`flow --output json` holds each node and arrow under the contract's keys."""
    data = FLOW.to_json()
    assert data["start"] == "START"
    assert {"id", "kind", "phase", "label", "added"} == set(data["nodes"][0])  # type: ignore[index]
    assert len(data["edges"]) == len(FLOW.edges)  # type: ignore[arg-type]


def test_the_diagram_lights_up_the_way_walked() -> None:
    """The Mermaid form draws every arrow, and marks the nodes of a path."""
    drawn = FLOW.to_mermaid(["START", "CODE"])
    assert drawn.count("-->") + drawn.count("-.->") == len(FLOW.edges)
    assert "class CODE,START walked" in drawn


def chart(*edges: tuple[str, str, str], decision: str = "") -> Flowchart:
    names = {name for source, target, _ in edges for name in (source, target)} | {"start", "end"}
    kinds = {"start": "start", "end": "end", decision: "decision"}
    nodes = {name: Node(name, kinds.get(name, "step"), "P", name) for name in sorted(names)}  # type: ignore[arg-type]
    return Flowchart(nodes, tuple(Edge(*edge) for edge in edges))


@pytest.mark.parametrize(
    ("flawed", "problem"),
    [
        (chart(("start", "a", ""), ("a", "start", "")), "a: no path from here ends"),
        (chart(("start", "end", ""), ("b", "end", "")), "b: cannot be reached"),
        (chart(("start", "a", ""), ("a", "end", ""), ("a", "start", "")), "a: two edges for answer ''"),
        (chart(("start", "q", ""), ("q", "end", "yes"), decision="q"), "two or more named answers"),
        (chart(("start", "a", "")), "a: no outgoing edge"),
        (chart(("start", "end", ""), ("end", "start", "")), "end: an end has no outgoing edge"),
    ],
)
def test_a_flaw_is_named(flawed: Flowchart, problem: str) -> None:
    """Each kind of flaw that would strand a release is found and says where."""
    assert any(problem in found for found in flawed.problems()), flawed.problems()
