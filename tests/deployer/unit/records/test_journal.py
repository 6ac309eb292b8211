"""The journal: what is read back is what was written, or it is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from deployer.errors import Failure, JournalDamaged, RefusedError
from deployer.model import Release, dump
from deployer.records.journal import NAME, Journal, Record, _line, newest_state, read
from deployer.records.releases import Releases
from tests.fakes.clock import FakeClock


def written(folder: Path) -> Path:
    path = folder / "journal.jsonl"
    journal = Journal.create(
        path, FakeClock(), release="r1", env="e", flow="f", state={"name": "Armentières"}
    )
    journal.append("started", node="CODE", visit=1)
    journal.append("finished", node="CODE", answer="", next="RUN_TESTS", state={"n": 1})
    journal.close()
    return path


def test_records_come_back_as_written(tmp_path: Path) -> None:
    """Kind, fields, numbering and text beyond ASCII survive the way to the disk and back."""
    records = read(written(tmp_path))
    assert [record["kind"] for record in records] == ["header", "started", "finished"]
    assert [record["seq"] for record in records] == [0, 1, 2]
    assert records[0]["state"] == {"name": "Armentières"}


def test_a_torn_last_line_is_dropped_and_overwritten(tmp_path: Path) -> None:
    """Wherever the last line was cut, the whole ones before it are kept and the next goes behind them."""
    path = written(tmp_path)
    content = path.read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(content)):
        path.write_bytes(content[:cut])
        journal = Journal.resume(path, FakeClock())
        journal.append("paused", node="CODE")
        journal.close()
        assert [record["kind"] for record in read(path)] == ["header", "started", "paused"]


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """A flipped byte anywhere in a whole line is refused with file and line, never read as data."""
    path = written(tmp_path)
    content = path.read_bytes()
    for place, byte in enumerate(content[:-1]):
        flipped = bytes([byte ^ 0x01])
        if b"\n" in (flipped, content[place : place + 1]):
            continue
        path.write_bytes(content[:place] + flipped + content[place + 1 :])
        with pytest.raises(JournalDamaged, match=r"line [123] is damaged"):
            read(path)


@pytest.mark.parametrize("order", [(0, 2), (0, 1, 1, 2), (1, 2), (0, 2, 1)])
def test_missing_or_repeated_lines_are_noticed(tmp_path: Path, order: tuple[int, ...]) -> None:
    """A line taken out, repeated or moved is refused: the numbering does not add up."""
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(JournalDamaged):
        read(path)


def test_an_empty_journal_is_damaged(tmp_path: Path) -> None:
    """A file without a header tells nothing, and that is said."""
    path = tmp_path / "journal.jsonl"
    path.touch()
    with pytest.raises(JournalDamaged, match="header"):
        read(path)


def test_another_format_is_refused_by_its_number(tmp_path: Path) -> None:
    """A journal of another version is named as such, not as damage."""
    path = tmp_path / "journal.jsonl"
    journal = Journal.create(path, FakeClock(), release="r", env="e", flow="f", state={})
    journal.close()
    path.unlink()
    header = {key: value for key, value in journal.records[0].items() if key not in ("seq", "kind", "time")}
    path.touch()
    other = Journal(path, [], FakeClock())
    other.append("header", **{**header, "version": 0})
    other.close()
    with pytest.raises(JournalDamaged, match="format 0"):
        read(path)


def test_a_release_is_begun_once(tmp_path: Path) -> None:
    """A second header for the same release is refused."""
    path = written(tmp_path)
    with pytest.raises(RefusedError):
        Journal.create(path, FakeClock(), release="r1", env="e", flow="f", state={})


class Crash(BaseException):
    """The end of a process: nothing of it runs after that."""


class ShortLivedJournal(Journal):
    """Its process dies as soon as the first record is written."""

    def append(self, kind: str, **fields: Any) -> Record:
        super().append(kind, **fields)
        self.close()
        raise Crash


def test_a_release_has_begun_with_its_header_or_not_at_all(tmp_path: Path) -> None:
    """A crash while the header is written leaves no journal, and so nothing that hinders the next release."""
    releases = Releases(tmp_path)
    with pytest.raises(Crash):
        ShortLivedJournal.create(tmp_path / "r1" / NAME, FakeClock(), release="r1", env="e")
    assert releases.ids() == []
    with pytest.raises(RefusedError, match="can be resumed"):
        releases.resumable("e")


def test_a_full_disk_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    """A write that the disk refuses ends as `resources`, and what was recorded before stays readable."""
    path = written(tmp_path)
    journal = Journal(Path("/dev/full"), list(read(path)), FakeClock())
    with pytest.raises(Failure) as caught:
        journal.append("started", node="RUN_TASK", visit=1)
    journal.close()
    assert caught.value.failure_class == "resources"
    assert "No space left" in caught.value.message
    assert len(read(path)) == 3


def test_a_state_is_written_once_and_then_what_changed(tmp_path: Path) -> None:
    """Fifty records of a state with 11 kB of output do not repeat it, also after a resume."""
    path = tmp_path / "r1" / NAME
    state: dict[str, Any] = {"id": "r1", "n": 0, "tail": ["x" * 110] * 100, "cause": None}
    journal = Journal.create(path, FakeClock(), release="r1", env="e", flow="f", state=state)
    for number in range(25):
        journal.append("finished", node="CODE", next="CODE", state={**state, "n": number})
    journal.close()
    journal = Journal.resume(path, FakeClock())
    for number in range(25, 50):
        journal.append("finished", node="CODE", next="CODE", state={**state, "n": number})
    journal.close()
    records = read(path)
    assert newest_state(records) == {**state, "n": 49}
    assert newest_state(records[:11]) == {**state, "n": 9}
    assert path.stat().st_size < 20_000


def test_a_journal_that_has_whole_states_can_be_read_and_continued(tmp_path: Path) -> None:
    """As older versions wrote it: every record with the whole state."""
    path = written(tmp_path)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[2]["state"] = {"n": 1}
    lines[2].pop("changes")
    path.write_bytes(b"".join(_line({k: v for k, v in line.items() if k != "crc"}) for line in lines))
    assert newest_state(read(path)) == {"n": 1}
    journal = Journal.resume(path, FakeClock())
    journal.append("noted", node="CODE", state={"n": 2})
    journal.close()
    assert newest_state(read(path)) == {"n": 2}


@pytest.mark.parametrize(
    "record",
    [
        {"seq": 0, "kind": "header", "time": 1},
        {"seq": 0, "kind": "nonsense", "time": 1},
        {"seq": "0", "kind": "header", "time": 1},
        {
            "seq": 0,
            "kind": "header",
            "time": 1,
            "version": 1,
            "release": "r",
            "env": 3,
            "flow": "",
            "state": {},
        },
        {
            "seq": 0,
            "kind": "header",
            "time": 1,
            "version": 1,
            "release": "r",
            "env": "e",
            "flow": "",
            "state": [],
        },
        [],
        "text",
    ],
)
def test_a_right_checksum_makes_no_record(tmp_path: Path, record: Any) -> None:
    """What is whole and yet no record of a release is damage, with file and line, not a defect."""
    folder = tmp_path / "r1"
    folder.mkdir()
    body = json.dumps(record, separators=(",", ":")).encode()
    content = _line(record) if isinstance(record, dict) else body + b"\n"
    (folder / NAME).write_bytes(content)
    with pytest.raises(JournalDamaged, match="line 1 is damaged"):
        read(folder / NAME)


def test_a_damaged_release_hides_no_other(tmp_path: Path) -> None:
    """It is listed as damaged; the newest that can be read is shown, and one line says which is left out."""
    told: list[str] = []
    for name, state in (("a", dump(Release("a", "e", 0.0))), ("b", {"id": 7, "launches": "none"})):
        Journal.create(
            tmp_path / name / NAME, FakeClock(), release=name, env="e", flow="f", state=state
        ).close()
    releases = Releases(tmp_path, tell=told.append)
    assert [(line["id"], line["end"]) for line in releases.summaries("e")] == [("a", None), ("b", "DAMAGED")]
    assert releases.newest("e") == releases.resumable("e") == "a"
    assert [state.id for state, _ in releases.states("e")] == ["a"]
    assert told
    assert all("release b is left out" in line for line in told)


@pytest.mark.parametrize("name", ["../../x", "/etc", "a/b", "", ".", "..", "a\x1b[2J", "r" * 65])
def test_what_is_no_release_id_reads_nothing(tmp_path: Path, name: str) -> None:
    """A path or an escape sequence in the place of an ID is refused before a file is opened."""
    with pytest.raises(RefusedError, match="is not a release ID"):
        Releases(tmp_path / "releases").records(name)


def test_only_the_newest_journals_are_read(tmp_path: Path) -> None:
    """Of three hundred releases the twenty that are listed are parsed, and of one the newest only."""
    read_ones: list[str] = []

    class Counted(Releases):
        def records(self, release: str) -> list[Record]:
            read_ones.append(release)
            return super().records(release)

    for number in range(300):
        name = f"r{number:03}"
        state = dump(Release(name, "e", 0.0))
        Journal.create(
            tmp_path / name / NAME, FakeClock(), release=name, env="e", flow="f", state=state
        ).close()
    releases = Counted(tmp_path)
    assert [line["id"] for line in releases.summaries("e", 20)] == [f"r{n:03}" for n in range(280, 300)]
    assert len(read_ones) == 20
    read_ones.clear()
    assert releases.newest("e") == "r299"
    assert len(read_ones) == 1
