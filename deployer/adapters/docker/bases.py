"""What the images that a build stands on are today: their digests, so that a tag that has moved is seen."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deployer.adapters.docker.api import connected
from deployer.adapters.docker.logins import Logins, registry_of
from deployer.errors import Failure

if TYPE_CHECKING:
    from docker.api.client import APIClient

_PATIENCE: Final = 15.0
"""Seconds that a registry may take to name a digest."""


class BaseImages:
    """Asks the registry; where that is not reached, the engine's own image counts: by the digest that it was
    pulled with, else by its id. Without an engine, what was found last counts (kept in `remembered`)."""

    def __init__(self, environment: Mapping[str, str], logins: Logins, remembered: Path) -> None:
        self._environment = environment
        self._logins = logins
        self._remembered = remembered
        self._found: dict[str, str] = {}

    def __call__(self, images: Sequence[str]) -> dict[str, str]:
        """By image; empty where nothing is known of it. Each is looked up once in the life of this object."""
        wanted = [image for image in images if image not in self._found]
        if wanted:
            known = self._load()
            try:
                with connected(self._environment, "look up the base images", _PATIENCE) as client:
                    self._found |= {image: self._digest(client, image) for image in wanted}
            except Failure:
                self._found |= {image: known.get(image, "") for image in wanted if image not in self._found}
            self._save({**known, **self._found})
        return {image: self._found[image] for image in images}

    def outdated(self, client: "APIClient", images: Sequence[str]) -> list[str]:
        """The images whose tag has moved since the engine pulled them."""
        found = self(images)
        return [
            image
            for image in images
            if (local := _inspected(client, image))
            and local.get("RepoDigests")
            and found[image] not in ("", local["Id"], *_digests(local))
        ]

    def _digest(self, client: "APIClient", image: str) -> str:
        if "@sha256:" in image:
            return image.partition("@")[2]
        registry = registry_of(image)
        with suppress(Failure):
            self._logins.prepare(registry)
        local = _inspected(client, image)
        if local and not local.get("RepoDigests"):
            return str(local["Id"])  # made on this machine
        return self._in_registry(client, image, registry) or _local(local)

    def _in_registry(self, client: "APIClient", image: str, registry: str) -> str:
        import requests
        from docker.errors import DockerException

        login = self._logins.of(registry)
        self._logins.give(client, {} if login else self._logins.all())
        try:
            answer: dict[str, Any] = client.inspect_distribution(image, auth_config=login or None)
            return str(answer["Descriptor"]["digest"])
        except (DockerException, requests.RequestException, KeyError, TypeError):
            return ""

    def _load(self) -> dict[str, str]:
        with suppress(OSError, ValueError, TypeError):
            return dict(json.loads(self._remembered.read_text(encoding="utf-8")))
        return {}

    def _save(self, found: Mapping[str, str]) -> None:
        with suppress(OSError):
            self._remembered.write_text(json.dumps(found), encoding="utf-8")


def _inspected(client: "APIClient", image: str) -> dict[str, Any] | None:
    from docker.errors import APIError

    try:
        found: dict[str, Any] = client.inspect_image(image)
    except APIError:
        return None
    return found


def _digests(local: Mapping[str, Any]) -> list[str]:
    return [name.partition("@")[2] for name in local.get("RepoDigests") or ()]


def _local(local: Mapping[str, Any] | None) -> str:
    if local is None:
        return ""
    return next(iter(sorted(_digests(local))), str(local["Id"]))
