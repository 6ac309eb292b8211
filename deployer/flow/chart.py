"""A flowchart as data: nodes, edges, and the checks that every path through it ends.

Pure: no I/O. The release flowchart itself is in `flow/release.py`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["start", "step", "decision", "repair", "end"]


@dataclass(frozen=True)
class Node:
    """One node. `added`: it is not in the release guide."""

    id: str
    kind: Kind
    phase: str
    label: str
    added: bool = False


@dataclass(frozen=True)
class Edge:
    """One edge. `answer` is "" if the source has a single outgoing edge."""

    source: str
    target: str
    answer: str = ""
    added: bool = False

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}" + (f" ({self.answer})" if self.answer else "")


@dataclass(frozen=True)
class Flowchart:
    """Nodes in drawing order and the edges between them."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    phases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_answer(self) -> dict[tuple[str, str], Edge]:
        return {(edge.source, edge.answer): edge for edge in self.edges}

    @property
    def start(self) -> str:
        return next(node.id for node in self.nodes.values() if node.kind == "start")

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever a journal of another version of the flowchart could be misread."""
        edges = sorted((e.source, e.answer, e.target) for e in self.edges)
        return hashlib.sha256(json.dumps(edges).encode()).hexdigest()[:16]

    def follow(self, node: str, answer: str) -> Edge:
        """The edge that leaves `node` with `answer`. KeyError: the node cannot give that answer."""
        return self._by_answer[node, answer]

    def answers(self, node: str) -> tuple[str, ...]:
        return tuple(edge.answer for edge in self.edges if edge.source == node)

    def problems(self) -> list[str]:
        """Why this flowchart may not be run; empty when it may."""
        return [*self._structure(), *self._reach()]

    def _structure(self) -> Iterator[str]:
        starts = [node.id for node in self.nodes.values() if node.kind == "start"]
        if len(starts) != 1:
            yield f"exactly one start is needed, there are {len(starts)}"
        seen: set[tuple[str, str]] = set()
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in self.nodes:
                    yield f"{edge}: no node {end}"
            if (edge.source, edge.answer) in seen:
                yield f"{edge.source}: two edges for answer {edge.answer!r}"
            seen.add((edge.source, edge.answer))
        for node in self.nodes.values():
            yield from self._outgoing(node)

    def _outgoing(self, node: Node) -> Iterator[str]:
        answers = self.answers(node.id)
        if node.kind == "end" and answers:
            yield f"{node.id}: an end has no outgoing edge"
        if node.kind != "end" and not answers:
            yield f"{node.id}: no outgoing edge"
        if node.kind in ("start", "step") and answers not in ((), ("",)):
            yield f"{node.id}: a {node.kind} has one outgoing edge without an answer"
        if node.kind == "decision" and (len(answers) < 2 or "" in answers):
            yield f"{node.id}: a decision needs two or more named answers"

    def _reach(self) -> Iterator[str]:
        forward = _closure({n.id for n in self.nodes.values() if n.kind == "start"}, self.edges)
        backward = _closure(
            {n.id for n in self.nodes.values() if n.kind == "end"},
            (Edge(edge.target, edge.source) for edge in self.edges),
        )
        for node in self.nodes:
            if node not in forward:
                yield f"{node}: cannot be reached"
            if node not in backward:
                yield f"{node}: no path from here ends"

    def contracted(self) -> frozenset[tuple[str, str, str]]:
        """The edges (from, to, answer) of the release guide: without what was added.

        Added edges are removed; an added node between two others is bridged.
        """
        edges = {(e.source, e.answer): e.target for e in self.edges if not e.added}
        bridges = {s: t for (s, _), t in edges.items() if self.nodes[s].added}
        kept: set[tuple[str, str, str]] = set()
        for (source, answer), target in edges.items():
            while target in bridges:
                target = bridges[target]
            if not self.nodes[source].added and not self.nodes[target].added:
                kept.add((source, target, answer))
        return frozenset(kept)

    def to_json(self) -> dict[str, object]:
        return {
            "start": self.start,
            "nodes": [
                {"id": n.id, "kind": n.kind, "phase": n.phase, "label": n.label, "added": n.added}
                for n in self.nodes.values()
            ],
            "edges": [
                {"from": e.source, "to": e.target, "answer": e.answer, "added": e.added} for e in self.edges
            ],
        }

    def to_mermaid(self, path: Iterable[str] = ()) -> str:
        """A Mermaid diagram, one subgraph a phase; the nodes of `path` are highlighted."""
        lines = ["flowchart TD"]
        for phase, title in self.phases.items():
            lines.append(f'    subgraph {phase}_PHASE["{title}"]')
            lines += [f"        {_shape(n)}" for n in self.nodes.values() if n.phase == phase]
            lines.append("    end")
        for edge in self.edges:
            label = f'|"{edge.answer}"|' if edge.answer else ""
            lines.append(f"    {edge.source} {'-.->' if edge.added else '-->'}{label} {edge.target}")
        walked = sorted(set(path) & set(self.nodes))
        if walked:
            lines.append("    classDef walked fill:#c8e6c9,stroke:#2e7d32,stroke-width:2px")
            lines.append(f"    class {','.join(walked)} walked")
        return "\n".join(lines) + "\n"


def _shape(node: Node) -> str:
    opening, closing = {
        "start": ("([", "])"),
        "end": ("([", "])"),
        "decision": ("{{", "}}"),
        "repair": ("[/", "/]"),
        "step": ("[", "]"),
    }[node.kind]
    return f'{node.id}{opening}"{node.label}"{closing}'


def _closure(seeds: set[str], edges: Iterable[Edge]) -> set[str]:
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge.source, []).append(edge.target)
    found, todo = set(seeds), list(seeds)
    while todo:
        for target in targets.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return found
