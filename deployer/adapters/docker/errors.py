"""What the Docker engine says when it fails, as our failures: the diagnosis says class and fix."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from deployer.diagnosis.classify import classify
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import COMPOSE, DOCKER_BUILD, DOCKER_PUSH, FAMILY
from deployer.errors import Failure, TransientFailure

START_ENGINE: Final = "start Docker, or set DOCKER_HOST to a running engine"
_JOIN_GROUP: Final = "join the group `docker` (`sudo usermod -aG docker $USER`, then log in again)"
_DOCKERFILE_STEP: Final = re.compile(r"^(The command|COPY|ADD)\b|did not complete|executor failed")
_SURE: Final = FAMILY - 0.1
"""Below it a message of the engine is the engine's own, of class `docker`."""


def failure_of(
    text: str, doing: str, hint: str = "see the engine's own log for more", channel: str = COMPOSE
) -> Failure:
    """The failure behind an engine's error text, seen on `channel`; `docker` with `hint` where the table
    does not know it."""
    cause = classify(Evidence(text, channel)).cause
    if cause.confidence < _SURE or cause.failure_class in ("unknown", "code"):
        return Failure("docker", f"{doing}: {text}", hint)
    kind = TransientFailure if cause.transient else Failure
    return kind(cause.failure_class, f"{doing}: {text}", cause.remedy)


def push_failure(text: str, doing: str) -> Failure:
    """The failure of a login or a push: what the registry says counts, not what a pull would mean by it."""
    return failure_of(text, doing, channel=DOCKER_PUSH)


def base_failure(error: str) -> Failure | None:
    """The failure where the network kept a build from its base image; None: the Dockerfile failed."""
    if _DOCKERFILE_STEP.search(error):
        return None
    failure = failure_of(error, "the base image cannot be pulled", channel=DOCKER_BUILD)
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
