"""Credentials for registries: the user's own, as the Docker CLI finds them, and those of this process."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from deployer.ports import Login

if TYPE_CHECKING:
    from docker.api.client import APIClient

Ecr = Callable[[], Login]
_ECR: Final = re.compile(
    r"\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|s?c2s\.(?:ic|sgov)\.gov)"
)
_HELPER: Final = "docker-credential-"
_PATIENCE: Final = 10.0
"""Seconds that a credential helper may take; one that asks a person in a window never ends here."""
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

    def __init__(
        self,
        environment: Mapping[str, str],
        ecr: Ecr | None = None,
        own: str = "",
        patience: float = _PATIENCE,
    ) -> None:
        """`ecr` gets the release's login; `own` is the registry that the release pushes to, if it is
        known."""
        self._environment = environment
        self._ecr = ecr
        self._pushed_to = own
        self._patience = patience
        self._own: dict[str, dict[str, str]] = {}
        self._hanging: set[object] = set()

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
        """Every login. A credential helper that is not installed, has none, answers nonsense or does not end
        is passed over, as the Docker CLI does."""
        from docker.auth import load_config

        config = load_config()
        found: dict[str, dict[str, Any]] = dict(config.auths)
        if config.creds_store:
            listed = self._ask(str(config.creds_store), "list")
            found |= self._stored(str(config.creds_store), listed if isinstance(listed, dict) else ())
        for registry, helper in _dict(config.cred_helpers).items():
            found |= self._stored(str(helper), (registry,))
        return {**found, **self._own}

    def _stored(self, helper: str, registries: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What a helper holds for these registries."""
        found: dict[str, dict[str, Any]] = {}
        for server in registries:
            held = _dict(self._ask(helper, "get", str(server)))
            if held.get("Username") and held.get("Secret"):
                name = "IdentityToken" if held["Username"] == "<token>" else "Password"
                found[server] = {"ServerAddress": server, "Username": held["Username"], name: held["Secret"]}
        return found

    def _ask(self, helper: str, action: str, server: str = "") -> object:
        """A helper's answer; None: it cannot be run, fails, or says what is not JSON. One that does not end
        is not asked again (https://github.com/docker/docker-credential-helpers#development)."""
        if helper in self._hanging:
            return None
        try:
            done = subprocess.run(
                (f"{_HELPER}{helper}", action),
                input=server.encode(),
                capture_output=True,
                timeout=self._patience,
                env=dict(self._environment),
                check=True,
            )
            return json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            self._hanging.add(helper)
        except (OSError, ValueError, subprocess.CalledProcessError):
            pass
        return None

    def _works(self, helper: object) -> bool:
        """Whether a helper can be left to the Docker CLI."""
        there = shutil.which(f"{_HELPER}{helper}", path=self._environment.get("PATH")) is not None
        return there and helper not in self._hanging

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
            helpers = _dict(config.get("credHelpers")).items()
            kept = {host: helper for host, helper in helpers if host not in auths and self._works(helper)}
            config |= {"auths": {**_dict(config.get("auths")), **auths}, "credHelpers": kept}
            if not self._works(config.get("credsStore")):
                config.pop("credsStore", None)
            Path(folder, "config.json").write_text(json.dumps(config), encoding="utf-8")
            yield {**self._environment, "DOCKER_CONFIG": folder}


def _table(path: Path) -> dict[str, Any]:
    try:
        return _dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _basic(login: Mapping[str, str]) -> str:
    return base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
