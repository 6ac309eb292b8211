"""A real Dask scheduler and two worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from pymongo import MongoClient

from pipeline.config import MongoSettings
from tests.pipeline.integration.conftest import READINGS
from tests.pipeline.oracle import expected, stored
from tests.pipeline.process import end, environment, load, start
from tests.ports import free_port


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._dask("scheduler", "--host", self.address, "--no-dashboard", "--no-show")
        for _ in range(2):
            self.add_worker()

    def add_worker(self) -> None:
        self._dask(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"
        )

    def wait(self) -> None:
        connect: Any = Client
        with connect(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def kill_worker(self) -> None:
        victim = self._processes.pop()
        victim.send_signal(signal.SIGKILL)
        victim.wait(30)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(30)

    def _dask(self, *arguments: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
            env=environment(None, PYTHONPATH=os.getcwd()),
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        made.wait()
        yield made
    finally:
        made.stop()


def test_a_cluster_does_what_one_process_does(mongo: MongoSettings, sample: Path, cluster: Cluster) -> None:
    """The same documents and the same totals as without Dask, then nothing to do."""
    ended = load(mongo, sample, "--dask", cluster.address)
    assert (ended.code, ended.err) == (0, "")
    assert stored(mongo) == expected(sample)
    assert ended.report["totals"]["inserted"] == READINGS
    assert ended.report["executor"] == f"dask {cluster.address}"
    again = load(mongo, sample, "--dask", cluster.address)
    assert set(again.report["object_counts"]) == {"skipped"}


def test_a_killed_worker_loses_and_doubles_nothing(
    mongo: MongoSettings, sample: Path, cluster: Cluster
) -> None:
    """A worker is killed while readings arrive: documents and report are those of an undisturbed run."""
    process = start(["pipeline", "run", "--source", sample, "--dask", cluster.address], mongo, RUN_ID="r")
    with MongoClient(mongo.uri) as client:
        deadline = time.monotonic() + 60
        while not client[mongo.database]["measurements"].estimated_document_count():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        cluster.kill_worker()
        ended = end(process)
        cluster.add_worker()
        assert ended.code == 0
        assert stored(mongo) == expected(sample)
        assert ended.report["totals"]["inserted"] == ended.report["written"] == READINGS
        assert client[mongo.database]["measurements"].count_documents({"run_id": "r"}) == READINGS


def test_no_scheduler_is_a_clear_message(mongo: MongoSettings, sample: Path) -> None:
    """An address where nobody listens: exit 2 and what to give."""
    ended = load(mongo, sample, "--dask", "tcp://127.0.0.1:1")
    assert ended.code == 2
    assert "no Dask scheduler at tcp://127.0.0.1:1" in ended.err
    assert "Traceback" not in ended.err
