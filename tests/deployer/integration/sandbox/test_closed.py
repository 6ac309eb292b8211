"""A sandbox that runs is closed: to other users of the machine, to containers on the bridge, to web pages.

Each request is written byte for byte by a bash of user `nobody` in a container, on the machine's own network
or on Docker's bridge; what it gets is the status that the gate answered with.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from docker.client import DockerClient

from deployer.sandbox import Sandbox, SandboxFacts, engine
from tests.deployer.integration.sandbox.test_running_tasks import image as image

NOBODY = "65534:65534"
ASKS = 'exec 3<>"/dev/tcp/$0/$1"; printf "%b" "$2" >&3; read -r line <&3; printf "%s" "$line"'
RUNS = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.RunTask"}
READS = {"X-Amz-Target": "secretsmanager.GetSecretValue"}
PUSHES = "/v2/forecast-etl/blobs/uploads/"


def signed(key: str, service: str) -> dict[str, str]:
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20270101/eu-west-3/{service}/aws4_request"}


class Outsider:
    """Somebody on this machine who is not its owner."""

    def __init__(self, docker: DockerClient, image: str, network: str, host: str, port: int) -> None:
        self._docker, self._image, self._network = docker, image, network
        self._host, self._port = host, port

    def status(self, headers: dict[str, str], path: str = "/", method: str = "POST") -> str:
        """Of one request; the answer's first line without the protocol's version."""
        lines = {
            "Host": f"{self._host}:{self._port}",
            "Content-Length": "0",
            "Connection": "close",
            **headers,
        }
        head = "".join(f"{name}: {value}\\r\\n" for name, value in lines.items())
        request = f"{method} {path} HTTP/1.1\\r\\n{head}\\r\\n"
        container = self._docker.containers.run(
            self._image,
            ["bash", "-c", ASKS, self._host, str(self._port), request],
            user=NOBODY,
            network_mode=self._network,
            detach=True,
        )
        try:
            container.wait()
            return str(container.logs().decode()).strip().partition(" ")[2][:3]
        finally:
            container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def facts(standing: Sandbox) -> SandboxFacts:
    return standing.up()


@pytest.fixture(scope="module", params=["host", "bridge"])
def outsider(
    request: pytest.FixtureRequest, docker: DockerClient, image: str, facts: SandboxFacts
) -> Iterator[Outsider]:
    """Another user of the machine; a container of anybody's on the bridge."""
    port = urlsplit(facts.endpoint).port or 0
    host = "127.0.0.1" if request.param == "host" else engine.host()
    yield Outsider(docker, image, request.param, host, port)


def test_without_a_key_nothing_is_done(outsider: Outsider, facts: SandboxFacts) -> None:
    """No task is started, no secret read, no object, no push."""
    assert outsider.status(RUNS) == "403"
    assert outsider.status(READS) == "403"
    assert outsider.status({}, f"/{facts.bucket}/stations.json", "GET") == "403"
    assert outsider.status({}, PUSHES) == "401"
    assert outsider.status({**RUNS, **signed("000000000000", "ecs")}) == "403"


def test_a_job_s_key_opens_its_bucket_only(
    outsider: Outsider, facts: SandboxFacts, standing: Sandbox
) -> None:
    """What a container of the job is given: its objects, not the state, no secret, no task, no push."""
    key = json.loads((root_of(standing) / "aws-keys.json").read_text())["job"]
    s3 = signed(key, "s3")
    assert outsider.status(s3, f"/{facts.bucket}/stations.json", "GET") == "200"
    assert outsider.status(s3, f"/{facts.bucket}-state/x", "GET") == "404"
    assert outsider.status({**READS, **signed(key, "secretsmanager")}) == "403"
    assert outsider.status({**RUNS, **signed(key, "ecs")}) == "403"
    assert outsider.status(s3, PUSHES) in ("401", "403")


def test_a_web_page_is_refused_even_with_the_key(outsider: Outsider, facts: SandboxFacts) -> None:
    """A browser says where a request comes from; whatever it carries, it is refused."""
    key = signed(facts.access_key, "s3")
    path = f"/{facts.bucket}/stations.json"
    for said in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert outsider.status({**key, **said}, path, "GET") == "403"
    assert outsider.status({"Origin": "https://evil.test"}, path, "OPTIONS") == "403"


def root_of(standing: Sandbox) -> Path:
    return standing._settings.root
