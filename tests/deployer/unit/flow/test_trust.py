"""Records that somebody planted in the state bucket: nothing of another place is run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors import JournalDamaged, RefusedError
from deployer.flow.release import FLOW
from deployer.flow.runner import resume_point
from deployer.flow.trust import refuse_foreign, refuse_foreign_copy
from deployer.model import Image, Launch, Release, Rollback, TaskDefinition, dump
from deployer.records.journal import Journal
from deployer.task.definition import for_image
from tests.fakes.release import Releasing
from tests.fakes.world import REPOSITORY, World, settings

ARN = "arn:aws:ecs:eu-west-3:123456789012:"
EVIL = "sha256:" + "e" * 64


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def proven(world: World, tmp_path: Path) -> Release:
    """The state of a release that ran to its end."""
    world.tasks.script.append(world.loads())
    releasing = Releasing(world, tmp_path / "r1")
    assert releasing.go().end == "END_SUCCESS"
    return releasing.state()


def image(**changes: str) -> Callable[[Release], Release]:
    return lambda release: release.with_(image=replace(release.image or Image("", ""), **changes))


def definition(**changes: str) -> Callable[[Release], Release]:
    """The task definition; its revision need not exist."""

    def changed(release: Release) -> Release:
        made = release.task_definition or TaskDefinition("", None)
        return release.with_(task_definition=replace(made, **changes))

    return changed


def launched(**changes: str) -> Callable[[Release], Release]:
    launch = Launch(2, "token", "r1-2", 0.0, f"{ARN}task-definition/job:1")
    return lambda release: release.with_(launches=(replace(launch, **changes),))


PLANTED: dict[str, tuple[Callable[[Release], Release], str]] = {
    "another registry": (image(registry="evil.test"), "registry evil.test"),
    "another repository": (image(repository="theirs"), "repository theirs"),
    "another project's image": (image(digest=EVIL), "not built by a release of job"),
    "another family": (definition(family="theirs"), "family theirs"),
    "a revision of another family": (definition(arn=f"{ARN}task-definition/theirs:1"), "theirs:1 is not of"),
    "a family that begins alike": (definition(arn=f"{ARN}task-definition/job-2:1"), "job-2:1 is not of"),
    "a run of another revision": (launched(task_definition=f"{ARN}task-definition/x:9"), "x:9 is not of"),
    "a task of another cluster": (launched(arn=f"{ARN}task/theirs/1"), "not of cluster cluster"),
    "a rollback to another family": (
        lambda release: release.with_(rollback=Rollback("r0", f"{ARN}task-definition/theirs:3")),
        "theirs:3 is not of",
    ),
    "a revision with a foreign image": (definition(arn=f"{ARN}task-definition/job:2"), "evil.test/x"),
    "a revision with another project's image": (
        definition(arn=f"{ARN}task-definition/job:3"),
        "not built by a release of job",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_record_is_refused(world: World, proven: Release, what: str) -> None:
    """One field at a time is another's: it is named, and nothing has happened outside."""
    world.registry.receive(REPOSITORY, "src-evil", EVIL)
    world.registry.carried[EVIL] = {"deployer.project": "theirs"}
    ours = world.tasks.registered[0].definition
    for other in ("evil.test/x:1", f"registry.test/{REPOSITORY}@{EVIL}"):
        (container,) = ours["containerDefinitions"]
        world.tasks.register({**ours, "containerDefinitions": [{**container, "image": other}]}, {})
    plant, named = PLANTED[what]
    before = json.dumps(world.effects(), default=str)
    with pytest.raises(RefusedError, match=named):
        refuse_foreign(plant(proven), settings(), world.ports(Path("none")))
    assert json.dumps(world.effects(), default=str) == before


def test_what_a_release_recorded_itself_is_taken(world: World, proven: Release) -> None:
    """Also with an open launch, and where the registry's labels cannot be read."""
    ports = world.ports(Path("none"))
    refuse_foreign(proven, settings(), ports)
    refuse_foreign(launched(arn=f"{ARN}task/cluster/1")(proven), settings(), ports)
    world.registry.carried.clear()
    refuse_foreign(proven, settings(), ports)


def test_without_labels_the_tag_decides(world: World, proven: Release) -> None:
    """A digest that is not behind the content's tag is refused; an image that is gone can do no harm."""
    assert proven.image
    world.registry.carried.clear()
    world.registry.receive(REPOSITORY, "other", EVIL)
    with pytest.raises(RefusedError, match="not the registry's src-"):
        refuse_foreign(image(digest=EVIL)(proven), settings(), world.ports(Path("none")))
    world.registry.remove(REPOSITORY, [proven.image.tag, "latest"])
    refuse_foreign(proven, settings(), world.ports(Path("none")))


def test_an_image_of_other_content_is_refused(world: World, proven: Release) -> None:
    """A digest of this project under the tag of another content."""
    with pytest.raises(RefusedError, match="has another content than 00"):
        refuse_foreign(image(tag="src-" + "0" * 16)(proven), settings(), world.ports(Path("none")))


COPIES = {
    "a command": {"command": ["python", "-c", "steal()"]},
    "an entry point": {"entryPoint": ["sh"]},
    "an image": {"image": "evil.test/x:1"},
    "a variable": {"environment": [{"name": "PYTHONPATH", "value": "/tmp"}]},
    "a secret": {"secrets": [{"name": "S", "valueFrom": "arn:aws:secretsmanager:x:1:secret:prod"}]},
}


@pytest.mark.parametrize("what", COPIES)
def test_a_planted_copy_of_a_definition_is_refused(proven: Release, what: str) -> None:
    """The evidence lies in the bucket as well: what runs and its rights must be deploy.toml's."""
    assert proven.image
    copy = for_image(settings(), proven.image.pinned)
    refuse_foreign_copy({**copy, "cpu": "2048"}, proven, settings())
    (container,) = copy["containerDefinitions"]
    with pytest.raises(RefusedError, match="in what runs"):
        refuse_foreign_copy(
            {**copy, "containerDefinitions": [{**container, **COPIES[what]}]}, proven, settings()
        )
    with pytest.raises(RefusedError, match="taskRoleArn"):
        refuse_foreign_copy({**copy, "taskRoleArn": "admin"}, proven, settings())


def test_a_node_that_is_not_in_the_flowchart_is_damage(world: World, tmp_path: Path) -> None:
    """A planted next node is named; no traceback."""
    releasing = Releasing(world, tmp_path / "r1")
    journal = Journal.resume(releasing.path, world.clock)
    journal.append("finished", node="START", next="FORMAT_DISK", seconds=1.0, state=dump(releasing.state()))
    with pytest.raises(JournalDamaged, match="no node 'FORMAT_DISK'"):
        resume_point(journal, FLOW)
    journal.close()
