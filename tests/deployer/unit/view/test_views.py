"""The views for pipes and programs, and which view is taken."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from deployer.events import Entered, Logged, Noted, Progressed, Retried
from deployer.flow.release import FLOW
from deployer.view.factory import Output, open_view
from deployer.view.json import JsonView
from deployer.view.plain import PlainView
from tests.deployer.unit.view.story import RELEASE, Clock, begun, ended, passed, paused, success
from tests.deployer.unit.view.terminal import Terminal


class Closed(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def plain(*events: Any, clock: Clock | None = None) -> tuple[list[str], list[str]]:
    """What the plain view writes to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with PlainView(FLOW, out, err, clock or Clock()) as view:
        for event in events:
            view(event)
    return out.getvalue().splitlines(), err.getvalue().splitlines()


def test_json_is_one_object_a_line() -> None:
    """Every event is a line of JSON, the last one is the end with its exit code."""
    out = io.StringIO()
    with JsonView(out) as view:
        for event in (*success(), paused()):
            view(event)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[0]["event"] == "begun"
    assert lines[-1]["evidence"] == list(paused().evidence)
    last = lines[-2]
    assert next(iter(last)) == "event"
    assert {key: last[key] for key in ("event", "release", "end", "exit_code")} == {
        "event": "ended",
        "release": RELEASE,
        "end": "END_SUCCESS",
        "exit_code": 0,
    }


def test_plain_tells_a_release() -> None:
    """Steps, answers, a skip and the summary are lines; the next command is a hint on stderr."""
    out, err = plain(*success())
    assert out[0] == f"release {RELEASE} to sandbox begins at START"
    assert "RUN_TESTS       Run the local tests ..." in out
    assert "RUN_TESTS       done in 1.0 s: RUN_TESTS was fine" in out
    assert "TEST_LOCAL      yes -> DOCKER_COMPOSE: TEST_LOCAL was fine" in out
    assert "DOCKER_BUILD    skipped: DOCKER_BUILD was fine" in out
    summary = out[out.index("END_SUCCESS after 1 min 01 s, exit code 0") :]
    assert summary[1] == "  documents: measurements 2,320, stations 6"
    assert summary[2] == "  skipped:   DOCKER_BUILD"
    assert summary[3] == "  test       6.0 s"
    assert err == [f"next: deployer show {RELEASE}"]


def test_plain_says_what_the_sandbox_does_not_show() -> None:
    """One line, and none of it where there is nothing to say."""
    out, _ = plain(begun(), replace(ended(), untested="login and network"))
    assert "  untested:  login and network" in out
    assert not any("untested" in line for line in plain(begun(), ended())[0])


def test_plain_has_no_control_characters() -> None:
    """A log full of control sequences arrives as text, prefixed by its source."""
    out, _ = plain(
        Logged("task", "\x1b[31mboom\x1b[0m\x07"),
        Noted("MONITOR", "a\x1b[2Jb"),
        Retried("RUN_TASK", "x", 2, 1),
    )
    assert out == [
        "task            | boom\\x07",
        "MONITOR         ab",
        "RUN_TASK        attempt 1: x; again in 2.0 s",
    ]


def test_plain_says_why_it_paused() -> None:
    """Cause and evidence are results; the mend and the way on are hints."""
    out, err = plain(begun(), paused())
    assert out[1] == "CHECK_CONFIG    PAUSED: aws-config / missing-secret: no such secret"
    assert out[2] == "                > ResourceInitializationError: unable to pull secrets"
    assert err == [f"fix:  {paused().remedy}", f"next: {paused().resume}"]


def test_plain_speaks_of_progress_now_and_then() -> None:
    """A thousand reports of a push become a line for each tenth, pieces summed up."""
    clock = Clock()
    out, err = io.StringIO(), io.StringIO()
    view = PlainView(FLOW, out, err, clock)
    view(Entered("DOCKER_PUSH", 1))
    for step in range(1, 501):
        clock.time = step / 10
        for layer in ("a", "b"):
            view(Progressed("DOCKER_PUSH", layer, "Pushing", step * 1e5, 500e5, "B"))
    lines = out.getvalue().splitlines()[1:]
    assert len(lines) == 10
    assert lines[4] == "DOCKER_PUSH     50 %, 50.0/100.0 MB (2 pieces)"


def test_plain_shows_that_it_waits() -> None:
    """Work of unknown size is spoken of every ten seconds."""
    clock = Clock()
    out = io.StringIO()
    view = PlainView(FLOW, out, io.StringIO(), clock)
    for second in range(1, 31):
        clock.time = float(second)
        view(Progressed("RUN_TASK", "wait", "PROVISIONING", second, None, "s"))
    assert out.getvalue().splitlines() == [f"RUN_TASK        {s} s (PROVISIONING)" for s in (10, 20, 30)]


def test_a_reader_that_goes_away_stops_nothing() -> None:
    """`deployer release | head` ends the output, not the release."""
    for view in (JsonView(Closed()), PlainView(FLOW, Closed(), Closed())):
        for event in success():
            view(event)


def test_a_poor_encoding_loses_nothing() -> None:
    """What the stream's encoding lacks is written as an escape."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    PlainView(FLOW, stream, io.StringIO())(Logged("task", "été"))
    assert raw.getvalue() == b"task            | \\xe9t\\xe9\n"


@pytest.mark.parametrize(
    ("output", "env", "stdout", "name"),
    [
        (None, {"TERM": "xterm"}, Terminal, "LiveView"),
        (None, {"TERM": "xterm"}, io.StringIO, "PlainView"),
        (None, {"TERM": "xterm", "CI": "true"}, Terminal, "PlainView"),
        (None, {"TERM": "xterm", "CI": "false"}, Terminal, "LiveView"),
        (None, {"TERM": "xterm", "NO_COLOR": "1"}, Terminal, "PlainView"),
        (None, {"TERM": "dumb"}, Terminal, "PlainView"),
        (None, {}, Terminal, "PlainView"),
        ("live", {"TERM": "xterm", "CI": "1", "NO_COLOR": "1"}, Terminal, "LiveView"),
        ("live", {"TERM": "xterm"}, io.StringIO, "PlainView"),
        ("plain", {"TERM": "xterm"}, Terminal, "PlainView"),
        ("json", {"TERM": "xterm"}, Terminal, "JsonView"),
    ],
)
def test_which_view_is_taken(
    output: Output | None, env: dict[str, str], stdout: type[io.StringIO], name: str
) -> None:
    """Live on a terminal unless something speaks against it; never where there is no terminal."""
    assert type(open_view(output, stdout=stdout(), stderr=io.StringIO(), env=env)).__name__ == name


def test_choosing_loads_no_rich() -> None:
    """Only an opened live view pays for terminal rendering."""
    program = (
        "import io, sys; from deployer.view.factory import open_view;"
        "open_view('json', stdout=io.StringIO(), stderr=io.StringIO(), env={});"
        "open_view('plain', stdout=io.StringIO(), stderr=io.StringIO(), env={});"
        "sys.exit(any(name.split('.')[0] == 'rich' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_loop_is_told_with_its_visit() -> None:
    """The second visit of a step says that it is the second."""
    out, _ = plain(begun(), *passed("CODE"), *passed("CODE", visit=2), ended())
    assert "CODE            Code to release (visit 2) ..." in out
