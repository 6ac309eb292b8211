"""How long after a task has stopped is its cause known? (`make bench-diagnosis`)

Releases the failing jobs of tests/e2e/failures.py in a sandbox, and reads two clocks: that of ECS
(`stoppedAt` of the task, here MiniStack's) and that of the journal's records, both of this machine. Prints a
line a branch: node and exit code, the seconds from STOPPED to the recorded cause and to the pause with its
remedy, and what was printed. `ARGS='raises killed'` takes these branches only.
"""

import json
import os
import platform
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from deployer.records.journal import NAME, read
from tests.e2e import projects
from tests.e2e.command import Event
from tests.e2e.failures import FAILURES, Failure, World
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

WIDTH = 100
WANTED = 2.0


@dataclass(frozen=True)
class Measured:
    """Seconds after STOPPED until the cause was recorded, and until the release paused; None where no task
    had been started."""

    name: str
    paused: Event
    diagnosed: float | None
    said: float | None


def measure(failure: Failure, job: Project, outside: Outside) -> Measured:
    failure.make(World(job, outside))
    ran = job.release("--start-at", "build")
    if ran.ended["end"] != "PAUSED":
        raise SystemExit(ran.said())
    folder = job.folder / ".deployer" / "releases" / ran.release
    stopped = stopped_at(folder / "evidence")
    records = read(folder / NAME)
    if stopped is None:
        return Measured(failure.name, ran.paused, None, None)
    known = next(record["time"] for record in records if has_cause(record) and record["time"] >= stopped)
    return Measured(failure.name, ran.paused, known - stopped, records[-1]["time"] - stopped)


def stopped_at(evidence: Path) -> float | None:
    """Seconds since the epoch, as ECS says it; None where there was no task."""
    path = evidence / "task-1.json"
    if not path.is_file():
        return None
    return datetime.fromisoformat(json.loads(path.read_text())["stoppedAt"]).timestamp()


def has_cause(record: Mapping[str, Any]) -> bool:
    return record["kind"] == "finished" and bool(record.get("changes", {}).get("cause"))


def show(measured: Measured) -> None:
    seen = (
        "no task was started"
        if measured.diagnosed is None
        else f"cause {measured.diagnosed:5.2f} s, pause {measured.said:5.2f} s after STOPPED"
    )
    said = measured.paused
    print(f"\n{measured.name}: {said['node']}, exit code {said['exit_code']}; {seen}")
    print(f"  {said['failure_class']} / {said['subcause']}: {said['message']}"[:WIDTH])
    for line in said["evidence"][:2]:
        print(f"  > {line.strip()}"[:WIDTH])
    print(f"  fix: {said['remedy']}"[:WIDTH])


def main() -> None:
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    name = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        sandbox = projects.etl(Path(folder) / "etl", name)
        try:
            up = sandbox.deployer("sandbox", "up")
            if up.code:
                raise SystemExit(up.said())
            outside = Outside(projects.exported(sandbox.deployer("sandbox", "env").stdout))
            repository = projects.jobs_repository(name, outside)
            found = [
                measure(failure, projects.new_job(Path(folder), repository, outside), outside)
                for failure in FAILURES
                if failure.name in (sys.argv[1:] or failure.name)
            ]
        finally:
            sandbox.deployer("sandbox", "down", "--purge")
            remove_images(name)
    for measured in found:
        show(measured)
    times = [measured.diagnosed for measured in found if measured.diagnosed is not None]
    print(
        f"\nSTOPPED to diagnosis over {len(times)} branches: median {median(times):.2f} s,"
        f" longest {max(times):.2f} s (under {WANTED:.0f} s wanted)"
    )


def remove_images(name: str) -> None:
    import docker

    engine = docker.from_env()
    for image in engine.images.list():
        for tag in image.tags:
            if name in tag:
                engine.images.remove(tag, force=True)
    engine.close()


if __name__ == "__main__":
    main()
