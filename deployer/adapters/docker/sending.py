"""The build context as a builder is sent it: exactly the files that the content hash covers."""

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from deployer.adapters.local.context import BuildContext, Entries

_IGNORE: Final = ".dockerignore"
_APART: Final = ".deployer-dockerfile"
"""The name of a Dockerfile that is no part of the context."""


@contextmanager
def archived(context: BuildContext) -> Iterator[tuple[IO[bytes], str]]:
    """A tar file for the classic builder, and the name of the Dockerfile in it.

    That builder takes the Dockerfile and the ignore file from the context and drops them again where the
    ignore file says so; a Dockerfile from elsewhere is named in it for that reason.
    """
    entries, inner = context.entries, context.inner_dockerfile
    with tempfile.TemporaryFile() as file:
        with tarfile.open(mode="w", fileobj=file, format=tarfile.GNU_FORMAT) as tar:
            for path, entry in entries.items():
                if entry.kind != "special":
                    _add(tar, entry.path, path)
            own = context.own_ignore_file.is_file()
            name = inner if inner and not own else _APART
            if name not in entries:
                _add(tar, os.path.realpath(context.dockerfile), name)
            if name == _APART:
                _add_text(tar, _IGNORE, f"{_APART}\n{_IGNORE}\n")
            elif _IGNORE not in entries and (context.root / _IGNORE).is_file():
                _add(tar, str(context.root / _IGNORE), _IGNORE)
        file.seek(0)
        yield file, name


def _add(tar: tarfile.TarFile, place: str, name: str) -> None:
    """Owned by root, as the Docker CLI sends it; a hard link is a file of its own."""
    info = tar.gettarinfo(place, name)
    if info.islnk():
        info.type, info.size = tarfile.REGTYPE, os.lstat(place).st_size
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    if info.isreg():
        with open(place, "rb") as content:
            tar.addfile(info, content)
    else:
        tar.addfile(info)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(text.encode())
    tar.addfile(info, io.BytesIO(text.encode()))


@contextmanager
def staged(context: BuildContext, beside: Path) -> Iterator[Path]:
    """A folder in `beside` for BuildKit: `Dockerfile`, `context`, and a folder for each named context
    (`named`). Files are linked where the file system can, so that a large context costs little."""
    beside.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=beside, prefix="build-"))
    try:
        shutil.copyfile(context.dockerfile, folder / "Dockerfile")
        (folder / "Dockerfile.dockerignore").touch()  # what is to be ignored has been left out already
        _fill(folder / "context", context.entries)
        for name, entries in context.named.items():
            _fill(folder / "named" / name, entries)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(target: Path, entries: Entries) -> None:
    target.mkdir(parents=True)
    for path, entry in entries.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.kind == "folder":
            place.mkdir(exist_ok=True)
        elif entry.kind == "link":
            place.symlink_to(os.readlink(entry.path))
        elif entry.kind != "special":
            try:
                os.link(entry.path, place)
            except OSError:
                shutil.copy2(entry.path, place)
