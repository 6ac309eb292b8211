"""Copies the journal and the evidence of a release to the shared state as they grow.

A thread watches the folder and uploads new content; the release never waits for it, and while the store is
unavailable the thread only gets behind. Evidence is uploaded before the record that names it, and the index
says that a release is under way before its journal grows. The journal is replaced conditionally: a machine
that has lost the lock cannot put back an older one.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Final

from deployer.errors import Failure, RefusedError
from deployer.ports.object_store import Store
from deployer.records.index import Index, Line
from deployer.records.journal import NAME
from deployer.records.releases import line_of
from deployer.records.remote import whole

PERIOD: Final = 1.0
"""Seconds between two uploads; longer while the store is unavailable, up to LONGEST."""
LONGEST: Final = 20.0
LAST_TRIES: Final = 8
LAST_SECONDS: Final = 10.0
LARGEST: Final = 64 * 2**20
"""Bytes. A larger file is not uploaded, which is reported."""
GROWTH: Final = 1.5
"""A file that grows while nothing else happens is uploaded again when it has grown by half, so that a log of
any length is uploaded at most three times over."""
UNSENT: Final = "unmirrored"
"""A file in the folder of a release that is not completely uploaded; contains its prefix."""


class Mirror:
    """One release. `catch_up` does the work; `start` and `finish` run it beside the release."""

    def __init__(
        self,
        store: Store,
        prefix: str,
        folder: Path,
        check: Callable[[], None] = lambda: None,
        before: Sequence["Mirror"] = (),
    ) -> None:
        """`prefix`: of the environment's keys in the store. `check`: raises RefusedError once the lock is
        lost. `before`: earlier releases that are not completely uploaded."""
        self._store, self._folder, self._check, self._before = store, folder, check, before
        self._prefix = prefix
        self._place = f"{prefix}releases/{folder.name}/"
        self._journal = b""
        self._version: str | None = None
        self._files: dict[Path, tuple[int, int]] = {}
        self._too_large: set[str] = set()
        self._index = Index(store, prefix)
        self._line: Line | bool | None = False
        self._entered = b""
        self._problem = ""
        self._stop = Event()
        self._thread = Thread(target=self._run, name="mirror", daemon=True)

    def catch_up(self, *, last: bool = False) -> None:
        """Uploads new content. Failure: the store cannot be reached; a later call continues.

        RefusedError: the lock is lost, or the release was continued in another place.
        `last`: small growth is uploaded as well.
        """
        self._check()
        journal = whole((self._folder / NAME).read_bytes())
        news = len(journal) > len(self._journal)
        for path in sorted((self._folder / "evidence").rglob("*")):
            if path.is_file():
                self._send_file(path, eager=news or last)
        if news:
            self._enter(None)
            self._send_journal(journal)
        path = self._folder / NAME
        if journal != self._entered and journal == whole(path.read_bytes()):
            self._enter(line_of(path))
            self._entered = journal

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> str:
        """Stops, after some more attempts if needed; reports what is not uploaded, "" if all is.

        The next release from this folder uploads the rest. Twice is safe.
        """
        self._stop.set()
        if self._thread.ident:
            self._thread.join()
        until = time.monotonic() + LAST_SECONDS
        for _ in range(LAST_TRIES):
            if self._settled(last=True) or time.monotonic() > until:
                break
        marker = self._folder / UNSENT
        if self._problem:
            marker.write_text(self._prefix, encoding="utf-8")
            return f"this release is not completely in {self._store.where} yet: {self._problem}"
        marker.unlink(missing_ok=True)
        large = ", ".join(sorted(self._too_large))
        return f"too large to upload to {self._store.where}: {large}" if large else ""

    def _run(self) -> None:
        for earlier in self._before:
            if not self._stop.is_set():
                earlier.finish()
        wait = PERIOD
        while not self._stop.wait(wait):
            wait = PERIOD if self._settled() else min(2 * wait, LONGEST)

    def _settled(self, *, last: bool = False) -> bool:
        """One upload; False: another attempt may succeed."""
        try:
            self.catch_up(last=last)
        except RefusedError as error:
            self._problem = error.message
            return True
        except Failure as error:
            self._problem = error.message
            return False
        except OSError as error:
            self._problem = f"{error.filename}: {error.strerror}"
            return False
        self._problem = ""
        return True

    def _enter(self, line: Line | None) -> None:
        """Into the index, if it has another line of this release."""
        if line != self._line:
            self._index.note(self._folder.name, line)
            self._line = line

    def _send_file(self, path: Path, *, eager: bool) -> None:
        found = path.stat()
        now, sent = (found.st_size, found.st_mtime_ns), self._files.get(path)
        if now == sent or (sent and not eager and found.st_size < GROWTH * sent[0]):
            return
        name = path.relative_to(self._folder).as_posix()
        if found.st_size > LARGEST:
            self._too_large.add(name)
            return
        self._store.write(self._place + name, path.read_bytes())
        self._files[path] = now

    def _send_journal(self, journal: bytes) -> None:
        key = self._place + NAME
        sent = self._store.replace(key, journal, self._version) if self._version else None
        while sent is None:
            found = self._store.read(key)
            if found is None:
                sent = self._store.create(key, journal)
            elif journal.startswith(found.content):
                sent = self._store.replace(key, journal, found.version)
            elif found.content.startswith(journal):
                sent = found.version  # another machine has continued it
            else:
                raise RefusedError("the release was continued in another place")
        self._journal, self._version = journal, sent


def unsent(releases: Path, prefix: str) -> list[Path]:
    """The folders of releases that are not completely uploaded to this prefix."""
    markers = sorted(releases.glob(f"*/{UNSENT}"))
    return [marker.parent for marker in markers if marker.read_text(encoding="utf-8") == prefix]
