"""A release that dies, or is interrupted, in the middle: resumed, it ends as if nothing had happened."""

import os
import signal
import subprocess

from tests.e2e.command import Event, Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.e2e.proxy import proxy

ROWS = 50
BLOB = "RUN head -c 60000000 /dev/urandom >/opt/blob\n"


def succeeded(resumed: Ran, first: Ran, job: Project, outside: Outside) -> None:
    """One task, one revision, one image, all rows, each once."""
    assert (resumed.ended["end"], resumed.release) == ("END_SUCCESS", first.release), resumed.said()
    assert len(outside.tasks(first.release)) == 1
    shown = job.deployer.show(first.release)
    assert outside.revisions(job.name) == [shown["task_definition"]]
    tagged = [d for d, tags in outside.images(job.repository).items() if shown["image"]["tag"] in tags]
    assert tagged == [shown["image"]["digest"]]
    rows = outside.collection("rows").find({"run": first.release})
    assert sorted(row["value"] for row in rows) == list(range(ROWS))


def test_killed_during_the_push(job: Project, outside: Outside) -> None:
    """SIGKILL with half a layer sent: resumed, there is one digest under the content's tag."""
    job.edit("Dockerfile", "COPY job.py", f"{BLOB}COPY job.py")

    def kill(process: "subprocess.Popen[str]", event: Event) -> None:
        if event["event"] == "progressed" and event["node"] == "DOCKER_PUSH" and event["label"] == "Pushing":
            process.kill()

    killed = job.deployer.watched(("release", "--start-at", "build", "--output", "json"), kill)
    assert killed.code == -signal.SIGKILL, killed.said()
    assert "DOCKER_PUSH" not in killed.passed
    succeeded(job.resume(), killed, job, outside)


def test_killed_between_run_task_and_its_record(job: Project, outside: Outside) -> None:
    """SIGKILL once ECS has started the task and before its answer arrives: it is found, none is added."""
    with proxy(outside.facts["SANDBOX_ENDPOINT"]) as way:
        processes: list[subprocess.Popen[str]] = []

        def kill(action: str) -> None:
            if action == "RunTask":
                os.kill(processes[0].pid, signal.SIGKILL)
                processes[0].wait()

        way.answered = kill
        through = {"ENDPOINT": way.url}
        killed = job.deployer.watched(
            ("release", "--start-at", "build", "--output", "json"),
            lambda process, event: processes.append(process),
            through,
        )
        assert killed.code == -signal.SIGKILL, killed.said()
        assert len(outside.tasks(killed.release)) == 1
        assert "RUN_TASK" not in killed.passed
        resumed = job.deployer.resume(environ=through)
        assert way.calls["RunTask"] == 1
    assert any("found the task" in event["text"] for event in resumed.events if event["event"] == "noted")
    succeeded(resumed, killed, job, outside)


def test_killed_terminated_and_interrupted_while_it_follows_the_log(job: Project, outside: Outside) -> None:
    """SIGKILL, SIGTERM, Ctrl-C, one after the other: the task goes on, and every line is shown at the end."""
    job.edit("deploy.toml", "environment = {}", 'environment = { SECONDS = "15" }')
    arguments = ["release", "--start-at", "build", "--output", "json"]
    ends = [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 130), (signal.SIGINT, 130)]
    runs = []
    for sent, code in ends:

        def send(process: "subprocess.Popen[str]", event: Event, sent: signal.Signals = sent) -> None:
            if event["event"] == "logged" and "working, second 1" in event["text"]:
                os.killpg(process.pid, sent)

        runs.append(job.deployer.watched(arguments, send))
        assert runs[-1].code == code, runs[-1].said()
        arguments = ["resume", "--output", "json"]
    assert [run.ended["end"] for run in runs[1:]] == ["INTERRUPTED", "INTERRUPTED"]
    assert runs[-1].ended["next_command"] == f"deployer resume {runs[0].release}"
    assert [task["lastStatus"] for task in outside.tasks(runs[0].release)] == ["RUNNING"]
    resumed = job.resume()
    succeeded(resumed, runs[0], job, outside)
    lines = [event["text"] for event in resumed.events if event["event"] == "logged"]
    assert [line for line in lines if "working" in line] == [f"working, second {n}" for n in range(15)]


def test_detached_it_leaves_the_task_and_is_picked_up(job: Project, outside: Outside) -> None:
    """--detach ends with 0 once the task has started; `resume` follows it to the proof."""
    job.edit("deploy.toml", "environment = {}", 'environment = { SECONDS = "3" }')
    detached = job.release("--start-at", "build", "--detach")
    assert (detached.code, detached.ended["end"]) == (0, "DETACHED"), detached.said()
    succeeded(job.resume(), detached, job, outside)


def test_a_second_release_is_refused_while_one_runs(job: Project) -> None:
    """The refusal names the release that holds the environment, its host and its process; exit code 3."""
    refusals: list[Ran] = []
    pids: list[int] = []

    def contend(process: "subprocess.Popen[str]", event: Event) -> None:
        if event["event"] == "entered" and event["node"] == "BUILD_PHASE":
            pids.append(process.pid)
            refusals.append(job.release("--start-at", "build"))

    ran = job.deployer.watched(("release", "--start-at", "build", "--output", "json"), contend)
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    (refused,) = refusals
    assert refused.code == 3, refused.said()
    for fact in (ran.release, os.uname().nodename, str(pids[0])):
        assert fact in refused.stderr
    assert refused.ended["hint"]
