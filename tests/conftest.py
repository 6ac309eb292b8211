"""What holds for every test: its kind, the worker that runs it, and what is reported at the end of a run."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Protocol

import pytest
from hypothesis import settings

from tests.tally import Tally

# No test asserts on the clock, and on a busy machine any example may take its time. CI tries the same
# examples every time, so that a failure there is one that can be had again.
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")

HERE = Path(__file__).parent

KINDS = {
    "architecture": "unit",
    "browser": "browser",
    "deployer/unit": "unit",
    "deployer/unit/flow/test_crash.py": "exhaustive",
    "deployer/unit/records/test_another_machine.py": "exhaustive",
    "deployer/contract": "integration",
    "deployer/contract/test_compose_port.py": "docker",
    "deployer/contract/test_engine.py": "docker",
    "deployer/integration": "integration",
    "deployer/integration/sandbox": "docker",
    "docs": "unit",
    "e2e": "e2e",
    "faults": "e2e",
    "fuzz": "exhaustive",
    "image": "docker",
    "pipeline": "integration",
    "pipeline/unit": "unit",
}
"""The kind of each test, by the longest path that it lies under. pyproject.toml says what the kinds mean."""

SHARED = ("e2e", "faults", "image")
"""Folders whose tests share something slow to make, a sandbox or an image: one worker runs a whole folder."""

ALONE = ("e2e/test_foreign_projects.py", "e2e/test_pages_as_they_stand.py")
"""Files in these folders that use nothing of it."""


def kind_of(file: str) -> str:
    """Of a file below tests/. Raises UsageError for one in a folder that has no kind."""
    for part in map(str, (PurePath(file), *PurePath(file).parents)):
        if part in KINDS:
            return KINDS[part]
    raise pytest.UsageError(f"{file} has no kind: give its folder one in tests/conftest.py")


def group_of(nodeid: str) -> str:
    """The tests of a group run on one worker. Unit and exhaustive tests share nothing: each is a group of
    its own."""
    file = nodeid.partition("::")[0].removeprefix("tests/")
    folder = file.partition("/")[0]
    if folder in SHARED and file not in ALONE:
        return folder
    return nodeid if kind_of(file) in ("unit", "exhaustive") else file


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m KIND` the files of other kinds are not even imported."""
    wanted = config.option.markexpr
    if wanted not in KINDS.values() or not collection_path.is_relative_to(HERE):
        return None
    file = collection_path.relative_to(HERE).as_posix()
    of_tests = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if of_tests and kind_of(file) != wanted else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its kind. The longest groups come first, so that none is left to the end."""
    for item in items:
        item.add_marker(kind_of(item.path.relative_to(HERE).as_posix()))
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With several workers: a group goes to one of them, in the order of the collection."""
    from xdist.scheduler import LoadScopeScheduling  # here, since a run without workers needs no xdist

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


class Counted(Protocol):
    """What a run has counted, for its summary."""

    def lines(self) -> Iterable[str]: ...


_COUNTED = pytest.StashKey[dict[str, Counted]]()
_OF_WORKERS = pytest.StashKey[list[tuple[str, list[str]]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_COUNTED] = {}
    config.stash[_OF_WORKERS] = []


@pytest.fixture(scope="session")
def counted(pytestconfig: pytest.Config) -> dict[str, Counted]:
    """By title: what the summary of this run shows beside the results."""
    return pytestconfig.stash[_COUNTED]


@pytest.fixture(scope="session")
def crashes(counted: dict[str, Counted]) -> Tally:
    """By course: points, kills, resumes, and the effects that were counted outside."""
    tally = counted.setdefault("releases that were killed, and all that they did", Tally())
    assert isinstance(tally, Tally)
    return tally


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands what it has counted to the process that prints the summary."""
    sections = [(title, list(part.lines())) for title, part in session.config.stash[_COUNTED].items()]
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["counted"] = sections
    else:
        session.config.stash[_OF_WORKERS].extend(sections)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """A worker that was killed hands over nothing."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[_OF_WORKERS].extend(output.get("counted", ()))  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for title, lines in config.stash[_OF_WORKERS]:
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
