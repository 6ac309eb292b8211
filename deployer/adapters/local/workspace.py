"""What is released: the project's files, told apart by their content alone."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployer.adapters.local.context import NEVER, BuildContext, Entry, left_in, walk
from deployer.adapters.local.hashing import FileHashes
from deployer.adapters.local.ignore import IgnoreFile
from deployer.config.model import Build
from deployer.model import Source
from deployer.ports import BuildInputs
from deployer.redaction import without_secrets

Resolve = Callable[[Sequence[str]], Mapping[str, str]]
"""Images -> the digest or local id of each, empty where neither can be had."""


_INSTALLED = ("**/.venv", "**/venv", "**/node_modules")
"""What a tree without git is not asked for."""


def _unresolved(images: Sequence[str]) -> Mapping[str, str]:
    return dict.fromkeys(images, "")


class ProjectFolder:
    """`ports.Workspace`, for real. `resolve` finds what the base images are today."""

    def __init__(self, folder: Path, build: Build, resolve: Resolve = _unresolved) -> None:
        self._folder = folder
        self._build = build
        self._resolve = resolve

    def source(self) -> Source:
        """The hashes are hexadecimal SHA-256, equal on every machine and in every clone. `dirty`: a file of
        the project, or one that makes the image, is not the commit's. Failure `code`: see `inputs`."""
        hashes = FileHashes(self._folder / ".deployer" / "hashes.json")
        context = BuildContext(self._folder, self._build)
        content_hash = self._inputs(context, hashes).content_hash
        tree_hash = self._tree_hash(context, hashes)
        hashes.save()
        checkout = _checkout(self._folder, context)
        return Source(content_hash, tree_hash, checkout.commit, checkout.branch, checkout.dirty)

    def inputs(self) -> BuildInputs:
        """Failure `code`: the context, the Dockerfile or an input is missing or cannot be read, or a COPY
        takes what `inputs` does not cover."""
        hashes = FileHashes(self._folder / ".deployer" / "hashes.json")
        found = self._inputs(BuildContext(self._folder, self._build), hashes)
        hashes.save()
        return found

    def changes(self) -> tuple[str, ...]:
        stat = _git(self._folder, "diff", "--stat=120", "HEAD") or ""
        new = _git(self._folder, "ls-files", "--others", "--exclude-standard") or ""
        return (*stat.splitlines(), *(f" {path} | new" for path in new.splitlines()))

    def has(self, path: str) -> bool:
        there = self._folder / path
        return there.is_file() or (there.is_dir() and any(there.iterdir()))

    def _inputs(self, context: BuildContext, hashes: FileHashes) -> BuildInputs:
        build = self._build
        files = {path: _described(entry, hashes) for path, entry in context.entries.items()}
        for name, entries in context.named.items():
            files |= {f"{name}:{path}": _described(entry, hashes) for path, entry in entries.items()}
        if context.inner_dockerfile not in files:
            place = context.dockerfile
            files[build.dockerfile] = hashes.of(Entry.of(os.path.abspath(place), place.stat()))
        settings = {
            "platform": build.platform,
            **({"target": build.target} if build.target else {}),
            **{f"argument {name}": value for name, value in build.args.items()},
            **{f"context {name}": place for name, place in build.build_contexts.items()},
            **{f"secret {name}": "" for name in build.secrets},
        }
        return BuildInputs(files, settings, dict(self._resolve(context.images())))

    def _tree_hash(self, context: BuildContext, hashes: FileHashes) -> str:
        """Of every file that git tracks or does not ignore; of every file where there is no git."""
        listed = _git(self._folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        entries = (
            walk(self._folder, IgnoreFile(_INSTALLED)) if listed is None else self._entries(listed, context)
        )
        digest = hashlib.sha256()
        for path in sorted(entries):
            if entries[path].kind != "folder":
                digest.update(os.fsencode(f"{path}\0{_described(entries[path], hashes)}\0"))
        return digest.hexdigest()

    def _entries(self, listed: str, context: BuildContext) -> dict[str, Entry]:
        """Git lists a file that was deleted too, one in conflict three times, and a submodule as its
        folder."""
        known = {entry.path: entry for entry in context.entries.values()}
        root, found = os.path.abspath(self._folder), dict[str, Entry]()
        for path in filter(left_in, set(listed.split("\0")) - {""}):
            place = f"{root}/{path.rstrip('/')}"
            try:
                entry = known.get(place) or Entry.of(place, os.lstat(place))
            except (FileNotFoundError, NotADirectoryError):
                continue
            inner = walk(Path(place), IgnoreFile()) if entry.kind == "folder" else {}
            found |= {f"{path}{below}": item for below, item in inner.items()} or {path: entry}
        return found


def _described(entry: Entry, hashes: FileHashes) -> str:
    return f"{entry.kind} {hashes.of(entry)}"


@dataclass(frozen=True)
class _Checkout:
    commit: str | None = None
    branch: str | None = None
    dirty: bool = False


_ALL = ("--untracked-files=normal", "--ignore-submodules=none")
"""Whatever the user's own git leaves out."""


def _checkout(folder: Path, context: BuildContext) -> _Checkout:
    """Everything None and clean where there is no git or no repository."""
    options = ("--porcelain=v2", "--branch", *_ALL)
    leave_out = (f":(exclude,glob)**/{name}/**" for name in sorted(NEVER))
    status = _git(folder, "status", *options, "--", ".", *leave_out)
    if status is None:
        return _Checkout()
    lines = status.splitlines()
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return _Checkout(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=any(not line.startswith("# ") for line in lines) or _differs(folder, context),
    )


def _differs(folder: Path, context: BuildContext) -> bool:
    """Whether something that makes the image is not as in the commit though the project's folder is: it lies
    outside of that folder, git ignores it, or was told not to look (`update-index --assume-unchanged`)."""
    for root, entries in ((context.root, context.entries), *context.named_roots()):
        listed = _git(root, "ls-files", "-z", "-v", "--recurse-submodules")
        compared = {line[2:] for line in (listed or "").split("\0") if line.startswith("H ")}
        if any(entry.kind != "folder" and path not in compared for path, entry in entries.items()):
            return True
    outside = [str(path) for path in context.outside()]
    changed = _git(folder, "status", "--porcelain", "-z", *_ALL, "--", *outside) if outside else ""
    return changed is None or any(left_in(line[3:]) for line in changed.split("\0") if line)


def _git(folder: Path, *arguments: str) -> str | None:
    """Git's answer; None where there is no git, or it does not know this folder. Takes no lock."""
    command = ("git", "--no-optional-locks", "-C", str(folder), *arguments)
    try:
        environment = without_secrets(os.environ)
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, check=False, env=environment
        )
    except OSError:
        return None
    return os.fsdecode(done.stdout) if done.returncode == 0 else None
