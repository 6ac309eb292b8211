"""What holds for every test."""

import os

import pytest
from hypothesis import settings

from tests.tally import Tally

# No test asserts on the clock, and on a busy machine any example may take its time. CI tries the same
# examples every time, so that a failure there is one that can be had again.
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")

_CRASHES = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def crashes(pytestconfig: pytest.Config) -> Tally:
    """By course: points, kills, resumes, and the effects that were counted outside."""
    return pytestconfig.stash.setdefault(_CRASHES, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = list(config.stash[_CRASHES].lines()) if _CRASHES in config.stash else []
    if lines:
        terminalreporter.section("releases that were killed, and all that they did")
    for line in lines:
        terminalreporter.write_line(line)
