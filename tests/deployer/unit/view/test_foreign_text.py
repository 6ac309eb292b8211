"""No foreign byte drives the terminal: hostile text in every field of every command's answer."""

import io
import json
import unicodedata
from dataclasses import fields, replace
from typing import Any

import pytest
from typer.testing import CliRunner

from deployer.cli import app
from deployer.events import (
    Begun,
    Ended,
    Entered,
    Event,
    Failed,
    Left,
    Logged,
    Noted,
    Paused,
    Progressed,
    Retried,
)
from deployer.flow.release import FLOW
from deployer.view.explain import format_story
from deployer.view.html.release import release_page
from deployer.view.json import JsonView
from deployer.view.log_lines import Style, line
from deployer.view.plain import PlainView
from deployer.view.tables import render
from tests.deployer.unit.view.test_live import Watch
from tests.deployer.unit.view.test_tables import SHOWN

HOSTILE = "a\x1b]0;owned\x07b\x1b[2J\x9b31mc\r\x08d\u202ee\u2028f\u200bg\U000e0041h\x85```[x](http://y)<b>"

STEPS = {"steps": [{"node": "n", "action": "do", "reason": "r"}], "differences": ["a: b -> c", "d"]}
ANSWERS: dict[str, dict[str, Any]] = {
    "show": SHOWN,
    "history": {"releases": [SHOWN | {"documents": {"rows": 3}, "seconds": 1.0}]},
    "runs": {"runs": [{"task": "t", "verdict": "failed", "class": "c", "subcause": "s", "started_by": "b"}]},
    "watch": {"messages": [{"event": "failed", "title": "t", "fix": "f"}], "failing": "s", "undelivered": 1},
    "status": {"env": "e", "lock": {"release": "r", "user": "u", "host": "h", "node": "n"}, "latest": SHOWN},
    "verify": {"env": "e", "release": "r", **SHOWN["verification"], "problem": "p"},
    "plan": {"env": "e", "changes": True, **STEPS},
    "rollback": {"env": "e", "release": "r", "newest": "n", "changes": True, **STEPS},
    "prune": {"local": ["a:1"], "images": ["b:2"], "task_definitions": ["arn:1"], "kept_because": "k"},
    "doctor": {"findings": [{"what": "w", "state": "fail", "detail": "d", "remedy": "r"}]},
    "sandbox": {"up": True, "parts": [{"name": "n", "state": "running", "port": 1, "pid": 2, "hint": "h"}]},
    "diagnosis": {"id": "i", "class": "data", "subcause": "s", "evidence": ["e"], "remedy": "r", "link": "l"},
}
EVENTS: list[Event] = [
    Begun("r", "e", "START"),
    Entered("CODE", 1),
    Noted("CODE", "n"),
    Progressed("CODE", "k", "l", 1, 2, "B"),
    Retried("CODE", "e", 1.0, 1),
    Logged("task", "t"),
    Left("CODE", "", "RUN_TESTS", 1.0, summary="s"),
    Failed("CODE", "code", "s", "m", ("e",), "r"),
    Paused("CODE", "code", "s", "m", ("e",), "r", resume="c", exit_code=10),
    Ended("r", "PAUSED", 10, 1.0, "CODE", {"c": 1}, ("s",), "n", "u"),
]
KEPT = {"node", "next", "end", "event", "answer"}
"""Names of the flow, which no one outside gives."""


def poisoned(value: Any) -> Any:
    """The same with hostile text in the place of every text, names of collections too."""
    if isinstance(value, str):
        return f"{value}{HOSTILE}"
    if isinstance(value, dict):
        return {
            (poisoned(key) if isinstance(inner, int) and key not in vars(Ended) else key): poisoned(inner)
            for key, inner in value.items()
        }
    return type(value)(map(poisoned, value)) if isinstance(value, list | tuple) else value


def poisoned_event(event: Event) -> Event:
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return replace(event, **{name: poisoned(value) for name, value in values.items() if name not in KEPT})


def acting(shown: str) -> set[str]:
    """What is in a text that a terminal would act on, or nobody could see."""
    hidden = {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    return hidden - {"\n"}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("output", ["human", "json"])
def test_an_answer_is_harmless(kind: str, output: str) -> None:
    """What a command returns is printed without a byte that acts, for people and for programs."""
    out = io.StringIO()
    render(kind, poisoned(ANSWERS[kind]), output=output, stream=out, color=False)
    assert "owned" not in out.getvalue() or output == "json"
    assert acting(out.getvalue()) == set()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_an_event_is_harmless(event: Event) -> None:
    """So is each event of a release, in lines and as JSON; the live view writes its own sequences only."""
    out, watch = io.StringIO(), Watch()
    hostile = poisoned_event(event)
    PlainView(FLOW, out, out)(EVENTS[0])
    PlainView(FLOW, out, out)(hostile)
    JsonView(out)(hostile)
    assert acting(out.getvalue()) == set()
    watch.show(EVENTS[0], hostile)
    assert acting("\n".join(watch.terminal.lines)) == set()


@pytest.mark.parametrize("markdown", [False, True], ids=["plain", "markdown"])
def test_the_story_is_harmless(*, markdown: bool) -> None:
    """`explain`, for people and as Markdown: no link, no HTML, no block that ends early."""
    cause = {"class": "c", "subcause": "s", "message": "m", "evidence": ["e"], "remedy": "r"}
    tried = [{"time": 0.0, "node": "CODE", "what": "w", "skipped": False}]
    story = {"id": "i", "env": "e", "end": None, "exit_code": 1, "at": "a", "causes": [cause, cause]}
    story |= {"tried": tried, "ruled_out": ["o"], "last_lines": ["l", "```"]}
    text = "\n".join(format_story(poisoned(story), markdown=markdown))
    assert acting(text) == set()
    if markdown:
        blocks = text.split("````")
        assert len(blocks) % 2 == 1
        outside = "".join(blocks[::2])
        assert "](http" not in outside
        assert "<b>" not in outside


def test_a_log_line_and_the_page_are_harmless() -> None:
    """`logs` and `show --html` as well; the page has none of it as markup."""
    assert acting(line(0.0, HOSTILE, Style())) == set()
    assert acting(line(0.0, json.dumps({"message": HOSTILE, "k": HOSTILE}), Style())) == set()
    html = release_page(poisoned(SHOWN), FLOW, [HOSTILE])
    assert acting(html) == set()
    assert "<b>" not in html


def test_an_error_is_harmless() -> None:
    """What was typed comes back in the message, but does nothing."""
    done = CliRunner().invoke(app, ["show", HOSTILE])
    assert done.exit_code != 0
    assert acting(done.output) == set()
