"""`deployer init --from-copilot`: manifests of scheduled jobs as Copilot's users have them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from deployer.commands.init.copilot import eventbridge, init_from_copilot
from deployer.errors import RefusedError, UsageError

MANIFEST = """
name: tide-import
type: Scheduled Job
image:
  build:
    dockerfile: jobs/tides/Dockerfile
    target: run
    args: {BASE: slim, DEBUG: false}
cpu: 512
memory: 1024
platform: linux/arm64
on:
  schedule: "15 4 * * 1-5"
timeout: 1h30m
variables:
  LOG_LEVEL: info
  BUCKET: {from_cfn: stack-Bucket}
secrets:
  MONGO_URI: {secretsmanager: 'tides/mongo'}
  TOKEN: /copilot/tides/prod/secrets/TOKEN
environments:
  prod: {memory: 2048}
"""


def made(root: Path, **manifests: str) -> Path:
    for name, text in manifests.items():
        (root / "copilot" / name).mkdir(parents=True)
        (root / "copilot" / name / "manifest.yml").write_text(text)
    return root


def written(root: Path, wanted: str = "", told: list[str] | None = None) -> dict[str, Any]:
    init_from_copilot(root, wanted, None, (told if told is not None else []).append)
    return tomllib.loads((root / "deploy.toml").read_text())


def test_what_the_manifest_says_is_taken_over(tmp_path: Path) -> None:
    """Build, size, secrets, variables and time limit; what it leaves open is said, and stands in the file."""
    told: list[str] = []
    table = written(made(tmp_path, tides=MANIFEST), told=told)
    assert table == {
        "project": {"name": "tide-import"},
        "build": {
            "dockerfile": "jobs/tides/Dockerfile",
            "context": "jobs/tides",
            "target": "run",
            "platform": "linux/arm64",
            "args": {"BASE": "slim", "DEBUG": "false"},
        },
        "task": {
            "cpu": "512",
            "memory": "1024",
            "secrets": {"MONGO_URI": "tides/mongo", "TOKEN": "/copilot/tides/prod/secrets/TOKEN"},
        },
        "run": {"max-runtime": "5400s", "environment": {"LOG_LEVEL": "info"}},
        "verify": {"database": "tide_import"},
    }
    assert any('deployer schedule "cron(15 4 ? * 2-6 *)"' in line for line in told)
    assert any("environments" in line for line in told)
    text = (tmp_path / "deploy.toml").read_text()
    assert text.count("# Open: ") == sum(line.startswith("open: ") for line in told) == 4


def test_the_scheduled_job_is_chosen(tmp_path: Path) -> None:
    """Services are none; of several jobs one is named."""
    service, other = "name: web\ntype: Load Balanced Web Service\n", "name: b\ntype: Scheduled Job\n"
    root = made(tmp_path, web=service, a=other.replace("b", "a", 1), b=other)
    with pytest.raises(UsageError, match="there are a, b"):
        written(root)
    assert written(root, "b")["project"] == {"name": "b"}
    with pytest.raises(RefusedError, match="is there already"):
        written(root, "b")


def test_without_a_job_or_with_a_broken_manifest(tmp_path: Path) -> None:
    """Both are said; nothing is written."""
    with pytest.raises(UsageError, match="no copilot"):
        written(tmp_path)
    with pytest.raises(UsageError, match=r"copilot/x/manifest\.yml cannot be read: .*line 2"):
        written(made(tmp_path, x="name: [\n"))
    assert not (tmp_path / "deploy.toml").exists()


@pytest.mark.parametrize(
    ("schedule", "expression"),
    [
        ("@daily", "cron(0 0 * * ? *)"),
        ("@every 90m", "rate(90 minutes)"),
        ("@every 1h30m", "rate(90 minutes)"),
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("0 3 1 * *", "cron(0 3 1 * ? *)"),
        ("0 3 * * 0", "cron(0 3 ? * 1 *)"),
        ("0 3 * * MON-FRI", "cron(0 3 ? * MON-FRI *)"),
        ("0 3 1 * 1", ""),
        ("@every 1s", ""),
        ("cron(0 3 * * ? *)", "cron(0 3 * * ? *)"),
    ],
)
def test_schedules_are_told_as_eventbridge_writes_them(schedule: str, expression: str) -> None:
    """Days of the week count from 1 there, and one of the two kinds of days must be `?`."""
    assert eventbridge(schedule) == expression
