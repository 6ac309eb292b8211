"""What makes an image: every way to change it is seen, and nothing else is."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.local.machine import private_folder
from deployer.adapters.local.workspace import ProjectFolder
from deployer.config.model import Build
from deployer.errors import Failure
from deployer.ports import BuildInputs
from tests.deployer.contract.test_workspace import RealRig

Change = Callable[["Folder"], object]


class Folder:
    """A project whose Dockerfile copies everything; `build` are the keys of `[build]`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.build: dict[str, Any] = {}
        self.images = {"base:1": "sha256:one"}
        self.write("Dockerfile", "FROM base:1\nCOPY . /app\n")
        self.write("main.go", "package main")
        self.write("web/page.html", "<p>")

    def write(self, path: str, text: str) -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_text(text)

    def inputs(self) -> BuildInputs:
        build = Build.model_validate(self.build)
        return ProjectFolder(
            self.path, build, lambda images: {i: self.images.get(i, "") for i in images}
        ).inputs()

    def set(self, **keys: Any) -> None:
        self.build |= {name.replace("_", "-"): value for name, value in keys.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "project")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: f.write("lib/rates.json", "{}"), "+ lib/rates.json"),
        (lambda f: (f.path / "main.go").unlink(), "- main.go"),
        (lambda f: f.write("Dockerfile", "FROM base:1\nCOPY . /srv\n"), "~ Dockerfile"),
        (lambda f: (f.path / "main.go").chmod(0o755), "~ main.go"),
        (lambda f: (f.path / "main.go").chmod(0o600), "~ main.go"),
        (lambda f: f.write(".dockerignore", "web\n"), "- web/page.html"),
        (lambda f: (f.path / "data").mkdir(), "+ data"),
        (lambda f: (f.path / "latest").symlink_to("web"), "+ latest"),
        (lambda f: f.set(target="prod"), "+ target"),
        (lambda f: f.set(args={"V": "2"}), "+ argument V"),
        (lambda f: f.set(platform="linux/arm64"), "~ platform: linux/amd64 -> linux/arm64"),
        (
            lambda f: f.images.update({"base:1": "sha256:two"}),
            "~ base image base:1: sha256:one -> sha256:two",
        ),
    ],
    ids=[
        *("file", "removed", "dockerfile", "mode", "private", "ignored", "folder", "link"),
        *("target", "argument", "platform", "base"),
    ],
)
def test_every_way_to_change_an_image_is_seen_and_named(folder: Folder, change: Change, why: str) -> None:
    """Another content hash, and the line that says why."""
    before = folder.inputs()
    change(folder)
    after = folder.inputs()
    assert after.content_hash != before.content_hash
    assert why in after.changes_since(before)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.write(".deployer/sandbox/passwords.json", "secret"),
        lambda f: f.write(".git/HEAD", "ref"),
        lambda f: f.write("web/__pycache__/x.pyc", "bytes"),
        lambda f: os.utime(f.path / "main.go", (1, 1)),
        lambda f: (f.path / "main.go").chmod(0o664),
    ],
    ids=["own folder", "history", "bytecode", "times", "another umask"],
)
def test_what_does_not_make_the_image_changes_nothing(folder: Folder, change: Change) -> None:
    """The deployer's own folder, git's, caches and times are no content."""
    before = folder.inputs()
    change(folder)
    assert folder.inputs() == before


def test_the_ignore_file_counts_by_its_effect(folder: Folder) -> None:
    """A comment in it, a byte order mark and another order of words change nothing if it is ignored
    itself."""
    folder.write(".dockerignore", ".dockerignore\nweb\n")
    before = folder.inputs()
    (folder.path / ".dockerignore").write_bytes(b"\xef\xbb\xbfweb\n# why\n\n.dockerignore\n")
    assert folder.inputs() == before
    assert sorted(before.files) == ["Dockerfile", "main.go"]


def test_the_dockerfiles_own_ignore_file_comes_first(folder: Folder) -> None:
    """`<Dockerfile>.dockerignore` counts instead of `.dockerignore`, as with BuildKit."""
    folder.write(".dockerignore", "main.go\n")
    folder.write("Dockerfile.dockerignore", "*\n!web\n")
    assert sorted(folder.inputs().files) == ["Dockerfile", "web/page.html"]


