"""One suite for a real folder under git and the fake one; then what only real files can show."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from deployer.adapters.local.workspace import ProjectFolder
from deployer.config.model import Build
from deployer.errors import Failure
from deployer.model import Source
from tests.fakes.workspace import FakeWorkspace

INPUTS = ("Dockerfile", "job.py")


class Rig(Protocol):
    """A project whose files a test can change."""

    def write(self, path: str, text: str) -> None: ...

    def remove(self, path: str) -> None: ...

    def commit(self) -> None: ...

    def source(self) -> Source: ...


class RealRig:
    def __init__(self, folder: Path, **build: Any) -> None:
        self.folder = folder
        self.build = Build(inputs=INPUTS, **build)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def remove(self, path: str) -> None:
        (self.folder / path).unlink()

    def commit(self) -> None:
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", ".")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message=x")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True, env=_quiet_git())

    def source(self) -> Source:
        return ProjectFolder(self.folder, self.build).source()


def _quiet_git() -> Mapping[str, str]:
    return {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class FakeRig:
    def __init__(self) -> None:
        self.workspace = FakeWorkspace(files={}, narrowed=INPUTS)

    def write(self, path: str, text: str) -> None:
        self.workspace.files[path] = text

    def remove(self, path: str) -> None:
        del self.workspace.files[path]

    def commit(self) -> None:
        self.workspace.commit()

    def source(self) -> Source:
        return self.workspace.source()


def _fill(rig: Rig) -> None:
    rig.write("Dockerfile", "FROM base")
    rig.write("job.py", "print()")
    rig.write("README.md", "about")


@pytest.fixture(params=["real", "fake"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    rig: Rig = RealRig(tmp_path) if request.param == "real" else FakeRig()
    _fill(rig)
    return rig


@pytest.fixture
def real(tmp_path: Path) -> RealRig:
    rig = RealRig(tmp_path / "project")
    _fill(rig)
    return rig


def test_unchanged_files_give_unchanged_hashes(rig: Rig) -> None:
    """Looking twice gives the same answer."""
    assert rig.source() == rig.source()


def test_a_changed_input_changes_both_hashes(rig: Rig) -> None:
    """What makes the image is part of both."""
    before = rig.source()
    rig.write("job.py", "print(2)")
    after = rig.source()
    assert after.content_hash != before.content_hash
    assert after.tree_hash != before.tree_hash


def test_another_file_changes_only_the_tree_hash(rig: Rig) -> None:
    """What does not make the image leaves its tag as it is."""
    before = rig.source()
    rig.write("README.md", "about it")
    after = rig.source()
    assert after.content_hash == before.content_hash
    assert after.tree_hash != before.tree_hash


def test_a_missing_input_is_named(rig: Rig) -> None:
    """Without one of the inputs there is nothing to release; the message says which and what to do."""
    rig.remove("job.py")
    with pytest.raises(Failure, match=r"job\.py") as caught:
        rig.source()
    assert caught.value.failure_class == "code"
    assert caught.value.hint


def test_outside_a_repository_there_is_no_commit(rig: Rig) -> None:
    """A folder that git does not know can be released all the same."""
    source = rig.source()
    assert (source.commit, source.branch, source.dirty) == (None, None, False)


def test_a_commit_is_clean_until_a_file_changes(rig: Rig) -> None:
    """Commit and branch are told, and whether the files are still the commit's."""
    rig.commit()
    clean = rig.source()
    rig.write("new.py", "pass")
    dirty = rig.source()
    assert (len(clean.commit or ""), clean.branch, clean.dirty) == (40, "main", False)
    assert (dirty.commit, dirty.dirty) == (clean.commit, True)


def test_a_clone_gives_the_same_hashes(real: RealRig, tmp_path: Path) -> None:
    """Another place, other times and another mask of permissions change nothing, as long as a container's
    user may read the files."""
    real.commit()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", real.folder, clone], check=True, env=_quiet_git())
    os.utime(clone / "job.py", (0, 0))
    (clone / "job.py").chmod(0o664)
    assert RealRig(clone).source() == real.source()


