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
    ran = etl.release("--from", "build")
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert sorted(etl.deployer.show(ran.release)["skipped"]) == sorted([*LOCAL, *BUILD, "REGISTER_TASK"])
    assert len(outside.tasks(ran.release)) == 1
    assert len(outside.revisions("forecast-etl")) == 1
    assert outside.fingerprint("measurements", {}) == before


def test_interrupted_in_the_compose_test_it_leaves_nothing_and_goes_on(
    first: Ran, etl: Project, engine: docker.DockerClient, outside: Outside
) -> None:
    """Ctrl-C, then SIGTERM: each ends with 130 and takes the replica set down; resumed, it succeeds."""
    ran = interrupted(etl, signal.SIGINT, "release", "--output", "json")
    assert (ran.code, ran.ended["end"], ran.ended["node"]) == (130, "INTERRUPTED", "DOCKER_COMPOSE")
    assert containers_of(engine, ran.release) == []
    again = interrupted(etl, signal.SIGTERM, "release", "--resume", "--output", "json")
    assert (again.code, again.ended["end"], again.release) == (130, "INTERRUPTED", ran.release)
    assert containers_of(engine, ran.release) == []
    resumed = etl.resume()
    assert (resumed.ended["end"], resumed.release) == ("END_SUCCESS", ran.release), resumed.said()
    assert len(outside.tasks(ran.release)) == 1


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
