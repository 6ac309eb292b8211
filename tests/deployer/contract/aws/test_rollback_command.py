"""`deployer rollback` and `prune` by the installed command against MiniStack: what they say, ask and do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.flow.release import FLOW
from deployer.model import Image, Release, TaskDefinition, dump
from deployer.records.journal import NAME, Journal
from tests.deployer.contract.aws.command import Command
from tests.deployer.contract.aws.worlds import AwsWorld, definition, session
from tests.fakes.clock import FakeClock

FIRST, SECOND = "20260101-000000-0001", "20260102-000000-0002"

DEPLOY_TOML = """
default-env = "test"
[project]
name = "job"
[compose]
service = "job"
database = "db"
[build]
inputs = ["Dockerfile"]
[image]
repository = "NAME"
registry = "registry.test"
[task]
definition = "task-definition.json"
container = "forecast-etl"
[logs]
group = "/ecs/job"
[schedule]
name = "NAME"
[verify]
uri = "${MONGO_URI}"
database = "db"
[[verify.checks]]
name = "documents"
kind = "count"
collection = "documents"
at-least = 1
[env.test.aws]
region = "eu-west-3"
[env.test.run]
cluster = "NAME"
subnets = ["subnet-1"]
security-groups = ["sg-1"]
"""


@pytest.fixture
def world(ministack: str, name: str) -> AwsWorld:
    world = AwsWorld(name, session(ministack))
    world.create_repository(name)
    return world


@pytest.fixture
def deployer(ministack: str, world: AwsWorld, name: str, tmp_path: Path) -> Iterator[Command]:
    """Two verified releases, of which the newer one is there."""
    (tmp_path / "deploy.toml").write_text(DEPLOY_TOML.replace("NAME", name))
    (tmp_path / "task-definition.json").write_text(json.dumps(definition(name)))
    for release, color in ((FIRST, "r1"), (SECOND, "r2")):
        digest = world.push(name, f"src-{color}", color[1] * 64)
        filled = definition(name, COLOR=color)
        filled["containerDefinitions"][0]["image"] = f"registry.test/{name}@{digest}"
        arn = world.tasks.register(filled, {})
        world.registry.move_tag(name, "latest", digest)
        state = Release(
            release,
            "test",
            0.0,
            image=Image(name, f"src-{color}", "registry.test", digest=digest),
            task_definition=TaskDefinition(name, None, arn=arn),
        )
        journal = Journal.create(
            tmp_path / ".deployer/releases" / release / NAME,
            FakeClock(),
            release=release,
            env="test",
            flow=FLOW.fingerprint,
            state=dump(state),
        )
        journal.append("ended", end="END_SUCCESS", exit_code=0)
        journal.close()
    world.schedule(name, arn)
    yield Command(ministack, tmp_path)


def deployed(world: AwsWorld, name: str) -> tuple[str, str, str]:
    """Whose image `latest` is, whose definition the newest revision, and which number the schedule starts."""
    tags = [t for t in world.registry.tagged(name) if t.tag != "latest"]
    latest = world.registry.digest(name, "latest")
    newest = world.tasks.newest_revision(name)
    assert newest
    variables = {e["name"]: e["value"] for e in newest.definition["containerDefinitions"][0]["environment"]}
    scheduled = world.schedules.task_definition(name, "default")
    return (
        next(tag.tag for tag in tags if tag.digest == latest),
        variables["COLOR"],
        scheduled.rpartition(":")[2],
    )


def test_it_is_said_asked_done_and_told(world: AwsWorld, deployer: Command, name: str) -> None:
    """At a terminal: the differences, a question, and after a yes everything is back and in the history."""
    code, said = deployer.typed("rollback", question="[y/N]", answer="y")
    assert code == 0, said
    assert "- 'r2'" in said
    assert "+ 'r1'" in said
    assert deployed(world, name) == ("src-r1", "r1", "3")
    newest = json.loads(deployer("history", "--output", "json").stdout)["releases"][-1]
    assert (newest["end"], newest["exit_code"]) == ("PUT_BACK", 0)
    shown = json.loads(deployer("show", newest["id"], "--output", "json").stdout)
    assert shown["rollback_to"] == FIRST


def test_no_is_no(world: AwsWorld, deployer: Command, name: str) -> None:
    """Any other answer: refused with exit code 3, and nothing has changed."""
    code, said = deployer.typed("rollback", question="[y/N]", answer="")
    assert (code, "nothing was changed" in said) == (3, True)
    assert deployed(world, name) == ("src-r2", "r2", "2")


def test_where_nobody_can_be_asked_it_must_be_said(world: AwsWorld, deployer: Command, name: str) -> None:
    """Without a terminal and --yes: exit code 2, the changes on stdout, and nothing has changed."""
    done = deployer("rollback")
    assert (done.returncode, b"--yes" in done.stderr) == (2, True)
    assert f"goes back to  {FIRST}".encode() in done.stdout
    assert deployed(world, name) == ("src-r2", "r2", "2")


def test_twice_is_once(world: AwsWorld, deployer: Command, name: str) -> None:
    """As JSON: the first says what it does and how it ended; the second has nothing to do, or to ask."""
    first, second = (
        deployer("rollback", "--yes", "--output", "json"),
        deployer("rollback", "--output", "json"),
    )
    said = [[json.loads(line) for line in done.stdout.splitlines()] for done in (first, second)]
    ends = [{key: value for key, value in events[-1].items() if key != "time"} for events in said]
    assert ends == [{"event": "ended", "release": FIRST, "end": "PUT_BACK", "exit_code": 0}] * 2
    assert [events[0]["changes"] for events in said] == [True, False]
    assert deployed(world, name) == ("src-r1", "r1", "3")
    assert len(json.loads(deployer("history", "--output", "json").stdout)["releases"]) == 3


def test_without_a_verified_release_it_is_refused(deployer: Command) -> None:
    """Exit code 3: an unknown release, or none to go back to."""
    assert deployer("rollback", "r9", "--yes").returncode == 3
    (deployer.folder / ".deployer/releases" / FIRST / NAME).unlink()
    done = deployer("rollback", "--yes")
    assert (done.returncode, b"no verified release to test" in done.stderr) == (3, True)


def test_a_prune_shows_asks_and_removes(
    world: AwsWorld, deployer: Command, name: str, tmp_path: Path
) -> None:
    """What was there before the kept release goes after a yes: its revision and its image."""
    table = DEPLOY_TOML.replace('name = "job"', 'name = "NAME"').replace(
        "[task]", "keep-releases = 1\n[task]"
    )
    (tmp_path / "deploy.toml").write_text(table.replace("NAME", name))
    oldest = world.tasks.revisions(name)[0]
    tags = [{"key": "deployer:env", "value": "test"}]
    world.client("ecs").tag_resource(resourceArn=oldest, tags=tags)
    code, said = deployer.typed("prune", question="[y/N]", answer="n")
    assert (code, f"- task definition {oldest}" in said, oldest in world.tasks.revisions(name)) == (
        3,
        True,
        True,
    )
    done = deployer("prune", "--yes")
    assert done.returncode == 0, done.stderr
    assert b"0 local images removed; old revisions: 1: " in done.stdout
    assert oldest not in world.tasks.revisions(name)
    assert b"- task" not in deployer("prune", "--yes").stdout
