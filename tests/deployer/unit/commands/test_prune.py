"""[image] keep-releases: old images go, what is needed stays, and a failure to prune fails no release."""

from pathlib import Path

import pytest

from deployer.commands.prune import prune, remove, select
from deployer.commands.session import ReleaseOptions, Session
from deployer.errors import Failure, TransientFailure
from deployer.events import Ended, Event, Noted
from deployer.flow.steps.build import tag_of
from deployer.ports import Trigger
from deployer.records.journal import Journal
from deployer.records.releases import Releases
from tests.fakes.release import Releasing
from tests.fakes.tasks import Outcome
from tests.fakes.world import REPOSITORY, World, settings

FAILS = Outcome(exit_code=77, lines=("zzz",))


class Project:
    """Releases of one job, each of other content."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, World()
        self.tags: dict[str, str] = {}

    def release(self, name: str, outcome: Outcome | None = None) -> Releasing:
        self.world.workspace.files["Dockerfile"] = f"FROM {name}"
        self.world.engine.content = name
        self.world.tasks.script.append(outcome or self.world.loads())
        self.tags[name] = tag_of(self.world.workspace.source())
        self.world.clock.sleep(3600)
        begun = self.world.clock.now()
        releasing = Releasing(self.world, self.folder / name, name)
        releasing.go()
        digest = self.world.registry.tags[REPOSITORY][self.tags[name]]
        self.world.registry.pushed_at.setdefault(digest, begun + 1)
        self.world.registry.carried.setdefault(digest, {"deployer.project": "job"})
        return releasing

    def prune(self, keep: int) -> str:
        return prune(Releases(self.folder), "test", keep, self.world.ports(self.folder / "none"), "job")

    def images(self) -> set[str]:
        """The names of the releases whose image is there."""
        held = self.world.registry.tags[REPOSITORY]
        return {name for name, tag in self.tags.items() if tag in held}

    def revisions(self) -> list[str]:
        """The numbers of the active revisions."""
        return [arn.rpartition(":")[2] for arn in self.world.tasks.revisions("job")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_came_before_the_last_verified_releases_goes(project: Project) -> None:
    """Two of four are kept, each with image and revision; `latest` stays where it was."""
    for name in ("a1", "a2", "a3", "a4"):
        project.release(name)
    latest = project.world.registry.tags[REPOSITORY]["latest"]
    a1, a2 = (project.tags[name] for name in ("a1", "a2"))
    assert project.prune(2) == f"old revisions: 2: job:1, job:2; old images: 2: {a1}, {a2}"
    assert (project.images(), project.revisions()) == ({"a3", "a4"}, ["3", "4"])
    assert project.world.registry.tags[REPOSITORY]["latest"] == latest


def test_what_would_go_is_known_before_anything_goes(project: Project) -> None:
    """The list is what is removed afterwards, images of revisions that go with them included."""
    for name in ("a1", "a2", "a3"):
        project.release(name)
    effects = project.world.effects()
    ports = project.world.ports(project.folder / "none")
    old = select(Releases(project.folder), "test", 1, ports, "job")
    assert project.world.effects() == effects
    assert {name for name, tag in project.tags.items() if tag in old.tags} == {"a1", "a2"}
    assert [arn.rpartition(":")[2] for arn in old.revisions] == ["1", "2"]
    remove(old, ports)
    assert (project.images(), project.revisions()) == ({"a3"}, ["3"])


def test_tidying_twice_is_the_same_as_once(project: Project) -> None:
    """There is nothing left to do, and nothing is done."""
    for name in ("a1", "a2", "a3"):
        project.release(name)
    project.prune(1)
    effects = project.world.effects()
    assert project.prune(1) == "old revisions: 0; old images: 0"
    assert project.world.effects() == effects


def test_with_too_few_verified_releases_nothing_is_old(project: Project) -> None:
    """Failed releases do not count: a machine that knows little removes little."""
    project.release("a1")
    project.release("a2", FAILS)
    assert "1 of 2" in project.prune(2)
    assert (project.images(), project.revisions()) == ({"a1", "a2"}, ["1"])


def test_the_same_released_again_is_one_release(project: Project) -> None:
    """Nightly releases of unchanged inputs do not push the one before out."""
    project.release("a1")
    project.release("a2")
    for number in range(3):
        project.world.tasks.script.append(project.world.loads())
        Releasing(project.world, project.folder / f"b{number}", f"b{number}").go()
    project.prune(2)
    assert (project.images(), project.revisions()) == ({"a1", "a2"}, ["1", "2"])


def test_what_a_schedule_starts_stays(project: Project) -> None:
    """An old revision that any schedule starts is kept, and the image that it names."""
    for name in ("a1", "a2", "a3"):
        project.release(name)
    revision = project.world.tasks.revisions("job")[0]
    project.world.schedules.targets["default", "somebody's"] = revision
    project.prune(1)
    assert (project.images(), project.revisions()) == ({"a1", "a3"}, ["1", "3"])


def test_what_can_be_resumed_stays(project: Project) -> None:
    """A paused release that is newer than the oldest kept one keeps its image, however old that is."""
    project.release("a1")
    project.release("a2")
    project.world.workspace.files["Dockerfile"] = "FROM a1"
    project.world.engine.content = "a1"
    project.world.tasks.script.append(Outcome(exit_code=0))
    assert Releasing(project.world, project.folder / "b1", "b1").go().end == "PAUSED"
    project.world.tasks.deregister(project.world.tasks.revisions("job")[-1])
    project.prune(1)
    assert project.images() == {"a1", "a2"}


def test_only_what_releases_to_this_environment_made_is_touched(project: Project) -> None:
    """A revision registered by hand, or for another environment, stays with the image it names."""
    project.release("a1")
    first = project.world.tasks.registered[0].definition
    for tags in ({}, {"deployer:env": "production"}):
        project.world.tasks.register(dict(first), tags)
    project.release("a2")
    project.world.registry.tags[REPOSITORY]["v1"] = "sha256:by-hand"
    project.prune(1)
    assert (project.images(), project.revisions()) == ({"a1", "a2"}, ["2", "3", "4"])
    assert "v1" in project.world.registry.tags[REPOSITORY]


def test_what_is_newer_than_the_kept_releases_stays(project: Project) -> None:
    """A release of another machine, of which nothing is known here, loses nothing."""
    project.release("a1")
    project.release("a2")
    digest = "sha256:pushed-elsewhere"
    project.world.registry.receive(REPOSITORY, "src-elsewhere", digest)
    project.world.registry.pushed_at[digest] = project.world.clock.now()
    project.prune(1)
    assert "src-elsewhere" in project.world.registry.tags[REPOSITORY]


def test_where_schedules_cannot_be_seen_nothing_goes(project: Project) -> None:
    """Without knowing what schedules start, nothing is known to be old."""
    for name in ("a1", "a2"):
        project.release(name)
    project.world.schedules.faults.fail_next("triggers", Failure("aws-config", "AccessDenied"))
    with pytest.raises(Failure, match="AccessDenied"):
        project.prune(1)
    assert (project.images(), project.revisions()) == ({"a1", "a2"}, ["1", "2"])


@pytest.mark.parametrize(("port", "method"), [("tasks", "deregister"), ("registry", "remove")])
def test_what_was_left_half_done_is_finished_by_the_next(project: Project, port: str, method: str) -> None:
    """A call that took effect and then failed ends it there; the next time the rest goes."""
    for name in ("a1", "a2", "a3"):
        project.release(name)
    lost = TransientFailure("network", "connection reset")
    getattr(project.world, port).faults.lose_next_answer(method, lost)
    with pytest.raises(TransientFailure):
        project.prune(1)
    project.prune(1)
    assert (project.images(), project.revisions()) == ({"a3"}, ["3"])


def test_trouble_with_it_fails_no_release(project: Project) -> None:
    """The release has succeeded: that nothing was tidied is said, and the exit code is 0."""
    world, folder, events = project.world, project.folder / "a1", list[Event]()
    releasing = Releasing(world, folder, "a1")
    world.tasks.script.append(world.loads())
    world.registry.faults.fail_next("tagged", Failure("aws-config", "AccessDenied"))
    journal = Journal.resume(releasing.path, world.clock)
    config, ports = settings(image={"keep-releases": 1}), world.ports(folder)
    session = Session(config, ports, journal, ReleaseOptions(), events.append, None, Releases(project.folder))
    assert session.run() == 0
    journal.close()
    said = [event.text for event in events if isinstance(event, Noted)]
    assert said[-1] == "old images and revisions are left to the next release: AccessDenied"
    assert isinstance(events[-1], Ended)
    assert events[-1].end == "END_SUCCESS"


def test_an_image_that_another_family_names_stays(project: Project) -> None:
    """By its digest or by its tag, in any container; so does one that a rule's revision names."""
    for name in ("a1", "a2", "a3", "a4", "a5"):
        project.release(name)
    world, image = project.world, f"registry.test:5000/{REPOSITORY}"
    held = world.registry.tags[REPOSITORY]
    names = (f"{image}:any@{held[project.tags['a1']]}", f"{image}:{project.tags['a2']}")
    made = [
        world.tasks.register({"family": family, "containerDefinitions": [{"image": name}]}, {})
        for family, name in zip(("reports", "hourly"), names, strict=True)
    ]
    world.tasks.deregister(made[1])
    world.schedules.rules.append(Trigger("rule", "default/hourly", made[1]))
    project.prune(2)
    assert project.images() == {"a1", "a2", "a4", "a5"}


@pytest.mark.parametrize("labels", [None, {}, {"deployer.project": "another"}])
def test_an_image_without_labels_of_this_project_stays(
    project: Project, labels: dict[str, str] | None
) -> None:
    """Somebody else pushed it, or nobody can say."""
    for name in ("a1", "a2", "a3"):
        project.release(name)
    carried = project.world.registry.carried
    digest = project.world.registry.tags[REPOSITORY][project.tags["a1"]]
    if labels is None:
        del carried[digest]
    else:
        carried[digest] = labels
    project.prune(1)
    assert project.images() == {"a1", "a3"}
