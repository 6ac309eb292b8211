"""The plan: what a release would do, told without doing it, and held to when performed."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deployer.commands.plan import (
    observe,
    read_plan,
    reasons_for,
    refuse_if_changed,
    steps,
    triggers,
    warnings_of,
)
from deployer.commands.show import built_by
from deployer.errors import Failure, RefusedError, UsageError
from deployer.ports import Trigger
from deployer.records.releases import Releases
from tests.fakes.release import Releasing
from tests.fakes.world import World, settings


def actions(world: World, folder: Path) -> dict[str, str]:
    seen = observe(Releases(folder), settings(), world.ports(folder))
    why = reasons_for(Releases(folder), seen, world.ports(folder))
    return {node: action for node, action, _ in steps(settings(), seen, why)}


def test_a_first_release_does_everything(tmp_path: Path) -> None:
    """With an empty registry and no revision, nothing is skipped and nothing is verified yet."""
    world = World()
    assert set(actions(world, tmp_path).values()) == {"do"}
    assert not observe(Releases(tmp_path), settings(), world.ports(tmp_path)).verified


def test_planning_changes_nothing(tmp_path: Path) -> None:
    """The world is the same before and after: no login, no push, no revision, no task."""
    world = World()
    before = json.dumps(world.effects(), default=str), world.registry.logins, list(world.engine.builds)
    actions(world, tmp_path)
    assert (
        json.dumps(world.effects(), default=str),
        world.registry.logins,
        list(world.engine.builds),
    ) == before


def test_after_a_verified_release_there_is_nothing_to_do(tmp_path: Path) -> None:
    """What the release did is then skipped, its digest counts as verified, and no field differs."""
    world = World()
    world.tasks.script.append(world.loads())
    Releasing(world, tmp_path / "r1").go()
    seen = observe(Releases(tmp_path), settings(), world.ports(tmp_path))
    # The fake releases go to "test" and so do these settings.
    assert (seen.verified, seen.differences) == (True, ())
    skipped = [node for node, action in actions(world, tmp_path).items() if action == "skip"]
    assert skipped == ["DOCKER_BUILD", "ECR_LOGIN", "DOCKER_TAG", "DOCKER_PUSH", "REGISTER_TASK"]


def test_an_image_names_the_release_and_the_commit_that_it_was_built_from(tmp_path: Path) -> None:
    """A later release that reused it has another commit of its own; the image is still from the first."""
    world = World()
    world.workspace.commit()
    world.tasks.script += [world.loads(), world.loads()]
    Releasing(world, tmp_path / "r1", "r1").go()
    first = world.workspace.source().commit
    world.workspace.files["README.md"] = "about"
    world.workspace.commit()
    Releasing(world, tmp_path / "r2", "r2").go()
    seen = observe(Releases(tmp_path), settings(), world.ports(tmp_path))
    assert seen.digest and first
    assert (
        built_by(Releases(tmp_path), "test", seen.digest) == f"built by release r1 from commit {first[:10]}"
    )
    assert built_by(Releases(tmp_path), "test", "sha256:unknown") == ""


def test_a_changed_definition_is_shown_field_by_field(tmp_path: Path) -> None:
    """The plan names the field that differs from the newest revision, not only that one does."""
    world = World()
    world.tasks.script.append(world.loads())
    Releasing(world, tmp_path / "r1").go()
    definition = settings().task.definition | {"cpu": "1024"}
    changed = settings(task={"definition": definition})
    seen = observe(Releases(tmp_path), changed, world.ports(tmp_path))
    assert len(seen.differences) == 1
    assert "cpu" in seen.differences[0]


def test_a_plan_is_refused_when_the_world_has_moved(tmp_path: Path) -> None:
    """A saved plan comes back as it was, passes while nothing changed, and names what has."""
    world = World()
    seen = observe(Releases(tmp_path), settings(), world.ports(tmp_path))
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"facts": asdict(seen)}))
    assert read_plan(path) == seen
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as some shells redirect it
    assert read_plan(path) == seen
    refuse_if_changed(read_plan(path), seen)
    with pytest.raises(RefusedError, match="content_hash: "):
        refuse_if_changed(read_plan(path), replace(seen, content_hash="other"))


@pytest.mark.parametrize("content", ["", "{}", '{"facts": {"env": 1}}', "[]"])
def test_what_is_not_a_plan_is_refused(tmp_path: Path, content: str) -> None:
    """A file that holds something else is a usage error with the command that makes a plan."""
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="not a saved plan"):
        read_plan(path)


def test_checks_of_other_environments_are_not_planned(tmp_path: Path) -> None:
    """The plan names the checks that this environment will be asked, and no other."""
    there = [
        {"kind": "count", "name": name, "collection": "measurements", "exactly": 1, "environments": [env]}
        for name, env in (("ours", "test"), ("theirs", "production"))
    ]
    asked = settings(verify={"checks": there})
    seen = observe(Releases(tmp_path), asked, World().ports(tmp_path))
    assert {node: reason for node, _, reason in steps(asked, seen)}["VERIFY_DATA"] == "ours"


def test_what_starts_unproven_code_is_a_warning(tmp_path: Path) -> None:
    """A schedule of the family without a revision, a disabled one, a rule of a revision that is gone."""
    world = World()
    world.tasks.script.append(world.loads())
    Releasing(world, tmp_path / "r1").go()
    arn = world.tasks.registered[0].arn
    world.schedules.targets = {("default", "nightly"): arn.rpartition(":")[0], ("default", "fine"): arn}
    world.schedules.rules.append(Trigger("rule", "default/hourly", "job:7"))
    world.schedules.rules.append(Trigger("rule", "default/others", "another-job"))
    said = list(triggers(settings(), world.ports(tmp_path)))
    assert [text.partition(";")[0] for text in said] == [
        "schedule default/nightly starts the newest revision of job, proven or not",
        "rule default/hourly starts job:7, which is not active",
    ]
    world.schedules.faults.fail_next("triggers", Failure("aws-config", "not authorized"))
    (said_not,) = triggers(settings(), world.ports(tmp_path))
    assert "cannot be read: not authorized" in said_not


def test_what_aws_would_refuse_is_told_before_anything_is_built() -> None:
    """A number as a text and an unknown field are warnings of the plan; a good definition has none."""
    good = settings().task.definition
    job, *others = good["containerDefinitions"]
    bad = {**good, "containerDefinitions": [{**job, "cpu": "256", "ports": []}, *others]}
    told = " ".join(warnings_of(settings(task={"definition": bad})))
    assert "cpu: 256 is a text, must be a number" in told
    assert "unknown field ports" in told
    assert "AWS refuses" not in " ".join(warnings_of(settings()))