def test_a_dockerfile_that_is_ignored_still_counts(folder: Folder) -> None:
    """The Dockerfile makes the image whether or not it is copied."""
    folder.write(".dockerignore", "Dockerfile\n")
    before = folder.inputs()
    folder.write("Dockerfile", "FROM base:1\nCOPY . /other\n")
    assert folder.inputs().changes_since(before) == ("~ Dockerfile",)


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM base:1\nCOPY main.go /\n",
        'FROM base:1\nCOPY ["main.go", "/"]\n',
        "FROM base:1\nADD --chown=1:1 *.go /src/\n",
        "FROM base:1\nENV S=main\nCOPY ${S}.go \\\n  # why\n  /\n",
        "FROM base:1 AS one\nFROM base:1\nRUN --mount=type=bind,source=main.go,target=/m true\n",
        "FROM base:1\nCOPY . /\n",
        "FROM base:1\nCOPY web\\\n main.go /\n",
        'FROM base:1\nCOPY "main.go" /\n',
        "FROM base:1\nCOPY\tm[a-c]in.g? /\n",
        "FROM base:1\nRUN echo $((1<<X))\nCOPY mai\\n.go /\n",
        "FROM base:1\nONBUILD COPY main.go /\n",
    ],
    ids=[
        *("copy", "json", "pattern", "variable", "mount", "all"),
        *("continued", "quoted", "class", "shift", "onbuild"),
    ],
)
def test_a_source_that_the_inputs_do_not_cover_is_named(folder: Folder, dockerfile: str) -> None:
    """Narrowed inputs never leave out what the Dockerfile takes: the release stops and says which file."""
    folder.write("Dockerfile", dockerfile)
    folder.set(inputs=["web"])
    with pytest.raises(Failure, match=r"line \d+: .*main\.go") as caught:
        folder.inputs()
    assert caught.value.failure_class == "code"
    folder.set(inputs=["."])
    assert "main.go" in folder.inputs().files


def test_stages_after_the_target_are_not_asked_for(folder: Folder) -> None:
    """What only a later stage copies need not be covered, nor is its base looked up."""
    folder.write("Dockerfile", "FROM base:1 AS prod\nCOPY web /\nFROM test:1\nCOPY main.go /\n")
    folder.set(inputs=["web"], target="prod")
    assert list(folder.inputs().images) == ["base:1"]


def test_a_named_context_counts_with_its_own_ignore_file(folder: Folder) -> None:
    """Its files are told apart by the context's name; its own .dockerignore counts."""
    shared = folder.path.parent / "shared"
    shared.mkdir()
    (shared / ".dockerignore").write_text("*.log\n.dockerignore\n")
    (shared / "lib.js").write_text("1")
    folder.set(build_contexts={"lib": "../shared", "base:1": "docker-image://other:2"})
    before = folder.inputs()
    (shared / "run.log").write_text("noise")
    assert folder.inputs() == before
    (shared / "lib.js").write_text("2")
    assert folder.inputs().changes_since(before) == ("~ lib:lib.js",)
    assert list(before.images) == ["other:2"]


def test_a_change_that_hides_behind_the_files_times_is_seen(folder: Folder) -> None:
    """The same size, the same times, another content: never taken for the remembered one."""
    path = folder.path / "main.go"
    os.utime(path, (1_000_000, 1_000_000))
    before = folder.inputs()
    path.write_text("package less")
    os.utime(path, (1_000_000, 1_000_000))
    assert folder.inputs().changes_since(before) == ("~ main.go",)


def test_an_unchanged_file_is_not_read_again(folder: Folder) -> None:
    """What was hashed once is taken from the cache: a hash that is changed there is believed."""
    kept = private_folder(folder.path / ".deployer") / "hashes.json"
    time.sleep(2.1)  # git's rule: what changed within the second of its hashing is read again
    first = folder.inputs()
    assert folder.inputs() == first
    cache = json.loads(kept.read_text())
    cache["files"] = {path: f"{entry[:-4]}0000" for path, entry in cache["files"].items()}
    kept.write_text(json.dumps(cache))
    assert folder.inputs() != first


