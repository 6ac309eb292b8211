"""Pages that show a project and its commands: both are run as they stand there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from tests.docs.pages import DOCS, commands, files
from tests.e2e.conftest import tags_of
from tests.e2e.projects import exported
from tests.images import base_images

PAGE = DOCS / "how-to" / "release-another-job.md"


@dataclass(frozen=True)
class Reader:
    """Somebody who has saved the page's files in a folder and types its commands."""

    folder: Path
    environ: dict[str, str]

    def types(self, line: str, **more: str) -> str:
        """What the command prints; it must succeed."""
        ran = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env={**self.environ, **more},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ran.returncode == 0, f"{line}\nexit code {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout


@pytest.fixture
def reader(engine: docker.DockerClient, tmp_path: Path) -> Iterator[Reader]:
    """Of the page, in an empty folder; afterwards its sandbox and images are gone."""
    before = tags_of(engine, "orders")
    for name, text in files(PAGE).items():
        (tmp_path / name).write_text(text)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    reader = Reader(tmp_path, {"PATH": path, "HOME": str(tmp_path), **base_images()})
    try:
        yield reader
    finally:
        reader.types("deployer sandbox down --purge")
        for tag in set(tags_of(engine, "orders")) - set(before):
            engine.images.remove(tag, force=True)


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
