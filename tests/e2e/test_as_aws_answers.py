"""Releases on an AWS that answers as the real one does (tests/reality)."""

import pytest

from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.reality.aws import aws
from tests.reality.behaviors import BEHAVIORS


@pytest.mark.parametrize("name", BEHAVIORS)
def test_a_release_succeeds_and_runs_its_task_once(job: Project, outside: Outside, name: str) -> None:
    """Whatever AWS does on the way: END_SUCCESS, one task, and no request that AWS would refuse."""
    with aws(outside.facts["SANDBOX_ENDPOINT"], BEHAVIORS[name]) as reality:
        ran = job.deployer.release("--start-at", "build", environ={"ENDPOINT": reality.url})
    assert (ran.code, ran.ended["end"]) == (0, "END_SUCCESS"), ran.said()
    assert len(outside.tasks(ran.release)) == 1
    assert reality.violations == []
