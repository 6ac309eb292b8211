"""Evidence on the disk: what is there is whole."""

import resource
import tracemalloc
from pathlib import Path

import pytest

from deployer.records.evidence import EvidenceFolder
from deployer.redaction import Redactor


def test_a_disk_that_is_full_leaves_what_was_there_whole(tmp_path: Path) -> None:
    """Evidence that cannot be written whole is not written: the earlier one can still be read."""
    evidence = EvidenceFolder(tmp_path, Redactor())
    evidence.write("inputs", {"file": "first"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            evidence.write("inputs", {"file": "x" * 20_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert evidence.read("inputs") == {"file": "first"}
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == ["inputs.json"]


@pytest.mark.parametrize("lines", [0, 1, 399, 400, 401, 9000])
def test_the_last_lines_are_read_from_the_end(tmp_path: Path, lines: int) -> None:
    """However the pieces of the file fall, and without the line that is being written."""
    evidence = EvidenceFolder(tmp_path, Redactor())
    with evidence.lines("task-1.jsonl") as file:
        for number in range(lines):
            file.event(float(number), f"é{number} " + "x" * (number % 100))
    with (tmp_path / "evidence/task-1.jsonl").open("a") as half:
        half.write('{"time": 1, "te')
    found = evidence.log(1, 400)
    assert [text.split()[0] for text in found] == [f"é{n}" for n in range(max(0, lines - 400), lines)]
    assert evidence.log(2, 400) == []


def test_a_long_log_takes_the_memory_of_its_end(tmp_path: Path) -> None:
    """Of 60 MB a megabyte is held, however many lines they are."""
    path = tmp_path / "evidence/task-1.jsonl"
    path.parent.mkdir()
    path.write_bytes(b'{"time": 1.5, "text": "loaded 288 readings"}\n' * 1_300_000)
    tracemalloc.start()
    found = EvidenceFolder(tmp_path, Redactor()).log(1, 400)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 400 and peak < 2_000_000
