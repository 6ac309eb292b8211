"""Thirty spellings of a secret in every field of every answer, error and file: none is shown or written."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deployer.cli import app
from deployer.cli.app import render
from deployer.model import Cause, Release, dump
from deployer.records.evidence import EvidenceFolder
from deployer.records.journal import NAME, Journal
from deployer.redaction import Redactor
from tests.deployer.unit.test_redaction import SPOKEN, WORD
from tests.deployer.unit.view.test_foreign_text import ANSWERS
from tests.fakes.clock import FakeClock

NEEDLES = (WORD, WORD.replace("-", ""))


def spoken(value: Any, said: str) -> Any:
    """The same, every text followed by the secret."""
    if isinstance(value, str):
        return f"{value} {said}"
    if isinstance(value, dict):
        return {key: spoken(inner, said) for key, inner in value.items()}
    return type(value)(spoken(inner, said) for inner in value) if isinstance(value, list | tuple) else value


def found_in(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text]


@pytest.mark.parametrize("output", ["human", "json"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_shows_none(kind: str, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a command returns, its table and its JSON, by the one way to the screen."""
    for said in SPOKEN:
        render(kind, spoken(ANSWERS[kind], said), output)
        assert found_in(capsys.readouterr().out) == [], said


def test_files_hold_none(tmp_path: Path) -> None:
    """The journal's states, causes and notes, evidence as data and line by line."""
    state = dump(Release("r1", "prod", 1.0))
    header = {"release": "r1", "env": "prod", "flow": "f"}
    journal = Journal.create(tmp_path / NAME, FakeClock(), None, **header, state=state)
    evidence = EvidenceFolder(tmp_path, Redactor())
    for said in SPOKEN:
        cause = vars(Cause("code", "x", f"m {said}", (said,), f"r {said}"))
        changed = dump(Release("r1", "prod", 1.0, accepted=(said,), cause=Cause("code", "x", said, (said,))))
        journal.append("paused", node="CODE", cause=cause, state=changed)
        evidence.write("probes", [{"what": "w", "detail": said, "remedy": f"r {said}"}])
        with evidence.lines("tests.log") as lines:
            for line in said.splitlines() if "PRIVATE KEY" not in said else (said,):
                lines.line(line)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or found_in(path.read_text()) == [], (path.name, said)
    journal.close()


@pytest.mark.parametrize("output", ["human", "json"])
def test_an_error_shows_none(output: str) -> None:
    """What was typed comes back in the message, without the secret in it."""
    for said in (text for text in SPOKEN if "\x1b" not in text):
        done = CliRunner().invoke(app, ["show", "--output", output, "--", said])
        assert done.exit_code != 0
        assert found_in(done.output) == [], said
