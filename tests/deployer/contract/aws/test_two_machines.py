"""The installed command in two folders that share nothing but an S3 bucket: two machines.

The release that they pass on is one whose local tests are red: it needs no Docker engine. The tests wait for
a file `go` in the folder, so that a release can be held in the middle.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.aws.session import AwsSession
from tests.deployer.contract.aws.accounts import Account
from tests.deployer.contract.aws.test_object_store import bucket

TTL = 10.0
PROGRAM = Path(os.sys.executable).with_name("deployer")  # type: ignore[attr-defined]
SETTINGS = """
default-env = "aws"
[project]
name = "job"
[test]
command = ["sh", "-c", "until [ -f go ]; do sleep 0.05; done; echo 1 failed; exit 1"]
[compose]
service = "job"
database = "db"
[build]
inputs = ["Dockerfile"]
[image]
repository = "forecast-etl"
[task]
container = "job"
[task.definition]
family = "job"
requiresCompatibilities = ["FARGATE"]
networkMode = "awsvpc"
cpu = "256"
memory = "512"
executionRoleArn = "{role}"
[[task.definition.containerDefinitions]]
name = "job"
image = "${{IMAGE}}"
[task.definition.containerDefinitions.logConfiguration]
logDriver = "awslogs"
[task.definition.containerDefinitions.logConfiguration.options]
awslogs-group = "/ecs/forecast-etl"
awslogs-region = "eu-west-3"
awslogs-stream-prefix = "ecs"
[logs]
group = "/ecs/forecast-etl"
[verify]
uri = "mongodb://db.test"
database = "db"
[[verify.checks]]
name = "something"
kind = "count"
collection = "rows"
at-least = 1
[env.aws.aws]
region = "eu-west-3"
endpoint-url = "{endpoint}"
[env.aws.run]
cluster = "{name}"
subnets = ["{subnet}"]
security-groups = ["{group}"]
assign-public-ip = true
[env.aws.state]
bucket = "{name}"
lock-ttl = "{ttl}s"
"""


@dataclass
class Machine:
    """A folder with a deploy.toml, and credentials."""

    folder: Path
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environ = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        environ |= {"NO_PROXY": "*", "HOME": str(self.folder)}
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def told(self, *arguments: str) -> Any:
        """What the command says as JSON."""
        code, out, err = self.run(*arguments, "--output", "json")
        assert code == 0, err
        return json.loads(out)

    def go(self) -> None:
        """Lets the local tests end."""
        (self.folder / "go").touch()

    def held(self) -> tuple["subprocess.Popen[str]", str]:
        """A release in the middle of its local tests, and its id."""
        process = self.start("release", "--output", "json")
        release = ""
        assert process.stdout
        for line in process.stdout:
            event = json.loads(line)
            release = event.get("release", release)
            if event["event"] == "entered" and event["node"] == "RUN_TESTS":
                return process, release
        raise AssertionError(process.communicate()[1])


@pytest.fixture
def machine(
    tmp_path: Path, name: str, ministack: str, ministack_session: AwsSession
) -> Iterator[Callable[[str], Machine]]:
    bucket(name, ministack_session)
    account = Account(ministack_session, name)
    settings = SETTINGS.format(
        name=name,
        endpoint=ministack,
        ttl=TTL,
        role=account.roles["execution"],
        subnet=account.subnet,
        group=account.group,
    )
    machines: list[Machine] = []

    def made(called: str) -> Machine:
        folder = tmp_path / called
        folder.mkdir()
        (folder / "deploy.toml").write_text(settings)
        (folder / "Dockerfile").write_text("FROM scratch\n")
        machines.append(Machine(folder))
        return machines[-1]

    yield made
    for process in (process for each in machines for process in each.running):
        with process:
            process.kill()
    account.close()


def await_that(true: Callable[[], bool], seconds: float) -> float:
    """How long it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - begun


def test_a_release_is_seen_respected_and_resumed_elsewhere(machine: Callable[[str], Machine]) -> None:
    """The other machine sees who releases and where, is refused, then shows, explains and resumes the paused
    release; the first one shows what the other did."""
    here, there = machine("here"), machine("there")
    process, release = here.held()
    await_that(lambda: (there.told("status")["lock"] or {}).get("node") == "RUN_TESTS", TTL)
    status = there.told("status")
    assert (status["lock"]["release"], status["lock"]["pid"]) == (release, process.pid)
    assert status["running"] == [release]
    code, _, said = there.run("release")
    assert (code, "at RUN_TESTS" in said) == (3, True)
    assert release in said and "deployer unlock --env aws" in said

    here.go()
    process.communicate(timeout=60)
    assert process.returncode == 10
    shown = there.told("show", release)
    assert (shown["end"], shown["exit_code"]) == ("PAUSED", 10)
    assert [line["id"] for line in there.told("history")["releases"]] == [release]
    assert "1 failed" in there.run("explain")[1]
    code, _, said = there.run("logs", "--release", release)
    assert (code, "has started no task" in said) == (3, True), said

    there.go()
    code, _, said = there.run("resume")
    assert (code, f"release {release} was begun or continued on another machine" in said) == (2, True), said
    assert "@" in said and "pass --yes" in said
    assert there.run("resume", "--yes", "--output", "json")[0] == 10
    assert there.run("resume", release)[0] == 10, "agreed once, it is this machine's"
    again = here.told("show")
    assert again["id"] == release
    assert len(again["path"]) > len(shown["path"])


def test_a_crash_blocks_its_own_machine_not_at_all_and_others_until_its_lock_expires(
    machine: Callable[[str], Machine],
) -> None:
    """Killed without a word: elsewhere it is refused until the lock expires, and no longer; the machine
    where it was killed goes on at once."""
    here, there = machine("here"), machine("there")
    process, release = here.held()
    process.kill()
    process.communicate()
    assert there.run("release")[0] == 3
    here.go()
    assert here.run("resume")[0] == 10

    process, _ = machine("third").held()
    process.kill()
    process.communicate()
    assert await_that(lambda: there.told("status")["lock"] is None, TTL + 5) > TTL / 2
    there.go()
    assert there.run("resume", release, "--yes")[0] == 10


def test_unlock_names_breaks_and_stops(machine: Callable[[str], Machine]) -> None:
    """Nobody to ask: what would be broken is named, exit 2. With --yes it is broken; the release that held it
    stops with exit 3, recorded as far as it was; nothing held is exit 3."""
    here, there = machine("here"), machine("there")
    assert there.run("unlock", "--yes")[0] == 3
    process, release = here.held()
    code, _, said = there.run("unlock")
    assert (code, f"process {process.pid}" in said, release in said) == (2, True, True)
    assert there.told("status")["lock"]
    code, _, said = there.run("unlock", "--yes")
    assert (code, release in said) == (0, True)
    time.sleep(TTL / 3 + 1)
    here.go()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "it was broken by" in said and f"deployer resume {release}" in said
    assert there.run("unlock", "--yes")[0] == 3
    there.go()
    assert there.run("resume", release, "--yes")[0] == 10


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM"])
def test_an_interrupt_gives_the_lock_back(machine: Callable[[str], Machine], end: str) -> None:
    """Ctrl-C and SIGTERM leave nothing that blocks: the other machine resumes at once."""
    import signal

    here, there = machine("here"), machine("there")
    process, release = here.held()
    process.send_signal(getattr(signal, end))
    process.communicate(timeout=60)
    assert process.returncode == 130
    there.go()
    assert there.run("resume", release, "--yes")[0] == 10
