"""The Docker engine, as far as the sandbox needs it: where containers reach this machine, and containers."""

import http.client
import io
import ipaddress
import json
import os
import socket
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from deployer.sandbox import network
from deployer.sandbox.errors import SandboxError

LOOPBACK: Final = "127.0.0.1"
SANDBOX: Final = "deployer.sandbox"
"""Label of what a sandbox has made in the engine: which sandbox it is of."""
MADE_FOR: Final = "deployer.made-for"
_INSTANCE: Final = "ministack.instance"
_DESKTOP: Final = "host.docker.internal"
_ANSWER_SECONDS: Final = 60.0


def host() -> str:
    """How containers call this machine: an address of it, or a name that only containers know.

    Raises SandboxError when no engine answers, or when it runs on another machine.
    """
    version = inspect("/version") or {}
    bridge = inspect("/networks/bridge") or {}
    return host_of(str(version.get("Platform", {}).get("Name", "")), sys.platform, bridge)


def host_of(
    product: str,
    system: str,
    bridge: Mapping[str, Any],
    is_local: Callable[[str], bool] = network.is_local,
) -> str:
    """From the engine's product name, this system (`sys.platform`) and the engine's default bridge.

    On Linux it is the bridge's gateway (usually 172.17.0.1), at which a server here can listen. Docker
    Desktop, and every engine on macOS, runs in a machine of its own: its containers reach this one's loopback
    by a name.
    https://docs.docker.com/desktop/features/networking/
    """
    if system == "darwin" or "Docker Desktop" in product:
        return _DESKTOP
    address = next(filter(None, map(ipv4_gateway, bridge.get("IPAM", {}).get("Config") or ())), None)
    if address is None:
        raise SandboxError(
            "the Docker engine's default bridge has no IPv4 network",
            "let the engine have one: no 'bridge': 'none' in its daemon.json",
            failure_class="docker",
        )
    if not is_local(address):
        raise SandboxError(
            f"the Docker engine's bridge {address} is not on this machine",
            "the sandbox needs an engine that runs here: unset DOCKER_HOST, or work beside the engine",
            failure_class="docker",
        )
    return address


def addresses(host: str) -> tuple[str, ...]:
    """Where a server on this machine listens so that people and containers reach it, and nobody else."""
    return (LOOPBACK,) if host in (_DESKTOP, LOOPBACK) else (LOOPBACK, host)


def ipv4_gateway(addresses: Mapping[str, str]) -> str | None:
    """An engine that was never told a gateway takes the subnet's first address and does not list it."""
    subnet = ipaddress.ip_network(addresses["Subnet"])
    return (addresses.get("Gateway") or str(next(subnet.hosts()))) if subnet.version == 4 else None


def inspect(path: str) -> Any:
    """What the engine's API answers to a GET of that path; None: no such thing.

    Asked without the SDK where the engine listens on a socket: loading that takes longer than all else that
    `up` has to do when everything is up. Raises SandboxError when no engine answers.
    """
    kind, _, socket_path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    if kind != "unix":
        with client() as sdk:
            answer = sdk.api._get(sdk.api._url(path))
            return answer.json() if answer.ok else None
    connection = _Socket(socket_path)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = json.load(answer)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
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


@dataclass(frozen=True)
class Container:
    """A container that runs. `pid` is the engine's; `made_for` tells how it was made."""

    id: str
    pid: int
    since: datetime
    made_for: str


def running(name: str) -> Container | None:
    """The container of that name, if it runs. Raises SandboxError when no engine answers."""
    found = inspect(f"/containers/{name}/json")
    if not found or not found["State"]["Running"]:
        return None
    begun = datetime.fromisoformat(found["State"]["StartedAt"])
    labels = found["Config"]["Labels"] or {}
    return Container(found["Id"], found["State"]["Pid"], begun, labels.get(MADE_FOR, ""))


