"""Pages that show a project, commands and outputs: they are run as they stand there."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from tests.deployer.unit.view.terminal import Terminal
from tests.docs.pages import DOCS, commands, files, masked, outputs
from tests.e2e import projects
from tests.e2e.conftest import tags_of
from tests.e2e.projects import exported
from tests.images import ROOT, base_images

PAGE = DOCS / "how-to" / "release-another-job.md"
TUTORIAL = DOCS / "tutorial" / "first-release.md"
WIDTH = 110


@dataclass(frozen=True)
class Reader:
    """Somebody who has the page's project in a folder and types its commands."""

    folder: Path
    environ: dict[str, str]

    def types(self, line: str, code: int = 0, **more: str) -> str:
        """What the command prints; it must end with this exit code."""
        ran = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env={**self.environ, **more},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ran.returncode == code, f"{line}\nexit code {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def sees(self, line: str) -> list[str]:
        """What stands on a terminal after the command, which must succeed."""
        ours, theirs = pty.openpty()
        environ = {**self.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LINES": "60"}
        with subprocess.Popen(["bash", "-c", line], cwd=self.folder, env=environ, stdout=theirs) as process:
            os.close(theirs)
            written = bytearray()
            with suppress(OSError):  # a terminal's end of file
                while piece := os.read(ours, 65536):
                    written += piece
        os.close(ours)
        terminal = Terminal(WIDTH, 60)
        terminal.write(written.decode())
        assert process.returncode == 0, "\n".join(terminal.lines)
        return terminal.lines


def reader_in(folder: Path) -> Reader:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return Reader(folder, {"PATH": path, "HOME": str(folder), **base_images()})


@pytest.fixture
def cleaned(engine: docker.DockerClient) -> Iterator[None]:
    """Afterwards the images that the pages made are gone."""
    names = ("orders", "tutorial")
    before = {tag for name in names for tag in tags_of(engine, name)}
    yield
    for tag in {tag for name in names for tag in tags_of(engine, name)} - before:
        engine.images.remove(tag, force=True)


@pytest.fixture
def reader(cleaned: None, tmp_path: Path) -> Iterator[Reader]:
    """Of the page about another job, in a folder with the files that it shows."""
    for name, text in files(PAGE).items():
        (tmp_path / name).write_text(text)
    reader = reader_in(tmp_path)
    try:
        yield reader
    finally:
        reader.types("deployer sandbox down --purge")


@pytest.fixture
def learner(cleaned: None, tmp_path: Path) -> Iterator[Reader]:
    """Of the tutorial, in a clone after `make setup`."""
    project = projects.etl(tmp_path, "tutorial")
    project.edit("deploy.toml", '"checks.py"', '"-m", "pytest", "-q", "tests/pipeline/unit"')
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    reader = replace(reader_in(tmp_path), environ={**reader_in(tmp_path).environ, **GIT})
    reader.types("git init -q && git add --all . && git commit -qm clone")
    try:
        yield reader
    finally:
        reader.types("deployer sandbox down --purge")


GIT = {
    f"GIT_{who}_{what}": "reader@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def test_another_job_is_released_as_its_page_says(reader: Reader) -> None:
    """Every command of the page succeeds; a run without RUN_ID, as on a schedule, is verified too."""
    *shown, down = commands(PAGE, "Release it")
    assert len(shown) == 3
    assert down.startswith("deployer sandbox down")
    for line in shown:
        reader.types(line)
    uri = exported(reader.types("deployer sandbox env"))["SANDBOX_MONGO_URI"]
    reader.types("python job.py", MONGO_URI=uri)
    reader.types("deployer verify")


def test_the_tutorial_tells_what_happens(learner: Reader) -> None:
    """Its commands do what it says: a release, a failure that pauses, a fix, and the resumed release's end.
    The outputs that it shows are those that a reader gets, but for numbers and times."""
    assert commands(TUTORIAL, "1. Release") == ["make release"]
    seen = [masked(line) for line in learner.sees("deployer release --env sandbox")]
    (summary,) = outputs(TUTORIAL, "1. Release")
    end = seen[next(n for n, line in enumerate(seen) if "Released" in line) :]
    assert [line for line in end if line] == [masked(line) for line in summary]
    activate, *looks = commands(TUTORIAL, "2. Look at it")
    assert activate == "source .venv/bin/activate"
    for line in looks:
        learner.types(line)
    spoil, again = commands(TUTORIAL, "4. Make it fail")
    learner.types(spoil)
    printed = [masked(line) for line in learner.types(again, code=10).splitlines()]
    (shown,) = outputs(TUTORIAL, "4. Make it fail")
    assert [line for line in map(masked, shown) if line not in printed] == []
    for line in commands(TUTORIAL, "5. Fix it and resume"):
        learner.types(line)
