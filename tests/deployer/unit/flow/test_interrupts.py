"""Ctrl-C and SIGTERM, sent for real to a process that waits for a task without end."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployer.records.journal import read

ROOT = Path(__file__).parents[4]
OPERATOR = "deployer: stopped by the operator"
QUESTION = "[s]top it?"
PATIENCE = 60.0
"""Seconds of silence after which the process is taken to hang."""


@dataclass
class Run:
    """The process, and our end of what it prints to (and, where that is a terminal, reads from)."""

    process: "subprocess.Popen[bytes]"
    screen: int
    said: str = ""

    def until(self, text: str) -> None:
        """Reads on until it has been printed, a pattern. EOFError: the process ended before."""
        while not re.search(text, self.said):
            self._read()

    def asked(self) -> None:
        """Reads on to the question, and waits until the process does nothing but wait for the answer."""
        self.until(re.escape(QUESTION))
        while Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            pass

    def _read(self) -> None:
        if not select.select([self.screen], [], [], PATIENCE)[0]:
            raise TimeoutError(self.said)
        more = os.read(self.screen, 4096).decode()
        if not more:
            raise EOFError(self.said)
        self.said += more

    def ended(self) -> tuple[int, str, list[str | None]]:
        """Exit code, end, and why ECS stopped each task (None: it runs)."""
        while '"seen"' not in self.said or not self.said.endswith("\n"):
            self._read()
        events = [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]
        end = next(event for event in events if event["event"] == "ended")
        return self.process.wait(30), end["end"], events[-1]["stopped"]


@contextmanager
def following(folder: Path, on_interrupt: str, *, terminal: bool) -> Iterator[Run]:
    """A release that has begun to follow its task, at a terminal or with nobody there."""
    screen, theirs = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.deployer.unit.flow.interruptible", folder, on_interrupt],
        cwd=ROOT,
        stdin=theirs if terminal else subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    os.close(theirs)
    run = Run(process, screen)
    try:
        run.until('"entered".*"node": "MONITOR"')
        yield run
    finally:
        process.kill()
        process.wait()
        os.close(screen)


@pytest.mark.parametrize(("answer", "reason"), [("s", OPERATOR), ("", None), ("l", None)])
def test_ctrl_c_asks_at_a_terminal(tmp_path: Path, answer: str, reason: str | None) -> None:
    """Only a person who says so stops the task; either way the release is recorded and exit code is 130."""
    with following(tmp_path, "ask", terminal=True) as run:
        run.process.send_signal(signal.SIGINT)
        run.asked()
        os.write(run.screen, f"{answer}\n".encode())
        assert run.ended() == (130, "INTERRUPTED", [reason])
    assert read(tmp_path / "r1/journal.jsonl")[-1]["node"] == "MONITOR"


@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_it_asks_it_leaves_the_task(tmp_path: Path, again: signal.Signals) -> None:
    """A second Ctrl-C, or SIGTERM, is no answer: the task runs on."""
    with following(tmp_path, "ask", terminal=True) as run:
        run.process.send_signal(signal.SIGINT)
        run.asked()
        run.process.send_signal(again)
        assert run.ended() == (130, "INTERRUPTED", [None])


def test_a_terminal_that_closes_is_no_answer(tmp_path: Path) -> None:
    """End of input at the question (Ctrl-D) leaves the task running."""
    with following(tmp_path, "ask", terminal=True) as run:
        run.process.send_signal(signal.SIGINT)
        run.asked()
        os.write(run.screen, b"\x04")
        assert run.ended() == (130, "INTERRUPTED", [None])


def test_sigterm_asks_nobody(tmp_path: Path) -> None:
    """Whoever sends SIGTERM does not wait for an answer: the task is left, also at a terminal."""
    with following(tmp_path, "ask", terminal=True) as run:
        run.process.send_signal(signal.SIGTERM)
        assert run.ended() == (130, "INTERRUPTED", [None])
        assert QUESTION not in run.said


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("on_interrupt", "reason"), [("stop", OPERATOR), ("leave", None), ("ask", None)])
def test_where_nobody_can_be_asked_deploy_toml_decides(
    tmp_path: Path, sent: signal.Signals, on_interrupt: str, reason: str | None
) -> None:
    """[run] on-interrupt stops the task or leaves it; "ask" without a terminal leaves it."""
    with following(tmp_path, on_interrupt, terminal=False) as run:
        run.process.send_signal(sent)
        assert run.ended() == (130, "INTERRUPTED", [reason])


@pytest.mark.parametrize(("on_interrupt", "reason"), [("stop", OPERATOR), ("leave", None)])
def test_what_is_decided_is_not_asked(tmp_path: Path, on_interrupt: str, reason: str | None) -> None:
    """With on-interrupt set, Ctrl-C at a terminal asks nothing."""
    with following(tmp_path, on_interrupt, terminal=True) as run:
        run.process.send_signal(signal.SIGINT)
        assert run.ended() == (130, "INTERRUPTED", [reason])
        assert QUESTION not in run.said
