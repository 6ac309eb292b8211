"""Many releases in a store, and what reading them costs: calls and bytes, which can be counted exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployer.model import Release, dump
from deployer.ports.object_store import Stored
from deployer.records.index import Index
from deployer.records.journal import NAME, Journal
from deployer.records.releases import line_of
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

PREFIX = "job/test/"
PAGE = 1000
"""Names that one answer of a listing holds."""


@dataclass
class CountedStore(FakeStore):
    """Counts the calls that read, and the bytes of their answers; a listed name takes 120 (its XML)."""

    calls: int = 0
    received: int = 0

    def read(self, key: str) -> Stored | None:
        stored = super().read(key)
        self._count(1, len(stored.content) if stored else 0)
        return stored

    def sizes(self, prefix: str, after: str = "") -> Mapping[str, int]:
        found = super().sizes(prefix, after)
        self._count(1 + len(found) // PAGE, 120 * len(found))
        return found

    def folders(self, prefix: str, after: str = "") -> Sequence[str]:
        found = super().folders(prefix, after)
        self._count(1 + len(found) // PAGE, 120 * len(found))
        return found

    def _count(self, calls: int, received: int) -> None:
        self.calls += calls
        self.received += received


class LightJournal(Journal):
    _to_disk = staticmethod(lambda handle: None)


def release_id(number: int) -> str:
    return f"20270101-{number:06}-abcd"


def made(folder: Path, number: int, end: str | None = "END_SUCCESS") -> Path:
    """A release of ten records and 20 kB, as large as one that went wrong a few times."""
    state = Release(release_id(number), "test", 0.0)
    path = folder / state.id / NAME
    journal = LightJournal.create(
        path, FakeClock(), release=state.id, env="test", flow="f", state=dump(state)
    )
    for _ in range(10):
        journal.append("noted", node="CODE", text="x" * 2000)
    if end:
        journal.append("ended", end=end, exit_code=0 if end == "END_SUCCESS" else 17)
    journal.close()
    return path


def filled(store: FakeStore, folder: Path, count: int, *, index: bool) -> None:
    """`count` releases in the store; the last three are proven, one before them is not. Of those before the
    newest thirty nothing may be read: they are damaged."""
    for number in range(count):
        content = b"damaged\n" * 2500
        if number >= count - 30:
            end = "END_FAILED" if number == count - 4 else "END_SUCCESS"
            content = made(folder, number, end).read_bytes()
        store.write(f"{PREFIX}releases/{release_id(number)}/{NAME}", content)
        store.write(f"{PREFIX}releases/{release_id(number)}/evidence/build.log", b"built")
    if index:
        Index(store, PREFIX).read()
        for number in range(count):
            folder_of = folder / release_id(number) / NAME
            if number >= count - 30:
                Index(store, PREFIX).note(release_id(number), line_of(folder_of))
