"""One MiniStack for all contract tests, without a Docker engine: it records tasks and runs none."""

import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from deployer.adapters.aws.session import AwsSession
from tests.deployer.contract.aws.accounts import Account
from tests.deployer.contract.aws.worlds import AwsWorld, FakeWorld, World, session
from tests.ports import free_port


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("ministack")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "MINISTACK_REGION": "eu-west-3",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }
    command = Path(sys.executable).with_name("ministack")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([command], env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        _await_health(f"http://127.0.0.1:{port}/_ministack/health", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _await_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"MiniStack did not come up:\n{log.read_text()}")


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"job-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def moto_session() -> AwsSession:
    return session(None)


@pytest.fixture(scope="session")
def ministack_session(ministack: str) -> AwsSession:
    return session(ministack)


@pytest.fixture(params=["fake", "moto", "ministack"])
def world(request: pytest.FixtureRequest, name: str) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
    elif request.param == "moto":
        with mock_aws():
            yield AwsWorld(name, request.getfixturevalue("moto_session"))
    else:
        yield AwsWorld(name, request.getfixturevalue("ministack_session"))


@pytest.fixture
def account(ministack_session: AwsSession, name: str) -> Iterator[Account]:
    made = Account(ministack_session, name)
    yield made
    made.close()
