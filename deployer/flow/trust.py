"""Whether records may be acted on. Who may write the state bucket must not decide what runs with the job's
rights: what a resumed release or a rollback pushes, registers, runs or stops has to be of the places that
deploy.toml names, and its image one that a release of this project has built.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deployer.config.model import Config
from deployer.errors import RefusedError
from deployer.flow.steps.build import CONTENT, LABEL
from deployer.model import Image, Release
from deployer.ports import Ports
from deployer.task.definition import differences, for_image

_HARMLESS: Final = re.compile(
    r"(?:cpu|memory|ephemeralStorage|runtimePlatform|tags)\b"
    r"|containerDefinitions\[[^\]]+\]\.(?:cpu|memory|memoryReservation|logConfiguration|stopTimeout|image)\b"
)
"""In what a copy of an old definition may differ from deploy.toml's: not in what runs, nor in its rights."""


def refuse_foreign(release: Release, config: Config, ports: Ports) -> None:
    """RefusedError: the release's records name something that is not this project's."""
    for foreign in _foreign(release, config, ports):
        raise RefusedError(
            f"release {release.id} does not belong to this deploy.toml: {foreign}",
            "start a new release: `deployer release`; if nobody has changed deploy.toml since,"
            " find out who wrote the records",
        )


def refuse_foreign_copy(definition: Mapping[str, Any], release: Release, config: Config) -> None:
    """RefusedError: a kept copy of a task definition would run something else than deploy.toml says."""
    image = release.image.pinned if release.image else ""
    containers = definition.get("containerDefinitions") or [{}]
    wanted = for_image(config, image)
    found = [
        *(d for d in differences(definition, wanted) if not _HARMLESS.match(d)),
        *(f"image {c.get('image')}" for c in containers if c.get("image") not in (image, *_images(wanted))),
    ]
    if found:
        raise RefusedError(
            f"ECS no longer has the task definition of release {release.id}, and the copy in its evidence"
            f" differs from deploy.toml in what runs: {found[0]}",
            "release its commit again, or name another: `deployer rollback ID`",
        )


def _images(definition: Mapping[str, Any]) -> list[str]:
    return [str(container.get("image")) for container in definition["containerDefinitions"]]


def _foreign(release: Release, config: Config, ports: Ports) -> Iterator[str]:
    """What is not ours, in words."""
    family, cluster = str(for_image(config, "image")["family"]), config.run.cluster.rsplit("/", 1)[-1]
    image, made, back = release.image, release.task_definition, release.rollback
    if image:
        yield from _foreign_image(image, config, ports)
    if made and made.family != family:
        yield f"its task definition is of family {made.family}, not {family}"
    pending = release.launch.task_definition if release.launch and not release.launch.over else None
    revisions = [made.arn if made else None, back.task_definition if back else None, pending]
    for arn in filter(None, (*revisions, *(launch.task_definition for launch in release.launches))):
        if arn.rpartition("/")[2].rpartition(":")[0] != family:
            yield f"its task definition {arn} is not of family {family}"
    for task in (launch.arn for launch in release.launches if launch.arn):
        if "/" in (place := task.rpartition(":task/")[2]) and place.split("/")[0] != cluster:
            yield f"its task {task} is not of cluster {cluster}"
    for arn in dict.fromkeys(filter(None, revisions)):
        yield from _foreign_revision(arn, image, config, ports)


def _foreign_image(image: Image, config: Config, ports: Ports) -> Iterator[str]:
    """A sandbox's registry may have moved to another port; its records are behind the sandbox's gate."""
    if image.repository != config.image.repository:
        yield f"its image is of repository {image.repository}, not {config.image.repository}"
    registry = ports.registry.address()
    if image.registry not in ("", registry) and not config.sandbox:
        yield f"its image is in registry {image.registry}, not {registry}"
    if image.digest:
        yield from _foreign_digest(image.digest, image.tag, config, ports)


def _foreign_digest(digest: str, tag: str, config: Config, ports: Ports) -> Iterator[str]:
    """By its labels; where they cannot be read, by its tag ("": not known), if the registry has that."""
    content = tag.removeprefix(CONTENT)
    labels = ports.registry.labels(config.image.repository, digest)
    if labels is None:
        there = ports.registry.digest(config.image.repository, tag) if tag else None
        if there not in (None, digest):
            yield f"its image {digest} is not the registry's {tag}, {there}"
    elif labels.get(f"{LABEL}project") != config.project.name:
        yield f"its image {digest} was not built by a release of {config.project.name}"
    elif not labels.get(f"{LABEL}content-hash", "").startswith(content):
        yield f"its image {digest} has another content than {content}"


def _foreign_revision(arn: str, image: Image | None, config: Config, ports: Ports) -> Iterator[str]:
    """The job's container runs this project's image. After a change it may be that of an earlier pass."""
    revision = ports.tasks.revision(arn)
    if revision is None or image is None:
        return
    containers = revision.definition.get("containerDefinitions") or ()
    job: Mapping[str, Any] = next((c for c in containers if c.get("name") == config.task.container), {})
    name, _, digest = str(job.get("image")).partition("@")
    if name != image.name or not digest:
        yield f"{arn} runs {job.get('image')}, not {image.name}"
    elif digest != image.digest:
        yield from _foreign_digest(digest, "", config, ports)
