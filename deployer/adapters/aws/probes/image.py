"""Is the task's image in the registry, and built for the task's processor?

An index names a platform for each of its images; of a single image only its configuration does, a blob of the
registry (https://github.com/opencontainers/image-spec/blob/main/config.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.adapters.aws.ecr import Ecr, RepositoryMissing
from deployer.adapters.aws.probes.probe import failed, passed, platform, unknown
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.errors import Failure
from deployer.ports import Finding


def check(config: Config, session: AwsSession, digest: str | None) -> Iterator[Finding]:
    """The image with this digest; without one the promoted one, if there is one."""
    repository, registry = config.image.repository, Ecr(config, session)
    reference = digest or config.image.promote_tag
    if not reference:
        return
    what = f"image {repository}" + (f"@{digest[:19]}" if digest else f":{reference}")
    try:
        manifest = registry.manifest(repository, reference)
    except RepositoryMissing as missing:
        yield failed(f"repository {repository}", f"does not exist in {session.region}", missing.hint)
        return
    if manifest is None and digest:
        build = "deployer resume (it builds and pushes the image again)"
        yield failed(what, f"is no longer in the repository {repository}", build)
    elif manifest is None:
        yield passed(what, "does not exist yet: nothing was proven so far")
    else:
        yield _architecture(what, manifest, config, registry)


def _architecture(what: str, manifest: Mapping[str, Any], config: Config, registry: Ecr) -> Finding:
    repository, wanted = config.image.repository, platform(config)
    try:
        found = _platforms(manifest, repository, registry)
    except Failure as failure:
        return unknown(what, f"exists; its processor cannot be read: {failure.message}", failure.hint)
    except (OSError, ValueError, LookupError, TypeError) as error:
        return unknown(what, f"exists; its processor cannot be read: {type(error).__name__}: {error}")
    if wanted in found:
        return passed(what, f"exists, for {', '.join(found)}")
    fix = f'set platform = "{wanted}" under [build] (with a base image for it), then release again'
    return failed(what, f"is for {' and '.join(found) or 'no platform'}, the task runs on {wanted}", fix)


def _platforms(manifest: Mapping[str, Any], repository: str, registry: Ecr) -> list[str]:
    """`os/architecture` of every image behind the manifest; entries that are none say `unknown`."""
    if "manifests" in manifest:
        described = [entry.get("platform", {}) for entry in manifest["manifests"]]
    else:
        described = [registry.configuration(repository, manifest["config"]["digest"])]
    named = (f"{found.get('os')}/{found.get('architecture')}" for found in described)
    return sorted({name for name in named if "unknown" not in name and "None" not in name})
