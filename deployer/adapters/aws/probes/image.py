"""Is the task's image in the registry, and made for the processor that the task asks for?

An index names a platform for each of its images; of a single image only its configuration does, a blob of the
registry (https://github.com/opencontainers/image-spec/blob/main/config.md).
"""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deployer.adapters.aws.ecr import Ecr, RepositoryMissing
from deployer.adapters.aws.probes.finding import failed, passed, unknown
from deployer.adapters.aws.probes.subject import platform
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.errors import Failure
from deployer.ports import Finding

_LATEST: Final = "latest"
_TIMEOUT: Final = 10.0
_LARGEST: Final = 4 * 2**20
"""Bytes of a configuration, which is a list of layers and their history."""


def check(config: Config, session: AwsSession, digest: str | None) -> Iterator[Finding]:
    """Of the image with this digest; without one, of the last that was proven, if there is one."""
    repository, registry = config.image.repository, Ecr(config, session)
    what = f"image {repository}" + (f"@{digest[:19]}" if digest else f":{_LATEST}")
    try:
        manifest = registry.manifest(repository, digest or _LATEST)
    except RepositoryMissing as missing:
        yield failed(f"repository {repository}", f"is not there in {session.region}", missing.hint)
        return
    if manifest is None and digest:
        build = "deployer resume (it builds and pushes the image again)"
        yield failed(what, f"is not in the repository {repository} any more", build)
    elif manifest is None:
        yield passed(what, "is not there yet: nothing was proven so far")
    else:
        yield _architecture(what, manifest, config, registry)


def _architecture(what: str, manifest: Mapping[str, Any], config: Config, registry: Ecr) -> Finding:
    repository, wanted = config.image.repository, platform(config)
    try:
        found = _platforms(manifest, repository, registry)
    except Failure as failure:
        return unknown(what, f"is there; for which processor cannot be seen: {failure.message}", failure.hint)
    except (OSError, ValueError, LookupError, TypeError) as error:
        return unknown(what, f"is there; for which processor cannot be seen: {type(error).__name__}: {error}")
    if wanted in found:
        return passed(what, f"is there, for {', '.join(found)}")
    mend = (
        f'set platform = "{wanted}" under [build] in deploy.toml (and take a base for it), then release again'
    )
    return failed(what, f"is for {' and '.join(found) or 'no platform'}, the task wants {wanted}", mend)


def _platforms(manifest: Mapping[str, Any], repository: str, registry: Ecr) -> list[str]:
    """`os/architecture` of every image behind the manifest; entries that are none say `unknown`."""
    if "manifests" in manifest:
        described = [entry.get("platform", {}) for entry in manifest["manifests"]]
    else:
        described = [_configuration(manifest["config"]["digest"], repository, registry)]
    named = (f"{found.get('os')}/{found.get('architecture')}" for found in described)
    return sorted({name for name in named if "unknown" not in name and "None" not in name})


def _configuration(digest: str, repository: str, registry: Ecr) -> Mapping[str, Any]:
    """OSError: it cannot be had; ValueError: it is none."""
    url, headers = registry.blob(repository, digest)
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ValueError(f"{url.partition('?')[0]} is no https address")
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  see above
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
        held = json.loads(answer.read(_LARGEST))
    if not isinstance(held, dict):
        raise ValueError("the image's configuration is no JSON object")
    return held
