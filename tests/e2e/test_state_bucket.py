"""A release whose state bucket is away for a while."""

import subprocess
from pathlib import Path

from deployer.records.journal import NAME
from tests.e2e.command import Event
from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.faults.proxy import Fault, between

STATE = """
[env.aws.state]
bucket = "{bucket}"
lock-ttl = "60s"
"""


def test_losing_s3_for_a_while_pauses_nothing_and_loses_nothing(job: Project, outside: Outside) -> None:
    """From the build until the task runs every call to S3 breaks, for less than the lock's time to live: no
    pause, no retry of a step, and in the end the bucket holds the journal byte for byte and all evidence."""
    s3, down = outside.aws("s3"), list[str]()
    s3.create_bucket(Bucket=job.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    with (job.folder / "deploy.toml").open("a") as file:
        file.write(STATE.format(bucket=job.name))
    job.edit("deploy.toml", "environment = {}", 'environment = { SECONDS = "2" }')

    def away(operation: str, number: int) -> Fault | None:
        return Fault("reset") if down and operation.startswith(f"/{job.name}") else None

    def lose(process: "subprocess.Popen[str]", event: Event) -> None:
        if event["event"] == "entered" and event["node"] == "DOCKER_BUILD":
            down.append("S3")
        elif event["event"] == "logged" and "working, second 1" in event["text"]:
            down.clear()

    host, _, port = outside.facts["SANDBOX_REGISTRY"].partition(":")
    with between((host, int(port))) as way:
        way.begin(away)
        ran = job.deployer.watched(
            ("release", "--start-at", "build", "--output", "json"),
            lose,
            {"ENDPOINT": f"http://{way.address}"},
        )
        assert way.injected
    assert ran.ended["end"] == "END_SUCCESS", ran.said()
    assert not [event for event in ran.events if event["event"] in ("paused", "retried")]
    assert kept(outside, job.name, f"job/aws/releases/{ran.release}/") == held(
        job.folder / ".deployer" / "releases" / ran.release
    )


def kept(outside: Outside, bucket: str, prefix: str) -> dict[str, bytes]:
    """Journal and evidence in the bucket, by name."""
    s3 = outside.aws("s3")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    return {
        item["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        for item in found
    }


def held(folder: Path) -> dict[str, bytes]:
    """The same on this machine."""
    files = [folder / NAME, *(path for path in (folder / "evidence").rglob("*") if path.is_file())]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