def test_files_outside_the_project_make_it_dirty(tmp_path: Path) -> None:
    """A monorepo: what lies beside the job's folder is part of its image, and of what the commit must
    hold."""
    rig = RealRig(tmp_path)
    rig.write("job/Dockerfile", "FROM base")
    rig.write("job/job.py", "print()")
    rig.write("shared/lib.py", "1")
    rig.write("docs/page.md", "about")
    rig.commit()
    build = Build.model_validate({"context": "..", "inputs": ["Dockerfile", "job.py", "../shared"]})
    workspace = ProjectFolder(tmp_path / "job", build)
    clean = workspace.source()
    rig.write("docs/page.md", "about it")
    beside = workspace.source()
    rig.write("shared/lib.py", "2")
    assert (clean.dirty, beside.dirty, workspace.source().dirty) == (False, False, True)


def _tell_git_not_to_look(rig: RealRig) -> None:
    rig.git("update-index", "--assume-unchanged", "shared/lib.py")
    rig.write("shared/lib.py", "changed")


def _hide_submodules(rig: RealRig) -> None:
    rig.git("config", "diff.ignoreSubmodules", "all")
    rig.write("shared/vendored/part.py", "changed")


def _hide_new_files(rig: RealRig) -> None:
    rig.git("config", "status.showUntrackedFiles", "no")
    rig.write("shared/new.py", "new")


@pytest.mark.parametrize(
    "change",
    [
        lambda rig: rig.git("mv", "shared/lib.py", "shared/library.py"),
        lambda rig: rig.write("shared/new.py", "new"),
        lambda rig: rig.remove("shared/lib.py"),
        lambda rig: (rig.folder / "shared/lib.py").chmod(0o755),
        lambda rig: rig.write("shared/vendored/part.py", "changed"),
        lambda rig: rig.write("shared/vendored/new.py", "new"),
        _tell_git_not_to_look,
        _hide_submodules,
        _hide_new_files,
    ],
    ids=[
        *("renamed", "untracked", "deleted", "mode", "submodule", "untracked in a submodule"),
        *("assumed unchanged", "submodules ignored", "untracked files ignored"),
    ],
)
def test_whatever_git_is_told_to_leave_out_counts(tmp_path: Path, change: Callable[[RealRig], None]) -> None:
    """The image's files are compared with the commit, whichever way one differs and however git is set."""
    part, rig = RealRig(tmp_path / "part"), RealRig(tmp_path / "all")
    part.write("part.py", "1")
    part.commit()
    rig.write("job/Dockerfile", "FROM base\nCOPY . /srv")
    rig.write("shared/lib.py", "1")
    rig.git("init", "--quiet")
    rig.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../part", "shared/vendored")
    rig.commit()
    workspace = ProjectFolder(tmp_path / "all" / "job", Build(context=".."))
    assert not workspace.source().dirty
    change(rig)
    assert workspace.source().dirty


def test_an_input_that_git_ignores_makes_it_dirty(tmp_path: Path) -> None:
    """The commit alone would give another image."""
    rig = RealRig(tmp_path)
    rig.write("Dockerfile", "FROM base")
    rig.write("job.py", "print()")
    rig.write(".gitignore", "*.csv\n")
    rig.write("table.csv", "1")
    rig.commit()
    assert not ProjectFolder(tmp_path, Build(inputs=("Dockerfile", "job.py"))).source().dirty
    assert ProjectFolder(tmp_path, Build()).source().dirty


def test_the_own_folder_is_private_and_ignored(folder: Folder) -> None:
    """`.deployer` is for this user alone, and git sees nothing of it. Reading the inputs does not make it."""
    folder.inputs()
    own = folder.path / ".deployer"
    assert not own.exists()
    private_folder(own)
    assert own.stat().st_mode & 0o777 == 0o700
    assert (own / ".gitignore").read_text() == "*\n"


def test_a_read_only_own_folder_stays_read_only(tmp_path: Path) -> None:
    """Only what others may do is taken away; what its owner may not do is not granted."""
    own = tmp_path / ".deployer"
    own.mkdir()
    own.chmod(0o555)
    private_folder(own)
    assert own.stat().st_mode & 0o777 == 0o500


def test_inputs_are_compared_with_a_record_of_many_files(folder: Folder) -> None:
    """Of very many files the record keeps folders, and a change is still found in the right one."""
    for number in range(30):
        folder.write(f"a/b{number}/c.txt", "1")
    record = BuildInputs.from_record(folder.inputs().as_record(most=10))
    assert record is not None
    assert record.changes_since(record) == ()
    folder.write("a/b7/c.txt", "2")
    assert folder.inputs().changes_since(record) == ("~ a/",)
    assert BuildInputs.from_record({"files": 1}) is None
