"""The ETL of this checkout through every phase, with a real engine, a real MongoDB and a real replica set."""

import signal
from typing import Any

import docker
import pytest

from tests.e2e.command import Event, Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

SAMPLE = 4950
LOCAL = ["RUN_TESTS", "DOCKER_COMPOSE"]
BUILD = ["DOCKER_BUILD", "ECR_LOGIN", "DOCKER_TAG", "DOCKER_PUSH"]
RUN = "[env.sandbox.run]\n"
NO_BUCKET = f'[env.sandbox.task.values]\nS3_BUCKET_NAME = "nosuch-bucket-of-ours"\n\n{RUN}'
LOSING = (
    "main()",
    """import os
from pymongo import MongoClient
try:
    main()
finally:
    MongoClient(os.environ["MONGO_URI"]).greenandcoop_weather.measurements.delete_one({})""",
)
SMOOTH = [
    *(
        "START",
        "CODE",
        "RUN_TESTS",
        "TEST_LOCAL",
        "DOCKER_COMPOSE",
        "LOCAL_OK",
        "BUILD_PHASE",
        "DOCKER_BUILD",
    ),
    *("BUILD_OK", "ECR_LOGIN", "DOCKER_TAG", "DOCKER_PUSH", "PUSH_OK", "DEPLOY_PHASE", "UPDATE_TASK"),
    *(
        "REGISTER_TASK",
        "RUN_TASK",
        "TASK_STARTED",
        "MONITOR",
        "PIPELINE_OK",
        "VERIFY_DATA",
        "DATA_OK",
        "PROMOTE",
    ),
]


@pytest.fixture(scope="module")
def first(etl: Project) -> Ran:
    """The ETL's first release, all phases."""
    ran = etl.release()
    assert ran.code == 0, ran.said()
    return ran


def test_the_first_release_passes_every_node_and_its_data_is_there(
    first: Ran, etl: Project, outside: Outside
) -> None:
    """Every node of the smooth way is passed; one task, one revision, one image, and every document."""
    assert (first.ended["end"], first.ended["exit_code"]) == ("END_SUCCESS", 0)
    assert first.passed == SMOOTH
    shown = etl.deployer.show(first.release)
    assert shown["path"] == [*SMOOTH, "END_SUCCESS"]
    assert shown["skipped"] == []
    assert shown["verification"]["ok"]
    assert len(outside.tasks(first.release)) == 1
    assert outside.revisions("forecast-etl") == [shown["task_definition"]]
    assert outside.images(etl.repository) == {shown["image"]["digest"]: {shown["image"]["tag"], "latest"}}
    assert outside.collection("measurements").count_documents({"run_id": first.release}) == SAMPLE
    assert outside.collection("load_runs").find_one({"_id": first.release})["totals"]["inserted"] == SAMPLE


def test_the_second_release_skips_what_is_done(first: Ran, etl: Project, outside: Outside) -> None:
    """Unchanged inputs: build, push and register are skipped, the job runs, and no document changes."""
    before = outside.fingerprint("measurements", {})
    ran = etl.release("--start-at", "build")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert sorted(etl.deployer.show(ran.release)["skipped"]) == sorted([*LOCAL, *BUILD, "REGISTER_TASK"])
    assert len(outside.tasks(ran.release)) == 1
    assert len(outside.revisions("forecast-etl")) == 1
    assert outside.fingerprint("measurements", {}) == before


def test_red_tests_then_ctrl_c_then_sigterm_each_is_gone_on_from(
    first: Ran, etl: Project, engine: docker.DockerClient, outside: Outside
) -> None:
    """Red local tests pause at CODE with 10; Ctrl-C and SIGTERM in the compose test end with 130 and leave
    nothing of the replica set; the last resume takes the same release to its end."""
    etl.edit("checks.py", "== 2", "== 3")
    red = etl.release()
    assert (red.code, red.ended["end"], red.ended["node"]) == (10, "PAUSED", "CODE"), red.said()
    assert "assert 1 + 1 == 3" in " ".join(red.paused["evidence"])
    assert "tests.log" in red.paused["remedy"]
    etl.edit("checks.py", "== 3", "== 2")
    for sent in (signal.SIGINT, signal.SIGTERM):
        ran = interrupted(etl, sent, "resume", "--output", "json")
        assert (ran.code, ran.ended["end"], ran.ended["node"]) == (130, "INTERRUPTED", "DOCKER_COMPOSE")
        assert containers_of(engine, red.release) == []
    resumed = etl.resume()
    assert (resumed.ended["end"], resumed.release) == ("END_SUCCESS", red.release), resumed.said()
    assert len(outside.tasks(red.release)) == 1


