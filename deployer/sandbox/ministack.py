"""MiniStack, the embedded AWS, as a process of its own.

It is run under hypercorn, which it ships with, because its own command listens on one address only and
this one needs two: loopback for the operator and `docker push`, the bridge for the containers. Its settings
are environment variables (MiniStack 1.5.33): state is saved on a clean stop and read back on start, objects
of S3 are written at once.
"""

import base64
import hashlib
import http.client
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deployer.errors import FailureClass
from deployer.sandbox import processes
from deployer.sandbox.errors import SandboxError
from deployer.sandbox.processes import Process
from deployer.sandbox.secrets import Keys
from deployer.sandbox.server import BUCKET, HEALTH, JOB_KEY, KEY, REGISTRY_USER
from deployer.sandbox.settings import SandboxSettings

_ANSWER_SECONDS = 2.0
_APPLICATION = "deployer.sandbox.server:ministack()"
_HANDED_ON = ("PATH", "HOME", "LANG", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


_PACKAGES = ("ministack", "hypercorn")


def require_installed(packages: Sequence[str] = _PACKAGES) -> None:
    """SandboxError: the optional packages are not installed; said before anything is started."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise SandboxError(
            f"the sandbox is not installed here: no {', no '.join(missing)}",
            "pip install 'deployer[sandbox]'  (pipx: pipx install --force 'deployer[sandbox]')",
            failure_class="resources",
        )


def instance(root: Path) -> str:
    """The name under which this sandbox's MiniStack labels its containers: one for each folder."""
    return f"deployer-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class MiniStack:
    """One MiniStack, on loopback and the bridge."""

    settings: SandboxSettings
    port: int
    addresses: tuple[str, ...]
    keys: Keys
    name: str = "MiniStack"
    failure_class: FailureClass = "aws-config"
    # A clean stop writes every image layer pushed so far to the disk.
    grace: float = 120.0

    @property
    def log(self) -> Path:
        """Its own words."""
        return self.settings.root / "ministack.log"

    @property
    def marker(self) -> tuple[str, str]:
        """The pid file, which hypercorn writes."""
        return ("--pid", str(self.settings.root / "ministack.pid"))

    def command(self) -> list[str]:
        """One process (`--workers 0`) that serves every address."""
        binds = [argument for address in self.addresses for argument in ("--bind", f"{address}:{self.port}")]
        options = ["--workers", "0", "--keep-alive", "75", "--log-level", "WARNING"]
        return [
            sys.executable,
            "-m",
            "hypercorn",
            *self.marker,
            *options,
            *binds,
            _APPLICATION,
        ]

    def environment(self) -> dict[str, str]:
        """MiniStack's settings. Nothing else of the operator's environment may change what it does."""
        root = self.settings.root
        return {name: os.environ[name] for name in _HANDED_ON if name in os.environ} | {
            KEY: self.keys.operator,
            JOB_KEY: self.keys.job,
            BUCKET: self.settings.bucket,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": self.settings.region,
            "MINISTACK_HOSTNAME": instance(root),
            "MINISTACK_DOCKER_TIMEOUT": "60",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(root / "aws" / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(root / "aws" / "s3"),
            # These two would listen on every interface.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }

    def healthy(self) -> bool:
        """Whether its health page answers."""
        return self._status("GET", HEALTH) == 200

    def complaint(self) -> str:
        """The log's last line: a Python program ends with its exception."""
        return "".join(self.log.read_text(errors="replace").splitlines()[-1:])

    def find(self) -> list[Process]:
        """Its process, if it runs."""
        return processes.find(self.marker)

    def as_wanted(self) -> bool:
        """Whether the process that runs was started with this command."""
        return all(process.command == tuple(self.command()) for process in self.find())

    def launch(self) -> None:
        """A process that outlives this one."""
        processes.launch(self.command(), self.environment(), self.log)

    def end(self, grace: float) -> None:
        """Every process of it."""
        for process in self.find():
            processes.stop(process, grace)
        Path(self.marker[1]).unlink(missing_ok=True)

    def holds(self, bucket: str) -> bool:
        """Whether it has that bucket: the last thing made, so the rest is there as well.

        Over plain HTTP (MiniStack checks no signature): loading an SDK takes longer than all else
        that `up` has to do when everything is up.
        """
        return self._status("HEAD", f"/{bucket}") == 200

    def _status(self, method: str, path: str) -> int | None:
        connection = http.client.HTTPConnection(self.addresses[0], self.port, timeout=_ANSWER_SECONDS)
        try:
            basic = base64.b64encode(f"{REGISTRY_USER}:{self.keys.operator}".encode()).decode()
            connection.request(method, path, headers={"Authorization": f"Basic {basic}"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
