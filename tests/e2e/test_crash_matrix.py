"""A crash matrix over real parts: SIGKILL at a record of the journal, resume, count the effects outside.

In an ordinary run a sample of the records; with `-m crash` or `-k crash` (`make test-crash`) all of them.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployer.journal import NAME, read
from tests.e2e.command import Event, Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

SAMPLE = 8
RELEASE = ("release", "--from", "build", "--output", "json")


def journal_of(job: Project, release: str) -> Path:
    return job.folder / ".deployer" / "releases" / release / NAME


def killed_at(record: int, job: Project) -> Ran:
    """SIGKILL as soon as the journal has that many records; a fast writer may be one or two further."""
    killer: list[threading.Thread] = []

    def strike(process: "subprocess.Popen[str]", path: Path) -> None:
        while process.poll() is None:
            if path.read_bytes().count(b"\n") >= record:
                process.kill()
                return
            time.sleep(0.0002)

    def watch(process: "subprocess.Popen[str]", event: Event) -> None:
        if event["event"] == "begun":
            path = journal_of(job, event["release"])
            killer.append(threading.Thread(target=strike, args=(process, path)))
            killer[0].start()

    ran = job.deployer.watched(RELEASE, watch)
    killer[0].join()
    return ran


def effects(job: Project, release: str, outside: Outside) -> dict[str, Any]:
    """What is there of it outside, under names that any two releases share."""
    shown = job.deployer.show(release)
    images = outside.images(job.repository)
    tag, digest = shown["image"]["tag"], shown["image"]["digest"]
    return {
        "end": (shown["end"], shown["exit_code"]),
        "tasks": [task["containers"][0].get("exitCode") for task in outside.tasks(release)],
        "revisions": len(outside.revisions(job.name)),
        "digests of the content": sum(tag in tags for tags in images.values()),
        "latest": "latest" in images[digest],
        "rows": sorted(row["value"] for row in outside.collection("rows").find({"run": release})),
        "reports": outside.collection("runs").count_documents({"_id": release}),
    }


@pytest.mark.crash
def test_killed_at_any_record_it_ends_the_same(
    make_job: Callable[[], Project], outside: Outside, request: pytest.FixtureRequest
) -> None:
    """One kill at each sampled record: the same end and the same set of effects as without."""
    calm = make_job()
    calm.renew()
    ran = calm.deployer.release("--from", "build")
    expected = effects(calm, ran.release, outside)
    assert expected["end"] == ("END_SUCCESS", 0), ran.said()
    assert (expected["tasks"], expected["revisions"], expected["digests of the content"]) == ([0], 1, 1)
    options = request.config.option
    step = 1 if "crash" in options.keyword + options.markexpr else SAMPLE
    records = len(read(journal_of(calm, ran.release)))
    died = 0
    for record in range(1, records + 1, step):
        job = make_job()
        job.renew()
        killed = killed_at(record, job)
        died += killed.code == -signal.SIGKILL
        written = read(journal_of(job, killed.release))
        point = f"killed at record {len(written)}: {written[-1]['kind']} {written[-1].get('node', '')}"
        print(point)
        if written[-1]["kind"] != "ended":
            resumed = job.resume()
            assert resumed.ended["end"] == "END_SUCCESS", (point, resumed.said())
        assert effects(job, killed.release, outside) == expected, point
    assert died >= records // step - 1
