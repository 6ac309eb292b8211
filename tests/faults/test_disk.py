"""The disk under a release: full, read-only, or holding a journal that this version cannot read."""

import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.command import PROGRAM, Deployer
from tests.faults.conftest import Stage
from tests.faults.proxy import calm


@pytest.fixture
def deployer(stage: Stage, tmp_path: Path) -> Deployer:
    """The same job in a folder of its own, where nothing was ever released."""
    stage.proxy.begin(calm)
    folder = tmp_path / "job"
    stage.change("for line in range(3000):\n    print(f'line {line} of a log that outgrows the journal')")
    shutil.copytree(stage.project.folder, folder, ignore=shutil.ignore_patterns(".deployer"))
    return replace(stage.project.deployer, folder=folder)


def under(deployer: Deployer, wrapper: Sequence[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`deployer release` with a program before it that takes something away from it."""
    done = subprocess.run(
        [*wrapper, PROGRAM, "release", "--start-at", "build", "--output", "json", *arguments],
        cwd=deployer.folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **deployer.environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    return done


def journal(folder: Path) -> Path:
    (found,) = (folder / ".deployer" / "releases").glob("*/journal.jsonl")
    return found


@pytest.mark.parametrize("kilobytes", [4, 10, 20, 30, 100])
def test_a_full_disk_is_said_and_the_release_goes_on_once_there_is_room(
    stage: Stage, deployer: Deployer, kilobytes: int
) -> None:
    """Wherever the disk fills, it ends as `resources` (15) and resumes with nothing lost or doubled."""
    full = under(deployer, ["prlimit", f"--fsize={kilobytes * 1024}"])
    assert full.returncode == 15, f"{full.stdout}\n{full.stderr}"
    assert "cannot be written: " in full.stderr
    assert "deployer resume" in full.stderr
    kept = journal(deployer.folder).read_bytes()
    resumed = deployer.resume()
    assert (resumed.code, resumed.ended["end"]) == (0, "END_SUCCESS"), resumed.said()
    assert journal(deployer.folder).read_bytes().startswith(kept)
    effects = stage.effects(resumed.release)
    assert (effects["tasks"], effects["documents"], effects["reports"]) == (1, 50, 1)


def test_a_read_only_folder_is_said_before_anything_is_done(stage: Stage, deployer: Deployer) -> None:
    """Where nothing can be recorded nothing is begun: exit code 15, the folder's name, no call to AWS."""
    state = deployer.folder / ".deployer"
    state.mkdir()
    state.chmod(0o555)
    powerless = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    done = under(deployer, powerless)
    state.chmod(0o755)
    assert done.returncode == 15, f"{done.stdout}\n{done.stderr}"
    assert f"{state}" in done.stderr
    assert "cannot be written: Permission denied" in done.stderr
    assert stage.proxy.calls["RunTask"] == 0
    assert list(state.iterdir()) == []


def record(line: bytes, **changes: object) -> bytes:
    """That line of a journal with other fields, as its writer would have signed it."""
    changed = {key: value for key, value in json.loads(line).items() if key != "crc"} | changes
    body = json.dumps(changed, separators=(",", ":"), ensure_ascii=False).encode()
    return body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body)


def test_a_journal_of_another_version_is_refused_and_left_as_it_is(deployer: Deployer) -> None:
    """Exit code 5 and which format it has; not a byte changes, and a new release is not hindered."""
    detached = deployer.release("--start-at", "build", "--detach")
    assert detached.code == 0, detached.said()
    path = journal(deployer.folder)
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(record(first, version=0) + b"".join(others))
    old = path.read_bytes()
    for command in (["resume", detached.release], ["show", detached.release]):
        ran = deployer(*command)
        assert ran.code == 5, ran.said()
        assert "written in format 0, this version of deployer reads" in ran.stderr
    assert path.read_bytes() == old
    listed = deployer("history")
    assert (listed.code, "DAMAGED" in listed.stdout) == (0, True), listed.said()
    fresh = deployer.release("--start-at", "build")
    assert fresh.code == 0, fresh.said()
