"""Credentials for registries: the user's own, as the Docker CLI finds them, and those of this process."""

import base64
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from deployer.ports import Login

if TYPE_CHECKING:
    from docker.api.client import APIClient

Ecr = Callable[[], Login]
_ECR: Final = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com|on\.aws)(?:\.cn)?")
_HELPER: Final = "docker-credential-"
_NOBODY: Final = {"registry.invalid": {"username": "-", "password": "-"}}
"""The SDK takes a configuration without any login for one that is still to be read."""


def registry_of(image: str) -> str:
    """The host of an image's name; Docker Hub's where it names none."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def login_command(registry: str) -> str:
    """What a person types to log in to it."""
    if _ECR.fullmatch(registry):
        region = registry.split(".")[3] if "dkr.ecr" in registry else registry.split(".")[2]
        return (
            f"aws ecr get-login-password --region {region}"
            f" | docker login --username AWS --password-stdin {registry}"
        )
    return f"docker login {registry}"


class Logins:
    """By registry. Kept in memory and not in ~/.docker/config.json: a token that opens a registry for twelve
    hours has no place on a disk, and no credential helper of the user's is overwritten."""

    def __init__(self, environment: Mapping[str, str], ecr: Ecr | None = None, own: str = "") -> None:
        """`ecr` gets the release's login; `own` is the registry that the release pushes to, if it is
        known."""
        self._environment = environment
        self._ecr = ecr
        self._pushed_to = own
        self._own: dict[str, dict[str, str]] = {}

    def add(self, registry: str, username: str, password: str) -> None:
        self._own[registry] = {"username": username, "password": password}

    def of(self, registry: str) -> dict[str, str]:
        """This process's login; empty: there is none. Never None, which has the SDK read the user's own."""
        return self._own.get(registry, {})

    def prepare(self, registry: str, *, refused: bool = False) -> bool:
        """Whether there is a new login: the release's own for ECR, where there is none yet. A registry on
        this machine that has refused an anonymous pull gets it too; no other registry is ever sent it."""
        loopback = registry.partition(":")[0] in ("127.0.0.1", "localhost")
        ours = _ECR.fullmatch(registry) or registry == self._pushed_to or (refused and loopback)
        if self._ecr is None or registry in self._own or not ours:
            return False
        login = self._ecr()
        self.add(registry, login.username, login.password)
        return True

    def all(self) -> dict[str, dict[str, Any]]:
        """Every login. A credential helper that is not installed, or has none, is passed over as the Docker
        CLI does."""
        from docker.auth import load_config

        config = load_config()
        found: dict[str, dict[str, Any]] = dict(config.auths)
        if config.creds_store:
            found |= self._stored(config.creds_store, None)
        for registry, helper in config.cred_helpers.items():
            found |= self._stored(helper, registry)
        return {**found, **self._own}

    def _stored(self, helper: str, registry: str | None) -> dict[str, dict[str, Any]]:
        """What a helper holds for one registry, or for all that it lists."""
        from docker.credentials import Store
        from docker.credentials.errors import StoreError

        if shutil.which(f"{_HELPER}{helper}") is None:
            return {}
        found: dict[str, dict[str, Any]] = {}
        try:
            store = Store(helper, environment=dict(self._environment))
            for server in [registry] if registry else list(store.list()):
                held = store.get(server)
                token = held["Username"] == "<token>"
                name = "IdentityToken" if token else "Password"
                found[server] = {"ServerAddress": server, "Username": held["Username"], name: held["Secret"]}
        except (StoreError, ValueError, KeyError):
            return found
        return found

    def give(self, client: "APIClient", logins: Mapping[str, Any] | None = None) -> None:
        """Has the SDK use these logins (default: all) without asking a credential helper itself: it has no
        public way that does not lead over a file."""
        from docker.auth import AuthConfig

        client._auth_configs = AuthConfig({"auths": {**_NOBODY, **(logins or {})}})

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """A process environment in which the Docker CLI finds this process's logins beside the user's own;
        its files are gone afterwards."""
        if not self._own:
            yield dict(self._environment)
            return
        home = Path(self._environment.get("HOME") or Path.home())
        users = Path(self._environment.get("DOCKER_CONFIG") or home / ".docker")
        with TemporaryDirectory(prefix="deployer-docker-") as folder:
            for name in os.listdir(users) if users.is_dir() else ():
                if name != "config.json":
                    Path(folder, name).symlink_to(users / name)
            config = _table(users / "config.json")
            auths = {name: {"auth": _basic(login)} for name, login in self._own.items()}
            helpers = {k: v for k, v in config.get("credHelpers", {}).items() if k not in auths}
            config |= {"auths": {**config.get("auths", {}), **auths}, "credHelpers": helpers}
            if shutil.which(f"{_HELPER}{config.get('credsStore')}") is None:
                config.pop("credsStore", None)
            Path(folder, "config.json").write_text(json.dumps(config), encoding="utf-8")
            yield {**self._environment, "DOCKER_CONFIG": folder}


def _table(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def _basic(login: Mapping[str, str]) -> str:
    return base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
