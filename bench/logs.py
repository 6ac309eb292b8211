"""How complete, how ordered and how fast is `deployer logs`? (`make bench-logs`)

Writes events into a MiniStack of its own, reads them back in three ways, and prints ratios taken in the same
run: a bare GetLogEvents loop (the limit), `deployer logs`, and `awslogs`.
"""

import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.adapters.local.machine import SystemClock
from deployer.commands.logs.output import Screen
from deployer.commands.logs.request import TailRequest
from deployer.commands.logs.tail import tail
from deployer.config.load import load, read
from deployer.config.model import Aws, Config
from deployer.ports import TaskRequest
from tests.ports import free_port

ROUNDS = 5
BATCH = 10_000
GROUP, CONTAINER, FAMILY, REGION = "/bench/logs", "job", "bench", "eu-west-3"
REQUEST = TailRequest(group=GROUP, stream_prefix="ecs", container=CONTAINER, family=FAMILY, drain=1.0)
PROJECT = Path(__file__).parent.parent


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """An AWS of our own on loopback, without a Docker engine."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": f"unix://{folder}/none.sock",
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "ministack.log").open("w") as log:
        command = [Path(sys.executable).with_name("ministack")]
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/_ministack/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"MiniStack did not answer at {url}")


def configured(endpoint: str) -> Config:
    """deploy.toml's sandbox, pointed at our MiniStack; what else it asks for is not needed to read logs."""
    variables = {"SANDBOX_CLUSTER": "bench", "SANDBOX_ENDPOINT": endpoint}
    config = load(read(PROJECT / "deploy.toml"), "sandbox", variables, PROJECT, needed=())
    return config.model_copy(update={"aws": Aws.model_validate({"region": REGION, "endpoint-url": endpoint})})


def put(client: Any, streams: Sequence[str], count: int) -> list[str]:
    """`count` lines, dealt to the streams in turn, a millisecond apart; returns them in the order of time."""
    begin = int(time.time() * 1000) - count - 3_600_000
    lines = [f"2026-11-24 INFO loader: object {n:06d} read=144 inserted=140 rejected=4" for n in range(count)]
    for number, stream in enumerate(streams):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [{"timestamp": begin + n, "message": lines[n]} for n in range(number, count, len(streams))]
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=batch)
    return lines


def bare(client: Any, streams: Sequence[str]) -> list[str]:
    """The least that reading all events takes: GetLogEvents until the token stays the same."""
    lines: list[str] = []
    for stream in streams:
        token: dict[str, str] = {}
        while True:
            page = client.get_log_events(
                logGroupName=GROUP, logStreamName=stream, startFromHead=True, **token
            )
            lines += [event["message"] for event in page["events"]]
            if token.get("nextToken") == page["nextForwardToken"]:
                break
            token = {"nextToken": page["nextForwardToken"]}
    return lines


def ours(request: TailRequest, tasks: Ecs, logs: CloudWatchLogs) -> list[str]:
    """`deployer logs`, written to a file as a shell would redirect it."""
    lines: list[str] = []
    with Path(os.devnull).open("w") as sink:

        def write(text: str) -> None:
            sink.write(text + "\n")
            lines.append(text)

        tail(request, tasks, logs, SystemClock(), Screen(write, lambda text: None, sink.flush))
    return lines


def awslogs(endpoint: str, prefix: str) -> list[str]:
    """The popular tailer, as its own process."""
    command = [
        str(Path(sys.executable).with_name("awslogs")),
        "get", GROUP, f"{prefix}.*", "--no-group", "--no-stream", "--start", "1d", "--color", "never",
        "--aws-endpoint-url", endpoint, "--aws-region", REGION,
    ]  # fmt: skip
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": REGION,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    return done.stdout.splitlines()


def timed(action: Callable[[], list[str]]) -> tuple[float, list[str]]:
    begun = time.perf_counter()
    result = action()
    return time.perf_counter() - begun, result


def verdict(shown: list[str], written: list[str]) -> str:
    lines = [line.split("] ", 1)[-1] if line.startswith("[") else line for line in shown]
    if lines == written:
        return "complete, in order, nothing twice"
    if sorted(lines) == sorted(written):
        return "complete, nothing twice, not in order"
    return f"{len(set(lines) & set(written)):,} of {len(written):,} delivered, {len(lines):,} lines printed"


