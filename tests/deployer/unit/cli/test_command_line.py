"""What the command line shows of itself, and what it hands on."""

import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployer.cli import app
from deployer.events import Logged, Noted
from deployer.model import Release
from deployer.view.json import JsonView
from tests.fakes.release import Releasing
from tests.fakes.world import World


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "100", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    return done.output


def test_release_stands_first_among_groups() -> None:
    """The help begins with what the program is for, and has its commands in four groups."""
    help_text = said("--help")
    order = [help_text.index(f"─ {group} ─") for group in ("Release", "Look", "Data", "Set up")]
    assert order == sorted(order)
    commands = [line.split()[1] for line in help_text[order[0] :].splitlines() if line.startswith("│ ")]
    assert commands[:3] == ["release", "resume", "plan"]


@pytest.mark.parametrize("command", [(), ("release",), ("sandbox", "down"), ("secret",)], ids=" ".join)
def test_a_flag_has_no_value(command: Sequence[str]) -> None:
    """Options that take no value are not shown as if they took one."""
    help_text = said(*command, "--help")
    assert "--help" in help_text
    assert "<bool>" not in help_text


def every_command() -> list[tuple[tuple[str, ...], str]]:
    """Each command's words, and the text that its help is made from."""
    found = [((), app.info.help or "")]
    for group, name in [(app, ()), *((g.typer_instance, (g.name or "",)) for g in app.registered_groups)]:
        for command in group.registered_commands:
            assert command.callback
            word = command.name or command.callback.__name__.replace("_", "-")
            found.append(((*name, word), command.callback.__doc__ or ""))
    return found


@pytest.mark.parametrize(("command", "text"), every_command(), ids=lambda value: "")
def test_no_word_of_a_help_text_is_lost(command: Sequence[str], text: str) -> None:
    """A table's name such as [notify] is no markup."""
    shown = said(*command, "--help")
    assert text
    assert [word for word in text.split() if word not in shown] == []


def test_it_says_its_version() -> None:
    """One line: the program and its version."""
    name, version = said("--version").split()
    assert (name, version[0].isdigit()) == ("deployer", True)


def test_every_json_event_has_a_time() -> None:
    """A line's own time where it has one, else when it was shown."""
    out = StringIO()
    view = JsonView(out, now=lambda: 12.5)
    for event in (Noted("RUN_TASK", "waiting"), Logged("task", "a line", 3.0), Logged("build", "a step")):
        view(event)
    assert [json.loads(line)["time"] for line in out.getvalue().splitlines()] == [12.5, 3.0, 12.5]


def test_a_local_check_can_be_left_out(tmp_path: Path) -> None:
    """`--skip compose`: the tests run, compose does not, and the release has it among what it skipped."""
    world = World()
    world.tasks.script.append(world.loads(3))
    asked = replace(Release("r1", "test", world.clock.now()), skip=("compose",))
    releasing = Releasing(world, tmp_path, state=asked)
    assert releasing.go().end == "END_SUCCESS"
    assert "DOCKER_COMPOSE" in releasing.state().skipped
    assert "RUN_TESTS" not in releasing.state().skipped
