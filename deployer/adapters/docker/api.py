"""A connection to the Docker engine's API, for one piece of work."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from deployer.adapters.docker.errors import translated, unreachable
from deployer.errors import Failure

if TYPE_CHECKING:
    from docker.api.client import APIClient
    from requests import Response

_SILENCE: Final = 300.0
"""Seconds of silence after which a call is given up; a push reports progress all the time."""


@contextmanager
def connected(
    environment: Mapping[str, str], doing: str, patience: float = _SILENCE
) -> "Iterator[APIClient]":
    """The engine that DOCKER_HOST in `environment` names, else that of the Docker context in use. Leaving
    ends what it is still doing for us. Failure: no engine, or it refuses; `doing` says what it was for."""
    from docker.api.client import APIClient
    from docker.errors import DockerException

    _refuse_damaged_configuration()
    address: dict[str, Any] = {}
    try:
        address |= _address(environment)
        _knock(address["base_url"])
        client = APIClient(**address, version="auto", timeout=patience)
    except (OSError, ValueError, DockerException) as error:
        raise unreachable(error, address.get("base_url", "DOCKER_HOST")) from error
    answers: list[Response] = []
    client.hooks["response"].append(lambda answer, **_: answers.append(answer))
    with closing(client), translated(doing):
        try:
            yield client
        finally:
            for answer in answers:
                answer.close()


def _refuse_damaged_configuration() -> None:
    """Failure `docker`: config.json is JSON, but not what the SDK can read."""
    from docker.auth import load_config
    from docker.errors import DockerException

    try:
        load_config()
    except (DockerException, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Failure(
            "docker",
            "Docker's configuration (config.json in DOCKER_CONFIG or ~/.docker) is not as Docker writes it",
            "correct it, or move it away and log in again: `docker login`",
        ) from error


def _address(environment: Mapping[str, str]) -> dict[str, Any]:
    """DOCKER_HOST, else the Docker context in use, as the Docker CLI decides it. Failure: no such context."""
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    if environment.get("DOCKER_HOST"):
        settings: dict[str, Any] = kwargs_from_env(environment=dict(environment))
        return settings
    context = ContextAPI.get_context(environment.get("DOCKER_CONTEXT"))
    if context is None:
        raise Failure(
            "docker", "the Docker context in use does not exist", "choose one: `docker context use NAME`"
        )
    return {"base_url": context.Host, "tls": context.TLSConfig or False}


def _knock(address: str) -> None:
    """OSError where nobody listens on the engine's socket; the SDK would leave its own end of it open."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(address.removeprefix("unix://"))
