"""`deployer prune`, and `[image] keep-releases` after a release: removes what no verified release, schedule
or unfinished release needs."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from deployer.commands.project import Project
from deployer.commands.shared_state import locked_ports
from deployer.flow.revision import ENV_TAG
from deployer.flow.steps.build import CONTENT, LABEL
from deployer.model import Release
from deployer.ports import Ports
from deployer.records.releases import VERIFIED, Releases
from deployer.sandbox.engine import images_of, remove_names


@dataclass
class _Needed:
    """The last different verified releases, newest first, and the images of what can still be resumed."""

    verified: list[Release] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)

    @property
    def revisions(self) -> set[str]:
        return {arn for _, arn in (release.made for release in self.verified) if arn}


@dataclass(frozen=True)
class Old:
    """What nothing needs: ARNs of revisions, and tags of the repository."""

    repository: str = ""
    revisions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    reason: str = ""
    """Why nothing is old."""

    def told(self) -> str:
        """What is removed, by name."""
        if self.reason:
            return self.reason
        names = [arn.rpartition("/")[2] for arn in self.revisions], self.tags
        revisions, images = (f"{len(found)}{': ' if found else ''}{', '.join(found)}" for found in names)
        return f"old revisions: {revisions}; old images: {images}"


def prune(releases: Releases, env: str, keep: int, ports: Ports, project: str) -> str:
    """Deregisters old revisions and removes old images; says what it did. Twice is safe: what is gone is not
    found again. Failure: a service would not; whatever was removed by then was old."""
    old = select(releases, env, keep, ports, project)
    remove(old, ports)
    return old.told()


def remove(old: Old, ports: Ports) -> None:
    for arn in old.revisions:
        ports.tasks.deregister(arn)
    if old.tags:
        ports.registry.remove(old.repository, old.tags)


def select(releases: Releases, env: str, keep: int, ports: Ports, project: str) -> Old:
    """What was there before the last `keep` different verified releases to `env` that are known here; where
    they are fewer, nothing. Only revisions that a release to `env` registered, and only images that carry
    the labels of this project and that no active revision, schedule or rule of the account names."""
    needed = _needed(releases, env, keep)
    if len(needed.verified) < keep:
        return Old(reason=f"nothing is old yet: {len(needed.verified)} of {keep} verified releases are known")
    triggers = {trigger.task_definition for trigger in ports.schedules.triggers()}
    revisions = _old_revisions(env, needed, triggers, ports)
    repository = next(release.image.repository for release in needed.verified if release.image)
    return Old(repository, revisions, _old_images(repository, needed, triggers, revisions, ports, project))


def _needed(releases: Releases, env: str, keep: int) -> _Needed:
    needed = _Needed()
    for release, end in releases.states(env):
        if end in VERIFIED and release.made not in [other.made for other in needed.verified]:
            needed.verified.append(release)
        if end != "END_FAILED" and release.image and release.image.digest:
            needed.digests.add(release.image.digest)
        if len(needed.verified) == keep:
            break
    return needed


def _old_revisions(env: str, needed: _Needed, triggers: set[str], ports: Ports) -> tuple[str, ...]:
    oldest, used = min(map(_number, needed.revisions)), needed.revisions | triggers
    old = [arn for arn in ports.tasks.revisions(_family(needed)) if _number(arn) < oldest and arn not in used]
    found = ((arn, ports.tasks.revision(arn)) for arn in old)
    return tuple(arn for arn, revision in found if revision and revision.tags.get(ENV_TAG) == env)


def _old_images(
    repository: str, needed: _Needed, triggers: set[str], gone: Sequence[str], ports: Ports, project: str
) -> tuple[str, ...]:
    """Every revision of the account is only read where an image would go."""
    since, tagged = needed.verified[-1].started_at, ports.registry.tagged(repository)
    stay = needed.digests | {tag.digest for tag in tagged if not tag.tag.startswith(CONTENT)}
    old = [
        image
        for image in tagged
        if image.tag.startswith(CONTENT)
        and image.digest not in stay
        and image.pushed_at < since
        and (ports.registry.labels(repository, image.digest) or {}).get(f"{LABEL}project") == project
    ]
    named = _named({*ports.tasks.revisions(None), *triggers} - {*gone}, ports) if old else set()
    return tuple(image.tag for image in old if not {image.tag, image.digest} & named)


def _named(revisions: Iterable[str], ports: Ports) -> set[str]:
    """The digests and tags of the images that these revisions name."""
    found = (ports.tasks.revision(arn) for arn in revisions)
    containers = (c for revision in found if revision for c in revision.definition["containerDefinitions"])
    return {_reference(container["image"]) for container in containers}


def _reference(image: str) -> str:
    """`[registry/]repository[:tag][@digest]`: the digest, else the tag."""
    name, _, digest = image.partition("@")
    return digest or name.rpartition("/")[2].partition(":")[2] or "latest"


def _family(needed: _Needed) -> str:
    return next(release.task_definition.family for release in needed.verified if release.task_definition)


def _number(arn: str) -> int:
    return int(arn.rpartition(":")[2])


@dataclass(frozen=True)
class Pruning:
    """What `deployer prune` would remove. `local`: names of images of this machine that the project's
    releases built."""

    env: str
    local: tuple[str, ...]
    old: Old
    ports: Ports

    def as_data(self) -> dict[str, Any]:
        return {
            "env": self.env,
            "local": list(self.local),
            "images": [f"{self.old.repository}:{tag}" for tag in self.old.tags],
            "task_definitions": list(self.old.revisions),
            "kept_because": self.old.reason,
        }

    @property
    def anything(self) -> bool:
        return bool(self.local or self.old.tags or self.old.revisions)

    def remove(self) -> str:
        """Failure: a service would not; whatever was removed by then was old."""
        remove(self.old, self.ports)
        return f"{remove_names(self.local)} local images removed; {self.old.told()}"


@contextmanager
def pruning(project: Project, env: str | None) -> Iterator[Pruning]:
    """Holds the environment's lock while it is shown, confirmed and done. RefusedError: a release is running.

    An image of this machine that an unfinished release built stays, and so does one without the project's
    label. Failure, SandboxDown: Docker or AWS does not answer.
    """
    name = project.env(env)
    config = project.config(name, needed=("aws", "image", "run", "logs", "schedule", "state"))
    unfinished = {line["id"] for line in project.releases.summaries() if line["end"] not in _ENDS}
    with locked_ports(project, config, "prune") as ports:
        local = (image for image, made in images_of(config.project.name).items() if made not in unfinished)
        keep = config.image.keep_releases
        old = Old(reason=_KEEPS_ALL)
        if keep:
            old = select(project.releases, name, keep, ports, config.project.name)
        yield Pruning(name, tuple(sorted(local)), old, ports)


_ENDS: Final = (*VERIFIED, "END_FAILED")
_KEEPS_ALL: Final = "the registry keeps all: [image] keep-releases is not set"
