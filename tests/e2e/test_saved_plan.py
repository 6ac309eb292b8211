"""`deployer plan` by the installed command: it only reads, and a saved plan holds only for its own world."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.faults.proxy import Proxy, between, calm

READING = ("BatchGet", "Describe", "Get", "List", "/schedules")
"""How calls begin that only read; ListSchedules has its path alone."""
NO_ENGINE = "unix:///nosuch.sock"


@dataclass(frozen=True)
class Watched:
    """A job whose calls to AWS all pass through the proxy."""

    job: Project
    way: Proxy

    def changes(self) -> list[str]:
        """The calls since then that do not only read, or go to the registry."""
        return [operation for operation in self.way.calls if not operation.startswith(READING)]


@pytest.fixture
def watched(job: Project, outside: Outside) -> Iterator[Watched]:
    job.renew()
    host, _, port = outside.facts["SANDBOX_REGISTRY"].partition(":")
    with between((host, int(port))) as way:
        environ = {**job.deployer.environ, "ENDPOINT": f"http://{way.address}"}
        yield Watched(replace(job, deployer=replace(job.deployer, environ=environ)), way)


def test_a_plan_sends_no_call_that_changes_anything(watched: Watched) -> None:
    """Before a first release and after it: exit codes 2 and 0, every call to AWS reads, no engine is needed,
    and nothing is left in the folder."""
    plan, folder = ("plan", "--detailed-exitcode", "--output", "json"), watched.job.folder
    before = sorted(folder.rglob("*"))
    first = watched.job.deployer(*plan, environ={"DOCKER_HOST": NO_ENGINE})
    assert (first.code, watched.changes()) == (2, []), first.said()
    assert "BatchGetImage" in watched.way.calls
    assert sorted(folder.rglob("*")) == before
    assert watched.job.release("--start-at", "build").code == 0
    assert {"RunTask", "RegisterTaskDefinition", "PutImage"} <= set(watched.changes())
    watched.way.begin(calm)
    again = watched.job.deployer(*plan, environ={"DOCKER_HOST": NO_ENGINE})
    assert (again.code, watched.changes()) == (0, []), again.said()


def test_a_saved_plan_is_performed_once(watched: Watched, outside: Outside) -> None:
    """The release does what the plan says; then the state has changed, and the same plan is refused:
    exit code 3, what has moved, and no call that changes anything."""
    file = watched.job.folder / "plan.json"
    file.write_text(watched.job.deployer("plan", "--output", "json").stdout)
    perform = ("--start-at", "build", "--plan-file", str(file))
    ran = watched.job.release(*perform)
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    watched.way.begin(calm)
    refused = watched.job.release(*perform)
    assert (refused.code, watched.changes()) == (3, []), refused.said()
    assert "has changed since" in refused.stderr
    assert "digest: None then" in refused.stderr
    assert len(outside.revisions(watched.job.name)) == 1
