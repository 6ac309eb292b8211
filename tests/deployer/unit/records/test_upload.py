"""A release's records in the shared state: whole, in order, never set back."""

from pathlib import Path

import pytest

from deployer.errors import JournalDamaged, RefusedError, TransientFailure
from deployer.records.journal import NAME, Journal, read
from deployer.records.remote import ELSEWHERE, Archive
from deployer.records.upload import GROWTH, LARGEST, UNSENT, Mirror, unsent
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

PREFIX = "job/test/"
PLACE = "job/test/releases/r1/"
RESET = TransientFailure("network", "connection reset")


class Machine:
    """One folder with a release in it, and what it sends to or takes from the store."""

    def __init__(self, store: FakeStore, root: Path) -> None:
        self.store, self.folder = store, root / "r1"
        self.mirror = Mirror(store, PREFIX, self.folder)

    def begin(self) -> None:
        begun(self.folder)

    def record(self, kind: str) -> None:
        journal = Journal.resume(self.folder / NAME, FakeClock())
        journal.append(kind, node="CODE", next="RUN_TESTS", end="END_FAILED", exit_code=19)
        journal.close()

    def keep(self, name: str, content: bytes) -> Path:
        path = self.folder / "evidence" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def fetch(self) -> None:
        Archive(self.store, PREFIX).fetch("r1", self.folder)

    def kinds(self) -> list[str]:
        return [str(record["kind"]) for record in read(self.folder / NAME)]


def begun(folder: Path) -> None:
    journal = Journal.create(
        folder / NAME, FakeClock(), release=folder.name, env="test", flow="f", state={"id": folder.name}
    )
    journal.close()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def here(store: FakeStore, tmp_path: Path) -> Machine:
    return Machine(store, tmp_path / "here")


@pytest.fixture
def there(store: FakeStore, tmp_path: Path) -> Machine:
    return Machine(store, tmp_path / "there")


def test_another_machine_gets_what_was_kept(here: Machine, there: Machine) -> None:
    """Journal and evidence arrive byte for byte in a folder that had nothing."""
    here.begin()
    here.keep("task-1.jsonl", b"\x00lines\n")
    here.record("started")
    here.mirror.catch_up()
    there.fetch()
    assert there.kinds() == ["header", "started"]
    assert (there.folder / "evidence/task-1.jsonl").read_bytes() == b"\x00lines\n"


def test_evidence_goes_before_the_record_that_speaks_of_it(here: Machine, store: FakeStore) -> None:
    """At no moment does the store hold a record whose evidence it has not, or a journal that no index has."""
    here.begin()
    here.keep("build.log", b"built")
    here.mirror.catch_up()
    assert store.written == [f"{PLACE}evidence/build.log", "job/test/index.json", f"{PLACE}{NAME}"]


def test_nothing_new_sends_nothing(here: Machine, store: FakeStore) -> None:
    """An idle release costs no call at all."""
    here.begin()
    here.mirror.catch_up()
    store.away = True
    here.mirror.catch_up()


def test_a_record_being_written_is_not_sent(here: Machine, there: Machine) -> None:
    """Half a line stays here until it is whole."""
    here.begin()
    with (here.folder / NAME).open("ab") as file:
        file.write(b'{"seq":1,"ki')
    here.mirror.catch_up()
    there.fetch()
    assert there.kinds() == ["header"]


def test_a_store_that_is_away_loses_nothing(here: Machine, there: Machine, store: FakeStore) -> None:
    """What grew while the store was away is all there once it is back."""
    here.begin()
    here.mirror.catch_up()
    store.away = True
    here.record("started")
    here.keep("tests.log", b"12 passed")
    with pytest.raises(TransientFailure):
        here.mirror.catch_up()
    here.record("finished")
    store.away = False
    here.mirror.catch_up()
    there.fetch()
    assert there.kinds() == ["header", "started", "finished"]
    assert (there.folder / "evidence/tests.log").read_bytes() == b"12 passed"


@pytest.mark.parametrize("method", ["create", "replace"])
def test_a_lost_answer_is_found_again(here: Machine, there: Machine, store: FakeStore, method: str) -> None:
    """A journal that was written and not answered for is no other machine's."""
    here.begin()
    if method == "replace":
        here.mirror.catch_up()
        here.record("started")
    store.faults.lose_next_answer(method, RESET)
    with pytest.raises(TransientFailure):
        here.mirror.catch_up()
    here.record("paused")
    here.mirror.catch_up()
    there.fetch()
    assert there.kinds()[-1] == "paused"


def test_a_long_log_is_sent_in_growing_pieces(here: Machine, store: FakeStore) -> None:
    """A log that grows for hours without a record is sent again only after it has grown by half."""
    here.begin()
    for size in range(1000, 100_000, 500):
        here.keep("task-1.jsonl", b"x" * size)
        here.mirror.catch_up()
    writes = store.written.count(f"{PLACE}evidence/task-1.jsonl")
    assert GROWTH**writes < 100 * GROWTH**2
    here.mirror.catch_up(last=True)
    assert len(store.objects[f"{PLACE}evidence/task-1.jsonl"][0]) == 99_500


def test_a_file_too_large_is_named(here: Machine, store: FakeStore) -> None:
    """What stays only here is said at the end; the rest is sent."""
    here.begin()
    with here.keep("huge.log", b"").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert here.mirror.finish() == "too large to upload to s3://state: evidence/huge.log"
    assert f"{PLACE}{NAME}" in store.objects


