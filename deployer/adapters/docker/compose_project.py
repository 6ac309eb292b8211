"""The containers of one Compose project, seen through the engine.

Compose itself cannot follow a job: `logs --follow` never returns for a container that has ended before (seen
with 5.6.1)."""

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from deployer.adapters.local.shell import Lines
from deployer.errors import Failure
from deployer.ports import OnLine

if TYPE_CHECKING:
    from docker.api.client import APIClient

_TAIL: Final = 20


class ComposeProject:
    """Found by the labels that Compose puts on what it makes."""

    def __init__(self, client: "APIClient", project: str) -> None:
        self._client = client
        self._project = project

    def follow(self, service: str, seconds: float, on_line: OnLine) -> int:
        """Hands over the lines of the service's container until it ends; returns its exit code.
        TimeoutError: it has not ended after `seconds`. Failure: there is no such container."""
        end = time.monotonic() + seconds
        containers = self._containers(f"com.docker.compose.service={service}")
        if not containers:
            raise Failure(
                "docker", f"Compose started no {service}", "see [compose] service, and its profiles"
            )
        self._show(containers[0], seconds, on_line)
        return self._exit_code(containers[0], end)

    def _show(self, container: str, seconds: float, on_line: OnLine) -> None:
        stream = self._client.logs(container, stream=True, follow=True)
        give_up = threading.Timer(max(0.0, seconds), stream.close)
        give_up.start()
        try:
            lines = Lines()
            for data in stream:
                for line in lines.feed(data):
                    on_line(line)
            for line in lines.rest():
                on_line(line)
        finally:
            give_up.cancel()

    def _exit_code(self, container: str, end: float) -> int:
        import requests

        try:
            left = max(1.0, end - time.monotonic())
            return int(self._client.wait(container, timeout=left)["StatusCode"])
        except (requests.ReadTimeout, requests.ConnectionError) as error:
            if time.monotonic() < end:
                raise
            raise TimeoutError from error

    def check_image(self, service: str, image: str) -> None:
        """Failure `docker`: the service's container runs another image than `image`."""
        built = str(self._client.inspect_image(image)["Id"])
        for container in self._containers(f"com.docker.compose.service={service}"):
            ran = str(self._client.inspect_container(container)["Image"])
            if ran != built:
                raise Failure(
                    "docker",
                    f"Compose ran {service} on image {ran[:19]}, not on {image}, which is {built[:19]}",
                    "remove what sets another image for this service (an extra file, a profile)",
                )

    def published(self, service: str, port: int) -> list[tuple[str, int]]:
        """The addresses of this machine at which a port of the service's container answers."""
        found: list[tuple[str, int]] = []
        for container in self._containers(f"com.docker.compose.service={service}"):
            ports = self._client.inspect_container(container)["NetworkSettings"]["Ports"] or {}
            places = ports.get(f"{port}/tcp") or ()
            found += [(str(place["HostIp"]), int(place["HostPort"] or 0)) for place in places]
        return found

    def failed(self) -> dict[str, list[str]]:
        """Services that ended with an error or are unhealthy, each with its last lines."""
        return {
            self._service(container): self._tail(container)
            for container in self._containers()
            if _failed(self._state(container))
        }

    def _containers(self, *labels: str) -> list[str]:
        wanted = [f"com.docker.compose.project={self._project}", *labels]
        found = self._client.containers(all=True, filters={"label": wanted})
        return [str(container["Id"]) for container in found]

    def _state(self, container: str) -> Mapping[str, Any]:
        state: Mapping[str, Any] = self._client.inspect_container(container)["State"]
        return state

    def _service(self, container: str) -> str:
        labels = self._client.inspect_container(container)["Config"]["Labels"]
        return str(labels["com.docker.compose.service"])

    def _tail(self, container: str) -> list[str]:
        log = self._client.logs(container, tail=_TAIL)
        return [line.decode("utf-8", "replace") for line in log.splitlines()]


def port_holder(client: "APIClient", port: int) -> str:
    """Who has published a port of this machine, as far as the engine knows."""
    for container in client.containers():
        if any(place.get("PublicPort") == port for place in container.get("Ports") or ()):
            name = str((container.get("Names") or ["/?"])[0]).lstrip("/")
            return f"container {name} (image {container.get('Image')})"
    return f"a program outside of Docker (`ss -ltnp` or `lsof -i :{port}` names it)"


def _failed(state: Mapping[str, Any]) -> bool:
    return bool(state["ExitCode"]) or state.get("Health", {}).get("Status") == "unhealthy"
