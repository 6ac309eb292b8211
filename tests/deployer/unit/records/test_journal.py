"""The journal: what is read back is what was written, or it is refused."""

from pathlib import Path
from typing import Any

import pytest

from deployer.errors import Failure, JournalDamaged, RefusedError
from deployer.records.journal import NAME, Journal, Record, read
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
