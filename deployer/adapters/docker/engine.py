"""The Docker engine, over its API; builds go through buildx where that is installed."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.adapters.docker.api import connected
from deployer.adapters.docker.build_output import BuildKitOutput, BuildOutput
from deployer.adapters.docker.errors import base_failure, push_failure
from deployer.adapters.docker.layer_progress import LayerProgress
from deployer.adapters.local.shell import LocalShell
from deployer.config.model import Build
from deployer.errors import Failure
from deployer.ports import BuildResult, OnLine, OnProgress

if TYPE_CHECKING:
    from docker.api.client import APIClient


class DockerEngine:
    """`ports.Engine`, for real. `environment`: where DOCKER_HOST and its like are looked up."""

    def __init__(self, folder: Path, build: Build, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._build = build
        self._environment = environment
        self._logins: dict[str, dict[str, str]] = {}

    def build(self, tag: str, on_line: OnLine, on_progress: OnProgress) -> BuildResult:
        """Builds `[build]`, whose paths are relative to the project's folder. No label says commit or time:
        they would give the same content another image id, hence another digest and task definition.

        An error of the Dockerfile is a result. Failure: no engine, or no network to the base image."""
        context, dockerfile = self._folder / self._build.context, self._folder / self._build.dockerfile
        for path, there in ((context, context.is_dir()), (dockerfile, dockerfile.is_file())):
            if not there:
                return BuildResult(None, f"{path}: no such {'folder' if path == context else 'file'}")
        with self._client("build the image") as client:
            output = self._run_builder(client, tag, on_line, on_progress)
            if not output.error:
                output.done()
                output.error = self._platform_error(client, tag)
            if failure := base_failure(output.error):
                raise failure
            image_id = None if output.error else str(client.inspect_image(tag)["Id"])
        return BuildResult(image_id, output.error, tuple(output.lines))

    def image_id(self, tag: str) -> str | None:
        from docker.errors import NotFound

        with self._client(f"look at {tag}") as client:
            try:
                return str(client.inspect_image(tag)["Id"])
            except NotFound:
                return None

    def tag(self, source: str, target: str) -> None:
        name, _, tag = target.rpartition(":")
        with self._client(f"tag {source} as {target}") as client:
            client.tag(source, name, tag)

    def login(self, registry: str, username: str, password: str) -> None:
        """Has the registry check the credentials and keeps them in memory for `push`.

        They are not written to ~/.docker/config.json as `docker login` does: a token that opens the registry
        for twelve hours has no place on a disk, and no credential helper of the user's is overwritten."""
        with self._client(f"log in to {registry}") as client:
            client.login(username, password, registry=registry, reauth=True)
        self._logins[registry] = {"username": username, "password": password}

    def push(self, name: str, tag: str, on_progress: OnProgress) -> str:
        doing, digest = f"push {name}:{tag}", ""
        # An empty login, not None: that would have the SDK read the user's own.
        login = self._logins.get(name.partition("/")[0], {})
        layers = LayerProgress(on_progress)
        with self._client(doing) as client:
            for record in client.push(name, tag=tag, stream=True, decode=True, auth_config=login):
                if "errorDetail" in record:
                    said = record["errorDetail"].get("message") or str(record.get("error"))
                    raise push_failure(said, doing)
                digest = (record.get("aux") or {}).get("Digest", digest)
                layers.record(record)
        if not digest:
            raise Failure("docker", f"{doing}: the engine names no digest", "push again")
        return digest

    def _run_builder(
        self, client: "APIClient", tag: str, on_line: OnLine, on_progress: OnProgress
    ) -> BuildOutput:
        shell = LocalShell(self._folder, self._environment)
        if shell.run(("docker", "buildx", "version"), lambda _: None) != 0:
            return self._run_classic(client, tag, BuildOutput(on_line, on_progress))
        output = BuildKitOutput(on_line, on_progress)
        if code := shell.run(self._buildx(tag), output.line):
            output.error = output.error or f"docker buildx ended with exit code {code}"
        return output

    def _buildx(self, tag: str) -> tuple[str, ...]:
        """Without provenance, which names the time of the build and would change the digest each time."""
        build = self._build
        return (
            *("docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"),
            *("--platform", build.platform, "--file", build.dockerfile, "--tag", tag),
            *(part for name, value in build.args.items() for part in ("--build-arg", f"{name}={value}")),
            build.context,
        )

    def _run_classic(self, client: "APIClient", tag: str, output: BuildOutput) -> BuildOutput:
        from docker.errors import APIError

        try:
            records = client.build(
                path=str(self._folder / self._build.context),
                dockerfile=str(self._folder / self._build.dockerfile),
                tag=tag,
                platform=self._build.platform,
                buildargs=dict(self._build.args),
                forcerm=True,
                decode=True,
                timeout=None,
            )
            for record in records:
                output.record(record)
        except APIError as error:
            output.error = str(error.explanation or error)
        return output

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
