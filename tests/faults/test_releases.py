"""Releases while every fifth call to AWS and to the registry goes wrong."""

import os

import pytest

from tests.faults.conftest import Stage, Toll
from tests.faults.proxy import Lots, calm

RELEASES = int(os.environ.get("FAULTED_RELEASES", "5"))
"""`make test-faults` makes fifty. Every fifth has new content: the engine waits five seconds and more before
it repeats a request for a layer, so that a push takes half a minute."""

SHARE = 0.2
SEED = 20


@pytest.fixture(scope="module")
def undisturbed(stage: Stage) -> dict[str, list[str]]:
    """The ways of two releases that nothing goes wrong in: of new content, and of the same again."""
    stage.proxy.begin(calm)
    stage.change("# the first")
    ways = {}
    for content in ("new", "unchanged"):
        ran = stage.release()
        assert ran.code == 0, ran.said()
        ways[content] = stage.project.deployer.show(ran.release)["skipped"]
    assert len(ways["new"]) < len(ways["unchanged"])
    return ways


@pytest.mark.parametrize("number", range(RELEASES))
def test_a_fifth_of_the_calls_fails_and_nothing_comes_of_it(
    stage: Stage, undisturbed: dict[str, list[str]], toll: Toll, number: int
) -> None:
    """The release ends as an undisturbed one: same end, same steps, one push, one revision, one task."""
    content = "unchanged" if number % 5 else "new"
    code = f"# number {number - number % 5}"
    stage.change(code)
    if content == "unchanged" and code not in stage.released:  # the test before failed, or was not run
        stage.proxy.begin(calm)
        assert stage.release().code == 0
        stage.released.add(code)
    before = stage.effects("")
    stage.proxy.begin(Lots(SEED + number, SHARE))
    ran = stage.release()
    faults, calls = list(stage.proxy.injected), stage.proxy.calls.total()
    stage.proxy.begin(calm)
    new = int(content == "new")
    after = {name: count - before[name] for name, count in stage.effects(ran.release).items()}
    wanted = {"digests": new, "tags": new, "revisions": new, "tasks": 1, "documents": 50, "reports": 1}
    doubled = any(after[effect] > wanted[effect] for effect in wanted)
    toll.count(faults, calls, ended=str(ran.ended["end"]), doubled=doubled)
    assert (ran.code, ran.ended["end"]) == (0, "END_SUCCESS"), f"{faults}\n{ran.said()}"
    assert after == wanted, faults
    assert stage.project.deployer.show(ran.release)["skipped"] == undisturbed[content]
    stage.released.add(code)
