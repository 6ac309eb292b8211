"""The ETL's image asked in its own network: the checks and the walk from there, and a release by them."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.command import Event, Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

SANDBOX = "[env.sandbox.run]"
NOWHERE = f'[env.sandbox.verify]\nuri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500"\n\n{SANDBOX}'
WAY = ["dns", "tcp", "replica-set", "authentication", "authorisation"]


@pytest.fixture(scope="module")
def released(etl: Project) -> Ran:
    ran = etl.release("--start-at", "build")
    assert ran.code == 0, ran.said()
    return ran


@contextmanager
def walled(project: Project) -> Iterator[None]:
    """The operator's machine knows an address at which nobody answers; the job has its own."""
    project.edit("deploy.toml", SANDBOX, NOWHERE)
    try:
        yield
    finally:
        project.edit("deploy.toml", NOWHERE, SANDBOX)


def verified(project: Project, *arguments: str, code: int = 0) -> Event:
    ran = project.deployer("verify", "--output", "json", *arguments)
    assert ran.code == code, ran.said()
    return ran.events[-1]


def judged(found: Event) -> list[tuple[str, bool, str, list[str]]]:
    """What was found of each check; what was expected may hold the time of day."""
    return [(check["name"], check["ok"], check["found"], check["offending"]) for check in found["checks"]]


def one_off_tasks(outside: Outside) -> set[str]:
    """The ARNs of the one-off tasks that ECS remembers, running or stopped: it forgets the oldest."""
    ecs, cluster = outside.aws("ecs"), outside.facts["SANDBOX_CLUSTER"]
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
        for arn in page["taskArns"]
    ]
    tasks = [
        task
        for some in range(0, len(arns), 100)
        for task in ecs.describe_tasks(cluster=cluster, tasks=arns[some : some + 100])["tasks"]
    ]
    return {task["taskArn"] for task in tasks if task["startedBy"].startswith("deployer-")}


def test_from_the_task_the_report_is_the_same(released: Ran, etl: Project) -> None:
    """Every check finds what it does from here, though this machine does not reach MongoDB."""
    here = verified(etl)
    with walled(etl):
        verified(etl, code=16)
        there = verified(etl, "--via", "task")
    assert (here["via"], there["via"]) == ("local", "task")
    assert judged(there) == judged(here)
    assert there["counts"] == here["counts"]


def test_what_is_wrong_is_as_wrong_from_there(released: Ran, etl: Project, outside: Outside) -> None:
    """A document of the run that is gone: the same checks fail from both places, with exit code 17."""
    measurements = outside.collection("measurements")
    lost = measurements.find_one_and_delete({"run_id": released.release})
    try:
        here, there = verified(etl, code=17), verified(etl, "--via", "task", code=17)
    finally:
        measurements.insert_one(lost)
    assert judged(there) == judged(here)


def test_the_doctor_walks_the_task_s_way_beside_its_own(released: Ran, etl: Project) -> None:
    """Each step of the way from the task is a finding, and so are version, write concern and storage."""
    ran = etl.deployer("doctor", "--via", "task", "--output", "json")
    found = {finding["what"]: finding for finding in ran.events[-1]["findings"]}
    assert [found[f"from the task: {step}"]["state"] for step in WAY] == ["pass"] * len(WAY), ran.said()
    assert found["MongoDB version"]["state"] == "pass"
    assert {"MongoDB write concern", "MongoDB storage"} <= found.keys()


def test_a_release_is_proven_where_only_the_job_reaches_mongodb(
    released: Ran, etl: Project, outside: Outside
) -> None:
    """Baseline and checks are asked by one-off tasks of the release's revision; the job runs once."""
    before = one_off_tasks(outside)
    with walled(etl):
        ran = etl.release("--start-at", "build")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    verification = etl.deployer.show(ran.release)["verification"]
    assert (verification["ok"], verification["via"]) == (True, "task")
    assert len(outside.tasks(ran.release)) == 1
    assert len(one_off_tasks(outside) - before) >= 2
    notes = [event["text"] for event in ran.events if event["event"] == "noted"]
    for work in ("counting documents", "running the checks"):
        assert sum(f"{work} from a one-off task in the job's network" in text for text in notes) == 1, notes


def test_the_log_of_the_job_is_the_job_s(released: Ran, etl: Project) -> None:
    """One-off tasks are newer, and yet `deployer logs` shows the newest run."""
    verified(etl, "--via", "task")
    ran = etl.deployer("logs")
    assert ran.code == 0, ran.said()
    assert '"inserted"' in ran.stdout, ran.said()


def test_a_baseline_is_taken_by_hand(released: Ran, etl: Project) -> None:
    """From then on counts are compared with it."""
    verified(etl, "--update-baseline")
    assert (etl.folder / ".deployer/baselines/sandbox.json").is_file()
    verified(etl)


def test_ctrl_c_leaves_no_task_behind(released: Ran, etl: Project, outside: Outside) -> None:
    """A one-off task that is under way is stopped; exit code 130."""
    slow = 'query = ["sample", "--rows", "9000000", "--out", "/tmp/sample"]'
    etl.edit("deploy.toml", 'query = ["query"]', slow)
    try:
        process = etl.deployer.start(["verify", "--via", "task"])
        await_one(lambda: running(outside))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        etl.edit("deploy.toml", slow, 'query = ["query"]')
    assert process.returncode == 130, said
    assert running(outside) == []


def running(outside: Outside) -> list[str]:
    """The tasks that run now, or are about to."""
    found = outside.aws("ecs").list_tasks(cluster=outside.facts["SANDBOX_CLUSTER"], desiredStatus="RUNNING")
    return list(found["taskArns"])


def await_one(found: Callable[[], list[str]]) -> None:
    end = time.monotonic() + 60
    while not found():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_way_that_only_the_task_finds_closed(released: Ran, etl: Project, outside: Outside) -> None:
    """A wrong secret: this machine reaches MongoDB, the task's walk names the step; mended, it goes on."""
    secrets, arn = outside.aws("secretsmanager"), outside.facts["SANDBOX_MONGO_SECRET_ARN"]
    right = secrets.get_secret_value(SecretId=arn)["SecretString"]
    secrets.put_secret_value(
        SecretId=arn, SecretString="mongodb://nowhere.invalid/?serverSelectionTimeoutMS=500"
    )
    try:
        ran = etl.release("--start-at", "build")
        assert (ran.ended["node"], ran.ended["exit_code"]) == ("CHECK_ATLAS", 16), ran.said()
        still = etl.resume()
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=right)
    assert (still.ended["node"], still.ended["exit_code"]) == ("CHECK_ATLAS", 16), still.said()
    assert any("from the task: dns" in line for line in still.paused["evidence"]), still.paused
    mended = etl.resume()
    assert mended.ended["end"] == "END_SUCCESS", mended.said()