def test_hashes_are_the_same_for_ever(real: RealRig) -> None:
    """The way of hashing is a contract: another one would give every released image another tag."""
    assert real.source().content_hash == "29b42498ed26b9110766b640a708652d717e6c7ecc36df5c3aacae40caee0d14"
    assert real.source().tree_hash == "0cd4c3e2114df903adfb9691d971f4b8601a3d30a6fb4c74c3bdc10c1229e8f7"


@pytest.mark.parametrize(
    "build",
    [{"platform": "linux/arm64"}, {"args": {"PYTHON_IMAGE": "python:3.13"}}],
    ids=["platform", "argument"],
)
def test_settings_that_make_another_image_change_the_content_hash(
    real: RealRig, build: dict[str, Any]
) -> None:
    """The platform and the build arguments are part of the content."""
    other = RealRig(real.folder, **build).source()
    assert other.content_hash != real.source().content_hash
    assert other.tree_hash == real.source().tree_hash


def test_the_executable_bit_and_the_target_of_a_link_count(real: RealRig) -> None:
    """A file that becomes a program, and a link that points elsewhere, are changes."""
    seen = {real.source().content_hash}
    (real.folder / "job.py").chmod(0o755)
    seen.add(real.source().content_hash)
    for target in ("README.md", "Dockerfile"):
        real.remove("job.py")
        (real.folder / "job.py").symlink_to(target)
        seen.add(real.source().content_hash)
    assert len(seen) == 4


def test_a_folder_counts_with_all_that_is_in_it_but_for_bytecode(real: RealRig) -> None:
    """A file deep in an input folder is content, also where git ignores it; what Python compiles is not."""
    real.build = Build(inputs=("Dockerfile", "job"))
    real.write("job/deep/table.csv", "1")
    real.write(".gitignore", "*.csv\n__pycache__\n")
    real.commit()
    before = real.source()
    real.write("job/deep/__pycache__/x.cpython-311.pyc", "bytes")
    assert real.source() == before
    real.write("job/deep/table.csv", "2")
    assert real.source().content_hash != before.content_hash
    assert real.source().tree_hash == before.tree_hash


def test_the_tree_is_what_git_tracks_or_does_not_ignore(real: RealRig) -> None:
    """A new file is seen before it is added, an ignored one never, a deleted one is missed."""
    real.write(".gitignore", "*.log\n")
    real.commit()
    seen = [real.source().tree_hash]
    real.write("run.log", "noise")
    seen.append(real.source().tree_hash)
    real.write("notes.txt", "x")
    seen.append(real.source().tree_hash)
    real.remove("notes.txt")
    real.remove("README.md")
    seen.append(real.source().tree_hash)
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_the_records_of_releases_are_no_part_of_the_tree(real: RealRig) -> None:
    """A journal that grows in `.deployer` changes nothing, even where git is not told to ignore it."""
    before = real.source()
    real.write(".deployer/releases/x/journal.jsonl", "{}")
    assert real.source() == before
    shutil.rmtree(real.folder / ".deployer")
    real.commit()
    before = real.source()
    real.write(".deployer/new.lock", "")
    assert real.source() == before


def test_without_git_the_folder_is_walked(real: RealRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git finds the same hashes, and no commit."""
    real.commit()
    with_git = real.source()
    monkeypatch.setenv("PATH", "")
    without = real.source()
    assert (without.content_hash, without.tree_hash) == (with_git.content_hash, with_git.tree_hash)
    assert without.commit is None


def test_a_dockerfile_counts_without_being_listed(real: RealRig) -> None:
    """Who forgets the Dockerfile among the inputs still gets a new image when it changes."""
    real.build = Build(inputs=("job.py",))
    before = real.source()
    real.write("Dockerfile", "FROM other")
    assert real.source().content_hash != before.content_hash
    real.remove("Dockerfile")
    with pytest.raises(Failure, match="Dockerfile"):
        real.source()


def test_a_branch_without_commits_and_a_detached_head(real: RealRig) -> None:
    """Neither is an error: the one has no commit yet, the other no branch."""
    real.git("init", "--quiet", "--initial-branch=main")
    assert (real.source().commit, real.source().branch) == (None, "main")
    shutil.rmtree(real.folder / ".git")
    real.commit()
    real.git("checkout", "--quiet", "--detach")
    assert real.source().branch is None
    assert real.source().commit
