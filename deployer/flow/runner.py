"""Runs the flowchart: record, act, record, follow the edge. The only place that retries, pauses and ends.

Before a node's effect `started` is on the disk, after it `finished` with the new state and the next node.
A crash in between re-enters the node; steps converge, so entering twice does nothing twice.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import inf
from threading import Lock
from typing import Any

from deployer.config.model import Config
from deployer.errors import Failure, JournalDamaged, RefusedError, TransientFailure
from deployer.events import Emit, Entered, Failed, Left, Paused, Retried
from deployer.flow.chart import Edge, Flowchart
from deployer.flow.handlers import Context, Handlers, Resolved, StepResult, Unresolved
from deployer.model import Cause, Release, dump
from deployer.ports import Ports
from deployer.records.journal import Journal
from deployer.records.releases import state_of
from deployer.retry import RetryPolicy, repeating

PAUSED = "PAUSED"
DETACHED = "DETACHED"
_LIMITED_BY_TIME = "TASK_STARTED -> BACK_OFF"
"""BACK_OFF itself pauses after `[retries] max-wait`."""


@dataclass(frozen=True)
class Outcome:
    """How and where the run stopped; `end` is an end node's id, PAUSED or DETACHED."""

    end: str
    node: str
    exit_code: int
    release: Release


@dataclass(frozen=True)
class ResumePoint:
    """Where a journal leaves off. `resumed`: it paused at this node and a person resumed it."""

    node: str
    release: Release
    resumed: bool = False


def resume_point(journal: Journal, flow: Flowchart) -> ResumePoint:
    """Where to continue. RefusedError: the release has ended, or used another version of the flowchart."""
    header, last = journal.records[0], journal.records[-1]
    if header["flow"] != flow.fingerprint:
        raise RefusedError(
            f"release {header['release']} was started with another version of the flowchart",
            "finish it with the version of deployer that started it, or start a new release",
        )
    if last["kind"] == "ended":
        raise RefusedError(
            f"release {header['release']} has ended at {last['end']}; there is nothing to resume",
            "start a new release: `deployer release`",
        )
    release = state_of(journal.records)
    known = next(record for record in reversed(journal.records) if record["kind"] != "started")
    if known["kind"] == "header":
        return ResumePoint(flow.start, release)
    node = known["next"] if known["kind"] == "finished" else known["node"]
    if node not in flow.nodes:
        raise JournalDamaged(f"release {header['release']}: there is no node {node!r}", "start a new release")
    return ResumePoint(node, release, resumed=known["kind"] == "paused")


