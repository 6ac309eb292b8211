"""An image registry in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer.errors import Failure
from deployer.ports import Login, Tagged
from tests.fakes.faults import Faults


@dataclass
class FakeRegistry:
    """Repositories as {repository: {tag: digest}}; `pushes` remembers all that ever came in,
    `digests` what is there, `pushed_at` since when (0 where it is not told)."""

    host: str = "registry.test"
    faults: Faults = field(default_factory=Faults)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, set[str]] = field(default_factory=dict)
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    logins: int = 0
    pushed_at: dict[str, float] = field(default_factory=dict)
    carried: dict[str, dict[str, str]] = field(default_factory=dict)
    """The labels of an image, by digest; without an entry they cannot be read."""

    def create(self, repository: str) -> None:
        self.tags.setdefault(repository, {})
        self.digests.setdefault(repository, set())

    def receive(self, repository: str, tag: str, digest: str) -> None:
        """What a push over the registry protocol does (the fake engine's side)."""
        self._tags(repository)[tag] = digest
        self.digests[repository].add(digest)
        self.pushes.append((repository, tag, digest))

    def address(self) -> str:
        self.faults.before("address")
        return self.host

    def login(self) -> Login:
        self.faults.before("login")
        self.logins += 1
        return Login(self.host, "AWS", f"token-{self.logins}")

    def digest(self, repository: str, tag: str) -> str | None:
        self.faults.before("digest")
        return self._tags(repository).get(tag)

    def manifest(self, repository: str, reference: str) -> Mapping[str, Any] | None:
        self.faults.before("manifest")
        digest = self._tags(repository).get(reference, reference)
        there = digest in self.digests[repository]
        return {"schemaVersion": 2, "config": {"digest": digest}} if there else None

    def labels(self, repository: str, digest: str) -> Mapping[str, str] | None:
        self.faults.before("labels")
        return self.carried.get(digest) if digest in self.digests.get(repository, ()) else None

    def move_tag(self, repository: str, tag: str, digest: str) -> None:
        self.faults.before("move_tag")
        if digest not in self.digests.get(repository, set()):
            raise Failure("aws-config", f"ECR repository {repository}: no image {digest}")
        self.tags[repository][tag] = digest
        self.faults.after("move_tag")

    def tagged(self, repository: str) -> tuple[Tagged, ...]:
        self.faults.before("tagged")
        return tuple(
            Tagged(tag, digest, self.pushed_at.get(digest, 0.0))
            for tag, digest in self._tags(repository).items()
        )

    def remove(self, repository: str, tags: Sequence[str]) -> None:
        self.faults.before("remove")
        held = self._tags(repository)
        taken = {held.pop(tag) for tag in tags if tag in held}
        self.digests[repository] -= taken - set(held.values())
        self.faults.after("remove")

    def _tags(self, repository: str) -> dict[str, str]:
        if repository not in self.tags:
            raise Failure(
                "aws-config",
                f"ECR repository {repository}: RepositoryNotFoundException",
                f"create it: `aws ecr create-repository --repository-name {repository}`",
            )
        return self.tags[repository]
