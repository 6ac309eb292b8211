"""The Docker engine's errors as our failures: one table, the first match counts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from deployer.errors import Failure, FailureClass, TransientFailure

START_ENGINE: Final = "start Docker, or set DOCKER_HOST to a running engine"
_JOIN_GROUP: Final = "join the group `docker` (`sudo usermod -aG docker $USER`, then log in again)"
_TABLE: Final[tuple[tuple[str, FailureClass, str], ...]] = (
    (
        r"cannot connect to the docker daemon|is the docker daemon running",
        "docker",
        START_ENGINE,
    ),
    (
        r"permission denied while trying to connect",
        "docker",
        _JOIN_GROUP,
    ),
    (
        r"pull access denied|manifest unknown|manifest for .* not found",
        "docker",
        "there is no such image: correct its name, or build it first",
    ),
    (
        r"already allocated|address already in use",
        "docker",
        "stop the program that has this port, or choose another port",
    ),
    (
        r"not authorized to perform",
        "aws-config",
        "give this identity the ECR push permissions (policy AmazonEC2ContainerRegistryPowerUser)",
    ),
    (
        r"name unknown|repository .*does not exist in the registry",
        "aws-config",
        "create the repository, or correct [image] repository",
    ),
    (
        r"\bimmutable\b",
        "aws-config",
        "another image has this tag: remove it, or make the repository's tags mutable",
    ),
    (
        r"HTTP response to HTTPS client",
        "docker",
        "list this registry under `insecure-registries` in the engine's daemon.json",
    ),
    (
        r"x509|certificate",
        "network",
        "give the engine's machine the CA of the registry, or of the proxy before it",
    ),
    (
        r"no such host|no route to host|network is unreachable",
        "network",
        "check the registry's name, and the engine's name server and network",
    ),
    (
        r"no basic auth|unauthorized|denied|authorization token|authentication required|\b40[13]\b"
        r"|login attempt .* failed with status: 4(?!29)\d\d",
        "registry-auth",
        "log in again (the release does it by itself); check the registry's account and region",
    ),
    (
        r"no space left on device",
        "docker",
        "free space: `docker system prune`",
    ),
    (
        r"no such image|does not exist locally",
        "docker",
        "build the image again: `deployer release --rebuild`",
    ),
)
_TRANSIENT: Final = (
    r"time[d ]?-?out|deadline exceeded|reset by peer|broken pipe|connection refused|closed network|\bEOF\b"
    r"|(HTTP|status:?|status code|received) (429|5\d\d)|server misbehaving|temporary failure"
    r"|too ?many ?requests|rate exceeded|request canceled"
)
_DOCKERFILE_STEP: Final = re.compile(r"^(The command|COPY|ADD)\b|did not complete|executor failed")


def failure_of(text: str, doing: str, hint: str = "see the engine's own log for more") -> Failure:
    """The failure behind an engine's error text; `docker` with `hint` where the table has none."""
    for pattern, failure_class, remedy in _TABLE:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(failure_class, f"{doing}: {text}", remedy)
    if re.search(_TRANSIENT, text, re.IGNORECASE):
        return TransientFailure("network", f"{doing}: {text}", "retry; if it fails again, check the network")
    return Failure("docker", f"{doing}: {text}", hint)


def base_failure(error: str) -> Failure | None:
    """The failure where the network kept a build from its base image; None: the Dockerfile failed."""
    if _DOCKERFILE_STEP.search(error):
        return None
    failure = failure_of(error, "the base image cannot be pulled")
    return failure if failure.failure_class == "network" else None


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turns whatever the Docker SDK and its HTTP libraries raise inside into a Failure."""
    import docker.errors
    import requests
    import urllib3

    try:
        yield
    except docker.errors.APIError as error:
        raise failure_of(str(error.explanation or error), doing) from error
    except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
        raise TransientFailure("network", f"{doing}: the engine does not answer", "try again") from error
    except (
        docker.errors.DockerException,
        docker.errors.StreamParseError,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise Failure("docker", f"{doing}: lost the Docker engine: {_root(error)}", START_ENGINE) from error


def unreachable(error: Exception, address: str) -> Failure:
    """No engine answers at `address`; says whether it is missing or refuses this user."""
    reason = _root(error)
    if "permission denied" in reason.lower():
        return Failure(
            "docker",
            f"the Docker engine at {address} refuses this user: {reason}",
            _JOIN_GROUP,
        )
    return Failure("docker", f"no Docker engine answers at {address}: {reason}", START_ENGINE)


def _root(error: BaseException) -> str:
    """The operating system's reason inside the wrappers of three HTTP libraries, else the error's text."""
    text = str(error)
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            text = inner.strerror
        inner = inner.__context__
    return text
