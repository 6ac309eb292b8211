"""A crash matrix over real parts: SIGKILL at a record of the journal, resume, count the effects outside.

In an ordinary run a sample of the points; with `-m crash` or `-k crash` (`make test-crash`) all of them.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

import pytest

from tests.e2e.courses import COURSES, Course, Fate, Life, Scene, effects, live, state
from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.faults.proxy import Proxy, between
from tests.tally import Tally

LANES = 3
"""Releases at a time: each waits most of its time for the engine and for its task."""
SAMPLE = 43
"""Of so many points an ordinary run takes one: an odd number, so that before and after take turns."""
TWICE = 10


@dataclass(frozen=True)
class Lane:
    """Where one release at a time goes: a repository, and the proxy through which it is reached."""

    repository: str
    proxy: Proxy

    def of(self, job: Project) -> Project:
        environ = {**job.deployer.environ, "REPOSITORY": self.repository}
        return replace(job, repository=self.repository, deployer=replace(job.deployer, environ=environ))


@dataclass(frozen=True)
class Ended:
    """A release that has ended: its life, and what is left of it."""

    life: Life
    state: Any
    effects: dict[str, Any]


@dataclass(frozen=True)
class Matrix:
    """Releases jobs of their own to lanes that are free. `thorough`: it was asked for by name."""

    make_job: Callable[[], Project]
    outside: Outside
    lanes: "SimpleQueue[Lane]"
    crashes: Tally
    thorough: bool

    def release(self, course: Course, fates: Iterable[Fate] = ()) -> Ended:
        lane, job = self.lanes.get(), self.make_job()
        job.renew()
        try:
            scene = Scene(lane.of(job), self.outside, lane.proxy)
            before = self.outside.images(lane.repository).keys()
            life = live(scene, course, fates)
            return Ended(life, state(scene, life), effects(scene, life, before))
        finally:
            self.lanes.put(lane)

    def undisturbed(self, course: Course) -> Ended:
        calm = self.release(course)
        life = calm.life
        assert (life.records[-1]["end"], life.resumes) == ("END_SUCCESS", len(course.mends)), life.last.said()
        self._count(f"{course.name}, undisturbed", calm)
        return calm

    def compare(self, calm: Ended, course: Course, title: str, fates: Sequence[tuple[Fate, ...]]) -> None:
        """Each of these lives ends as the one without a death: same end, same state, same effects."""
        with ThreadPoolExecutor(LANES) as pool:
            ended = pool.map(lambda fate: self.release(course, fate), fates)
            for fate, other in zip(fates, ended, strict=True):
                point = f"killed {fate}, at {other.life.deaths}: {other.life.last.said()}"
                assert len(other.life.deaths) == len(fate), point
                assert other.life.records[-1]["end"] == "END_SUCCESS", point
                assert other.state == calm.state, point
                assert other.effects == calm.effects, point
                self._count(f"{course.name}, {title}", other)

    def _count(self, row: str, ended: Ended) -> None:
        left = ended.effects
        tags = left["digests and their tags"]
        self.crashes.count(
            row,
            releases=1,
            kills=len(ended.life.deaths),
            resumes=ended.life.resumes,
            digests=len(tags),
            tags=sum(map(len, tags)),
            revisions=left["revisions"],
            tasks=len(left["tasks"]),
            documents=len(left["documents"]),
            reports=left["reports"],
        )


@pytest.fixture(scope="module")
def lanes(outside: Outside, jobs_repository: str) -> Iterator["SimpleQueue[Lane]"]:
    """They outlive the tests: an engine pushes every layer anew to where it has never pushed."""
    host, _, port = outside.facts["SANDBOX_REGISTRY"].partition(":")
    queue: SimpleQueue[Lane] = SimpleQueue()
    with ExitStack() as stack:
        for number in range(LANES):
            repository = f"{jobs_repository}-{number}"
            outside.aws("ecr").create_repository(repositoryName=repository)
            queue.put(Lane(repository, stack.enter_context(between((host, int(port))))))
        yield queue


@pytest.fixture
def matrix(
    make_job: Callable[[], Project],
    outside: Outside,
    lanes: "SimpleQueue[Lane]",
    crashes: Tally,
    request: pytest.FixtureRequest,
) -> Matrix:
    options = request.config.option
    return Matrix(make_job, outside, lanes, crashes, "crash" in options.keyword + options.markexpr)


@pytest.mark.crash
@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_killed_at_any_record_it_ends_the_same(matrix: Matrix, course: Course) -> None:
    """One kill, before or after each record, or two at random: the same end, state and effects as without."""
    calm = matrix.undisturbed(course)
    records = range(len(calm.life.records))
    once = [(Fate(when, record),) for record in records for when in ("before", "after")]
    matrix.compare(calm, course, "killed once", once[:: 1 if matrix.thorough else SAMPLE])
    lots = random.Random(4)
    pairs = [sorted(lots.sample(records, 2)) for _ in range(TWICE if matrix.thorough else 1)]
    twice = [tuple(Fate(lots.choice(("before", "after")), record) for record in pair) for pair in pairs]
    matrix.compare(calm, course, "killed twice", twice)
