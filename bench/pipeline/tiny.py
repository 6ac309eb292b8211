"""Many tiny objects in a bucket, and rows that are all refused: what each costs beside its plain rival."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3

from bench.pipeline.data import day_lines, day_name, write_days
from bench.pipeline.loading import run
from bench.pipeline.ratio import Ratio, seconds
from pipeline.app import Options, perform_run
from pipeline.config import MongoSettings, Settings
from pipeline.gateways.s3 import S3Source, s3_client
from pipeline.prefetch import Prefetch
from pipeline.report import Limits
from tests.ports import free_port

OBJECTS, ROWS = 1_000, 12
_KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "eu-west-3"}


def tiny(uri: str, folder: Path) -> Iterator[Ratio]:
    """Reading objects of twelve rows from an emulated S3, and loading them."""
    with bucket(folder) as source:
        refs = list(source.list())

        def one_by_one() -> None:
            for ref in refs:
                with source.open(ref) as stream:
                    stream.read()

        def ahead() -> None:
            prefetch = Prefetch(source)
            for group in prefetch.groups(refs):
                for item in group:
                    item.open(source).read()
            prefetch.close()

        slow, fast = seconds(one_by_one), min(seconds(ahead) for _ in range(2))
        yield Ratio("tiny objects, read ahead", OBJECTS / fast, OBJECTS / slow, "objects/s", 5, "one by one")
        settings = Settings(MongoSettings(uri, f"tiny_{uuid.uuid4().hex[:8]}"), "s3://raw", "eu-west-3")
        taken = seconds(lambda: perform_run(settings, Options(), lambda *_, **__: None))
        name = "tiny objects, loaded"
        yield Ratio(name, OBJECTS / taken, OBJECTS / slow, "objects/s", 2, "only read, one by one")


def refused(uri: str, folder: Path) -> Iterator[Ratio]:
    """A month of days of which every row is refused, against the same days as they should be."""
    days = 60
    write_days(folder / "good", days)
    (folder / "bad").mkdir(parents=True)
    for number in range(days):
        lines = [line.replace(b'"Time":"', b'"Time":"at ') for line in day_lines(number)]
        (folder / "bad" / day_name(number)).write_bytes(b"\n".join(lines) + b"\n")
    good = min(seconds(lambda: run(uri, f"good_{uuid.uuid4().hex[:8]}", folder / "good")) for _ in range(3))
    options = Options(limits=Limits(1.0, 1.0, 1.0))

    def refuse() -> None:
        settings = Settings(MongoSettings(uri, f"bad_{uuid.uuid4().hex[:8]}"), str(folder / "bad"))
        perform_run(settings, options, lambda *_, **__: None)

    bad = min(seconds(refuse) for _ in range(3))
    yield Ratio("refused rows", days / bad, days / good, "days/s", 1.0, "the same rows, good")


@contextmanager
def bucket(folder: Path) -> Iterator[S3Source]:
    """A bucket `raw` of MiniStack with tiny objects, each with times of its own."""
    folder.mkdir(parents=True)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "ministack.app:app"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.environ.update(_KEYS, AWS_ENDPOINT_URL=address)
    try:
        _wait_for(f"{address}/_ministack/health")
        client: Any = boto3.client("s3", region_name="eu-west-3")
        where = {"LocationConstraint": "eu-west-3"}
        client.create_bucket(Bucket="raw", CreateBucketConfiguration=where)
        for number in range(OBJECTS):
            lines = day_lines(number // 24)[number % 24 * ROWS :][:ROWS]
            key = f"{number:05}/{day_name(number // 24)}"
            client.put_object(Bucket="raw", Key=key, Body=b"\n".join(lines) + b"\n")
        yield S3Source("s3://raw", s3_client("eu-west-3", 20), time.sleep)
    finally:
        for name in (*_KEYS, "AWS_ENDPOINT_URL"):
            os.environ.pop(name, None)
        process.terminate()
        process.wait(30)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    raise SystemExit("the emulator did not start")
