"""What is in an image, read from the records of the tools that installed it."""

import io
import json
import tarfile
from collections.abc import Mapping

from deployer.adapters.docker.packages import Package, packages
from deployer.commands.sbom import cyclonedx
from deployer.model import Image

DPKG = """Package: libssl3
Status: install ok installed
Version: 3.0.15-1~deb12u1
Description: a library
 with lines below

Package: gone
Status: deinstall ok config-files
Version: 1.0
"""
FILES = {
    "etc/os-release": 'NAME="Debian"\nID=debian\n',
    "var/lib/dpkg/status": DPKG,
    "usr/lib/python3/site-packages/pymongo-4.10.1.dist-info/METADATA": "Name: pymongo\nVersion: 4.10.1\n\nX",
    "usr/lib/python3/site-packages/old.egg-info/PKG-INFO": "Name: old\nVersion: 2\n",
    "app/node_modules/@acme/load/package.json": '{"name": "@acme/load", "version": "0.3.0"}',
    "app/node_modules/mongodb/package.json": '{"name": "mongodb", "version": "6.12.0"}',
    "app/node_modules/mongodb/lib/package.json": '{"name": "inner", "version": "1"}',
    "app/node_modules/broken/package.json": "{",
    "app/node_modules/nameless/package.json": '{"version": 1}',
    "app/package.json": '{"name": "the-job-itself", "version": "1.0.0"}',
}


def tar(files: Mapping[str, str]) -> io.BytesIO:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, text in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(text.encode())
            archive.addfile(about, io.BytesIO(text.encode()))
    content.seek(0)
    return content


def test_each_installed_package_once() -> None:
    """What was removed, what is damaged, and what only lies in a package are no packages."""
    assert packages(tar(FILES)) == (
        "debian",
        [
            Package("deb", "libssl3", "3.0.15-1~deb12u1"),
            Package("npm", "@acme/load", "0.3.0"),
            Package("npm", "mongodb", "6.12.0"),
            Package("pypi", "old", "2"),
            Package("pypi", "pymongo", "4.10.1"),
        ],
    )


def test_an_alpine_image() -> None:
    """Its database has a letter for each field."""
    installed = "C:Q1x\nP:musl\nV:1.2.5-r9\nA:x86_64\n\nP:zlib\nV:1.3.1-r2\n"
    files = {"usr/lib/os-release": "ID=alpine\n", "lib/apk/db/installed": installed}
    assert packages(tar(files)) == (
        "alpine",
        [Package("apk", "musl", "1.2.5-r9"), Package("apk", "zlib", "1.3.1-r2")],
    )


def test_an_image_from_scratch() -> None:
    """Nothing is known to be in it."""
    assert packages(tar({"job": "x"})) == ("", [])


def test_the_bill_of_materials_names_each_package_by_its_url() -> None:
    """CycloneDX: the image is what it is about; a distribution's packages are named within it."""
    bom = json.loads(
        cyclonedx(Image("jobs/load", "src-1", "registry.example", digest="sha256:ab"), *packages(tar(FILES)))
    )
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "registry.example/jobs/load"
    assert bom["metadata"]["component"]["version"] == "sha256:ab"
    assert sorted(component["purl"] for component in bom["components"]) == [
        "pkg:deb/debian/libssl3@3.0.15-1~deb12u1",
        "pkg:npm/%40acme/load@0.3.0",
        "pkg:npm/mongodb@6.12.0",
        "pkg:pypi/old@2",
        "pkg:pypi/pymongo@4.10.1",
    ]
