"""`forecast-etl` from a bucket.

MiniStack answers over HTTP, and a proxy before it breaks what it is told to.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.config import MongoSettings
from pipeline.gateways.s3 import ATTEMPTS
from tests.pipeline.integration.conftest import READINGS
from tests.pipeline.oracle import expected, stored
from tests.pipeline.process import Ended, etl
from tests.ports import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-3"}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a MiniStack of its own."""
    port, folder = free_port(), tmp_path_factory.mktemp("ministack")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "ministack.app:app"],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_ministack/health")
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def bucket(s3: int, tmp_path_factory: pytest.TempPathFactory, sample: Path) -> int:
    """The sample as objects below `weather/` of the bucket `raw`."""
    client: Any = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3}",
        region_name="eu-west-3",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    location = {"LocationConstraint": "eu-west-3"}
    client.create_bucket(Bucket="raw", CreateBucketConfiguration=location)
    for path in sample.rglob("*.*"):
        client.upload_file(str(path), "raw", f"weather/{path.relative_to(sample).as_posix()}")
    client.close()
    return s3


def run(mongo: MongoSettings, port: int, *arguments: str, **more: str) -> Ended:
    where = {"S3_BUCKET_NAME": "raw", "S3_PREFIX": "weather/", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    return etl(mongo, "run", *arguments, **KEYS, **{**where, **more})


class Proxy(ThreadingHTTPServer):
    """Passes requests on.

    Those for paths that hold `word` fail the next `failures` times, after `after` bytes: the answer breaks
    off there, or waits for `pause_s` before it goes on.
    """

    def __init__(self, target: int, word: str, failures: int, after: int | None, pause_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target, self.word, self.failures, self.after = target, word, failures, after
        self.pause_s, self.closing = pause_s, threading.Event()
        self.failed = 0


class _Passing(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        server = self.server
        broken = server.word in self.path and server.failed < server.failures
        server.failed += broken
        if broken and server.after is None and not server.pause_s:
            self.send_error(500)
            return
        if broken and server.after is None:
            server.closing.wait(server.pause_s)
        connection = http.client.HTTPConnection("127.0.0.1", server.target)
        connection.request("GET", self.path, headers=dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.close_connection = True
        connection.close()
        with suppress(OSError):  # a client that waits no longer has gone
            self._send(content, broken=broken)

    def _send(self, content: bytes, *, broken: bool) -> None:
        server = self.server
        if not broken or server.after is None:
            self.wfile.write(content)
            return
        self.wfile.write(content[: server.after])
        if server.pause_s:
            server.closing.wait(server.pause_s)
            self.wfile.write(content[server.after :])

    def log_message(self, *_: object) -> None: ...


@contextmanager
def proxy(
    target: int, word: str, failures: int, after: int | None = None, pause_s: float = 0.0
) -> Iterator[Proxy]:
    server = Proxy(target, word, failures, after, pause_s)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bucket_is_loaded_and_then_skipped(mongo: MongoSettings, bucket: int, sample: Path) -> None:
    """The same documents as from the folder; objects with the same etag are not read again."""
    ended = run(mongo, bucket)
    assert (ended.code, ended.err) == (0, "")
    assert ended.report["source"] == "s3://raw/weather/"
    assert stored(mongo) == expected(sample)
    assert set(run(mongo, bucket).report["object_counts"]) == {"skipped"}


@pytest.mark.parametrize("after", [None, 3000], ids=["500", "cut in the middle"])
def test_s3_that_fails_for_a_while_is_retried(
    mongo: MongoSettings, bucket: int, sample: Path, after: int | None
) -> None:
    """Answers of 500, and bodies that break off: the run ends well and nothing is missing."""
    with proxy(bucket, "station_ichtegem", failures=4, after=after) as server:
        ended = run(mongo, server.server_port)
    assert ended.code == 0
    assert server.failed == 4
    assert ended.report["totals"]["inserted"] == READINGS
    assert stored(mongo) == expected(sample)


def test_an_object_that_stays_unreadable_is_named(mongo: MongoSettings, bucket: int) -> None:
    """Exit 5 with the key, and the next run completes what is missing."""
    with proxy(bucket, "station_ichtegem_BE.xlsx", failures=10**6) as server:
        ended = run(mongo, server.server_port)
    assert ended.code == 5
    assert "weather/station_ichtegem_BE.xlsx" in ended.err
    assert "Traceback" not in ended.err
    assert ended.report["status"] == "failed"
    again = run(mongo, bucket)
    assert (again.code, again.report["documents"]) == (0, READINGS)


@pytest.mark.parametrize("after", [None, 3000], ids=["answers late", "stops in the middle"])
def test_s3_that_is_only_slow_is_waited_for(
    mongo: MongoSettings, bucket: int, sample: Path, after: int | None
) -> None:
    """Answers and bodies that pause for less than the time-out cost no attempt, and nothing is missing."""
    with proxy(bucket, "station_ichtegem", failures=3, after=after, pause_s=0.5) as server:
        ended = run(mongo, server.server_port, S3_TIMEOUT_S="10")
    assert (ended.code, ended.err) == (0, "")
    assert server.failed == 3
    assert stored(mongo) == expected(sample)


@pytest.mark.parametrize("after", [None, 3000], ids=["answers late", "stops in the middle"])
def test_s3_that_is_too_slow_for_a_while_is_asked_again(
    mongo: MongoSettings, bucket: int, sample: Path, after: int | None
) -> None:
    """What does not come within the time-out is read again from the byte that is missing."""
    with proxy(bucket, "station_ichtegem", failures=3, after=after, pause_s=3600) as server:
        ended = run(mongo, server.server_port, S3_TIMEOUT_S="0.5")
    assert ended.code == 0
    assert server.failed == 3
    assert stored(mongo) == expected(sample)


@pytest.mark.parametrize("after", [None, 0], ids=["never answers", "sends a head and no body"])
def test_an_object_that_does_not_come_is_named(mongo: MongoSettings, bucket: int, after: int | None) -> None:
    """Exit 5 with the key after a bounded number of waits, and the next run completes what is missing."""
    with proxy(bucket, "station_ichtegem_BE.xlsx", failures=10**6, after=after, pause_s=3600) as server:
        ended = run(mongo, server.server_port, S3_TIMEOUT_S="0.3")
    assert ended.code == 5
    assert "weather/station_ichtegem_BE.xlsx" in ended.err
    assert "imeout" in ended.err or "timed out" in ended.err
    assert "Traceback" not in ended.err
    assert server.failed <= 1 + 2 * ATTEMPTS  # ahead of time, then each attempt as botocore makes it
    again = run(mongo, bucket)
    assert (again.code, again.report["documents"]) == (0, READINGS)


def test_a_bucket_that_is_not_there_is_named(mongo: MongoSettings, bucket: int) -> None:
    """Exit 5 and what to look at."""
    ended = run(mongo, bucket, S3_BUCKET_NAME="lost")
    assert ended.code == 5
    assert "s3://lost/weather/" in ended.err
    assert "S3_BUCKET_NAME" in ended.err


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer within a minute")


def test_the_stations_may_be_an_object(mongo: MongoSettings, bucket: int) -> None:
    """`STATIONS` names an object of any bucket; one that is not there ends the run with exit code 2."""
    client: Any = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{bucket}",
        region_name="eu-west-3",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    text = (Path(__file__).parents[3] / "pipeline" / "stations.toml").read_bytes()
    client.put_object(Bucket="raw", Key="configuration/stations.toml", Body=text)
    client.close()
    ended = run(mongo, bucket, STATIONS="s3://raw/configuration/stations.toml")
    assert ended.code == 0
    missing = run(mongo, bucket, STATIONS="s3://raw/configuration/none.toml")
    assert missing.code == 2
    assert "s3://raw/configuration/none.toml" in missing.err
