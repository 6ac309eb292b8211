"""What is released: the project's files, told apart by their content alone."""

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployer.config.load import FILE
from deployer.config.model import Build
from deployer.errors import Failure
from deployer.model import Source

_NOISE: Final = frozenset(
    {
        *(".git", ".deployer", ".venv", "venv", "node_modules", "__pycache__"),
        *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"),
    }
)
"""Folders that tools fill as they run; they never make an image."""


class ProjectFolder:
    """`ports.Workspace`, for real."""

    def __init__(self, folder: Path, build: Build) -> None:
        self._folder = folder
        self._build = build

    def source(self) -> Source:
        """Both hashes are hexadecimal SHA-256 over sorted (path, executable or not, bytes; a symbolic link by
        its target): equal on every machine and in every clone. `dirty` counts untracked files too.
        Failure `code`: a build input is missing or cannot be read."""
        checkout = _checkout(self._folder)
        return Source(
            self._content_hash(),
            self._tree_hash(),
            checkout.commit,
            checkout.branch,
            checkout.dirty,
        )

    def changes(self) -> tuple[str, ...]:
        stat = _git(self._folder, "diff", "--stat=120", "HEAD") or ""
        new = _git(self._folder, "ls-files", "--others", "--exclude-standard") or ""
        return (*stat.splitlines(), *(f" {path} | new" for path in new.splitlines()))

    def has(self, path: str) -> bool:
        there = self._folder / path
        return there.is_file() or (there.is_dir() and any(there.iterdir()))

    def _content_hash(self) -> str:
        build = self._build
        settings = json.dumps([build.platform, sorted(build.args.items()), build.dockerfile])
        return _digest(self._folder, self._inputs(), settings.encode())

    def _inputs(self) -> Iterator[str]:
        for path in sorted({*self._build.inputs, self._build.dockerfile}):
            if not os.path.lexists(self._folder / path):
                raise Failure(
                    "code",
                    f"{FILE} [build]: {path}: no such file or folder in {self._folder}",
                    "restore it, or take it out of `inputs`",
                )
            yield from _files(self._folder, path)

    def _tree_hash(self) -> str:
        listed = _git(self._folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        paths = _files(self._folder, ".") if listed is None else _present(self._folder, listed)
        return _digest(self._folder, paths, b"")


@dataclass(frozen=True)
class _Checkout:
    commit: str | None = None
    branch: str | None = None
    dirty: bool = False


def _checkout(folder: Path) -> _Checkout:
    """Everything None and clean where there is no git or no repository."""
    options = ("--porcelain=v2", "--branch", "--untracked-files=normal")
    status = _git(folder, "status", *options, "--", ".", ":(exclude).deployer")
    if status is None:
        return _Checkout()
    lines = status.splitlines()
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return _Checkout(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=any(not line.startswith("# ") for line in lines),
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """Git's answer; None where there is no git, or it does not know this folder. Takes no lock."""
    command = ("git", "--no-optional-locks", "-C", str(folder), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return None
    return os.fsdecode(done.stdout) if done.returncode == 0 else None


def _present(folder: Path, listed: str) -> Iterator[str]:
    """Git lists a file that was deleted too, one in conflict thrice, and a submodule as its folder."""
    for path in dict.fromkeys(listed.split("\0")):
        if path and os.path.lexists(folder / path):
            yield from _files(folder, path)


def _files(folder: Path, path: str) -> Iterator[str]:
    """The files at or under `path`, relative to `folder`, in the system's order; without noise."""
    top = folder / path
    if not top.is_dir() or top.is_symlink():
        yield path
        return
    for parent, folders, names in os.walk(top):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        folders[:] = [name for name in folders if name not in _NOISE and name not in links]
        for name in (*names, *links):
            yield os.path.relpath(os.path.join(parent, name), folder)


def _digest(folder: Path, paths: Iterable[str], settings: bytes) -> str:
    digest = hashlib.sha256(b"%d %s" % (len(settings), settings))
    for path in sorted({Path(path).as_posix() for path in paths}):
        if path.endswith((".pyc", ".pyo")) or not _NOISE.isdisjoint(path.split("/")):
            continue
        kind, content = _content(folder / path)
        name = os.fsencode(path)
        digest.update(b"%s %d %s %d " % (kind, len(name), name, len(content)))
        digest.update(content)
    return digest.hexdigest()


def _content(path: Path) -> tuple[bytes, bytes]:
    """Its kind and what it holds. Failure `code`: it cannot be read, or has gone meanwhile."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return b"link", os.fsencode(os.readlink(path))
        if not stat.S_ISREG(mode):
            return b"special", b""
        return b"program" if mode & stat.S_IXUSR else b"file", path.read_bytes()
    except OSError as error:
        raise Failure(
            "code",
            f"{path}: cannot be read: {error.strerror}",
            "make it readable, or have git ignore it",
        ) from error
