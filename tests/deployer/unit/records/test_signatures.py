"""`[state] key`: records that the holder of the key did not write are refused."""

from pathlib import Path

import pytest

from deployer.commands.bootstrap import SharedState
from deployer.errors import JournalDamaged
from deployer.model import Release, dump
from deployer.records.journal import NAME, Journal, Signer, read
from deployer.records.releases import Releases
from deployer.records.upload import Mirror
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

PREFIX = "orders/prod/"
OURS, THEIRS = b"k" * 32, b"t" * 32


def state_of(store: FakeStore, key: bytes | None = OURS) -> SharedState:
    return SharedState(store, PREFIX, 60, (lambda: key) if key else None)


def begin(folder: Path, release: str, signer: Signer | None) -> Path:
    """A release of two records."""
    path, state = folder / release / NAME, dump(Release(release, "prod", 1.0))
    journal = Journal.create(path, FakeClock(), signer, release=release, env="prod", flow="f", state=state)
    journal.append("started", node="CODE", visit=1)
    journal.close()
    return path


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def send(store: FakeStore, path: Path) -> None:
    Mirror(store, PREFIX, path.parent).catch_up()


def test_a_signed_release_is_read_elsewhere_and_continued(store: FakeStore, tmp_path: Path) -> None:
    """The other machine has the key: it reads, appends, and the whole is still right."""
    signer = state_of(store).signer("r1")
    send(store, begin(tmp_path / "here", "r1", signer))
    there = Releases(tmp_path / "there", lambda env: [state_of(store).archive()])
    assert len(there.records("r1")) == 2
    journal = Journal.resume(tmp_path / "there/r1" / NAME, FakeClock(), signer)
    journal.append("started", node="CODE", visit=2)
    journal.close()
    assert len(read(tmp_path / "there/r1" / NAME, signer)) == 3


@pytest.mark.parametrize("key", [None, THEIRS], ids=["unsigned", "another key"])
def test_what_is_not_signed_with_the_key_is_not_fetched(
    store: FakeStore, tmp_path: Path, key: bytes | None
) -> None:
    """It is listed as damaged, hides no other release, and no byte of it is kept here."""
    send(store, begin(tmp_path / "theirs", "r9", state_of(store, key).signer("r9")))
    send(store, begin(tmp_path / "here", "r1", state_of(store).signer("r1")))
    there = Releases(tmp_path / "there", lambda env: [state_of(store).archive()])
    assert [(line["id"], line["end"]) for line in there.summaries()] == [("r1", None), ("r9", "DAMAGED")]
    with pytest.raises(JournalDamaged, match="line 1 is not signed"):
        there.records("r9")
    assert not (tmp_path / "there/r9").exists() or not any((tmp_path / "there/r9").iterdir())


def test_a_record_of_another_place_or_order_does_not_fit(store: FakeStore, tmp_path: Path) -> None:
    """A line moved to another release, another environment, another place, or changed with a new checksum."""
    signer = state_of(store).signer("r1")
    path = begin(tmp_path, "r1", signer)
    for other in (Signer(lambda: OURS, f"{PREFIX}r2"), Signer(lambda: OURS, "orders/test/r1")):
        with pytest.raises(JournalDamaged, match="not signed"):
            read(path, other)
    header, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header)
    journal = Journal.resume(path, FakeClock())
    journal.append("started", node="CODE", visit=7, mac=second.split(b'"mac":"')[1][:64].decode())
    journal.close()
    with pytest.raises(JournalDamaged, match="line 2 is not signed"):
        read(path, signer)


def test_a_begun_release_of_another_id_is_damage(store: FakeStore, tmp_path: Path) -> None:
    """A journal under another release's key, and a state of another release, are not taken for it."""
    path = begin(tmp_path / "here", "r1", None)
    store.write(f"{PREFIX}releases/r2/{NAME}", path.read_bytes())
    there = Releases(tmp_path / "there", lambda env: [state_of(store, None).archive()])
    with pytest.raises(JournalDamaged, match="is the journal of 'r1'"):
        there.records("r2")
    assert there.summaries()[0]["end"] == "DAMAGED"
