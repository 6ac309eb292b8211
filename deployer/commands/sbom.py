"""`deployer sbom`: what is in the image of a release, as CycloneDX (https://cyclonedx.org/docs/1.6/json/)."""

from deployer.adapters.docker.packages import Package, packages_of
from deployer.commands.project import Project
from deployer.errors import RefusedError, UsageError
from deployer.model import Image
from deployer.records.releases import state_of


def sbom(project: Project, release: str | None, env: str | None) -> str:
    """JSON. RefusedError: the release has no image. UsageError: the extra is missing. Failure `docker`: no
    engine, or the image is not on this machine."""
    image = state_of(project.releases.records(release or project.releases.newest(env))).image
    if image is None:
        raise RefusedError("this release has no image", "name one that has built or found its image")
    found = packages_of(project.environ, image.id or image.pinned, f"docker pull {image.pinned}")
    return cyclonedx(image, *found)


def cyclonedx(image: Image, distribution: str, found: list[Package]) -> str:
    """The bill of materials, with a package URL for each package. UsageError: the extra is missing."""
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
        from packageurl import PackageURL
    except ImportError as error:
        raise UsageError("the library for CycloneDX is missing", "pip install 'deployer[sbom]'") from error
    bom = Bom()
    bom.metadata.component = whole = Component(
        type=ComponentType.CONTAINER, name=image.name, version=image.digest or image.tag, bom_ref="image"
    )
    for package in found:
        namespace = _namespace(package, distribution)
        url = PackageURL(package.kind, namespace, package.name, package.version)
        component = Component(name=package.name, version=package.version, purl=url, bom_ref=str(url))
        bom.components.add(component)
        bom.register_dependency(whole, [component])
    return JsonV1Dot6(bom).output_as_string(indent=1)


def _namespace(package: Package, distribution: str) -> str | None:
    """A distribution's packages are named within it: https://github.com/package-url/purl-spec"""
    return distribution or None if package.kind in ("deb", "apk") else None
