"""A release that another machine goes on with, and one that has to leave it to another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deployer.commands.shared_state import LockedJournal, require_lock
from deployer.errors import JournalDamaged, RefusedError
from deployer.flow.release import FLOW
from deployer.flow.runner import Outcome, Runner, resume_point
from deployer.flow.steps import HANDLERS
from deployer.model import Release, dump
from deployer.records.journal import NAME, Journal, read
from deployer.records.releases import Releases, state_of
from deployer.records.remote import Archive
from deployer.records.upload import Mirror
from tests.fakes.store import FakeStore
from tests.fakes.tasks import STILLBORN
from tests.fakes.world import World, settings

PREFIX = "job/test/"


class LightJournal(LockedJournal):
    """Without the disk's own time: a lost lock is no power cut."""

    _to_disk = staticmethod(lambda handle: None)


class Machine:
    """One machine's folder of releases. Its mirror catches up at each record, if the store lets it."""

    def __init__(self, world: World, store: FakeStore, root: Path) -> None:
        self.world, self.store = world, store
        self.told: list[str] = []
        archive = Archive(store, PREFIX)
        self.releases = Releases(
            root, lambda env: [archive] if env in (None, "test") else [], self.told.append
        )

    def begin(self, release: str = "r1", env: str = "test") -> None:
        state = dump(Release(release, env, self.world.clock.now()))
        path = self.releases.folder / release / NAME
        LightJournal.create(
            path, self.world.clock, release=release, env=env, flow=FLOW.fingerprint, state=state
        ).close()

    def go(
        self, release: str = "r1", *, detach: bool = False, check: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Resumes what is here or elsewhere; `check` is asked as a lock is."""
        folder = self.releases.path(release)
        mirror = Mirror(self.store, PREFIX, folder)
        journal = LightJournal.resume(folder / NAME, self.world.clock)

        def checked() -> None:
            check()
            if not self.store.away:
                mirror.catch_up()

        journal.check = checked
        try:
            runner = Runner(
                FLOW,
                HANDLERS,
                settings(),
                require_lock(self.world.ports(folder), check),
                journal,
                lambda event: None,
                detach_after="TASK_STARTED" if detach else None,
            )
            return runner.run(resume_point(journal, FLOW))
        finally:
            journal.close()
            self.problem = mirror.finish()


class Lost(RefusedError):
    """The lock, at the n-th time that it is asked for."""


class LostAt:
    def __init__(self, strike: int) -> None:
        self.left = strike

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Lost("the lock is lost")


@pytest.fixture
def world() -> World:
    world = World(honours_tokens=False)
    world.tasks.script.append(world.loads())
    return world


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def here(world: World, store: FakeStore, tmp_path: Path) -> Machine:
    return Machine(world, store, tmp_path / "here")


@pytest.fixture
def there(world: World, store: FakeStore, tmp_path: Path) -> Machine:
    return Machine(world, store, tmp_path / "there")


def test_another_machine_resumes_it(world: World, here: Machine, there: Machine) -> None:
    """Left with its task running, a release is found, followed and verified elsewhere: one task, one push,
    and the first machine then shows how it ended."""
    here.begin()
    assert here.go(detach=True).end == "DETACHED"
    assert there.releases.resumable("test") == "r1"
    assert there.go().end == "END_SUCCESS"
    assert (len(world.tasks.tasks), len(world.registry.pushes)) == (1, 1)
    again = Releases(here.releases.folder, lambda env: [Archive(here.store, PREFIX)])
    assert again.records("r1")[-1]["end"] == "END_SUCCESS"


def test_evidence_serves_on_another_machine(world: World, here: Machine, there: Machine) -> None:
    """A failure that was seen here is explained there, from the log lines that were kept here."""
    world.tasks.script.clear()
    world.tasks.script += [STILLBORN, world.loads()]
    here.begin()
    assert here.go().end == "PAUSED"
    names = {path.name for path in (there.releases.path("r1") / "evidence").iterdir()}
    assert names == {path.name for path in (here.releases.folder / "r1/evidence").iterdir()}
    assert there.go().end == "END_SUCCESS"


def test_the_store_may_be_away_for_a_while(here: Machine, there: Machine, store: FakeStore) -> None:
    """A release whose mirror cannot send ends as any other, and all of it is there once the store is back."""
    here.begin()
    store.away = True
    assert here.go().end == "END_SUCCESS"
    assert "this release is not completely" in here.problem
    store.away = False
    folder = here.releases.folder / "r1"
    assert Mirror(store, PREFIX, folder).finish() == ""
    assert there.releases.records("r1") == read(folder / NAME)


def test_lost_at_any_moment_it_does_nothing_more(tmp_path: Path) -> None:
    """The lock is lost at each call and record in turn: the release stops there, writes no record, and
    another one ends it with the same effects as if nothing had happened."""
    calm, ended = World(honours_tokens=False), LostAt(10**9)
    calm.tasks.script.append(calm.loads())
    machine = Machine(calm, FakeStore(), tmp_path / "calm")
    machine.begin()
    assert machine.go(check=ended).end == "END_SUCCESS"
    checks = 10**9 - ended.left
    assert checks > 60
    for strike in range(checks):
        world, store = World(honours_tokens=False), FakeStore()
        world.tasks.script.append(world.loads())
        here = Machine(world, store, tmp_path / f"{strike}-here")
        here.begin()
        with pytest.raises(Lost):
            here.go(check=LostAt(strike))
        effects = world.effects()
        with pytest.raises(Lost):
            here.go(check=LostAt(0))
        assert world.effects() == effects, strike
        there = Machine(world, store, tmp_path / f"{strike}-there")
        assert there.go().end == "END_SUCCESS", strike
        assert world.effects() == calm.effects(), strike


def test_releases_of_all_machines_are_listed(here: Machine, there: Machine) -> None:
    """History is that of all machines, oldest first; another environment's is not looked for elsewhere."""
    here.begin("20270101-000000-aaaa")
    here.go("20270101-000000-aaaa", detach=True)
    there.begin("20270102-000000-bbbb")
    there.begin("20270103-000000-cccc", env="other")
    assert there.releases.ids("other") == ["20270102-000000-bbbb", "20270103-000000-cccc"]
    assert [line["id"] for line in there.releases.summaries("test")] == [
        "20270101-000000-aaaa",
        "20270102-000000-bbbb",
    ]
    assert there.releases.newest() == "20270103-000000-cccc"


def test_a_store_that_cannot_be_asked_is_said_once(here: Machine, store: FakeStore) -> None:
    """What is here is shown, with one sentence about what is not; the store is not asked again."""
    here.begin()
    here.begin("r2")
    store.away = True
    assert [line["id"] for line in here.releases.summaries("test")] == ["r1", "r2"]
    assert here.told == ["test: shared state unavailable (the store is away); showing local releases only"]
    store.away = False
    assert state_of(here.releases.records("r1")).id == "r1"
    assert len(here.told) == 1


def test_what_is_nowhere_is_refused(here: Machine, there: Machine) -> None:
    """An unknown release names the newest one of all machines."""
    here.begin()
    here.go(detach=True)
    with pytest.raises(RefusedError, match="no release 'r9'") as refused:
        there.releases.path("r9")
    assert "the newest is r1" in refused.value.hint


def test_a_parted_release_is_listed_as_damaged(here: Machine, there: Machine) -> None:
    """Two continuations stop neither the list nor the others; showing it is refused with both places."""
    here.begin()
    here.go(detach=True)
    there.begin()
    journal = Journal.resume(there.releases.folder / "r1" / NAME, there.world.clock)
    journal.append("paused", node="CODE", cause={}, state={})
    journal.close()
    assert [(line["id"], line["end"]) for line in there.releases.summaries()] == [("r1", "DAMAGED")]
    with pytest.raises(JournalDamaged, match="continued in two places"):
        there.releases.records("r1")
