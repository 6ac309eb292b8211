"""`deployer prune`, and `[image] keep-releases` after a release: removes what no verified release, schedule
or unfinished release needs."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from deployer.commands.project import Project
from deployer.commands.shared_state import locked_ports
from deployer.flow.revision import ENV_TAG
from deployer.flow.steps.build import CONTENT
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
    """What may go of an environment; `kept_because`: why nothing is looked for."""

    revisions: tuple[str, ...] = ()
    repository: str = ""
    tags: tuple[str, ...] = ()
    kept_because: str = ""


def prune(releases: Releases, env: str, keep: int, ports: Ports) -> str:
    """Removes what is old, and says what it did. Twice is safe: what is gone is not found again."""
    return remove_old(find_old(releases, env, keep, ports), ports)


def find_old(releases: Releases, env: str, keep: int, ports: Ports) -> Old:
    """Old images (by their content's tag) and old revisions; only reads.

    Old is what was there before the last `keep` different verified releases to `env` that are known here;
    where they are fewer, nothing is. Only revisions that a release to `env` registered are meant, and only
    images that no revision names which stays active. Failure: a service would not answer.
    """
    needed = _needed(releases, env, keep)
    if len(needed.verified) < keep:
        known = len(needed.verified)
        return Old(kept_because=f"nothing is old yet: {known} of {keep} verified releases are known here")
    active = ports.tasks.revisions(_family(needed))
    revisions = _old_revisions(env, active, needed, ports)
    repository = next(release.image.repository for release in needed.verified if release.image)
    remaining = [arn for arn in active if arn not in revisions]
    return Old(revisions, repository, _old_tags(repository, remaining, needed, ports))


def remove_old(old: Old, ports: Ports) -> str:
    """Deregisters and removes. Failure: a service would not; whatever was removed by then was old."""
    if old.kept_because:
        return old.kept_because
    for arn in old.revisions:
        ports.tasks.deregister(arn)
    ports.registry.remove(old.repository, old.tags)
    return f"{len(old.revisions)} old revisions deregistered, {len(old.tags)} old images removed"


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


def _old_revisions(env: str, active: Sequence[str], needed: _Needed, ports: Ports) -> tuple[str, ...]:
    used = needed.revisions | {trigger.task_definition for trigger in ports.schedules.triggers()}
    oldest = min(map(_number, needed.revisions))
    old = [arn for arn in active if _number(arn) < oldest and arn not in used]
    return tuple(
        arn for arn in old if (found := ports.tasks.revision(arn)) and found.tags.get(ENV_TAG) == env
    )


def _old_tags(repository: str, remaining: Sequence[str], needed: _Needed, ports: Ports) -> tuple[str, ...]:
    since = needed.verified[-1].started_at
    tagged = ports.registry.tagged(repository)
    stay = needed.digests | {tag.digest for tag in tagged if not tag.tag.startswith(CONTENT)}
    stay |= _digests(ports, remaining)
    return tuple(
        image.tag
        for image in tagged
        if image.tag.startswith(CONTENT) and image.digest not in stay and image.pushed_at < since
    )


def _digests(ports: Ports, revisions: Iterable[str]) -> set[str]:
    """Of the images that these revisions name by digest."""
    found = (ports.tasks.revision(arn) for arn in revisions)
    containers = (c for revision in found if revision for c in revision.definition["containerDefinitions"])
    return {container["image"].rpartition("@")[2] for container in containers}


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
            "kept_because": self.old.kept_because,
        }

    @property
    def anything(self) -> bool:
        return bool(self.local or self.old.tags or self.old.revisions)

    def remove(self) -> str:
        """Failure: a service would not; whatever was removed by then was old."""
        done = remove_old(self.old, self.ports)
        return f"{remove_names(self.local)} local images removed; {done}"


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
        old = find_old(project.releases, name, keep, ports) if keep else Old(kept_because=_KEEPS_ALL)
        yield Pruning(name, tuple(sorted(local)), old, ports)


_ENDS: Final = (*VERIFIED, "END_FAILED")
_KEEPS_ALL: Final = "the registry keeps all: [image] keep-releases is not set"
