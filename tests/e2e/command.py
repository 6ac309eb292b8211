"""The installed `deployer` command, driven as a user would: arguments, streams, signals."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("deployer")
LONGEST = 240.0

Event = dict[str, Any]
Watcher = Callable[["subprocess.Popen[str]", Event], None]


@dataclass(frozen=True)
class Ran:
    """What a run of the command left to see. `events`: the objects that it printed, one a line."""

    code: int
    events: list[Event]
    stdout: str
    stderr: str

    @property
    def ended(self) -> Event:
        """The last event; every run of `release` that was not killed has one."""
        assert self.events and self.events[-1]["event"] == "ended", self.said()
        return self.events[-1]

    @property
    def release(self) -> str:
        return str(next(event["release"] for event in self.events if event["event"] == "begun"))

    @property
    def paused(self) -> Event:
        return next(event for event in reversed(self.events) if event["event"] == "paused")

    @property
    def passed(self) -> list[str]:
        """The nodes that were passed, in order."""
        return [str(event["node"]) for event in self.events if event["event"] == "left"]

    def said(self) -> str:
        """What a person would read, for the messages of failed assertions."""
        lines = [line for line in self.stdout.splitlines() if '"progressed"' not in line]
        return "\n".join((f"exit code {self.code}", *lines[-40:], self.stderr[-3000:]))


@dataclass(frozen=True)
class Deployer:
    """The command in one project's folder, with nothing of this process's environment but what is given."""

    folder: Path
    environ: Mapping[str, str]
    program: tuple[str | Path, ...] = (PROGRAM,)

    def __call__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ran:
        return self.watched(arguments, lambda process, event: None, environ)

    def release(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ran:
        return self("release", "--output", "json", *arguments, environ=environ)

    def resume(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ran:
        return self("resume", "--output", "json", *arguments, environ=environ)

    def watched(
        self, arguments: Sequence[str], watcher: Watcher, environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Runs to its end; `watcher` sees each printed event as it comes, and may send signals."""
        process = self.start(arguments, environ)
        errors: list[str] = []
        assert process.stdout and process.stderr
        reader = threading.Thread(target=errors.extend, args=(process.stderr,))
        limit = threading.Timer(LONGEST, process.kill)
        limit.daemon = True
        reader.start()
        limit.start()
        lines, events = [], []
        try:
            for line in process.stdout:
                lines.append(line)
                if line.startswith("{") and line.endswith("}\n"):
                    events.append(json.loads(line))
                    watcher(process, events[-1])
        except BaseException:  # the watcher's: the command may be stopped by it, and would wait for ever
            process.kill()
            raise
        code = process.wait()
        limit.cancel()
        reader.join()
        process.stdout.close()
        process.stderr.close()
        ran = Ran(code, events, "".join(lines), "".join(errors))
        own = [line for line in (*lines, *errors) if not line.startswith("{")]
        assert not any("Traceback" in line for line in own), ran.said()
        return ran

    def start(
        self, arguments: Sequence[str], environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """A process group of its own, so that a Ctrl-C can reach it and its children and nobody else."""
        return subprocess.Popen(
            [*self.program, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def show(self, release: str) -> Event:
        ran = self("show", release, "--output", "json")
        assert ran.code == 0, ran.said()
        return ran.events[0]
