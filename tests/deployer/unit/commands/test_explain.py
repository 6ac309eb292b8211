"""The story of a release, told from its files alone."""

from pathlib import Path

import pytest

from deployer.commands.explain import explain
from deployer.ports import Finding, FindingState
from deployer.records.releases import Releases
from deployer.view.explain import format_story
from tests.fakes.release import Releasing
from tests.fakes.tasks import STILLBORN, Outcome
from tests.fakes.world import World

PASSWORD = "corr3ct-horse"
REFUSED = (
    f"connecting to mongodb://etl:{PASSWORD}@db.test/",
    "pymongo.errors.OperationFailure: Authentication failed., full error: "
    "{'ok': 0.0, 'errmsg': 'Authentication failed.', 'code': 18, 'codeName': 'AuthenticationFailed'}",
)


def failed(folder: Path, outcome: Outcome) -> Releases:
    world = World()
    world.tasks.script.append(outcome)
    world.account.looks = {
        "cluster": Finding("cluster c", FindingState.PASS),
        "secret": Finding(
            "secret s", FindingState.FAIL, "it does not exist", "aws secretsmanager create-secret ..."
        ),
    }
    Releasing(world, folder / "r1").go()
    return Releases(folder)


def test_it_tells_cause_lines_and_mend(tmp_path: Path) -> None:
    """The cause comes with its class, the line that speaks for it, and what to do, also in words."""
    story = explain(failed(tmp_path, Outcome(exit_code=4, lines=REFUSED)), "r1")
    first = story["causes"][0]
    assert first["class"] == "mongodb"
    assert any("AuthenticationFailed" in line for line in first["evidence"])
    assert first["remedy"]
    words = "\n".join(format_story(story, markdown=False))
    assert "paused at CHECK_ATLAS with exit code 16" in words
    assert "deployer resume r1" in words


def test_what_was_found_right_is_ruled_out(tmp_path: Path) -> None:
    """A start that failed names the wrong thing as cause's evidence and the right ones as ruled out."""
    story = explain(failed(tmp_path, STILLBORN), "r1")
    assert any("it does not exist" in line for line in story["causes"][0]["evidence"])
    assert "checked in the account: cluster c" in story["ruled_out"]
    assert not any("secret s" in line for line in story["ruled_out"])


def test_the_way_to_mongodb_is_told_as_it_was_seen(tmp_path: Path) -> None:
    """What was fine on the way is ruled out, and what was seen stays the same however often it is told."""
    releases = failed(tmp_path, Outcome(exit_code=4, lines=REFUSED))
    told_first = explain(releases, "r1")
    assert "checked from the machine that released: MongoDB: TCP" in told_first["ruled_out"]
    assert explain(releases, "r1") == told_first


def test_no_secret_is_in_any_file(tmp_path: Path) -> None:
    """A password that the job printed is in no file of the release, and not in the story."""
    releases = failed(tmp_path, Outcome(exit_code=4, lines=REFUSED))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("task-1" in path.name for path in written)
    assert not [path for path in written if PASSWORD in path.read_text()]
    assert PASSWORD not in "\n".join(format_story(explain(releases, "r1"), markdown=False))


@pytest.mark.parametrize("markdown", [True, False])
def test_a_ticket_has_headings(tmp_path: Path, *, markdown: bool) -> None:
    """As Markdown the story has headings and fenced lines, in plain text neither."""
    story = explain(failed(tmp_path, Outcome(exit_code=4, lines=REFUSED)), "r1")
    lines = list(format_story(story, markdown=markdown))
    assert (lines[0].startswith("# "), "```" in lines) == (markdown, markdown)
