"""What a release leaves in GitHub Actions."""

import io
from pathlib import Path

from deployer.events import Event
from deployer.view.github import with_github
from tests.deployer.unit.view.story import RELEASE, ended, paused, success


def shown(folder: Path, *events: Event) -> tuple[str, str, str]:
    """The summary, the outputs and what went to stderr."""
    stderr, seen = io.StringIO(), list[Event]()
    files = {"GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_OUTPUT": str(folder / "output")}
    emit = with_github(seen.append, files, stderr)
    for event in events:
        emit(event)
    assert seen == list(events)
    return (folder / "summary").read_text(), (folder / "output").read_text(), stderr.getvalue()


def test_a_pause_is_a_summary_and_one_annotation(tmp_path: Path) -> None:
    """Cause, fix and the command to go on; foreign text is no markup, and no second workflow command."""
    summary, outputs, stderr = shown(tmp_path, paused(), ended("PAUSED", 13, "CHECK_CONFIG"))
    assert "❌ Release" in summary
    assert "missing\\-secret" in summary
    assert "second [red]line[/red]" in summary
    assert outputs == f"release={RELEASE}\nend=PAUSED\nexit_code=13\n"
    (line,) = stderr.splitlines()
    assert line.startswith(
        "::error title=deployer%3A aws-config / missing-secret::no such secret Fix: aws iam"
    )


def test_a_success_has_no_annotation(tmp_path: Path) -> None:
    """The summary has the documents."""
    summary, _, stderr = shown(tmp_path, *success())
    assert "✅" in summary
    assert "measurements 2,320" in summary
    assert stderr == ""


def test_outside_of_github_nothing_is_added() -> None:
    """The listener itself is taken."""
    seen: list[Event] = []
    assert with_github(seen.append, {}, io.StringIO()) == seen.append


def test_a_summary_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """The release goes on to its end."""
    seen: list[Event] = []
    emit = with_github(seen.append, {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "such")}, io.StringIO())
    emit(ended())
    assert len(seen) == 1
