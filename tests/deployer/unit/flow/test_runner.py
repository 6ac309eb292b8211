"""The runner on a small flow of its own: what is recorded, retried, bounded, paused."""

from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest

from deployer.errors import Failure, RefusedError, TransientFailure
from deployer.events import Entered, Event, Left, Paused, Retried
from deployer.flow.chart import Edge, Flowchart, Node
from deployer.flow.handlers import Context, Handlers, Resolved, StepResult, Unresolved
from deployer.flow.runner import PAUSED, Outcome, Runner, resume_point
from deployer.model import Cause, Release, dump
from deployer.ports import Ports
from deployer.records.journal import Journal
from deployer.retry import REPEATABLE
from tests.fakes.world import World, settings

FLOW = Flowchart(
    {
        node.id: node
        for node in (
            Node("START", "start", "P", "Start"),
            Node("WORK", "step", "P", "Work"),
            Node("DONE_QUESTION", "decision", "P", "Done?"),
            Node("MEND", "repair", "P", "Mend"),
            Node("END_SUCCESS", "end", "P", "Released"),
            Node("END_FAILED", "end", "P", "Failed"),
        )
    },
    (
        Edge("START", "WORK"),
        Edge("WORK", "DONE_QUESTION"),
        Edge("DONE_QUESTION", "END_SUCCESS", "yes"),
        Edge("DONE_QUESTION", "MEND", "no"),
        Edge("DONE_QUESTION", "END_FAILED", "exhausted"),
        Edge("MEND", "WORK"),
    ),
)
CAUSE = Cause("mongodb", "refused", "MongoDB refused", ("line",), "mend it", node="DONE_QUESTION")


