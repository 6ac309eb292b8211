"""The index of the shared state: what a runner with an empty folder reads does not grow with the releases."""

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from deployer.errors import TransientFailure
from deployer.model import Release, Verification, dump
from deployer.records.index import WHOLE, Index, Line
from deployer.records.journal import NAME
from deployer.records.releases import Releases, line_of
from deployer.records.remote import Archive
from deployer.records.upload import Mirror
from tests.fakes.clock import FakeClock
from tests.fakes.history import PREFIX, CountedStore, LightJournal, filled, made, release_id
from tests.fakes.store import FakeStore

KEY = "job/test/index.json"


def runner(store: FakeStore, folder: Path) -> Releases:
    archive = Archive(store, PREFIX)
    return Releases(folder, lambda env: [archive])


READERS: dict[str, Callable[[Releases], object]] = {
    "status": lambda releases: (releases.summaries("test", 20), next(releases.readable("test"))),
    "history": lambda releases: releases.summaries("test", 20),
    "verify": lambda releases: next(releases.readable("test", end="END_SUCCESS")),
    "plan": lambda releases: list(islice(releases.states("test", "END_SUCCESS"), 1)),
}


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("before", ["indexed", "healed"])
def test_what_is_read_does_not_grow_with_the_releases(tmp_path: Path, command: str, before: str) -> None:
    """An empty folder beside 30 and 500 releases: the calls are as many, and but for the names the bytes."""
    seen = {}
    for count in (30, 500):
        store = CountedStore()
        filled(store, tmp_path / f"made-{count}", count, index=before == "indexed")
        store.calls = store.received = 0
        READERS[command](runner(store, tmp_path / f"empty-{count}"))
        seen[count] = store.calls, store.received
    assert seen[500][0] == seen[30][0] <= 23
    assert seen[500][1] - seen[30][1] < 470 * 150
    assert seen[500][1] < 700_000


def test_history_of_indexed_releases_reads_no_journal(tmp_path: Path) -> None:
    """Two calls: the index, and the question whether there is anything newer. The lines are the journals'."""
    store = CountedStore()
    filled(store, tmp_path / "made", 24, index=True)
    store.calls = 0
    lines = runner(store, tmp_path / "empty").summaries("test", 20)
    assert store.calls == 2
    assert lines == Releases(tmp_path / "made").summaries("test", 20)
    assert {line["end"] for line in lines} == {"END_SUCCESS", "END_FAILED"}


def test_a_release_is_entered_before_its_journal_and_closed_after_it(tmp_path: Path) -> None:
    """Under way there is no line; at its end there is the journal's own; resumed it is open again."""
    store, path = FakeStore(), made(tmp_path, 1, end=None)
    mirror = Mirror(store, PREFIX, path.parent)
    mirror.catch_up()
    assert Index(store, PREFIX).read() == {release_id(1): None}
    again = LightJournal.resume(path, FakeClock())
    again.append("paused", node="PIPELINE_OK", cause={"failure_class": "data"})
    mirror.catch_up()
    line = Index(store, PREFIX).read()[release_id(1)]
    assert line and (line.end, line.exit_code) == ("PAUSED", 17)
    again.append("started", node="CODE")
    mirror.catch_up()
    assert Index(store, PREFIX).read() == {release_id(1): None}
    proven = Release(release_id(1), "test", 0.0, verification=Verification(True, (), {"readings": 7}))
    again.append("ended", end="END_SUCCESS", exit_code=0, state=dump(proven))
    again.close()
    mirror.catch_up()
    assert Index(store, PREFIX).read() == {release_id(1): line_of(path)}
    assert line_of(path) == Line("END_SUCCESS", 0, FakeClock().now(), 0.0, {"readings": 7})
    assert store.written.index(KEY) < store.written.index(f"{PREFIX}releases/{release_id(1)}/{NAME}")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"version": 2, "releases": {}}', b'{"version": 1, "releases": {"a": 3}}', b"\xff"],
)
def test_an_index_of_another_shape_is_made_anew(tmp_path: Path, content: bytes) -> None:
    """Damaged, or of another version: the folders are listed, and the next reader finds it whole."""
    store = FakeStore()
    filled(store, tmp_path, 3, index=False)
    store.write(KEY, content)
    assert sorted(Index(store, PREFIX).read()) == [release_id(number) for number in range(3)]
    assert len(json.loads(store.objects[KEY][0])["releases"]) == 3


def test_releases_of_a_version_without_an_index_are_found(tmp_path: Path) -> None:
    """A journal that was sent later than the newest entry is listed, and entered."""
    store = FakeStore()
    filled(store, tmp_path, 3, index=True)
    late = made(tmp_path, 11)
    store.write(f"{PREFIX}releases/{late.parent.name}/{NAME}", late.read_bytes())
    assert runner(store, tmp_path / "empty").newest("test") == release_id(11)
    assert release_id(11) in json.loads(store.objects[KEY][0])["releases"]


def test_two_writers_of_the_index_lose_nothing(tmp_path: Path) -> None:
    """Between the reading and the writing of one, another adds a release: both are in."""
    store = FakeStore()
    filled(store, tmp_path, 2, index=True)
    inner = store.replace

    def raced(key: str, content: bytes, version: str) -> str | None:
        store.replace = inner  # type: ignore[method-assign]
        Index(store, PREFIX).note("20280101-000000-other", None)
        return inner(key, content, version)

    store.replace = raced  # type: ignore[method-assign]
    Index(store, PREFIX).note("20280102-000000-mine", None)
    assert {"20280101-000000-other", "20280102-000000-mine"} <= Index(store, PREFIX).read().keys()


def test_who_may_only_read_sees_all(tmp_path: Path) -> None:
    """Without an index and without the right to write one, the releases are listed each time."""
    store = FakeStore()
    filled(store, tmp_path, 3, index=False)
    store.faults.fail_next("create", TransientFailure("network", "AccessDenied"))
    assert len(runner(store, tmp_path / "empty").ids("test")) == 3
    assert KEY not in store.objects


def test_a_line_without_its_journal_stops_nothing(tmp_path: Path) -> None:
    """A lifecycle rule has removed a journal: history lists the release still, the others are read."""
    store = FakeStore()
    filled(store, tmp_path / "made", 3, index=True)
    del store.objects[f"{PREFIX}releases/{release_id(2)}/{NAME}"]
    releases = runner(store, tmp_path / "empty")
    assert [line["id"] for line in releases.summaries("test")] == [release_id(number) for number in range(3)]
    assert releases.newest("test") == release_id(1)


def test_old_lines_are_kept_short(tmp_path: Path) -> None:
    """Of releases before the newest hundred only the end is kept: the index stays small."""
    store = FakeStore()
    index = Index(store, PREFIX)
    for number in range(WHOLE + 2):
        index.note(f"2027-{number:04}", Line("END_SUCCESS", 0, 1.0, 2.0, {"readings": 5}))
    found = index.read()
    assert found["2027-0001"] == Line("END_SUCCESS")
    assert found["2027-0002"] == Line("END_SUCCESS", 0, 1.0, 2.0, {"readings": 5})
