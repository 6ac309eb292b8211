"""The promise: kill a release anywhere, as often as you like; resumed, it ends as if nothing had happened.

Over fakes, at every journal record: before it is written, half-way through it, and after it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from deployer.errors import Failure
from deployer.flow import runner
from deployer.model import Release
from deployer.records.journal import Journal, Record
from deployer.records.releases import state_of
from tests.fakes.release import Releasing
from tests.fakes.tasks import STILLBORN, Outcome
from tests.fakes.world import REPOSITORY, World
from tests.tally import Tally

REFUSED = (
    "pymongo.errors.OperationFailure: Authentication failed., full error: "
    "{'ok': 0.0, 'errmsg': 'Authentication failed.', 'code': 18, 'codeName': 'AuthenticationFailed'}",
)


class Killed(BaseException):
    """SIGKILL: nothing of the process may run after it."""


class MortalJournal(Journal):
    """Asks `fate` at each append whether, and when, the process dies there."""

    fate: "Fate"
    _to_disk = staticmethod(lambda handle: None)  # a kill is no power cut: what was written stays

    def append(self, kind: str, **fields: Any) -> Record:
        when = self.fate.at_next_append()
        if when == "before":
            raise Killed
        size = self._path.stat().st_size
        record = super().append(kind, **fields)
        if when == "torn":
            os.truncate(self._path, size + (self._path.stat().st_size - size) // 2)
        if when:
            raise Killed
        return record


@dataclass
class Fate:
    """Kills at the appends (1-based, counted over all processes) that `strikes` names."""

    strikes: Callable[[int], bool]
    when: str
    appended: int = 0
    deaths: int = 0
    processes: int = 0

    def at_next_append(self) -> str:
        self.appended += 1
        if not self.strikes(self.appended):
            return ""
        self.deaths += 1
        return self.when


@dataclass(frozen=True)
class Course:
    """A way through the flow: how the world is prepared, and how often a person has to resume."""

    prepare: Callable[[World], None]
    pauses: int


def smooth(world: World) -> None:
    world.tasks.script.append(world.loads())


def rough(world: World) -> None:
    """A refused push, a failed start, a wrong MongoDB password; each mended by resuming."""
    world.engine.faults.fail_next("push", Failure("registry-auth", "denied: token has expired"))
    world.tasks.script += [STILLBORN, Outcome(exit_code=4, lines=REFUSED), world.loads()]


COURSES = {"smooth": Course(smooth, 0), "rough": Course(rough, 2)}


def never(append: int) -> bool:
    return False


def released(
    course: Course, folder: Path, fate: Fate, *, honours_tokens: bool
) -> tuple[World, runner.Outcome]:
    """A release under this fate, resumed after each death and, as often as the course says, by a person."""
    world = World(honours_tokens=honours_tokens)
    course.prepare(world)
    releasing = Releasing(world, folder)
    pauses = 0
    while True:
        journal = MortalJournal.resume(releasing.path, world.clock)
        journal.fate = fate
        if journal.records[-1]["kind"] == "ended":
            journal.close()
            return world, runner.Outcome("END_SUCCESS", "END_SUCCESS", 0, state_of(journal.records))
        try:
            fate.processes += 1
            stop = releasing.go(journal=journal)
        except Killed:
            continue
        if stop.end != "PAUSED" or pauses > course.pauses + fate.deaths:
            return world, stop
        pauses += 1


def timeless(release: Release) -> Release:
    """The state less what differs between two runs of anything: clock readings, tokens."""
    launches = tuple(replace(launch, token="", requested_at=0.0) for launch in release.launches)
    tests = replace(release.tests, seconds=0.0) if release.tests else None
    compose = replace(release.compose, seconds=0.0) if release.compose else None
    verification = release.verification and replace(
        release.verification,
        checks=tuple(replace(check, seconds=0.0) for check in release.verification.checks),
    )
    return release.with_(launches=launches, tests=tests, compose=compose, verification=verification)


def count(crashes: Tally, row: str, fate: Fate, world: World) -> None:
    """Adds a release that has ended to the table of all of them."""
    effects = world.effects()
    digests, tags = effects["digests"][REPOSITORY], effects["tags"][REPOSITORY]
    crashes.count(
        row,
        releases=1,
        kills=fate.deaths,
        resumes=fate.processes - 1,
        digests=len(digests),
        tags=len(tags),
        revisions=len(effects["revisions"]),
        tasks=len(effects["tasks"]),
        documents=len(effects["documents"]),
        reports=len(world.database.collections["load_runs"]),
    )


@pytest.mark.parametrize("honours_tokens", [True, False], ids=["tokens-honoured", "tokens-ignored"])
@pytest.mark.parametrize("when", ["before", "torn", "after"])
@pytest.mark.parametrize("name", COURSES)
def test_killed_at_any_record_it_ends_the_same(
    tmp_path: Path, crashes: Tally, name: str, when: str, *, honours_tokens: bool
) -> None:
    """One kill at each record in turn: the same end, the same state, the same set of outside effects."""
    calm = Fate(never, when)
    world, end = released(COURSES[name], tmp_path / "calm", calm, honours_tokens=honours_tokens)
    assert (end.end, calm.appended > 40) == ("END_SUCCESS", True)
    for at in range(1, calm.appended + 1):
        fate = Fate(at.__eq__, when)
        other, stop = released(COURSES[name], tmp_path / str(at), fate, honours_tokens=honours_tokens)
        assert fate.deaths == 1, at
        assert (stop.end, timeless(stop.release)) == (end.end, timeless(end.release)), at
        assert other.effects() == world.effects(), at
        count(crashes, f"{name}, over fakes, killed once", fate, other)


@pytest.mark.parametrize("when", ["torn", "after"])
@pytest.mark.parametrize("name", COURSES)
def test_killed_over_and_over_it_ends_the_same(tmp_path: Path, crashes: Tally, name: str, when: str) -> None:
    """Processes die at every third record, all the way: still one push, one revision, the same documents."""
    world, end = released(COURSES[name], tmp_path / "calm", Fate(never, when), honours_tokens=False)
    fate = Fate(lambda append: append % 3 == 0, when)
    other, stop = released(COURSES[name], tmp_path / "dying", fate, honours_tokens=False)
    assert fate.deaths > 15
    assert (stop.end, timeless(stop.release)) == (end.end, timeless(end.release))
    assert other.effects() == world.effects()
    count(crashes, f"{name}, over fakes, killed every third time", fate, other)
