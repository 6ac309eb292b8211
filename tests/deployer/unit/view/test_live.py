"""The live view, seen on a terminal in memory."""

import pytest
from rich.console import Console

from deployer.events import Entered, Event, Logged, Noted, Progressed, Retried
from deployer.flow.release import FLOW
from deployer.view.live.display import LiveView
from tests.deployer.unit.view.story import RELEASE, Clock, begun, ended, passed, paused, success
from tests.deployer.unit.view.terminal import Terminal

SIZES = [(80, 24), (120, 40), (200, 60), (60, 10), (30, 6)]


class Watch:
    """A live view on a terminal in memory; each event is drawn."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.terminal = Terminal(width, height)
        self.console = Console(
            file=self.terminal,
            width=width,
            height=height,
            force_terminal=True,
            highlight=False,
            markup=False,
            _environ={"TERM": "xterm"},
        )
        self.view = LiveView(FLOW, self.console, animated=False, now=Clock())

    def show(self, *events: Event) -> list[str]:
        for event in events:
            self.view(event)
        return self.terminal.screen


def building() -> list[Event]:
    """A release in the middle of its build, after a loop."""
    return [
        begun(),
        *passed("CODE"),
        *passed("RUN_TESTS"),
        *passed("TEST_LOCAL", "no"),
        *passed("CODE", visit=2),
        *passed("RUN_TESTS", visit=2),
        *passed("TEST_LOCAL", "yes", visit=2),
        *passed("DOCKER_COMPOSE"),
        *passed("LOCAL_OK", "yes"),
        *passed("BUILD_PHASE"),
        Entered("DOCKER_BUILD", 1),
        Progressed("DOCKER_BUILD", "build", "RUN pip install", 3, 12, "step"),
    ]


def test_phases_and_nodes_light_up() -> None:
    """At 80x24 the current phase is open with its bar, finished ones are a row of marks, the log is below."""
    watch = Watch()
    lines = [Logged("build", f"Step {number}") for number in range(5)]
    screen = watch.show(*building(), *lines)
    text = "\n".join(screen)
    assert f"{RELEASE} → sandbox" in text
    assert "1 · Local development     ✓ ✓ ✓ ✓ ✓" in text
    assert "▸ Build the image" in text
    assert "25 %" in text
    assert "3/12 step" in text
    assert "· Push the image" in text
    assert screen[-1].strip() == "build │ Step 4"
    watch.view.settle()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits_any_terminal(width: int, height: int) -> None:
    """The picture never is wider or higher than the terminal, however long names and log lines are."""
    watch = Watch(width, height)
    watch.show(*building())
    for number in range(12):
        watch.show(Logged("build", f"{number} " + "東京" * 100))
        watch.show(Progressed("DOCKER_BUILD", f"layer {number}", "x" * 200, number, 100, "B"))
        watch.show(Retried("DOCKER_BUILD", "Throttling " * 30, 2.0, 1))
        assert watch.view._live is not None  # still drawing
        picture = watch.view._live.get_renderable()
        rows = watch.console.render_lines(picture, pad=False)
        assert len(rows) < height or height < 4
        assert all(sum(segment.cell_length for segment in row) < width for row in rows)
    watch.view.settle()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_log_line_is_lost_or_shown_twice(width: int, height: int) -> None:
    """In the end the scroll-back has every line exactly once and in order."""
    watch = Watch(width, height)
    with watch.view:
        watch.show(*building(), *(Logged("build", f"<{number}>") for number in range(80)), ended())
    seen = [line.split("<")[1].split(">")[0] for line in watch.terminal.lines if "<" in line]
    assert seen == [str(number) for number in range(80)]


def test_lines_that_come_too_fast_are_counted() -> None:
    """Between two pictures a thousand lines and a note: the newest lines are shown, the others are a number,
    and the note is there. The work is bounded, whatever comes."""
    watch = Watch()
    watch.view = LiveView(FLOW, watch.console, animated=False, period=3600, now=Clock())
    lines = [Logged("job", f"<{number}>") for number in range(1000)]
    with watch.view:
        watch.show(
            *building(), *lines[:500], Noted("DOCKER_BUILD", "a base image is old"), *lines[500:], ended()
        )
    seen = [int(line.split("<")[1].split(">")[0]) for line in watch.terminal.lines if "<" in line]
    text = "\n".join(watch.terminal.lines)
    assert seen == list(range(850, 1000))
    assert "850 lines came too fast to be shown" in text and "a base image is old" in text


def test_nothing_is_left_of_the_drawing() -> None:
    """After the end the cursor is back, the picture is gone, and the summary stays."""
    watch = Watch()
    with watch.view:
        watch.show(*success())
    text = "\n".join(watch.terminal.lines)
    assert watch.terminal.cursor_shown
    assert "▸" not in text
    assert f"✓ Released {RELEASE} in 1 min 01 s" in text
    assert "3 · Deploy to AWS      ✓ ✓ » ✓ ✓      4.0 s" in text
    assert "documents  measurements 2,320, stations 6" in text
    assert "skipped    Build the image" in text
    assert f"next       deployer show {RELEASE}" in text


def test_a_pause_is_a_panel() -> None:
    """Cause, evidence and the way on stay on the screen; commands are one unbroken line each."""
    watch = Watch()
    watch.show(*building(), paused(), ended("PAUSED", 13, "CHECK_CONFIG"))
    text = "".join(line.ljust(80) if len(line) == 80 else line + "\n" for line in watch.terminal.lines)
    assert "Paused: Check the AWS configuration" in text
    assert "no such secret (aws-config / missing-secret)" in text
    assert "second [red]line[/red]" in text
    assert f"fix        {paused().remedy}\n" in text
    assert f"next       {paused().resume}\n" in text


def test_after_a_mend_it_draws_again() -> None:
    """A release that waited for a mend and goes on is drawn as before."""
    watch = Watch()
    watch.show(*building(), paused())
    assert "▸" not in "\n".join(watch.terminal.screen[-4:])
    screen = watch.show(Entered("CHECK_CONFIG", 2))
    assert any("▸ Check the AWS configuration ×2" in line for line in screen)
    watch.view.settle()


def test_an_interrupt_leaves_the_terminal_clean() -> None:
    """An exception in the middle ends the drawing, shows the cursor, and keeps the flow as it stood."""
    watch = Watch()
    with pytest.raises(KeyboardInterrupt), watch.view:
        watch.show(*building(), Logged("build", "last words"))
        raise KeyboardInterrupt
    assert watch.terminal.cursor_shown
    text = "\n".join(watch.terminal.lines)
    assert text.count("last words") == 1
    assert text.count("2 · Build & push") == 1


def test_markup_and_control_sequences_in_logs_are_text() -> None:
    """A log cannot color, move or clear anything."""
    watch = Watch()
    screen = watch.show(*building(), Logged("task", "[bold]\x1b[2J\x1b[H[/bold] \x07"))
    assert screen[-1].strip() == "task │ [bold][/bold] \\x07"
    watch.view.settle()


def test_a_resize_starts_a_clean_picture() -> None:
    """After the terminal has changed its size there is one whole picture on the screen."""
    watch = Watch(120, 40)
    watch.show(*building())
    watch.console.size = (80, 24)  # type: ignore[assignment]
    watch.terminal.width, watch.terminal.height = 80, 24
    screen = watch.show(Logged("build", "after"))
    assert sum("5 · Validation" in line for line in screen) == 1
    assert screen[0].startswith(f" {RELEASE}")
    watch.view.settle()


def test_many_layers_are_counted() -> None:
    """Of many bars those that move are shown first, the rest is a count."""
    watch = Watch(80, 30)
    layers = [Progressed("DOCKER_PUSH", f"l{n}", "Pushed", 1, 1, "layer") for n in range(6)]
    waiting = Progressed("DOCKER_PUSH", "w", "Waiting", 0, None, "B")
    moving = Progressed("DOCKER_PUSH", "m", "Pushing", 4e6, 8e6, "B")
    screen = watch.show(begun(), Entered("DOCKER_PUSH", 1), *layers, waiting, moving)
    at = next(index for index, line in enumerate(screen) if "Push the image" in line)
    assert "m Pushing" in screen[at + 1]
    assert "50 %" in screen[at + 1]
    assert "w Waiting" in screen[at + 2]
    assert screen[at + 4].strip() == "6 of 8 done"
    watch.view.settle()
