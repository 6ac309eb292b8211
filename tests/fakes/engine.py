"""A container engine in memory. Images outlive a process; logins do not: `restart` forgets them."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deployer.errors import Failure
from deployer.ports import BuildResult, OnLine, OnProgress
from tests.fakes.faults import Faults

OnPush = Callable[[str, str, str], str]
"""(name, tag, image id) -> digest; what the registry does with a push."""


def digest_of(name: str, tag: str, image_id: str) -> str:
    """The digest of an image: one for each content, as a registry computes it."""
    return "sha256:" + hashlib.sha256(image_id.encode()).hexdigest()


@dataclass
class FakeEngine:
    """`images`: image id by `name:tag`; `labels` by image id. `build_errors`: what is wrong with the
    Dockerfile in the coming builds. `content`: what the image is made of (same content, same id). `password`:
    what a login needs, "" any."""

    on_push: OnPush = digest_of
    faults: Faults = field(default_factory=Faults)
    images: dict[str, str] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    build_errors: deque[str] = field(default_factory=deque)
    content: str = "job 1"
    password: str = ""
    builds: list[str] = field(default_factory=list)
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    logins: dict[str, str] = field(default_factory=dict)

    def restart(self) -> None:
        """What the death of the deployer's process does to an engine's logins."""
        self.logins.clear()

    def build(
        self, tag: str, labels: Mapping[str, str], on_line: OnLine, on_progress: OnProgress
    ) -> BuildResult:
        self.faults.before("build")
        on_progress("build", "FROM base", 0, 1, "step")
        on_line("Step 1/1 : FROM base")
        if self.build_errors:
            return BuildResult(None, self.build_errors.popleft(), ("Step 1/1 : FROM base",))
        self.images[tag] = "sha256:" + hashlib.sha256(self.content.encode()).hexdigest()
        self.labels[self.images[tag]] = dict(labels)
        self.builds.append(tag)
        on_progress("build", "built", 1, 1, "step")
        self.faults.after("build")
        return BuildResult(self.images[tag], "", ("Step 1/1 : FROM base",))

    def image_id(self, tag: str, labels: Mapping[str, str] | None = None) -> str | None:
        self.faults.before("image_id")
        image = self.images.get(tag)
        carried = self.labels.get(image or "", {})
        return image if (labels or {}).items() <= carried.items() else None

    def untag(self, name: str) -> None:
        self.images.pop(name, None)

    def tag(self, source: str, target: str) -> None:
        self.faults.before("tag")
        self.images[target] = self._image(source)
        self.faults.after("tag")

    def login(self, registry: str, username: str, password: str) -> None:
        self.faults.before("login")
        if self.password and password != self.password:
            raise Failure("registry-auth", f"log in to {registry}: unauthorized", "log in again")
        self.logins[registry] = password
        self.faults.after("login")

    def push(self, name: str, tag: str, on_progress: OnProgress) -> str:
        self.faults.before("push")
        image_id = self._image(f"{name}:{tag}")
        if name.partition("/")[0] not in self.logins:
            raise Failure("registry-auth", f"push {name}:{tag}: no basic auth credentials", "log in again")
        on_progress("layer", "Pushing", 0, 10, "B")
        digest = self.on_push(name, tag, image_id)
        self.pushes.append((name, tag, digest))
        on_progress("layer", "Pushed", 10, 10, "B")
        self.faults.after("push")
        return digest

    def _image(self, tag: str) -> str:
        if tag not in self.images:
            raise Failure("docker", f"no such image: {tag}", "build the image again")
        return self.images[tag]
