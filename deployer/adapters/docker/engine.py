"""The Docker engine, over its API; builds go through buildx where that is installed."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deployer.adapters.docker.api import connected
from deployer.adapters.docker.bases import BaseImages
from deployer.adapters.docker.build_output import BuildKitOutput, BuildOutput, LayerProgress
from deployer.adapters.docker.errors import base_failure, failure_of, push_failure
from deployer.adapters.docker.logins import Ecr, Logins, login_command, registry_of
from deployer.adapters.docker.sending import archived, staged
from deployer.adapters.local.context import BuildContext
from deployer.adapters.local.dockerfile import platform_arguments
from deployer.adapters.local.machine import private_folder
from deployer.adapters.local.shell import LocalShell
from deployer.config.model import Build
from deployer.diagnosis.signature import DOCKER_BUILD
from deployer.errors import Failure, TransientFailure
from deployer.ports import BuildResult, OnLine, OnProgress

if TYPE_CHECKING:
    from docker.api.client import APIClient

_INSTALL_BUILDX: Final = "install docker buildx (https://docs.docker.com/go/buildx/); the Dockerfile is fine"


_NOT_UNDERSTOOD: Final = re.compile(r"unknown (?:flag|instruction)|parse error", re.IGNORECASE)


_NOT_SENT: Final = re.compile(r"no basic auth credentials|unauthorized:|authentication required")
"""What a registry says to a caller without a login. The engine sends one only where the registry asks for it;
if that question failed (a 5xx, throttling) it pushes without."""


class DockerEngine:
    """`ports.Engine`, for real. `environment`: where DOCKER_HOST and its like are looked up. `ecr`: gets the
    release's login for registries of ECR, and for `registry`, which it pushes to."""

    def __init__(
        self,
        folder: Path,
        build: Build,
        environment: Mapping[str, str],
        ecr: Ecr | None = None,
        registry: str | None = None,
    ) -> None:
        self._folder = folder
        self._build = build
        self._environment = environment
        self._logins = Logins(environment, ecr, registry or "")
        self._own = folder / ".deployer"
        self.bases = BaseImages(environment, self._logins, self._own / "base-images.json")

    def build(
        self, tag: str, labels: Mapping[str, str], on_line: OnLine, on_progress: OnProgress
    ) -> BuildResult:
        """Builds `[build]`, whose paths are relative to the project's folder, of the files that its content
        hash covers and no others.

        An error of the Dockerfile is a result. Failure: no engine, no network to a base image, or BuildKit is
        needed and not there."""
        context = BuildContext(self._folder, self._build)
        for path, there in (
            (context.root, context.root.is_dir()),
            (context.dockerfile, context.dockerfile.is_file()),
        ):
            if not there:
                return BuildResult(None, f"{path}: no such {'folder' if path == context.root else 'file'}")
        with self._client("build the image") as client:
            for image in context.images():
                self._logins.prepare(registry_of(image))
            output = self._run_builder(client, context, (tag, labels), on_line, on_progress)
            if image := _refused_base(output.error, context.images()):
                if self._logins.prepare(registry_of(image), refused=True):
                    output = self._run_builder(client, context, (tag, labels), on_line, on_progress)
                _raise_if_refused(output.error, image)
            if not output.error:
                output.done()
                output.error = self._platform_error(client, tag)
            if failure := base_failure(output.error):
                raise failure
            image_id = None if output.error else str(client.inspect_image(tag)["Id"])
        return BuildResult(image_id, output.error, tuple(output.lines))

    def image_id(self, tag: str, labels: Mapping[str, str] | None = None) -> str | None:
        from docker.errors import NotFound

        with self._client(f"inspect {tag}") as client:
            try:
                image = client.inspect_image(tag)
            except NotFound:
                return None
        carried = image["Config"].get("Labels") or {}
        return str(image["Id"]) if (labels or {}).items() <= carried.items() else None

    def untag(self, name: str) -> None:
        from docker.errors import NotFound

        with self._client(f"remove the tag {name}") as client, suppress(NotFound):
            client.remove_image(name, noprune=False)

    def tag(self, source: str, target: str) -> None:
        name, _, tag = target.rpartition(":")
        with self._client(f"tag {source} as {target}") as client:
            client.tag(source, name, tag)

    def login(self, registry: str, username: str, password: str) -> None:
        """Has the registry check the credentials and keeps them in memory for `push`."""
        with self._client(f"log in to {registry}") as client:
            self._logins.give(client)
            client.login(username, password, registry=registry, reauth=True)
        self._logins.add(registry, username, password)

    def push(self, name: str, tag: str, on_progress: OnProgress) -> str:
        doing, digest = f"push {name}:{tag}", ""
        login = self._logins.of(name.partition("/")[0])
        layers = LayerProgress(on_progress)
        with self._client(doing) as client:
            for record in client.push(name, tag=tag, stream=True, decode=True, auth_config=login):
                if "errorDetail" in record:
                    said = record["errorDetail"].get("message") or str(record.get("error"))
                    failure = push_failure(said, doing)
                    if login and _NOT_SENT.search(said):
                        raise TransientFailure(failure.failure_class, failure.message, failure.hint)
                    raise failure
                digest = (record.get("aux") or {}).get("Digest", digest)
                layers.record(record)
        if not digest:
            raise Failure("docker", f"{doing}: the engine names no digest", "push again")
        return digest

    def _run_builder(
        self,
        client: "APIClient",
        context: BuildContext,
        image: tuple[str, Mapping[str, str]],
        on_line: OnLine,
        on_progress: OnProgress,
    ) -> BuildOutput:
        shell = LocalShell(self._folder, self._environment)
        has_buildx = shell.run(("docker", "buildx", "version"), lambda _: None) == 0
        if not has_buildx:
            self._refuse_buildkit(context)
        self._pull_moved(client, context, on_line)
        if not has_buildx:
            return self._run_classic(client, context, image, BuildOutput(on_line, on_progress))
        output = BuildKitOutput(on_line, on_progress)
        with staged(context, private_folder(self._own)) as folder, self._logins.environment() as environment:
            shell = LocalShell(self._folder, environment)
            if code := shell.run(self.buildx_command(folder, context, *image), output.line):
                output.error = output.error or f"docker buildx ended with exit code {code}"
        return output

    def buildx_command(
        self, folder: Path, context: BuildContext, tag: str, labels: Mapping[str, str]
    ) -> tuple[str, ...]:
        """For what `staged` has put into `folder`. Without provenance, which names the time of the build and
        would change the digest each time."""
        build, named = self._build, {**self._build.build_contexts}
        named |= {name: str(folder / "named" / name) for name in context.named}
        options = [
            *(("--label", f"{name}={value}") for name, value in labels.items()),
            *(("--build-arg", f"{name}={value}") for name, value in build.args.items()),
            *(("--build-context", f"{name}={place}") for name, place in named.items()),
            *(("--secret", self._secret(name, source)) for name, source in build.secrets.items()),
            *(("--ssh", agent) for agent in build.ssh),
            *([("--target", build.target)] if build.target else []),
        ]
        return (
            *("docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"),
            *("--platform", build.platform, "--file", str(folder / "Dockerfile"), "--tag", tag),
            *(part for option in options for part in option),
            str(folder / "context"),
        )

    def _secret(self, name: str, source: str) -> str:
        if source.startswith("env:"):
            return f"id={name},env={source.removeprefix('env:')}"
        return f"id={name},src={self._folder / Path(source).expanduser()}"

    def _refuse_buildkit(self, context: BuildContext) -> None:
        """Failure `docker`: the classic builder cannot build this."""
        build = self._build
        keys = {"secrets": build.secrets, "ssh": build.ssh, "build-contexts": build.build_contexts}
        asked = next((f"[build] {key}" for key, value in keys.items() if value), "")
        needs = context.parsed.needs_buildkit
        what = f"{build.dockerfile}, {needs}" if needs else asked
        if what:
            raise Failure(
                "docker",
                f"{what} needs BuildKit, and `docker buildx` does not answer on this machine",
                _INSTALL_BUILDX,
            )

    def _pull_moved(self, client: "APIClient", context: BuildContext, on_line: OnLine) -> None:
        """A builder takes the engine's copy of a base image, however old."""
        for image in self.bases.outdated(client, context.images()):
            on_line(f"{image} has moved in its registry: pulling it")
            login = self._logins.of(registry_of(image)) or None
            self._logins.give(client, self._logins.all())
            for record in client.pull(
                image, stream=True, decode=True, auth_config=login, platform=self._build.platform
            ):
                if "errorDetail" in record:
                    said = str(record["errorDetail"].get("message"))
                    raise failure_of(said, f"pull {image}", channel=DOCKER_BUILD)

    def _run_classic(
        self,
        client: "APIClient",
        context: BuildContext,
        image: tuple[str, Mapping[str, str]],
        output: BuildOutput,
    ) -> BuildOutput:
        from docker.errors import APIError

        self._logins.give(client, self._logins.all())
        tag, labels = image
        try:
            with archived(context) as (file, name):
                for record in client.build(
                    fileobj=file,
                    custom_context=True,
                    dockerfile=name,
                    tag=tag,
                    labels=dict(labels),
                    platform=self._build.platform,
                    target=self._build.target or None,
                    buildargs=self._classic_arguments(context),
                    forcerm=True,
                    decode=True,
                    timeout=None,
                ):
                    output.record(record)
        except APIError as error:
            output.error = str(error.explanation or error)
        if output.error and context.parsed.syntax and _NOT_UNDERSTOOD.search(output.error):
            raise Failure("docker", f"{output.error}: the Dockerfile needs BuildKit", _INSTALL_BUILDX)
        return output

    def _classic_arguments(self, context: BuildContext) -> dict[str, str]:
        """The arguments, with the platform's, which only BuildKit sets by itself."""
        automatic = platform_arguments(self._build.platform)
        declared = {name: value for name, value in automatic.items() if name in context.parsed.declared}
        return {**declared, **self._build.args}

    def _platform_error(self, client: "APIClient", tag: str) -> str:
        """The classic builder takes a base of another platform without a word. Such an image loses its tag,
        or it would be found by it the next time."""
        image = client.inspect_image(tag)
        built = f"{image['Os']}/{image['Architecture']}"
        if self._build.platform.startswith(built):
            return ""
        client.remove_image(tag)
        return f"the image is for {built}, not {self._build.platform}: so is its base in this engine"

    def _client(self, doing: str) -> "AbstractContextManager[APIClient]":
        return connected(self._environment, doing)


_REFUSED: Final = re.compile(
    r"no basic auth|\bunauthorized\b|authentication required|authorization token|\b403 Forbidden",
    re.IGNORECASE,
)


def _refused_base(error: str, images: Sequence[str]) -> str:
    """The image that a build may not pull; empty: it did not fail for that."""
    if not _REFUSED.search(error) or not images:
        return ""
    return next((image for image in images if image in error or registry_of(image) in error), images[0])


def _raise_if_refused(error: str, image: str) -> None:
    """Failure `registry-auth`: the registry lets nobody pull this base image with the logins at hand."""
    if _REFUSED.search(error):
        raise Failure(
            "registry-auth",
            f"the base image {image} cannot be pulled: {error}",
            f"log in to its registry and resume: {login_command(registry_of(image))}",
        )