def run(name: str, image: str, options: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """Start a container under that name, in the place of one that is there. `files` are put into its root
    folder, for its user only. Raises SandboxError when the engine does not do it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file, text in files.items():
            about = tarfile.TarInfo(file)
            about.mode, about.size = 0o400, len(text)
            tar.addfile(about, io.BytesIO(text.encode()))
    with client() as sdk:
        _remove(sdk, name)
        container = sdk.containers.create(image, name=name, **options)
        container.put_archive("/", archive.getvalue())
        container.start()


def end(name: str, grace: float) -> None:
    """Stop the container, by force after `grace` seconds, and remove it."""
    with client() as sdk, suppress(_not_found()):
        if grace:
            sdk.containers.get(name).stop(timeout=round(grace))
        _remove(sdk, name)


def logs(name: str) -> list[str]:
    """The container's last lines; none if it is not there."""
    with client() as sdk, suppress(_not_found()):
        written: bytes = sdk.containers.get(name).logs(tail=200)
        return written.decode(errors="replace").splitlines()
    return []


def remove_containers(instance: str) -> int:
    """Remove every container of this sandbox: its own, and those that its MiniStack started, which labels
    them `ministack.instance=<instance>:<port>`; returns how many there were."""
    with client() as sdk:
        labelled = sdk.containers.list(all=True, ignore_removed=True, filters={"label": _INSTANCE})
        ours = [item for item in labelled if item.labels[_INSTANCE].rpartition(":")[0] == instance]
        own = {"label": f"{SANDBOX}={instance}"}
        ours += sdk.containers.list(all=True, ignore_removed=True, filters=own)
        for container in ours:
            _remove(sdk, container.id)
    return len(ours)


def remove_volumes(instance: str) -> int:
    """Remove every volume of this sandbox; returns how many there were."""
    with client() as sdk:
        ours = sdk.volumes.list(filters={"name": instance})
        for volume in ours:
            volume.remove(force=True)
    return len(ours)


def remove_images(project: str) -> int:
    """Remove every tag of the images that carry the project's label; returns how many names there were."""
    return remove_names(images_of(project)) if project else 0


def images_of(project: str) -> dict[str, str]:
    """The release that built it, by each name (an id, where it has none) of the images with the project's
    label."""
    with client() as sdk:
        ours = sdk.images.list(filters={"label": f"deployer.project={project}"})
        return {
            name: image.labels.get("deployer.release", "")
            for image in ours
            for name in image.tags or [image.id]
        }


def remove_names(names: Iterable[str]) -> int:
    """Takes these names from their images; an image without one is gone. Returns how many were taken."""
    from docker.errors import APIError

    removed = 0
    with client() as sdk:
        for name in names:
            with suppress(APIError):  # in use by a container that is not ours
                sdk.images.remove(name, force=True)
                removed += 1
    return removed


def _remove(sdk: Any, name: str) -> None:
    with suppress(_not_found()):
        sdk.containers.get(name).remove(force=True, v=True)


def _not_found() -> type[Exception]:
    from docker.errors import NotFound

    found: type[Exception] = NotFound
    return found


@contextmanager
def client() -> Iterator[Any]:
    """The SDK's client. Its errors are raised as SandboxError."""
    from docker.client import DockerClient
    from docker.errors import APIError, DockerException

    try:
        sdk = DockerClient.from_env()
        try:
            yield sdk
        finally:
            sdk.close()
    except APIError as error:
        raise SandboxError(
            f"the Docker engine refuses: {error.explanation or error}",
            "see what it says; to start afresh: deployer sandbox down --purge, then deployer sandbox up",
            failure_class="docker",
        ) from error
    except (DockerException, OSError) as error:
        raise _silent(error) from error


def _silent(error: Exception) -> SandboxError:
    return SandboxError(
        f"the Docker engine does not answer: {error}",
        "start Docker, or point DOCKER_HOST at a running engine; then try again",
        failure_class="docker",
    )
