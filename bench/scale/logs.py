"""Lines of a job, few and many: followed, drawn, explained."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bench.scale.growth import Growth, cpu
from deployer.events import Begun, Entered, Logged
from deployer.flow.release import FLOW
from deployer.logs.follow import follow
from deployer.ports import LogEvent
from deployer.records.evidence import EvidenceFolder
from deployer.redaction import Redactor
from deployer.view.live.display import LiveView
from deployer.view.plain import PlainView
from tests.fakes.clock import FakeClock
from tests.fakes.logs import FakeLogs

GROUP, STREAM = "/bench", "ecs/job/1"
TEXT = "2026-11-30 10:00:00 INFO loaded station_ichtegem_BE_011024.jsonl rows=288 inserted=288"


def followed(folder: Path) -> Iterator[Growth]:
    """The log into the evidence, against a bare loop of reads that writes the same file."""
    taken = {}
    for count in (20_000, 200_000):
        logs = _filled(count)
        taken[count] = (
            cpu(lambda logs=logs: _follow(logs, folder)),
            cpu(lambda logs=logs: _bare(logs, folder)),
        )  # type: ignore[misc]
    (small, (ours, _)), (large, (much, rival)) = sorted(taken.items())
    yield Growth("the job's log into the evidence, lines", (small, ours), (large, much), "s CPU", 2, rival)


def _filled(count: int) -> FakeLogs:
    logs = FakeLogs()
    logs.put(GROUP, STREAM, *(LogEvent(float(number), f"{TEXT} {number}") for number in range(count)))
    return logs


def _follow(logs: FakeLogs, folder: Path) -> None:
    with EvidenceFolder(folder, Redactor(("s3cret-of-the-job",))).lines("task-1.jsonl") as file:
        clock = FakeClock()
        for event in follow(logs, GROUP, STREAM, is_stopped=lambda: True, clock=clock, drain=1):
            file.event(event.time, event.text)


def _bare(logs: FakeLogs, folder: Path) -> None:
    cursor: str | None = None
    with (folder / "bare.jsonl").open("w") as file:
        while True:
            page = logs.read(GROUP, STREAM, cursor)
            for time, text in zip(page.times, page.texts, strict=True):
                file.write(json.dumps({"time": time, "text": text}, ensure_ascii=False) + "\n")
            if page.cursor == cursor:
                return
            cursor = page.cursor


def viewed(folder: Path) -> Iterator[Growth]:
    """The live view against plain lines; a picture after each 2,000, as at 10,000 a second."""
    taken = {}
    for count in (20_000, 200_000):
        taken[count] = cpu(lambda count=count: _live(count), 2), cpu(lambda count=count: _plain(count), 2)  # type: ignore[misc]
    (small, (ours, _)), (large, (much, rival)) = sorted(taken.items())
    yield Growth("lines in the live view, against plain", (small, ours), (large, much), "s CPU", 1.1, rival)


def _live(count: int) -> None:
    console = Console(
        file=io.StringIO(), width=120, height=40, force_terminal=True, _environ={"TERM": "xterm"}
    )
    view = LiveView(FLOW, console, period=3600)
    view(Begun("r1", "test", "CODE", resumed=False))
    view(Entered("MONITOR", 1))
    for number in range(count):
        view(Logged("job", f"{TEXT} {number}"))
        if number % 2_000 == 0:
            view.draw()
    view.settle()


def _plain(count: int) -> None:
    view = PlainView(FLOW, io.StringIO(), io.StringIO())
    for number in range(count):
        view(Logged("job", f"{TEXT} {number}"))


def explained(folder: Path) -> Iterator[Growth]:
    """The largest memory of a process that reads what `explain` reads of a log, in MB."""
    peaks = {}
    for count in (10_000, 1_000_000):
        path = folder / str(count) / "evidence" / "task-1.jsonl"
        path.parent.mkdir(parents=True)
        with path.open("w") as file:
            file.writelines(json.dumps({"time": n, "text": f"{TEXT} {n}"}) + "\n" for n in range(count))
        peaks[count] = _peak_mb(path.parent.parent)
    small, large = sorted(peaks.items())
    yield Growth("explain, by lines of the log", small, large, "MB", 60)


_EXPLAIN = """
import resource, sys
from pathlib import Path
import deployer.commands.explain as command
from deployer.diagnosis.classify import classify_all
from deployer.diagnosis.model import Evidence
from deployer.records.evidence import EvidenceFolder
from deployer.redaction import Redactor
lines = EvidenceFolder(Path(sys.argv[1]), Redactor()).log(1, command.LOG_TAIL)
assert len(lines) == command.LOG_TAIL
classify_all([Evidence("task_log", "\\n".join(lines))])
text = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM")))
"""


def _peak_mb(folder: Path) -> float:
    command = [sys.executable, "-c", _EXPLAIN, str(folder)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024
