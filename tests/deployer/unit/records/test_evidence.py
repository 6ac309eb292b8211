"""Evidence on the disk: what is there is whole."""

import resource
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
