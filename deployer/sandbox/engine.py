"""The Docker engine, as far as the sandbox needs it: its bridge, and the containers MiniStack started."""

import http.client
import ipaddress
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

from deployer.sandbox import network
from deployer.sandbox.errors import SandboxError

_INSTANCE_LABEL = "ministack.instance"
_ANSWER_SECONDS = 60.0


def gateway() -> str:
    """The address at which containers on the default bridge reach this machine (usually 172.17.0.1).

    Raises SandboxError when no engine answers, or when its bridge is on another machine.
    """
    address = next(filter(None, map(ipv4_gateway, _bridge()["IPAM"]["Config"])), None)
    if address is None:
        raise SandboxError(
            "the Docker engine's default bridge has no IPv4 network",
            "let the engine have one: no 'bridge': 'none' in its daemon.json",
            failure_class="docker",
        )
    if not network.is_local(address):
        raise SandboxError(
            f"the Docker engine's bridge {address} is not on this machine",
            "the sandbox needs an engine that runs here: unset DOCKER_HOST, or work beside the engine",
            failure_class="docker",
        )
    return address


def _bridge() -> Any:
    """The default bridge as the engine describes it. Asked without the SDK where the engine listens on a
    socket: loading that takes longer than all else that `up` has to do when everything is up."""
    kind, _, path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    if kind != "unix":
        with _engine() as client:
            return client.networks.get("bridge").attrs
    connection = _Socket(path)
    try:
        connection.request("GET", "/networks/bridge")
        answer = connection.getresponse()
        content = json.load(answer)
        if answer.status != HTTPStatus.OK:
            raise OSError(content.get("message", answer.reason))
        return content
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _silent(error) from error
    finally:
        connection.close()


class _Socket(http.client.HTTPConnection):
    """HTTP over the socket at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ipv4_gateway(addresses: Mapping[str, str]) -> str | None:
    """An engine that was never told a gateway takes the subnet's first address and does not list it."""
    subnet = ipaddress.ip_network(addresses["Subnet"])
    return (addresses.get("Gateway") or str(next(subnet.hosts()))) if subnet.version == 4 else None


def remove_containers(instance: str) -> int:
    """Remove every container that this MiniStack instance started; returns how many there were.

    MiniStack labels what it starts `ministack.instance=<instance>:<port>`.
    """
    from docker.errors import NotFound

    with _engine() as client:
        labelled = client.containers.list(all=True, ignore_removed=True, filters={"label": _INSTANCE_LABEL})
        ours = [item for item in labelled if item.labels[_INSTANCE_LABEL].rpartition(":")[0] == instance]
        for container in ours:
            with suppress(NotFound):
                container.remove(force=True, v=True)
    return len(ours)


def remove_images(project: str) -> int:
    """Remove every tag of the images that carry the project's label; returns how many names there were."""
    return remove_names(images_of(project)) if project else 0


def images_of(project: str) -> dict[str, str]:
    """The release that built it, by each name (an id, where it has none) of the images with the project's
    label."""
    with _engine() as client:
        ours = client.images.list(filters={"label": f"deployer.project={project}"})
        return {
            name: image.labels.get("deployer.release", "")
            for image in ours
            for name in image.tags or [image.id]
        }


def remove_names(names: Iterable[str]) -> int:
    """Takes these names from their images; an image without one is gone. Returns how many were taken."""
    from docker.errors import APIError

    removed = 0
    with _engine() as client:
        for name in names:
            with suppress(APIError):  # in use by a container that is not ours
                client.images.remove(name, force=True)
                removed += 1
    return removed


@contextmanager
def _engine() -> Iterator[Any]:
    from docker.client import DockerClient
    from docker.errors import DockerException

    try:
        client = DockerClient.from_env()
        try:
            yield client
        finally:
            client.close()
    except (DockerException, OSError) as error:
        raise _silent(error) from error


def _silent(error: Exception) -> SandboxError:
    return SandboxError(
        f"the Docker engine does not answer: {error}",
        "start Docker, or point DOCKER_HOST at a running engine; then try again",
        failure_class="docker",
    )
