"""One suite for the real shell and the fake one; then what only real processes can show."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from deployer.adapters.local.shell import LocalShell
from deployer.ports import Shell
from tests.fakes.shell import FakeShell, Program

Install = Callable[[Program], tuple[Shell, tuple[str, ...]]]


def _for_real(folder: Path) -> Install:
    def install(program: Program) -> tuple[Shell, tuple[str, ...]]:
        text = f"for line in {program.lines!r}: print(line)\nraise SystemExit({program.exit_code})"
        (folder / "program.py").write_text(text)
        return LocalShell(folder), (sys.executable, "program.py")

    return install


def _fake(program: Program) -> tuple[Shell, tuple[str, ...]]:
    return FakeShell({("program",): program}), ("program",)


@pytest.fixture(params=["real", "fake"])
def install(request: pytest.FixtureRequest, tmp_path: Path) -> Install:
    return _for_real(tmp_path) if request.param == "real" else _fake


@pytest.mark.parametrize("code", [0, 3])
def test_hands_over_every_line_and_the_exit_code(install: Install, code: int) -> None:
    """Lines arrive in the order in which they were printed, and the exit code is the program's."""
    shell, command = install(Program(("one", "", "three"), code))
    lines: list[str] = []
    assert shell.run(command, lines.append) == code
    assert lines == ["one", "", "three"]


def test_no_such_program_is_127(install: Install) -> None:
    """A program that is not there gives 127 and a line that names it, not an exception."""
    shell, _ = install(Program())
    lines: list[str] = []
    assert shell.run(("no-such-program-here", "x"), lines.append) == 127
    assert "no-such-program-here" in lines[0]


def _python(text: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-c", text)


def test_lines_are_what_a_terminal_would_leave(tmp_path: Path) -> None:
    """Both outputs come merged; redrawn lines count once, CRLF as LF, wrong bytes as U+FFFD; the last line
    needs no end."""
    text = (
        "import os\n"
        "os.write(1, b'10%\\r50%\\r100%\\n')\n"
        "os.write(2, b'error\\r\\n')\n"
        "os.write(1, b'caf\\xff\\nlast')"
    )
    lines: list[str] = []
    assert LocalShell(tmp_path).run(_python(text), lines.append) == 0
    assert lines == ["100%", "error", "caf�", "last"]


def test_an_endless_line_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A line of a million characters arrives whole, but in pieces."""
    lines: list[str] = []
    LocalShell(tmp_path).run(_python("print('x' * 1_000_000)"), lines.append)
    assert "".join(lines) == "x" * 1_000_000
    assert max(map(len, lines)) < 200_000


def test_runs_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    """The command sees the shell's folder and environment, and an empty standard input."""
    lines: list[str] = []
    shell = LocalShell(tmp_path, {**os.environ, "ANSWER": "42"})
    shell.run(
        _python("import os, sys; print(os.getcwd(), os.environ['ANSWER'], sys.stdin.read())"), lines.append
    )
    assert lines == [f"{tmp_path} 42 "]


def test_a_file_that_may_not_be_executed_is_126(tmp_path: Path) -> None:
    """A file without its executable bit gives 126 and a line that says why."""
    (tmp_path / "notes").write_text("no program")
    lines: list[str] = []
    assert LocalShell(tmp_path).run(("./notes",), lines.append) == 126
    assert lines == ["./notes: Permission denied"]


def test_a_command_ended_by_a_signal_gives_128_and_its_number(tmp_path: Path) -> None:
    """SIGKILL from outside is told as 137, as a POSIX shell tells it."""
    code = LocalShell(tmp_path).run(_python("import os; os.kill(os.getpid(), 9)"), lambda _: None)
    assert code == 137


def test_what_stays_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    """A grandchild that holds the output open does not keep `run` from returning."""
    family = (
        "import subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    )
    lines: list[str] = []
    assert LocalShell(tmp_path).run(_python(family), lines.append) == 0
    os.kill(int(lines[0]), 9)


IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


@pytest.mark.parametrize("grandchild", ["", IGNORES_SIGTERM], ids=["willing", "stubborn"])
def test_an_interrupt_ends_the_whole_family(tmp_path: Path, grandchild: str) -> None:
    """After Ctrl-C neither the command nor what it started is running, willing to end or not."""
    child = f"{grandchild}import time, os; print(os.getpid(), flush=True); time.sleep(600)"
    family = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    pids: list[int] = []

    def interrupt(line: str) -> NoReturn:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalShell(tmp_path, grace=0.5).run(_python(family), interrupt)
    assert _ends(pids[0])


def _ends(pid: int) -> bool:
    """Whether the process is gone, or only waits to be asked about (a zombie). The kernel takes a moment."""
    for _ in range(100):
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_limit_ends_what_takes_longer(tmp_path: Path) -> None:
    """With a limit, a command that does not end is ended, and that is a TimeoutError."""
    pids: list[int] = []
    sleeper = "import os, time; print(os.getpid()); time.sleep(600)"
    with pytest.raises(TimeoutError):
        LocalShell(tmp_path).run_within(1, _python(sleeper), lambda line: pids.append(int(line)))
    assert _ends(pids[0])
