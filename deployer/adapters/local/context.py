"""What Docker is sent for a build: the context's files but the ignored ones, and the Dockerfile."""

import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from deployer.adapters.local.dockerfile import Dockerfile, platform_arguments, read_dockerfile
from deployer.adapters.local.ignore import IgnoreFile, Matched, go_pattern
from deployer.config.load import FILE
from deployer.config.model import Build
from deployer.errors import Failure

NEVER: Final = frozenset({".git", ".deployer"})
"""Never in a context: histories, and the sandbox's passwords."""
_CACHES: Final = frozenset(
    {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"}
)
"""What tools write as they run: left out as well, or the tests of a release would change its content."""
_LEFT_OUT: Final = NEVER | _CACHES
_OTHER_PLACE: Final = re.compile(r"[a-z][a-z0-9+-]*://|[^/]*@|target:")


class Entry(NamedTuple):
    """A file, a program (an executable file), a link or an empty folder; `private`: others than its owner and
    group may not read it, which counts for a container's user. `stamp` changes whenever the file is touched:
    its size, times, inode and device; `touched` is the later of its times, in nanoseconds."""

    path: str
    kind: str
    stamp: str
    touched: int

    @classmethod
    def of(cls, path: str, about: os.stat_result) -> "Entry":
        """The time of change is in the stamp too: it tells where the time of writing was set back by hand."""
        mode, written, changed = about.st_mode, about.st_mtime_ns, about.st_ctime_ns
        if stat.S_ISREG(mode):
            kind = "program" if mode & stat.S_IXUSR else "file"
            kind += "" if mode & stat.S_IROTH else ", private"
        else:
            kind = "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "special"
        stamp = f"{about.st_size} {written} {changed} {about.st_ino} {about.st_dev}"
        return cls(path, kind, stamp, max(written, changed))


Entries = dict[str, Entry]
"""By path within the context, with slashes, sorted."""


class BuildContext:
    """The files of `[build]`; its paths are relative to `folder`. Read once for each object."""

    def __init__(self, folder: Path, build: Build) -> None:
        self._folder = folder
        self._build = build

    @property
    def root(self) -> Path:
        return self._folder / self._build.context

    @property
    def dockerfile(self) -> Path:
        return self._folder / self._build.dockerfile

    @cached_property
    def parsed(self) -> Dockerfile:
        automatic = platform_arguments(self._build.platform)
        return read_dockerfile(self.dockerfile, self._build.args, automatic)

    @property
    def own_ignore_file(self) -> Path:
        """`<Dockerfile>.dockerignore`, which counts instead of the context's `.dockerignore`."""
        return self.dockerfile.with_name(f"{self.dockerfile.name}.dockerignore")

    @property
    def inner_dockerfile(self) -> str | None:
        """The Dockerfile's path within the context; None: it lies elsewhere."""
        path = os.path.relpath(os.path.realpath(self.dockerfile), os.path.realpath(self.root))
        return None if path.startswith("../") else Path(path).as_posix()

    @cached_property
    def entries(self) -> Entries:
        """What is sent. Failure `code`: the context or an input is missing, or a COPY takes what `inputs`
        does not cover."""
        if not self.root.is_dir():
            raise Failure("code", f"{FILE} [build] context: {self.root}: no such folder", "correct it")
        own = self.own_ignore_file
        ignore = IgnoreFile.read(own if own.is_file() else self.root / ".dockerignore")
        everything = walk(self.root, ignore)
        if not self._build.inputs:
            return everything
        covered = [self._inner(path) for path in (*self._build.inputs, self._build.dockerfile)]
        narrowed = {path: entry for path, entry in everything.items() if _within(path, covered)}
        self._refuse_uncovered(everything, narrowed)
        return narrowed

    @cached_property
    def named(self) -> Mapping[str, Entries]:
        """The named contexts that are folders of this machine, each with its own ignore file."""
        found = {}
        for name, root in self.folders().items():
            if not root.is_dir():
                raise Failure(
                    "code", f"{FILE} [build] build-contexts: {name}: {root}: no such folder", "correct it"
                )
            found[name] = walk(root, IgnoreFile.read(root / ".dockerignore"))
        return found

    def folders(self) -> dict[str, Path]:
        """The folders of `named`."""
        places = self._build.build_contexts.items()
        return {name: self._folder / place for name, place in places if not _OTHER_PLACE.match(place)}

    def named_roots(self) -> list[tuple[Path, Entries]]:
        return [(self.folders()[name], entries) for name, entries in self.named.items()]

    def images(self) -> tuple[str, ...]:
        """The images that the build stands on."""
        return self.parsed.images(self._build.target, self._build.build_contexts)

    def outside(self) -> list[Path]:
        """The places outside of the project's folder that make the image."""
        places = [self._folder / path for path in self._build.inputs] or [self.root]
        inside = os.path.realpath(self._folder)
        real = map(os.path.realpath, (*places, *self.folders().values(), self.dockerfile))
        return [Path(place) for place in real if os.path.commonpath((place, inside)) != inside]

    def _inner(self, path: str) -> str:
        """An input's path within the context. Failure `code`: it does not exist."""
        place = self._folder / path
        if not os.path.lexists(place):
            raise Failure(
                "code",
                f"{FILE} [build]: {path}: no such file or folder in {self._folder}",
                "restore it, or take it out of `inputs`",
            )
        return posixpath.normpath(Path(os.path.relpath(place, self.root)).as_posix())

    def _refuse_uncovered(self, everything: Entries, narrowed: Entries) -> None:
        taken = (
            (item, source)
            for stage in self.parsed.until(self._build.target)
            for item, source in stage.sources
        )
        for item, source in taken:
            missing = [path for path in matching(source, everything) if path not in narrowed]
            if missing:
                more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                raise Failure(
                    "code",
                    f"{self._build.dockerfile}, line {item.line}: {item.keyword} {item.rest}: takes"
                    f" {', '.join(missing[:3])}{more}, which {FILE} [build] inputs does not cover",
                    "add it to `inputs`, or remove `inputs`: then everything that Docker is sent counts",
                )


def walk(root: Path, ignore: IgnoreFile) -> Entries:
    """The entries under `root` that are not ignored; a folder counts where nothing is in it.
    Failure `code`: a folder cannot be read."""
    found: list[tuple[str, Entry]] = []
    waiting: list[tuple[str, str, Matched, bool]] = [("", os.path.abspath(root), (), False)]
    while waiting:
        below, place, above, hidden = waiting.pop()
        empty = True
        for item in _listed(place):
            if item.name in _LEFT_OUT:
                continue
            path = f"{below}{item.name}"
            ignored, matched = ignore.ignores(path, above)
            is_folder = item.is_dir(follow_symlinks=False)
            if ignored and not (is_folder and ignore.may_include_below(path)):
                continue
            empty = False
            if is_folder:
                waiting.append((f"{path}/", item.path, matched, ignored))
            else:
                found.append((path, Entry.of(item.path, item.stat(follow_symlinks=False))))
        if empty and below and not hidden:
            found.append((below.rstrip("/"), Entry.of(place, os.lstat(place))))
    return dict(sorted(found))


def left_in(path: str) -> bool:
    """Whether no part of the path is one that is always left out."""
    return _LEFT_OUT.isdisjoint(path.split("/"))


def matching(source: str, entries: Entries) -> list[str]:
    """The entries that a COPY of `source` takes: Go's patterns, a folder with all that is in it."""
    wanted = posixpath.normpath(f"/{source}").lstrip("/")
    if not wanted or "$" in wanted:
        return list(entries)
    if not any(sign in wanted for sign in "*?[\\"):
        return [path for path in entries if _within(path, [wanted])]
    depth, pattern = wanted.count("/") + 1, re.compile(go_pattern(re.sub(r"\*+", "*", wanted)))
    return [path for path in entries if pattern.match("/".join(path.split("/")[:depth]))]


def _within(path: str, folders: list[str]) -> bool:
    return any(folder == "." or path == folder or path.startswith(f"{folder}/") for folder in folders)


def _listed(place: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(place) as items:
            yield from list(items)
    except OSError as error:
        raise Failure(
            "code",
            f"{place}: cannot be read: {error.strerror}",
            "make it readable, or name it in .dockerignore",
        ) from error
