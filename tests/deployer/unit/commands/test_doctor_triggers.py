"""`deployer doctor` on what starts the job on its own, and on the image that it starts."""

from pathlib import Path

from deployer.commands.doctor import running_digest, starting
from deployer.errors import Failure
from deployer.ports import Trigger
from tests.fakes.world import World, settings

FAMILY = "arn:aws:ecs:eu-west-3:123456789012:task-definition/job"


def test_what_starts_unproven_code_is_said(tmp_path: Path) -> None:
    """With the revision that it would start now; it stops no release, so it is no failure."""
    world = World()
    for number in (1, 2):
        world.tasks.register({"family": "job", "cpu": str(number)}, {})
    world.schedules.targets["default", "nightly"] = f"{FAMILY}:1"
    world.schedules.rules.append(Trigger("rule", "default/hourly", "job"))
    found = {f.what: (f.state, f.detail) for f in starting(world.ports(tmp_path), settings(), f"{FAMILY}:1")}
    assert found["schedule default/nightly"] == ("pass", "starts job:1")
    state, detail = found["rule default/hourly"]
    assert (state, "now job:2, which no release known here has proven" in detail) == ("unknown", True)


def test_nothing_and_what_cannot_be_read_are_told_apart(tmp_path: Path) -> None:
    """None starts the job; or nobody knows."""
    world = World()
    (none,) = starting(world.ports(tmp_path), settings(), None)
    world.schedules.faults.fail_next("triggers", Failure("aws-config", "not authorized"))
    (unread,) = starting(world.ports(tmp_path), settings(), None)
    assert [(f.state, f.detail) for f in (none, unread)] == [
        ("pass", "none starts job"),
        ("unknown", "not authorized"),
    ]


def test_the_image_that_is_looked_at_is_that_of_the_newest_revision(tmp_path: Path) -> None:
    """By its digest, whatever tags are there; none where it is named by a tag, or nothing is registered."""
    world = World()
    found = [running_digest(world.ports(tmp_path), settings())]
    for image in ("registry.test/job@sha256:abc", "registry.test/job:v1"):
        containers = [{"name": "proxy", "image": "p@sha256:1"}, {"name": "job", "image": image}]
        world.tasks.register({"family": "job", "containerDefinitions": containers}, {})
        found.append(running_digest(world.ports(tmp_path), settings()))
    assert found == [None, "sha256:abc", None]
