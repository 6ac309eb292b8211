"""An image registry in memory."""

from dataclasses import dataclass, field

from deployer.errors import Failure
from deployer.release.ports import Login
from tests.fakes.faults import Faults


@dataclass
class FakeRegistry:
    """Repositories as {repository: {tag: digest}}; `digests` and `pushes` remember all that ever came in."""

    host: str = "registry.test"
    faults: Faults = field(default_factory=Faults)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, set[str]] = field(default_factory=dict)
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    logins: int = 0

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

    def move_tag(self, repository: str, tag: str, digest: str) -> None:
        self.faults.before("move_tag")
        if digest not in self.digests.get(repository, set()):
            raise Failure("aws-config", f"ECR repository {repository}: no image {digest}")
        self.tags[repository][tag] = digest
        self.faults.after("move_tag")

    def _tags(self, repository: str) -> dict[str, str]:
        if repository not in self.tags:
            raise Failure(
                "aws-config",
                f"ECR repository {repository}: RepositoryNotFoundException",
                f"create it: `aws ecr create-repository --repository-name {repository}`",
            )
        return self.tags[repository]