class Runner:
    """One running release. `detach_after`: the node after which it stops and leaves the task running."""

    def __init__(
        self,
        flow: Flowchart,
        handlers: Handlers,
        config: Config,
        ports: Ports,
        journal: Journal,
        emit: Emit,
        *,
        detach_after: str | None = None,
    ) -> None:
        self._flow, self._handlers, self._config = flow, handlers, config
        self._ports, self._journal, self._emit = ports, journal, emit
        self._node, self._retrying = flow.start, Lock()
        self._retry = RetryPolicy.configured(config.retries, ports.clock, self._retried)
        self._detach_after = detach_after
        self._visits = Counter(r["node"] for r in journal.records if r["kind"] == "finished")
        self._loops = _edges_since_last_pause(journal)
        self._release: Release

    def run(self, start: ResumePoint) -> Outcome:
        """Continues until an end, a pause, or the node to detach after."""
        self._release, node, resumed = start.release, start.node, start.resumed
        while self._flow.nodes[node].kind != "end":
            try:
                following = self._run_node(node, resumed=resumed)
            except Failure as failure:
                return self._pause(node, _cause_of(failure, node))
            if isinstance(following, Cause):
                return self._pause(node, following)
            if node == self._detach_after and following == "MONITOR":
                return Outcome(DETACHED, following, 0, self._release)
            node, resumed = following, False
        return self._end(node)

    def _run_node(self, node: str, *, resumed: bool) -> str | Cause:
        """Runs one node; returns the next node, or the cause of a pause."""
        visit = self._visits[node] + 1
        self._journal.append("started", node=node, visit=visit)
        self._emit(Entered(node, visit))
        begun = self._ports.clock.now()
        result = self._handle(node, resumed=resumed)
        if isinstance(result, Unresolved):
            self._release = result.release
            return result.cause
        answer = result.answer if isinstance(result, Resolved) else ""
        edge = self._follow(node, answer if not isinstance(result, str) else result)
        cause = self._release.cause
        if edge.answer == "exhausted" and cause and cause.transient:
            return cause
        if not isinstance(result, str):
            self._release = result.release
        left = Left(
            node,
            edge.answer,
            edge.target,
            self._ports.clock.now() - begun,
            skipped=isinstance(result, StepResult) and result.skipped,
            summary="" if isinstance(result, str) else result.summary,
        )
        self._visits[node] = visit
        self._journal.append("finished", **asdict(left), state=dump(self._release))
        self._emit(left)
        return edge.target

    def _handle(self, node: str, *, resumed: bool) -> StepResult | Resolved | Unresolved | str:
        self._node = node
        context = self._context(node, repeating(self._ports, self._retry), resumed=resumed)
        match self._flow.nodes[node].kind:
            case "decision":
                return self._handlers.decisions[node](self._release)
            case "repair":
                repair = self._handlers.repairs[node]
                return self._retry(lambda: repair(self._release, context))
            case "step":
                step = self._handlers.steps[node]
                return self._retry(lambda: step(self._release, context))
            case _:
                return StepResult(self._release)

    def _context(self, node: str, ports: Ports, *, resumed: bool = False) -> Context:
        return Context(node, self._config, ports, self._emit, self._record(node), resumed)

    def _stopped(self, node: str, release: Release) -> Release:
        """Its evidence is kept, and its revision no longer the newest one."""
        self._handlers.record_stop(release, self._config, self._ports)
        return self._handlers.withdraw(release, self._context(node, self._ports))

    def _record(self, node: str) -> Callable[[Release], None]:
        def record(release: Release) -> None:
            self._journal.append("noted", node=node, state=dump(release))
            self._release = release

        return record

    def _retried(self, error: str, pause: float, attempt: int) -> None:
        with self._retrying:  # checks read in threads
            self._emit(Retried(self._node, error, pause, attempt))

    def _follow(self, node: str, answer: str) -> Edge:
        """The edge of this answer, or the `exhausted` one after the allowed number of loops."""
        edge = self._flow.follow(node, answer)
        if "exhausted" not in self._flow.answers(node) or answer == "yes":
            return edge
        name = f"{edge.source} -> {edge.target}"
        self._loops[name] += 1
        retries = self._config.retries
        limit: float = inf if name == _LIMITED_BY_TIME else retries.max_loops
        limit = retries.max_loops_by_edge.get(name, limit)
        return edge if self._loops[name] <= limit else self._flow.follow(node, "exhausted")

    def _pause(self, node: str, cause: Cause) -> Outcome:
        release = self._stopped(node, self._release.with_(cause=cause))
        self._journal.append("paused", node=node, cause=asdict(cause), state=dump(release))
        resume = f"deployer resume {release.id}"
        self._emit(Paused(node, **_cause_fields(cause), resume=resume, exit_code=cause.exit_code))
        return Outcome(PAUSED, node, cause.exit_code, release)

    def _end(self, node: str) -> Outcome:
        release = self._release
        cause = release.cause
        exit_code = 0 if node == "END_SUCCESS" else cause.exit_code if cause else 19
        if exit_code:
            release = self._stopped(node, release)
        self._journal.append("ended", end=node, exit_code=exit_code, state=dump(release))
        if cause:
            self._emit(Failed(cause.node, **_cause_fields(cause)))
        return Outcome(node, node, exit_code, release)


def _edges_since_last_pause(journal: Journal) -> Counter[str]:
    """How often each edge was taken; after a person's fix the loops are counted anew."""
    taken: Counter[str] = Counter()
    for record in journal.records:
        if record["kind"] == "paused":
            taken.clear()
        elif record["kind"] == "finished":
            taken[f"{record['node']} -> {record['next']}"] += 1
    return taken


def _cause_fields(cause: Cause) -> dict[str, Any]:
    """What an event says of a cause."""
    names = ("failure_class", "subcause", "message", "evidence", "remedy", "confidence")
    return {name: getattr(cause, name) for name in names}


def _cause_of(failure: Failure, node: str) -> Cause:
    return Cause(
        failure_class=failure.failure_class,
        subcause="",
        message=failure.message,
        remedy=failure.hint,
        node=node,
        transient=isinstance(failure, TransientFailure),
    )
