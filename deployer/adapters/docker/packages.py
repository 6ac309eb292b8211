"""The packages in an image's file system, as the tools that installed them have recorded it: those of Debian,
Alpine, Python and Node. Read from a tar of the files; nothing of the image is run."""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from tempfile import TemporaryFile
from typing import IO, Final, Literal

from deployer.adapters.docker.api import connected
from deployer.errors import Failure

Kind = Literal["deb", "apk", "pypi", "npm"]

_LARGEST: Final = 20_000_000
"""Bytes of a record; a larger file is no record of packages."""
_PLACES: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("deb", re.compile(r"var/lib/dpkg/(?:status|status\.d/[^/]+)")),
    ("apk", re.compile(r"lib/apk/db/installed")),
    ("pypi", re.compile(r".*\.(?:dist-info/METADATA|egg-info/PKG-INFO)")),
    ("npm", re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@]+/package\.json")),
)


@dataclass(frozen=True, order=True)
class Package:
    kind: Kind
    name: str
    version: str


def packages_of(environment: Mapping[str, str], image: str, hint: str) -> tuple[str, list[Package]]:
    """As `packages`, of an image on this machine, by its ID or name. Failure `docker`: no engine, or no such
    image; `hint` is what to do then."""
    with TemporaryFile() as files:
        with connected(environment, f"read {image}") as client:
            from docker.errors import NotFound

            try:
                container = client.create_container(image, ["-"])["Id"]
            except NotFound as error:
                raise Failure("docker", f"the image {image} is not on this machine", hint) from error
            try:
                for chunk in client.export(container):
                    files.write(chunk)
            finally:
                client.remove_container(container, v=True)
        files.seek(0)
        return packages(files)


def packages(files: IO[bytes]) -> tuple[str, list[Package]]:
    """The distribution (`ID` of os-release, "" if there is none), and each package once, sorted.

    `files`: a tar stream of the file system. tarfile.TarError: it is damaged. A record that is damaged is
    left out."""
    distribution, found = "", set[Package]()
    with tarfile.open(fileobj=files, mode="r|") as archive:
        for member in archive:
            path = member.name.removeprefix("./")
            if not member.isfile() or member.size > _LARGEST:
                continue
            if path in ("etc/os-release", "usr/lib/os-release"):
                release = re.search(r'^ID="?([\w.-]+)', _text(archive, member), re.MULTILINE)
                distribution = release[1] if release else distribution
            kind = next((kind for kind, place in _PLACES if place.fullmatch(path)), None)
            if kind:
                found.update(_read(kind, _text(archive, member)))
    return distribution, sorted(found)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return file.read().decode("utf-8", "replace") if file else ""


def _read(kind: Kind, text: str) -> Iterator[Package]:
    if kind == "npm":
        try:
            about = json.loads(text)
            pairs = [(about["name"], about["version"])]
        except (ValueError, KeyError, TypeError):
            return
    elif kind == "apk":
        entries = [dict(re.findall(r"^([A-Z]):(.*)$", part, re.MULTILINE)) for part in text.split("\n\n")]
        pairs = [(entry.get("P"), entry.get("V")) for entry in entries]
    else:
        parts = text.split("\n\n") if kind == "deb" else [text]
        headers = [HeaderParser().parsestr(part, headersonly=True) for part in parts]
        installed = [one for one in headers if " installed" in one.get("Status", "ok installed")]
        key = "Package" if kind == "deb" else "Name"
        pairs = [(one.get(key), one.get("Version")) for one in installed]
    yield from (Package(kind, str(name), str(version)) for name, version in pairs if name and version)
