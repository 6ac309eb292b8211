"""The Docker engine, as far as the sandbox needs it: its bridge, and the containers MiniStack started."""

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from deployer.sandbox import network
from deployer.sandbox.errors import SandboxError

_INSTANCE_LABEL = "ministack.instance"


def gateway() -> str:
    """The address at which containers on the default bridge reach this machine (usually 172.17.0.1).

    Raises SandboxError when no engine answers, or when its bridge is on another machine.
    """
    with _engine() as client:
        ranges = client.networks.get("bridge").attrs["IPAM"]["Config"]
    address = next(filter(None, map(ipv4_gateway, ranges)), None)
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
        raise SandboxError(
            f"the Docker engine does not answer: {error}",
            "start Docker, or point DOCKER_HOST at a running engine; then try again",
            failure_class="docker",
        ) from error
