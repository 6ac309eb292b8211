"""Local commands as child processes, each in a session of its own so that its whole family can be ended."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

from deployer.ports import OnLine

NO_SUCH_PROGRAM: Final = 127
NOT_EXECUTABLE: Final = 126
_LONGEST_LINE: Final = 65_536
_TICK: Final = 0.2


class LocalShell:
    """`ports.Shell`, for real. `environment`: the child's, None for this process's own.
    `grace`: seconds that the family has to end after SIGTERM, before SIGKILL."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        grace: float = 5,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._grace = grace

    def run(self, command: Sequence[str], on_line: OnLine) -> int:
        return self.run_within(None, command, on_line)

    def run_within(self, seconds: float | None, command: Sequence[str], on_line: OnLine) -> int:
        """`run` with a limit. TimeoutError: it took longer, and was ended. A command ended by signal N gives
        128 + N, one that may not be executed 126, as in a POSIX shell."""
        try:
            process = self._start(command)
        except (FileNotFoundError, NotADirectoryError) as error:
            on_line(f"{error.filename or command[0]}: no such program or folder")
            return NO_SUCH_PROGRAM
        except OSError as error:
            on_line(f"{command[0]}: {error.strerror}")
            return NOT_EXECUTABLE
        lines = Lines()
        try:
            for data in _output(process, seconds):
                for line in lines.feed(data):
                    on_line(line)
            for line in lines.rest():
                on_line(line)
        except BaseException:
            self._end(process)
            raise
        finally:
            _stdout(process).close()
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM to the family, SIGKILL to what still holds the output after the grace (at once on a second
        interrupt). What it prints meanwhile is read, or it could not end, and dropped."""
        end = time.monotonic() + self._grace
        try:
            _signal(process, signal.SIGTERM)
            while time.monotonic() < end and _read(process) != b"":
                pass
        finally:
            _signal(process, signal.SIGKILL)
            process.wait()


class Lines:
    """Cuts a stream of bytes into lines of text as a terminal would leave them: of a line that redraws itself
    with carriage returns the last state counts. Bytes that are not UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[str]:
        *whole, self._pending = (self._pending + data).split(b"\n")
        yield from map(_text, whole)
        redrawn = self._pending.rfind(b"\r", 0, -1)
        self._pending = self._pending[redrawn + 1 :]
        if len(self._pending) > _LONGEST_LINE:
            yield from self.rest()

    def rest(self) -> Iterator[str]:
        """The last line, if no line feed ended it."""
        if self._pending:
            yield _text(self._pending)
        self._pending = b""


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")


def _output(process: subprocess.Popen[bytes], seconds: float | None) -> Iterator[bytes]:
    """What the command prints until it has ended and nothing more comes (something that it left in the
    background may hold the pipe open). TimeoutError: it has not ended after `seconds`."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        ended = process.poll() is not None
        data = _read(process)
        if data:
            yield data
        elif ended:
            return
        elif data == b"":
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
        if end is not None and time.monotonic() > end:
            raise TimeoutError


def _read(process: subprocess.Popen[bytes]) -> bytes | None:
    """The next piece of output; None: nothing within a tick; empty: nobody holds the output."""
    pipe = _stdout(process).fileno()
    return os.read(pipe, _LONGEST_LINE) if select.select([pipe], [], [], _TICK)[0] else None


def _stdout(process: subprocess.Popen[bytes]) -> IO[bytes]:
    return cast(IO[bytes], process.stdout)  # there is one: `_start` asks for a pipe


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