def test_a_machine_without_the_lock_sends_nothing(here: Machine, store: FakeStore) -> None:
    """Once the lock is lost neither evidence nor records go out: another may be writing there."""

    def lost() -> None:
        raise RefusedError("the lock is lost")

    here.begin()
    mirror = Mirror(store, PREFIX, here.folder, lost)
    assert "the lock is lost" in mirror.finish()
    assert store.objects == {}


def test_an_older_machine_does_not_set_it_back(here: Machine, there: Machine, store: FakeStore) -> None:
    """After another machine went on, the first one's other continuation is refused, and theirs stays."""
    here.begin()
    here.mirror.catch_up()
    there.fetch()
    there.record("started")
    there.mirror.catch_up()
    here.record("paused")
    assert "continued in another place" in here.mirror.finish()
    assert b'"started"' in store.objects[f"{PLACE}{NAME}"][0]


def test_a_machine_that_was_followed_has_nothing_left_to_send(here: Machine, there: Machine) -> None:
    """Where the store begins with all that is here and goes further, nothing is missing there."""
    here.begin()
    here.mirror.catch_up()
    there.fetch()
    there.record("started")
    there.mirror.catch_up()
    assert Mirror(here.store, PREFIX, here.folder).finish() == ""
    assert there.kinds() == ["header", "started"]


def test_the_first_machine_gets_the_continuation(here: Machine, there: Machine) -> None:
    """Back on the first machine the longer journal replaces its own beginning, with newer evidence."""
    here.begin()
    here.keep("task-1.jsonl", b"half")
    here.mirror.catch_up()
    there.fetch()
    there.record("ended")
    there.keep("task-1.jsonl", b"half and the rest")
    there.mirror.catch_up()
    here.fetch()
    assert here.kinds() == ["header", "ended"]
    assert (here.folder / "evidence/task-1.jsonl").read_bytes() == b"half and the rest"


def test_what_runs_here_is_not_set_back(here: Machine) -> None:
    """A release under way that is ahead of the store keeps its own journal and evidence."""
    here.begin()
    here.keep("task-1.jsonl", b"longer")
    here.mirror.catch_up()
    here.keep("task-1.jsonl", b"new")
    here.record("started")
    here.fetch()
    assert here.kinds() == ["header", "started"]
    assert (here.folder / "evidence/task-1.jsonl").read_bytes() == b"new"


def test_two_continuations_are_an_error_that_names_both(here: Machine, there: Machine) -> None:
    """Where neither journal begins with the other nothing is replaced, and both places are named."""
    here.begin()
    here.mirror.catch_up()
    there.fetch()
    for machine, kind in ((here, "paused"), (there, "started")):
        machine.record(kind)
    here.mirror.catch_up()
    with pytest.raises(JournalDamaged, match="continued in two places") as caught:
        there.fetch()
    assert str(there.folder / NAME) in caught.value.message
    assert f"s3://state/{PLACE}{NAME}" in caught.value.message
    assert there.kinds() == ["header", "started"]


def test_a_damaged_copy_is_not_brought_here(here: Machine, there: Machine, store: FakeStore) -> None:
    """A flipped byte in the store is refused by its address; nothing is left in the folder."""
    here.begin()
    here.mirror.catch_up()
    content, version, written = store.objects[f"{PLACE}{NAME}"]
    store.objects[f"{PLACE}{NAME}"] = (content.replace(b"header", b"hEader"), version, written)
    with pytest.raises(JournalDamaged, match=f"s3://state/{PLACE}{NAME}: line 1 is damaged"):
        there.fetch()
    assert list(there.folder.iterdir()) == []


def test_no_key_leads_out_of_the_folder(here: Machine, there: Machine, store: FakeStore) -> None:
    """A key with dots in it writes nothing anywhere."""
    here.begin()
    here.mirror.catch_up()
    store.write(f"{PLACE}../../escaped", b"x")
    store.write(f"job/test/releases/../{NAME}", b"x")
    store.write(f"job/test/releases/a b/{NAME}", b"x")
    store.write(f"{PLACE}{UNSENT}", b"x")
    assert list(Archive(store, PREFIX).entries()) == ["r1"]
    there.fetch()
    assert [path.name for path in there.folder.parent.rglob("*") if path.is_file()] == [ELSEWHERE, NAME]


def test_what_could_not_be_sent_goes_with_the_next_release(here: Machine, store: FakeStore) -> None:
    """An end without the store is said, remembered in the folder, and made good from there."""
    here.begin()
    store.away = True
    assert "this release is not completely in s3://state yet: the store is away" in here.mirror.finish()
    (left,) = unsent(here.folder.parent, PREFIX)
    assert unsent(here.folder.parent, "job/other/") == []
    store.away = False
    assert Mirror(store, PREFIX, left).finish() == ""
    assert f"{PLACE}{NAME}" in store.objects
    assert not (here.folder / UNSENT).exists()


def test_a_passing_fault_at_the_end_is_tried_again(here: Machine, store: FakeStore) -> None:
    """The last look is taken more than once before anything is said to be missing."""
    here.begin()
    for method in ("read", "create", "create"):
        store.faults.fail_next(method, RESET)
    assert here.mirror.finish() == ""


def test_the_thread_sends_while_the_release_goes_on(here: Machine, store: FakeStore) -> None:
    """Started beside a release, the mirror ends with everything sent, whenever it is stopped."""
    here.begin()
    here.mirror.start()
    here.keep("build.log", b"built")
    assert here.mirror.finish() == ""
    assert {f"{PLACE}{NAME}", f"{PLACE}evidence/build.log"} <= store.objects.keys()