def compare(title: str, endpoint: str, request: TailRequest, streams: Sequence[str], count: int) -> None:
    """Bare loop and ours in turn, several times; the ratio is that of the medians."""
    config = configured(endpoint)
    session = AwsSession(config.aws, Credentials("bench", "bench"))
    client, tasks, logs = session.client("logs"), Ecs(config, session), CloudWatchLogs(config, session)
    written = put(client, streams, count)
    limit, own = [], []
    for _ in range(ROUNDS):
        limit.append(timed(lambda: bare(client, streams))[0])
        seconds, shown = timed(lambda: ours(request, tasks, logs))
        own.append(seconds)
    theirs, printed = timed(lambda: awslogs(endpoint, request.streams if request.all_tasks else streams[0]))
    print(f"\n{title}: {count:,} events, {len(streams)} stream(s), medians of {ROUNDS}")
    print(f"  bare GetLogEvents loop  {median(limit):6.2f} s  {count / median(limit):10,.0f} events/s")
    print(
        f"  deployer logs           {median(own):6.2f} s  {count / median(own):10,.0f} events/s  "
        f"ratio {median(limit) / median(own):.2f} (at least 0.5 wanted)  {verdict(shown, written)}"
    )
    print(
        f"  awslogs (one run)       {theirs:6.2f} s  {count / theirs:10,.0f} events/s  "
        f"ratio {median(limit) / theirs:.2f}  {verdict(printed, written)}"
    )


@dataclass(frozen=True)
class Watching:
    """Who follows what: `tasks` running ones at a time, of which one prints `count` lines, one `every` so
    many seconds."""

    tasks: int
    every: float
    count: int

    def __str__(self) -> str:
        return f"{self.tasks} task(s), a line every {self.every} s"


def latency(endpoint: str, watching: Watching) -> None:
    """From the call of PutLogEvents to the line on the screen, while following running tasks."""
    config = configured(endpoint)
    session = AwsSession(config.aws, Credentials("bench", "bench"))
    client, tasks = session.client("logs"), Ecs(config, session)
    container = {"name": CONTAINER, "image": "none", "memory": 128}
    definition = tasks.register({"family": FAMILY, "containerDefinitions": [container]}, {})
    arns = [started(tasks, definition) for _ in range(watching.tasks)]
    stream = f"{REQUEST.streams}{arns[0].rsplit('/', 1)[-1]}"
    sent: dict[str, float] = {}
    waits: list[float] = []

    def produce() -> None:
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        for number in range(watching.count):
            text = f"line {number}"
            event = {"timestamp": int(time.time() * 1000), "message": text}
            sent[text] = time.perf_counter()
            client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])
            time.sleep(watching.every)
        for arn in arns:
            tasks.stop(arn, "the bench is over")

    def write(text: str) -> None:
        waits.append(time.perf_counter() - sent[text.rsplit("] ", 1)[-1]])

    follow = replace(REQUEST, follow=True, tasks=tuple(arns))
    producer = threading.Thread(target=produce)
    producer.start()
    tail(follow, tasks, CloudWatchLogs(config, session), SystemClock(), Screen(write, lambda text: None))
    producer.join()
    p99 = quantiles(waits, n=100, method="inclusive")[98]
    print(
        f"  {watching!s:40} median {median(waits) * 1000:5.0f} ms, p99 {p99 * 1000:5.0f} ms, "
        f"{len(waits)} of {watching.count} lines"
    )


def started(tasks: Ecs, definition: str) -> str:
    """A task that MiniStack records and never runs; its ARN."""
    task = tasks.run(TaskRequest(definition, uuid.uuid4().hex, "bench", CONTAINER, {}, {})).task
    if task is None:
        raise SystemExit("MiniStack started no task")
    return task.arn


def main() -> None:
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder, ministack(Path(folder)) as endpoint:
        session = AwsSession(configured(endpoint).aws, Credentials("bench", "bench"))
        session.client("logs").create_log_group(logGroupName=GROUP)
        session.client("ecs").create_cluster(clusterName="bench")
        one = replace(REQUEST, tasks=("single",))
        compare("One stream", endpoint, one, [f"{REQUEST.streams}single"], 100_000)
        many = replace(REQUEST, container="many", all_tasks=True)
        compare("Eight streams", endpoint, many, [f"{many.streams}{n}" for n in range(8)], 200_000)
        print("\nLatency from PutLogEvents to screen (of several streams, a line is held for 1 s)")
        for tasks, every, count in ((1, 0.05, 200), (1, 2.3, 8), (40, 2.3, 8)):
            latency(endpoint, Watching(tasks, every, count))


if __name__ == "__main__":
    main()
