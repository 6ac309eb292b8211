"""What engines print when registries and networks refuse, sorted into our classes."""

import pytest

from deployer.adapters.docker.errors import failure_of, push_failure, unreachable
from deployer.errors import TransientFailure

CASES = [
    ("denied: User: x is not authorized to perform: ecr:CompleteLayerUpload", "aws-config"),
    ("name unknown: The repository with name 'x' does not exist in the registry with id '1'", "aws-config"),
    (
        "tag invalid: The image tag 'v1' already exists and cannot be overwritten: it is immutable",
        "aws-config",
    ),
    ("no basic auth credentials", "registry-auth"),
    ("denied: requested access to the resource is denied", "registry-auth"),
    ("login attempt to https://r.example/v2/ failed with status: 400 Bad Request", "registry-auth"),
    ("error parsing HTTP 403 response body: invalid character: 'Your Authorization Token'", "registry-auth"),
    ("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "docker"),
    ("write /var/lib/docker/x: no space left on device", "docker"),
    ("something that nobody has seen before", "docker"),
    ("Get https://r.example/v2/: x509: certificate signed by unknown authority", "network"),
    ("dial tcp: lookup r.example on 192.0.2.1:53: no such host", "network"),
]
OF_CONTAINERS = [
    "pull access denied for x, repository does not exist or may require 'docker login'",
    "driver failed programming external connectivity: Bind for [::]:81 failed: port is already allocated",
    "something that nobody has seen before",
]
PASSING = [
    "net/http: TLS handshake timeout",
    "read tcp 192.0.2.1:2->192.0.2.3:443: read: connection reset by peer",
    "dial tcp 192.0.2.3:443: i/o timeout",
    "received unexpected HTTP status: 503 Service Unavailable",
    "login attempt to http://r.example/v2/ failed with status: 503 Service Unavailable",
    "login attempt to http://r.example/v2/ failed with status: 429 Too Many Requests",
    'error parsing HTTP 429 response body: unexpected end of JSON input: ""',
    "toomanyrequests: Rate exceeded",
    "unexpected EOF",
    "context deadline exceeded",
]


@pytest.mark.parametrize(("text", "failure_class"), CASES)
def test_each_refusal_has_its_class_and_a_remedy(text: str, failure_class: str) -> None:
    """The class decides where the release goes on; none of these passes by itself."""
    failure = push_failure(text, "push x")
    assert (failure.failure_class, isinstance(failure, TransientFailure)) == (failure_class, False)
    assert failure.message == f"push x: {text}"
    assert failure.hint


@pytest.mark.parametrize("text", PASSING)
def test_what_passes_by_itself_is_transient(text: str) -> None:
    """These are tried again by the runner; a registry's limit is its own, anything else the network's."""
    failure = push_failure(text, "push x")
    limited = "429" in text or "toomanyrequests" in text
    expected = "docker" if limited else "network"
    assert (failure.failure_class, isinstance(failure, TransientFailure)) == (expected, True)


@pytest.mark.parametrize("text", OF_CONTAINERS)
def test_images_and_containers_on_this_machine_are_dockers(text: str) -> None:
    """Outside of a push a refused pull is an image that is not there, and a port taken is this machine's."""
    failure = failure_of(text, "start x")
    assert (failure.failure_class, isinstance(failure, TransientFailure)) == ("docker", False)
    assert failure.hint


def test_an_engine_that_does_not_let_us_in_is_not_one_that_is_down() -> None:
    """Starting the engine would not help: the user lacks the right to talk to it."""
    failure = unreachable(PermissionError(13, "Permission denied"), "unix:///x")
    assert "refuses this user" in failure.message
    assert "group" in failure.hint