class Walk:
    """One release over FLOW, whose only step and repair are given."""

    def __init__(
        self,
        folder: Path,
        work: Callable[[Release, Context], StepResult],
        mend: Callable[[Release, Context], Resolved | Unresolved] = lambda r, c: Resolved(r),
    ) -> None:
        self.world = World()
        self.path = folder / "journal.jsonl"
        self.ports = self.world.ports(folder)
        self.events: list[Event] = []
        self.handlers = Handlers(
            {"WORK": work},
            {"DONE_QUESTION": lambda r: "yes" if "WORK" in r.skipped else "no"},
            {"MEND": mend},
        )
        state = Release("r1", "test", self.ports.clock.now())
        journal = Journal.create(
            self.path, self.ports.clock, release="r1", env="test", flow=FLOW.fingerprint, state=dump(state)
        )
        journal.close()

    def go(self) -> Outcome:
        journal = Journal.resume(self.path, self.ports.clock)
        try:
            runner = Runner(FLOW, self.handlers, settings(), self.ports, journal, self.events.append)
            return runner.run(resume_point(journal, FLOW))
        finally:
            journal.close()

    def seen(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def finish(release: Release, context: Context) -> StepResult:
    return StepResult(release.skipping("WORK"), "worked")


def test_it_walks_to_the_end_and_says_each_node(tmp_path: Path) -> None:
    """Every node is entered and left once, with its answer, and the end gives the exit code."""
    walk = Walk(tmp_path, finish)
    stop = walk.go()
    assert (stop.end, stop.exit_code) == ("END_SUCCESS", 0)
    assert [event.node for event in walk.seen(Entered)] == ["START", "WORK", "DONE_QUESTION"]  # type: ignore[attr-defined]
    assert [event.answer for event in walk.seen(Left)] == ["", "", "yes"]  # type: ignore[attr-defined]


def test_a_transient_error_is_retried_with_growing_waits(tmp_path: Path) -> None:
    """The step is run again after each passing error, up to the limit of tries, and then goes on."""
    errors = [TransientFailure("network", "reset")] * 3

    def work(release: Release, context: Context) -> StepResult:
        if errors:
            raise errors.pop()
        return finish(release, context)

    walk = Walk(tmp_path, work)
    assert walk.go().end == "END_SUCCESS"
    assert [event.wait for event in walk.seen(Retried)] == [1, 2, 4]  # type: ignore[attr-defined]


def test_retries_end_after_their_time_and_then_the_release_pauses(tmp_path: Path) -> None:
    """An error that does not pass is repeated for `max-elapsed`; then the release pauses, with its code."""

    def work(release: Release, context: Context) -> StepResult:
        raise TransientFailure("network", "reset", "look at the network")

    walk = Walk(tmp_path, work)
    stop = walk.go()
    assert (stop.end, stop.node, stop.exit_code) == (PAUSED, "WORK", 18)
    waits = [event.wait for event in walk.seen(Retried)]  # type: ignore[attr-defined]
    longest, limit = settings().retries.max_delay, settings().retries.max_elapsed
    assert limit - longest < sum(waits) <= limit


def test_a_call_is_repeated_where_it_is_made(tmp_path: Path) -> None:
    """What the step has done before the call that fails is not done again."""
    done: list[str] = []

    def work(release: Release, context: Context) -> StepResult:
        done.append("long work")
        context.ports.registry.digest("job", "tag")
        return finish(release, context)

    walk = Walk(tmp_path, work)
    for _ in range(3):
        walk.world.registry.faults.fail_next("digest", TransientFailure("network", "reset"))
    assert walk.go().end == "END_SUCCESS"
    assert (done, len(walk.seen(Retried))) == (["long work"], 3)


def test_time_that_is_used_up_is_not_granted_twice(tmp_path: Path) -> None:
    """A call that failed for `max-elapsed` pauses the release: its step is not repeated for as long again."""

    def work(release: Release, context: Context) -> StepResult:
        context.ports.registry.digest("job", "tag")
        return finish(release, context)

    walk = Walk(tmp_path, work)
    for _ in range(1000):
        walk.world.registry.faults.fail_next("digest", TransientFailure("network", "reset"))
    begun = walk.ports.clock.now()
    assert walk.go().end == PAUSED
    assert walk.ports.clock.now() - begun <= settings().retries.max_elapsed


def test_what_could_be_done_twice_is_not_repeated_at_the_call() -> None:
    """Each name of the table is a method of its port; a task and a revision are only looked for and made by
    their steps."""
    for port, calls in REPEATABLE.items():
        assert all(hasattr(get_type_hints(Ports)[port], call) for call in calls), port
    assert not {"run", "register"} & set(REPEATABLE["tasks"])


def test_a_standing_error_pauses_at_once(tmp_path: Path) -> None:
    """What would not pass by itself is not tried again; message, mend and way on are said."""

    def work(release: Release, context: Context) -> StepResult:
        raise Failure("aws-config", "AccessDenied", "allow it")

    walk = Walk(tmp_path, work)
    assert walk.go().exit_code == 13
    assert walk.seen(Retried) == []
    (paused,) = walk.seen(Paused)
    assert isinstance(paused, Paused)
    assert (paused.message, paused.remedy, paused.resume) == (
        "AccessDenied",
        "allow it",
        "deployer resume r1",
    )


def test_a_retried_step_gets_what_it_had_recorded(tmp_path: Path) -> None:
    """A step that recorded a state and then failed is run again with that state, not the older one."""
    seen: list[tuple[str, ...]] = []

    def work(release: Release, context: Context) -> StepResult:
        seen.append(release.skipped)
        if len(seen) == 1:
            context.record(release.skipping("NOTED"))
            raise TransientFailure("network", "reset")
        return finish(release, context)

    walk = Walk(tmp_path, work)
    walk.go()
    assert seen == [(), ("NOTED",)]


def test_a_loop_ends_when_it_does_not_converge(tmp_path: Path) -> None:
    """An arrow that leads back is taken as often as deploy.toml allows, then the release has failed."""

    def work(release: Release, context: Context) -> StepResult:
        return StepResult(release.with_(cause=CAUSE))

    walk = Walk(tmp_path, work)
    stop = walk.go()
    assert (stop.end, stop.exit_code) == ("END_FAILED", 16)
    entered = [event.node for event in walk.seen(Entered)]  # type: ignore[attr-defined]
    assert entered.count("MEND") == settings().retries.max_loops


def test_a_pause_is_resumed_at_its_node_and_told_so(tmp_path: Path) -> None:
    """The repair sees on the second run that a person sent it on; only then does it go on."""

    def mend(release: Release, context: Context) -> Resolved | Unresolved:
        return Resolved(release.skipping("MENDED")) if context.resumed else Unresolved(release, CAUSE)

    def work(release: Release, context: Context) -> StepResult:
        return finish(release, context) if "MENDED" in release.skipped else StepResult(release)

    walk = Walk(tmp_path, work, mend)
    first = walk.go()
    assert (first.end, first.node, first.exit_code) == (PAUSED, "MEND", 16)
    assert walk.go().end == "END_SUCCESS"


def test_a_pause_starts_the_loops_afresh(tmp_path: Path) -> None:
    """Loops bound what happens unattended: a person may mend more often than that."""
    mended = 0

    def mend(release: Release, context: Context) -> Resolved | Unresolved:
        nonlocal mended
        mended += context.resumed
        return Resolved(release) if context.resumed else Unresolved(release, CAUSE)

    def work(release: Release, context: Context) -> StepResult:
        return finish(release, context) if mended > settings().retries.max_loops + 2 else StepResult(release)

    walk = Walk(tmp_path, work, mend)
    stops = [walk.go().end for _ in range(settings().retries.max_loops + 4)]
    assert stops[:-1] == [PAUSED] * (len(stops) - 1)
    assert stops[-1] == "END_SUCCESS"


def test_an_ended_release_is_not_resumed(tmp_path: Path) -> None:
    """What has ended is refused, with what to do instead."""
    walk = Walk(tmp_path, finish)
    walk.go()
    with pytest.raises(RefusedError, match="has ended at END_SUCCESS"):
        walk.go()


def test_another_flow_does_not_resume_this_one(tmp_path: Path) -> None:
    """A journal walked along other arrows is refused: its next node might mean something else."""
    walk = Walk(tmp_path, finish)
    journal = Journal.resume(walk.path, walk.ports.clock)
    with pytest.raises(RefusedError, match="another version of the flow"):
        resume_point(journal, Flowchart(FLOW.nodes, FLOW.edges[:-1]))
    journal.close()
