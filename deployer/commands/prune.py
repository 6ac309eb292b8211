"""`[image] keep-releases`: removes what no verified release, schedule or unfinished release needs."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from deployer.flow.revision import ENV_TAG
from deployer.flow.steps.build import CONTENT
from deployer.model import Release
from deployer.ports import Ports
from deployer.records.releases import VERIFIED, Releases


@dataclass
class _Needed:
    """The last different verified releases, newest first, and the images of what can still be resumed."""

    verified: list[Release] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)

    @property
    def revisions(self) -> set[str]:
        return {arn for _, arn in (release.made for release in self.verified) if arn}


def prune(releases: Releases, env: str, keep: int, ports: Ports) -> str:
    """Removes old images (by their content's tag) and deregisters old revisions; says what it did.

    Old is what was there before the last `keep` different verified releases to `env` that are known here;
    where they are fewer, nothing is. Only revisions that a release to `env` registered are touched, and
    only images that no active revision names. Twice is safe: what is gone is not found again. Failure: a
    service would not; whatever was removed by then was old.
    """
    needed = _needed(releases, env, keep)
    if len(needed.verified) < keep:
        return f"nothing is old yet: {len(needed.verified)} of {keep} verified releases are known here"
    revisions = _deregister_old(env, needed, ports)
    images = _remove_old(needed, ports)
    return f"{revisions} old revisions deregistered, {images} old images removed"


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


def _deregister_old(env: str, needed: _Needed, ports: Ports) -> int:
    used = needed.revisions | {trigger.task_definition for trigger in ports.schedules.triggers()}
    oldest = min(map(_number, needed.revisions))
    old = [arn for arn in ports.tasks.revisions(_family(needed)) if _number(arn) < oldest and arn not in used]
    ours = [arn for arn in old if (found := ports.tasks.revision(arn)) and found.tags.get(ENV_TAG) == env]
    for arn in ours:
        ports.tasks.deregister(arn)
    return len(ours)


def _remove_old(needed: _Needed, ports: Ports) -> int:
    repository = next(release.image.repository for release in needed.verified if release.image)
    since = needed.verified[-1].started_at
    tagged = ports.registry.tagged(repository)
    stay = needed.digests | {tag.digest for tag in tagged if not tag.tag.startswith(CONTENT)}
    stay |= _digests(ports, ports.tasks.revisions(_family(needed)))
    old = [
        image.tag
        for image in tagged
        if image.tag.startswith(CONTENT) and image.digest not in stay and image.pushed_at < since
    ]
    ports.registry.remove(repository, old)
    return len(old)


def _digests(ports: Ports, revisions: Iterable[str]) -> set[str]:
    """Of the images that these revisions name by digest."""
    found = (ports.tasks.revision(arn) for arn in revisions)
    containers = (c for revision in found if revision for c in revision.definition["containerDefinitions"])
    return {container["image"].rpartition("@")[2] for container in containers}


def _family(needed: _Needed) -> str:
    return next(release.task_definition.family for release in needed.verified if release.task_definition)


def _number(arn: str) -> int:
    return int(arn.rpartition(":")[2])
