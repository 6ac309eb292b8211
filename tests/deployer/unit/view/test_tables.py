"""What commands return, as text and as JSON."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deployer.view.tables import render

SHOWN = {
    "id": "r1",
    "env": "sandbox",
    "end": "END_FAILED",
    "exit_code": 16,
    "started_at": 0.0,
    "path": ["START", "CODE"],
    "source": {"commit": "4f2a9c1aa00b11", "branch": "main", "dirty": True, "content_hash": "c0ffee12ab34ff"},
    "image": {"registry": "localhost:1", "repository": "etl", "tag": "t", "digest": "sha256:7a"},
    "tasks": [{"arn": "arn:task/1", "attempt": 1, "exit_code": 4, "stop_code": "X", "stopped_reason": "why"}],
    "timings": [{"node": "CODE", "seconds": 0.01}, {"node": "RUN_TESTS", "seconds": 12.0}],
    "verification": {
        "ok": False,
        "checks": [
            {
                "name": "all there",
                "ok": False,
                "expected": "4,950",
                "found": "4,949",
                "offending": ["a@1"],
                "seconds": 0.2,
            }
        ],
        "counts": {"measurements": 4949},
    },
    "diagnosis": {
        "failure_class": "mongodb",
        "subcause": "authentication",
        "message": "no",
        "evidence": ["\x1b[31mline [bold]one", "line two"],
        "remedy": "deployer secret set MONGO_URI",
    },
}


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def text(kind: str, data: dict[str, Any]) -> str:
    stream = io.StringIO()
    render(kind, data, output="human", stream=stream, color=False)
    return stream.getvalue()


def test_json_is_the_data_on_one_line() -> None:
    """Programs get what the command returned, unchanged."""
    stream = io.StringIO()
    render("show", SHOWN, output="json", stream=stream, color=False)
    assert json.loads(stream.getvalue()) == SHOWN
    assert stream.getvalue().count("\n") == 1


def test_show() -> None:
    """A release's end, source, image, tasks, checks and cause are all there, harmless and without color."""
    shown = text("show", SHOWN)
    for part in (
        "4f2a9c1aa00b on main, with changes, content c0ffee12ab34",
        "localhost:1/etl:t@sha256:7a",
        "1970-01-01 00:00:00 UTC",
        "mongodb / authentication",
        "line [bold]one",
        "measurements 4,949",
        "a@1",
        "RUN_TESTS  12 s",
    ):
        assert part in shown
    assert "\x1b" not in shown
    assert "CODE  0.0 s" not in shown


def test_history() -> None:
    """Releases are lines, their documents a sparkline; one that was not counted is a dot in it."""
    rows = [
        {"id": "r1", "end": "END_SUCCESS", "documents": {"a": 100, "b": 50}, "seconds": 3},
        {"id": "r2", "end": None, "documents": {}},
        {"id": "r3", "end": "DAMAGED", "documents": 200},
    ]
    shown = text("history", {"releases": rows})
    assert "r2" in shown
    assert "under way" in shown
    assert shown.splitlines()[-1] == "documents  ▅·█"
    assert text("history", {"releases": []}) == "no releases found\n"


def test_status() -> None:
    """Who holds the environment, what is under way, and the newest release."""
    lock = {"release": "r1", "user": "ana", "host": "laptop", "since": 0}
    shown = text("status", {"env": "sandbox", "lock": lock, "running": ["r1"], "latest": SHOWN})
    assert "r1 by ana@laptop" in shown
    assert "END_FAILED" in shown
    assert "free" in text("status", {"env": "sandbox", "lock": None})


def test_doctor_ends_with_what_mends() -> None:
    """Findings first, then one mending command for each that is wrong."""
    findings = [
        {"what": "cluster", "state": "ok", "detail": "ACTIVE", "remedy": ""},
        {"what": "secret", "state": "wrong", "detail": "missing", "remedy": "deployer secret set X"},
        {"what": "quota", "state": "unknown", "detail": "AccessDenied", "remedy": ""},
    ]
    lines = text("doctor", {"findings": findings}).splitlines()
    assert lines[3] == "unknown  quota    AccessDenied"
    assert lines[-1] == "secret  deployer secret set X"


@pytest.mark.parametrize(
    "kind", ["show", "history", "status", "verify", "plan", "doctor", "sandbox", "diagnosis"]
)
def test_missing_keys_are_left_out(kind: str) -> None:
    """Nothing is required of the data and nothing is made up."""
    assert "None" not in text(kind, {})


def test_color_is_for_terminals() -> None:
    """With color a state has its own, and the text fits the terminal."""
    stream = Screen()
    render("verify", {"ok": True, "env": "e"}, output="human", stream=stream, color=True)
    assert "\x1b[32mok" in stream.getvalue()


def test_an_unknown_kind() -> None:
    """A kind that nobody draws is a mistake of the caller."""
    with pytest.raises(KeyError):
        text("nonsense", {})


@contextmanager
def columns(width: int) -> Iterator[None]:
    """The terminal's width, as the standard library finds it."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


class Narrow(io.StringIO):
    """A terminal; its width comes from COLUMNS."""

    def isatty(self) -> bool:
        return True


ARN = "arn:aws:ecs:eu-west-3:123456789012:task/production/0123456789abcdef0123456789abcdef"
DIGEST = "sha256:" + "7a" * 32


@pytest.mark.parametrize("width", [40, 80, 120])
def test_what_is_to_be_copied_is_never_broken(width: int) -> None:
    """An ARN, a digest, a command: each is whole within one line, however narrow the terminal is."""
    command = f"aws ecs describe-tasks --tasks {ARN}"
    shown = SHOWN | {
        "image": {"repository": "etl", "digest": DIGEST},
        "tasks": [{"arn": ARN, "attempt": 1, "stopped_reason": "Essential container in task exited"}],
        "diagnosis": {"failure_class": "data", "remedy": command},
    }
    difference = f"containerDefinitions[0].image: etl@{DIGEST} -> etl@{DIGEST}"
    plan = {"steps": [{"node": "REGISTER_TASK", "action": "skip", "reason": f"{ARN} is the same"}]}
    out = Narrow()
    with columns(width):
        render("show", shown, output="human", stream=out, color=False)
        render("plan", plan | {"differences": [difference]}, output="human", stream=out, color=False)
    lines = out.getvalue().splitlines()
    assert sum(ARN in line for line in lines) == 3
    assert sum(DIGEST in line for line in lines) == 3
    assert any(line.strip() == command or line.endswith(command) for line in lines)


def test_a_row_wraps_between_words() -> None:
    """Text that is longer than its column goes on under itself; dates and durations stay whole."""
    row = {"id": "20260714-093112-4f2a", "env": "production", "end": "END_SUCCESS", "exit_code": 0}
    out = Narrow()
    with columns(80):
        data = {"releases": [row | {"started_at": 0.0, "seconds": 123.0, "documents": {"rows": 4950}}]}
        render("history", data, output="human", stream=out, color=False)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "1970-01-01" in lines[2]
    assert "2 min 03 s" in lines[2]
    assert "00:00:00" in lines[3]
