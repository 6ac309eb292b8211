"""Credentials as people have them, where they cannot be read; and how often AWS is called."""

import os
import pwd
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.aws.api_model import violations
from deployer.adapters.aws.limiter import Limiter, again
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Aws
from deployer.errors import Failure
from deployer.lock.owner import user_name

CONFIG = """
[profile process]
credential_process = /no/such/vault job
[profile token]
role_arn = arn:aws:iam::111122223333:role/ci
web_identity_token_file = /no/such/token
"""


@pytest.mark.parametrize(("profile", "what"), [("process", "/no/such/vault"), ("token", "/no/such/token")])
def test_credentials_that_cannot_be_read_are_a_configuration_error(
    profile: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message with what is missing, exit code 13, never a Python error."""
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    session = AwsSession(Aws(region="eu-west-3", profile=profile))
    with pytest.raises(Failure, match=what) as refused, translated("AWS identity"):
        session.client("sts").get_caller_identity()
    assert refused.value.exit_code == 13
    assert "credential_process" in refused.value.hint


def test_a_user_without_a_name_is_a_number() -> None:
    """Containers in CI often run as a uid without a passwd entry; only root can become one."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
                os.environ.pop(name, None)
            if os.geteuid() == 0:
                os.setuid(54321)
            os.write(write, user_name().encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with os.fdopen(read) as said:
        assert said.read() == ("uid-54321" if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)


ASK = """
from deployer.adapters.aws.session import _ask_for_code
from deployer.errors import Failure
try:
    print("code", _ask_for_code("MFA code for job: "))
except Failure as failure:
    print(failure.failure_class, failure.message)
"""


def test_an_mfa_code_is_asked_for_through_the_terminal() -> None:
    """Although standard input is no terminal: a pipe may feed the program."""
    pid, terminal = os.forkpty()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execv(sys.executable, [sys.executable, "-c", ASK])
    seen = b""
    while b"MFA code for job: " not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"604218\n")
    with suppress(OSError):  # the terminal is gone with the program
        while piece := os.read(terminal, 1000):
            seen += piece
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"code 604218" in seen


def test_without_a_terminal_no_code_is_asked_for() -> None:
    """In CI it is an error with a fix, never EOFError and never a wait."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
    )
    assert "aws-config the AWS profile asks for an MFA code and there is no terminal" in done.stdout
    assert done.stderr == ""


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def answered(limiter: Limiter, code: str = "") -> None:
    limiter.learn({"Error": {"Code": code}} if code else {}, event_name="after-call.ecs.DescribeTasks")


def test_whoever_is_throttled_slows_down_and_recovers() -> None:
    """The pause before a call of that service doubles; other services are not held up."""
    time = Time()
    limiter = Limiter(lambda: time.now, time.sleep)
    for _ in range(3):
        answered(limiter, "ThrottlingException")
    for _ in range(2):
        limiter.wait(event_name="before-send.ecs.DescribeTasks")
    assert time.slept == pytest.approx(0.2)
    limiter.wait(event_name="before-send.logs.GetLogEvents")
    assert time.slept == pytest.approx(0.2)
    for _ in range(40):
        answered(limiter)
    before = time.slept
    for _ in range(5):
        limiter.wait(event_name="before-send.ecs.DescribeTasks")
    assert time.slept - before == pytest.approx(0.4)  # the turn that was reserved before, then the pace


FOLLOWERS, ALLOWED = 20, 25


class Follower:
    """Reads its stream again as soon as it has an answer, which takes 10 ms."""

    def __init__(self, limiter: Limiter, time: Time) -> None:
        self.limiter, self.time, self.read = limiter, time, 0
        self.take_turn(0.0)

    def take_turn(self, now: float) -> None:
        """`due`: when its next call is sent."""
        self.time.now = now
        self.limiter.wait(event_name="before-send.cloudwatch-logs.GetLogEvents")
        self.due = self.time.now

    def call(self, *, throttled: bool) -> None:
        """A throttled call is sent again, as botocore is told to."""
        answer = {"Error": {"Code": "ThrottlingException"}} if throttled else {}
        self.limiter.learn(answer, event_name="after-call.cloudwatch-logs.GetLogEvents")
        delay = again((Http(400), answer), Operation("GetLogEvents"), 1, None) if throttled else None
        self.read += not throttled
        self.take_turn(self.due + 0.01 + (delay or 0.0))


def followed(followers: list[Follower], seconds: float, throttled: Callable[[float], bool]) -> list[float]:
    """When each call was sent, in this order."""
    sent: list[float] = []
    while (first := min(followers, key=lambda one: one.due)).due < seconds:
        sent.append(first.due)
        first.call(throttled=throttled(first.due))
    return sent


def most_in_a_second(times: list[float]) -> int:
    return max(bisect_left(times, start + 1) - number for number, start in enumerate(times))


def test_twenty_followers_in_one_process_stay_under_the_account_s_limit() -> None:
    """They share one limiter: in no second more than 25 GetLogEvents, and each follower gets its turn."""
    time = Time()
    limiter = Limiter(lambda: time.now, time.sleep)
    followers = [Follower(limiter, time) for _ in range(FOLLOWERS)]
    sent = followed(followers, 60, lambda _: False)
    assert 15 < most_in_a_second(sent) <= ALLOWED
    assert min(follower.read for follower in followers) > 30


def test_twenty_processes_of_one_account_slow_down_until_they_are_served() -> None:
    """They know nothing of each other: of what the account throttles they learn, and none starves."""
    served: list[float] = []

    def throttled(now: float) -> bool:
        full = sum(now - 1 < time <= now for time in served[-ALLOWED:]) >= ALLOWED
        if not full:
            served.append(now)
        return full

    times = [Time() for _ in range(FOLLOWERS)]
    followers = [Follower(Limiter(lambda time=time: time.now, time.sleep), time) for time in times]  # type: ignore[misc]
    sent = followed(followers, 120, throttled)
    settled = [time for time in sent if time > 20]
    assert len(settled) / 100 < 2 * ALLOWED
    assert min(follower.read for follower in followers) > 120 / 6


class Operation:
    def __init__(self, name: str) -> None:
        self.name = name


class Http:
    def __init__(self, status: int) -> None:
        self.status_code = status


def repeated(name: str, status: int = 503, code: str = "", attempts: int = 1) -> bool:
    answer: Any = (Http(status), {"Error": {"Code": code}})
    return again(answer, Operation(name), attempts, None) is not None


def test_only_calls_that_read_are_repeated() -> None:
    """On what passes by itself, and a few times."""
    assert repeated("DescribeTasks")
    assert repeated("GetLogEvents", 400, "ThrottlingException")
    assert not repeated("RunTask")
    assert not repeated("RegisterTaskDefinition", 400, "ThrottlingException")
    assert not repeated("DescribeTasks", 400, "AccessDeniedException")
    assert not repeated("DescribeTasks", attempts=4)


def test_the_api_s_own_description_refuses_what_botocore_lets_through() -> None:
    """Enums and lengths as well as types, in words and with the place."""
    found = violations(
        "ecs",
        "RunTask",
        {
            "taskDefinition": "j:1",
            "launchType": "FARGAT",
            "count": "1",
            "startedBy": "x",
            "tags": [{"key": "k" * 129}],
        },
    )
    assert found == [
        "count: 1 is a text, must be a number",
        "launchType: 'FARGAT' is none of EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES",
        "tags[0].key: has 129 characters, at most 128 are allowed",
    ]
