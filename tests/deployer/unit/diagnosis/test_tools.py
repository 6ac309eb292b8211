"""The page generated from the signatures, and the measure of how often they are right."""

import json
from pathlib import Path

import pytest

from deployer.diagnosis.signatures import signatures
from deployer.errors import EXIT_CODES
from scripts import evaluate
from scripts.handbook import page

HANDBOOK = Path(__file__).parents[4] / "docs" / "how-to" / "when-it-fails.md"


def test_the_handbook_is_current() -> None:
    """The committed page is what the signatures say now."""
    assert HANDBOOK.read_text(encoding="utf-8") == page()


def test_the_handbook_has_every_cause() -> None:
    """Each class has a section and each cause its line in it; all of it is read in ten minutes."""
    text = page()

    assert all(f"\n## {name}\n" in text for name in EXIT_CODES)
    assert all(f"| {signature.subcause}" in text for signature in signatures())
    assert len(text.split()) < 3_500


def test_accuracy_is_told_by_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each wrong answer is named, each class has its share, and too few right answers fail."""
    lines = [
        {"id": "good", "class": "resources", "channel": "task_log", "text": "MemoryError"},
        {"id": "also", "class": "code", "also": ["resources"], "channel": "task_log", "text": "MemoryError"},
        {"id": "bad", "class": "code", "channel": "task_log", "text": "MemoryError"},
    ]
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    assert evaluate.main([str(labelled)]) == 1
    told = capsys.readouterr().out
    assert told.index("as excerpts") < told.index("in a healthy log")
    assert "bad: expected code, got resources/out-of-memory" in told
    assert "50.0%" in told


@pytest.mark.parametrize("content", [None, "{", '{"channel": "task_log", "text": ""}'])
def test_an_unreadable_file_is_refused(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file, one that is not JSON lines and one without labels each get one message."""
    labelled = tmp_path / "labelled.jsonl"
    if content is not None:
        labelled.write_text(content, encoding="utf-8")

    assert evaluate.main([str(labelled)]) == 2
    assert str(labelled) in capsys.readouterr().err