def test_a_bucket_that_is_not_there(first: Ran, etl: Project, outside: Outside) -> None:
    """The task ends with an error of S3: CHECK_CONFIG, 13; with the right name in deploy.toml the revision
    that has it runs, and the release ends in success."""
    etl.edit("deploy.toml", RUN, NO_BUCKET)
    ran = etl.release("--start-at", "build")
    assert (ran.code, ran.ended["end"], ran.ended["node"]) == (13, "PAUSED", "CHECK_CONFIG"), ran.said()
    assert "nosuch-bucket-of-ours" in " ".join((ran.paused["message"], *ran.paused["evidence"])), ran.said()
    assert "bucket" in ran.paused["remedy"]
    etl.edit("deploy.toml", NO_BUCKET, RUN)
    resumed = etl.resume()
    assert (resumed.ended["end"], resumed.release) == ("END_SUCCESS", ran.release), resumed.said()
    revision = etl.deployer.show(ran.release)["task_definition"]
    registered = outside.aws("ecs").describe_task_definition(taskDefinition=revision)
    assert "nosuch-bucket-of-ours" not in str(registered)


def test_one_document_of_4950_that_is_silently_lost_is_missed(
    first: Ran, etl: Project, outside: Outside
) -> None:
    """The ETL says that it wrote every reading and lost one: CHECK_DATA, 17, and `latest` does not move.

    With the ETL fixed, a resume writes what was lost, and then only is it proven.
    """
    measurements, before = outside.collection("measurements"), latest(outside, etl)
    forget_what_is_loaded(outside)
    etl.edit("pipeline/__main__.py", *LOSING)
    try:
        ran = etl.release("--start-at", "build")
    finally:
        etl.edit("pipeline/__main__.py", *reversed(LOSING))
    assert (ran.code, ran.ended["end"], ran.ended["node"]) == (17, "PAUSED", "CHECK_DATA"), ran.said()
    report = outside.collection("load_runs").find_one({"_id": ran.release})
    there = measurements.count_documents({"run_id": ran.release})
    assert (report["status"], report["totals"]["inserted"], there) == ("succeeded", SAMPLE, SAMPLE - 1)
    assert "documents written by this run: expected 4950" in " ".join(ran.paused["evidence"])
    assert latest(outside, etl) == before
    mended = etl.resume()
    assert (mended.ended["end"], mended.release) == ("END_SUCCESS", ran.release), mended.said()
    assert measurements.count_documents({"run_id": ran.release}) == SAMPLE
    forget_what_is_loaded(outside)


def forget_what_is_loaded(outside: Outside) -> None:
    """The next run loads everything."""
    for name in ("measurements", "loaded_objects"):
        outside.collection(name).delete_many({})


def latest(outside: Outside, project: Project) -> list[str]:
    """The digest that `latest` names."""
    return [digest for digest, tags in outside.images(project.repository).items() if "latest" in tags]


def interrupted(project: Project, sent: signal.Signals, *arguments: str) -> Ran:
    """Sends the signal once the set's containers are under way."""
    done: list[Event] = []

    def watch(process: Any, event: Event) -> None:
        if event["event"] == "logged" and "mongo1" in event["text"] and not done:
            done.append(event)
            process.send_signal(sent)

    ran = project.deployer.watched(arguments, watch)
    assert done, ran.said()
    return ran


def containers_of(engine: docker.DockerClient, release: str) -> list[str]:
    """Containers, networks and volumes of the release's compose project."""
    made = [
        *engine.containers.list(all=True, ignore_removed=True),
        *engine.networks.list(),
        *engine.volumes.list(),
    ]
    return [item.name for item in made if release in item.name]
