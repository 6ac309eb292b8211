"""One suite for a real Docker engine and the fake one; then what only a real engine can show.

The real one pushes over HTTP to a registry of this test's own on loopback."""

import io
import json
import os
import tarfile
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient
from docker.errors import ImageNotFound

from deployer.adapters.docker.engine import DockerEngine
from deployer.adapters.docker.sending import staged
from deployer.adapters.local.context import BuildContext
from deployer.config.model import Build
from deployer.errors import Failure, TransientFailure
from deployer.ports import BuildResult, Engine, Login
from deployer.sandbox.engine import images_of, remove_names
from tests.fakes.engine import FakeEngine, digest_of
from tests.fakes.http_registry import PASSWORD, USER, HttpRegistry, Refusal, digest, serve
from tests.images import base_images

LABELS = {"job.content": "of this test"}


@dataclass
class Rig(ABC):
    """An engine, a registry that it can push to, and everything that they reported."""

    engine: Engine
    registry: str
    name: str = field(default_factory=lambda: f"contract-{uuid.uuid4().hex[:12]}")
    built: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    progress: list[tuple[str, str, float, float | None, str]] = field(default_factory=list)

    @property
    def image(self) -> str:
        return f"{self.name}:1"

    @property
    def remote(self) -> str:
        return f"{self.registry}/{self.name}"

    def build(self) -> BuildResult:
        result = self.engine.build(self.image, LABELS, self.lines.append, self.report)
        if result.image_id:
            self.built.add(result.image_id)
        return result

    def report(self, *progress: Any) -> None:
        self.progress.append(progress)

    @abstractmethod
    def content(self, text: str) -> None:
        """What the image is made of from now on."""

    @abstractmethod
    def spoil(self) -> None:
        """From now on the Dockerfile is wrong."""

    @abstractmethod
    def digest(self, tag: str) -> str:
        """What the registry holds under a tag."""

    def push(self) -> str:
        """All of the way: build, log in, tag, push."""
        self.build()
        self.engine.login(self.registry, USER, PASSWORD)
        self.engine.tag(self.image, f"{self.remote}:1")
        return self.engine.push(self.remote, "1", self.report)


@dataclass
class FakeRig(Rig):
    def content(self, text: str) -> None:
        self._engine.content = text

    def spoil(self) -> None:
        self._engine.build_errors.append("COPY failed: no such file")

    def digest(self, tag: str) -> str:
        return next(
            digest for name, pushed, digest in self._engine.pushes if (name, pushed) == (self.remote, tag)
        )

    @property
    def _engine(self) -> FakeEngine:
        assert isinstance(self.engine, FakeEngine)
        return self.engine


@dataclass
class RealRig(Rig):
    folder: Path = Path()
    http: HttpRegistry = field(default_factory=HttpRegistry)

    def content(self, text: str) -> None:
        (self.folder / "content").write_text(text)

    def spoil(self) -> None:
        (self.folder / "Dockerfile").write_text("FROM scratch\nCOPY not-there /\n")

    def digest(self, tag: str) -> str:
        return digest(self.http.manifests[f"{self.name}:{tag}"])

    def engine_for(self, environment: dict[str, str] | None = None, **build: Any) -> DockerEngine:
        settings = Build.model_validate(build)
        return DockerEngine(self.folder, settings, {**os.environ, **(environment or {})})


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealRig]:
    with serve() as registry:
        rig = RealRig(FakeEngine(), registry.address, folder=tmp_path, http=registry)
        rig.engine = rig.engine_for()
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /content\n")
        rig.content(rig.name)
        yield rig
    with APIClient(version="auto") as client:
        for image in (f"{rig.remote}:1", rig.image, *rig.built):
            with suppress(ImageNotFound):
                client.remove_image(image)


@pytest.fixture(params=["real", "fake"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "fake":
        return FakeRig(FakeEngine(digest_of, password=PASSWORD), "registry.test")
    rig: Rig = request.getfixturevalue("real")
    return rig


def test_a_build_gives_the_image_under_its_tag(rig: Rig) -> None:
    """A build that succeeds has no error, and its image is found by the tag."""
    assert rig.engine.image_id(rig.image) is None
    result = rig.build()
    assert (result.error, result.image_id) == ("", rig.engine.image_id(rig.image))
    assert result.image_id


def test_a_build_reports_lines_and_its_way_to_the_last_step(rig: Rig) -> None:
    """The lines of the result were all streamed, and the bar ends full."""
    result = rig.build()
    assert set(result.lines) <= set(rig.lines)
    _, _, done, total, unit = rig.progress[-1]
    assert (done, unit) == (total, "step")


def test_the_same_content_is_the_same_image(rig: Rig) -> None:
    """Building twice changes nothing; other content is another image."""
    first = rig.build().image_id
    assert rig.build().image_id == first
    rig.content("other")
    assert rig.build().image_id != first


def test_a_wrong_dockerfile_is_a_result(rig: Rig) -> None:
    """An error of the Dockerfile is no exception; it says what is wrong and leaves no image."""
    rig.spoil()
    result = rig.build()
    assert result.image_id is None
    assert "COPY failed" in result.error
    assert rig.engine.image_id(rig.image) is None


def test_a_tag_is_another_name_of_the_same_image(rig: Rig) -> None:
    """Tagging copies nothing, twice is fine, and what is not there cannot be tagged."""
    built = rig.build().image_id
    for _ in range(2):
        rig.engine.tag(rig.image, f"{rig.remote}:1")
    assert rig.engine.image_id(f"{rig.remote}:1") == built
    with pytest.raises(Failure, match="not-there") as caught:
        rig.engine.tag("not-there:1", f"{rig.remote}:1")
    assert caught.value.failure_class == "docker"


def test_a_push_returns_the_digest_that_the_registry_holds(rig: Rig) -> None:
    """The digest is the registry's own, pushing again gives it again, and every layer's bar ends full."""
    pushed = rig.push()
    assert pushed == rig.digest("1")
    assert rig.engine.push(rig.remote, "1", rig.report) == pushed
    last = {key: (done, total) for key, _, done, total, unit in rig.progress if unit != "step"}
    assert last
    assert all(done == total for done, total in last.values())


def test_a_push_without_login_is_refused(rig: Rig) -> None:
    """Who has not logged in is told so, as a failure of its own class."""
    rig.build()
    rig.engine.tag(rig.image, f"{rig.remote}:1")
    with pytest.raises(Failure) as caught:
        rig.engine.push(rig.remote, "1", rig.report)
    assert (caught.value.failure_class, type(caught.value)) == ("registry-auth", Failure)


def test_a_wrong_password_is_refused_at_the_login(rig: Rig) -> None:
    """A login is checked at once, not first when gigabytes are on their way."""
    with pytest.raises(Failure, match=r"(?i)unauthorized") as caught:
        rig.engine.login(rig.registry, USER, "wrong")
    assert caught.value.failure_class == "registry-auth"


AWS_CONFIG, NO_LOGIN = (Failure, "aws-config"), (Failure, "registry-auth")
PASSING = (TransientFailure, "network")
REFUSALS = [
    (Refusal("POST", 404, "NAME_UNKNOWN", "The repository with name 'x' does not exist"), AWS_CONFIG),
    (Refusal("POST", 403, "DENIED", "User: x is not authorized to perform: ecr:Initiate..."), AWS_CONFIG),
    (Refusal("PUT", 400, "TAG_INVALID", "The tag cannot be overwritten, it is immutable."), AWS_CONFIG),
    (Refusal("POST", 403, "DENIED", "Your authorization token has expired. Reauthenticate."), NO_LOGIN),
    (Refusal("POST", 403), NO_LOGIN),
    (Refusal("POST", 429, "TOOMANYREQUESTS", "Rate exceeded"), (TransientFailure, "docker")),
    (Refusal("PUT", 503), PASSING),
    (Refusal("PUT", 500, "UNKNOWN", "unknown error"), PASSING),
]


@pytest.mark.parametrize(
    ("refusal", "expected"), REFUSALS, ids=[f"{refusal.status}-{refusal.code}" for refusal, _ in REFUSALS]
)
def test_refusals_of_a_push_are_told_apart(
    real: RealRig, refusal: Refusal, expected: tuple[type[Failure], str]
) -> None:
    """A real engine's wording of each refusal gives its class; only what passes by itself is transient."""
    real.http.refusal = refusal
    with pytest.raises(Failure) as caught:
        real.push()
    assert (type(caught.value), caught.value.failure_class) == expected
    assert caught.value.hint


def test_a_registry_that_is_gone_is_a_matter_of_the_network(real: RealRig) -> None:
    """A refused connection is transient: the registry may be on its way up."""
    real.build()
    real.engine.tag(real.image, "127.0.0.1:1/contract:1")
    try:
        with pytest.raises(TransientFailure) as caught:
            real.engine.push("127.0.0.1:1/contract", "1", real.report)
        assert caught.value.failure_class == "network"
    finally:
        with APIClient(version="auto") as client:
            client.remove_image("127.0.0.1:1/contract:1")


def test_logins_are_kept_in_memory_alone(
    real: RealRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login leaves no file behind, and another process does not have it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    real.push()
    assert not (tmp_path / "home").exists()
    with pytest.raises(Failure) as caught:
        real.engine_for().push(real.remote, "1", real.report)
    assert caught.value.failure_class == "registry-auth"


@pytest.mark.parametrize(
    "environment",
    [{"DOCKER_HOST": "tcp://127.0.0.1:1"}, {"DOCKER_HOST": "unix:///not/there.sock"}],
    ids=["tcp", "socket"],
)
def test_without_an_engine_it_says_how_to_start_one(real: RealRig, environment: dict[str, str]) -> None:
    """No engine at DOCKER_HOST is a failure of class docker, not a wrong Dockerfile."""
    engine = real.engine_for(environment)
    with pytest.raises(Failure, match=environment["DOCKER_HOST"]) as caught:
        engine.build(real.image, {}, real.lines.append, real.report)
    assert caught.value.failure_class == "docker"
    assert "start Docker" in caught.value.hint


def test_an_unknown_docker_context_is_a_failure(real: RealRig) -> None:
    """DOCKER_CONTEXT names one that is not there: that is said, and nothing else is used instead."""
    with pytest.raises(Failure, match="context"):
        real.engine_for({"DOCKER_HOST": "", "DOCKER_CONTEXT": "not-there"}).image_id("x")


@pytest.mark.parametrize(
    ("dockerfile", "why"),
    [
        ("FROM scratch\nNONSENSE x\n", "unknown instruction: NONSENSE"),
        ("FROM {image}\nRUN none\n", "/bin/sh"),
        (None, "Dockerfile: no such file"),
    ],
    ids=["syntax", "run", "missing"],
)
def test_what_is_wrong_with_the_dockerfile_is_said(real: RealRig, dockerfile: str | None, why: str) -> None:
    """A line that does not parse, a command that fails and a file that is not there are results alike."""
    real.build()
    (real.folder / "Dockerfile").unlink()
    if dockerfile is not None:
        (real.folder / "Dockerfile").write_text(dockerfile.format(image=real.image))
    result = real.build()
    assert result.image_id is None
    assert why in result.error


def test_a_base_that_cannot_be_reached_is_not_the_dockerfiles_fault(real: RealRig) -> None:
    """A refused connection to the base image's registry is transient and of the network."""
    (real.folder / "Dockerfile").write_text("FROM 127.0.0.1:1/base:1\n")
    with pytest.raises(TransientFailure) as caught:
        real.build()
    assert caught.value.failure_class == "network"


def test_an_image_for_another_platform_is_refused(real: RealRig) -> None:
    """A base for another platform is an error, and the image made of it is not left to be found."""
    base = real.build().image_id
    (real.folder / "Dockerfile").write_text(f"FROM {real.image}\nCOPY content /other\n")
    tag = f"{real.name}-arm:1"
    result = real.engine_for(platform="linux/arm64").build(tag, {}, real.lines.append, real.report)
    assert base
    assert result.image_id is None
    assert "linux/arm64" in result.error
    assert real.engine.image_id(tag) is None


def test_an_interrupt_ends_the_build_in_the_engine_too(real: RealRig) -> None:
    """After Ctrl-C the engine does not go on with a build that nobody waits for."""
    command = f"echo {real.name} && sleep 600"
    (real.folder / "Dockerfile").write_text(f"FROM {base_images()['PYTHON_IMAGE']}\nRUN {command}\n")

    def interrupt(line: str) -> None:
        if line == real.name:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        real.engine.build(real.image, {}, interrupt, real.report)
    with APIClient(version="auto") as client:
        for _ in range(100):
            if not any(real.name in container["Command"] for container in client.containers(all=True)):
                return
            time.sleep(0.1)
    pytest.fail("the build goes on")


def test_arguments_and_dockerignore_are_honoured(real: RealRig) -> None:
    """Build arguments reach the Dockerfile, also one in another folder; ignored files do not."""
    (real.folder / "docker").mkdir()
    (real.folder / "docker" / "job").write_text("ARG WHAT\nFROM scratch\nARG WHAT\nCOPY ${WHAT} /\n")
    (real.folder / ".dockerignore").write_text("secret\n")
    (real.folder / "secret").write_text("x")
    good = real.engine_for(dockerfile="docker/job", args={"WHAT": "content"})
    bad = real.engine_for(dockerfile="docker/job", args={"WHAT": "secret"})
    assert good.build(real.image, {}, real.lines.append, real.report).error == ""
    assert "secret" in bad.build(real.image, {}, real.lines.append, real.report).error


def test_an_image_is_known_by_its_labels(rig: Rig) -> None:
    """A tag alone proves nothing: the image must carry what is asked for."""
    rig.build()
    assert rig.engine.image_id(rig.image, LABELS)
    assert rig.engine.image_id(rig.image, {"job.content": "another"}) is None
    rig.engine.untag(rig.image)
    assert rig.engine.image_id(rig.image) is None
    rig.engine.untag(rig.image)


def files_of(image: str) -> dict[str, int]:
    """The files of an image that came out of its context, with their modes."""
    with APIClient(version="auto") as client:
        container = client.create_container(image, ["none"])
        try:
            exported = io.BytesIO(b"".join(client.export(container)))
        finally:
            client.remove_container(container)
    with tarfile.open(fileobj=exported) as tar:
        return {item.name: item.mode for item in tar if item.name.startswith("app/") and not item.isdir()}


def test_the_image_holds_what_the_content_hash_covers(real: RealRig) -> None:
    """Of the whole folder: no history, none of the deployer's own files, nothing ignored; modes are kept."""
    for path in (".git/HEAD", ".deployer/sandbox/passwords.json", "lib/run.sh", "lib/x.log", "lib/keep.log"):
        (real.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (real.folder / path).write_text(path)
    (real.folder / "lib/run.sh").chmod(0o755)
    (real.folder / ".dockerignore").write_bytes(
        b"\xef\xbb\xbf**/*.log\n!lib/keep.log\nDockerfile\n.dockerignore\n"
    )
    (real.folder / "Dockerfile").write_text("FROM scratch\nCOPY . /app\n")
    assert real.build().error == ""
    found = files_of(real.image)
    assert sorted(found) == ["app/content", "app/lib/keep.log", "app/lib/run.sh"]
    assert found["app/lib/run.sh"] & 0o111


def test_a_dockerfile_outside_of_the_context_leaves_no_trace(real: RealRig) -> None:
    """It is sent under another name, and is no file of the image."""
    (real.folder / "src").mkdir()
    (real.folder / "src/main.sh").write_text("true")
    (real.folder / "Dockerfile").write_text("FROM scratch\nCOPY . /app\n")
    result = real.engine_for(context="src").build(real.image, {}, real.lines.append, real.report)
    assert result.error == ""
    assert sorted(files_of(real.image)) == ["app/main.sh"]


def test_the_images_of_a_project_are_found_by_their_label_alone(real: RealRig) -> None:
    """Every name of theirs, with the release that built each; another project's image is not touched."""
    mine = {"deployer.project": real.name, "deployer.release": "r1"}
    real.engine.build(real.image, mine, real.lines.append, real.report)
    real.engine.tag(real.image, f"{real.remote}:1")
    (real.folder / "content").write_text("of somebody else")
    other = f"{real.image}-other"
    real.built.add(other)
    real.engine.build(other, {"deployer.project": f"{real.name}-2"}, real.lines.append, real.report)
    assert images_of(real.name) == {real.image: "r1", f"{real.remote}:1": "r1"}
    assert remove_names(images_of(real.name)) == 2
    assert images_of(real.name) == {}
    assert real.engine.image_id(other)


@pytest.mark.parametrize("place", ["../common/Dockerfile", "build/Dockerfile"], ids=["outside", "ignored"])
def test_a_dockerfile_that_is_a_link_is_followed(real: RealRig, place: str) -> None:
    """To a file outside of the context, or to one that is not sent."""
    project = real.folder / "job"
    file = project / place
    file.parent.mkdir(parents=True)
    file.write_text("FROM scratch\nCOPY main.sh /app/\n")
    (project / "main.sh").write_text("true")
    (project / ".dockerignore").write_text("build\n")
    (project / "Dockerfile").symlink_to(place)
    engine = DockerEngine(project, Build(), os.environ)
    assert engine.build(real.image, {}, real.lines.append, real.report).error == ""
    assert sorted(files_of(real.image)) == ["app/main.sh"]


def test_the_target_is_built_and_no_later_stage(real: RealRig) -> None:
    """`[build] target` chooses the stage."""
    text = "FROM scratch AS prod\nCOPY content /app/prod\nFROM scratch\nCOPY content /app/test\n"
    (real.folder / "Dockerfile").write_text(text)
    assert real.engine_for(target="prod").build(real.image, {}, real.lines.append, real.report).image_id
    assert sorted(files_of(real.image)) == ["app/prod"]


@pytest.mark.parametrize(
    ("dockerfile", "build", "what"),
    [
        ("FROM scratch\n\nRUN --mount=type=cache,target=/x true\n", {}, "line 3: RUN --mount"),
        ("FROM scratch\nCOPY --link content /\n", {}, "line 2: COPY --link"),
        ("FROM scratch\nCOPY <<EOF /a\ntext\nEOF\n", {}, "line 2: COPY <<"),
        ("FROM scratch\nCOPY content /\n", {"secrets": {"npm": "~/.npmrc"}}, r"\[build\] secrets"),
    ],
    ids=["mount", "link", "heredoc", "secrets"],
)
def test_a_build_that_needs_buildkit_says_so(
    real: RealRig, tmp_path: Path, dockerfile: str, build: dict[str, Any], what: str
) -> None:
    """Where buildx is not installed: class docker, the line, and what to install; nothing is wrong with the
    file."""
    (real.folder / "Dockerfile").write_text(dockerfile)
    engine = real.engine_for({"PATH": str(tmp_path)}, **build)
    with pytest.raises(Failure, match=f"{what} needs BuildKit") as caught:
        engine.build(real.image, {}, real.lines.append, real.report)
    assert caught.value.failure_class == "docker"
    assert caught.value.hint.startswith("install docker buildx")


def test_buildx_is_told_everything_that_build_says(real: RealRig) -> None:
    """Target, arguments, secrets, agents and named contexts; the context is the staged one."""
    shared = real.folder / "shared"
    shared.mkdir()
    (shared / "lib").write_text("1")
    engine = real.engine_for(
        target="prod",
        args={"V": "1"},
        secrets={"npm": "npmrc", "token": "env:TOKEN"},
        ssh=["default"],
        **{"build-contexts": {"lib": "shared", "base": "docker-image://alpine:3"}},
    )
    build = Build.model_validate({"build-contexts": {"lib": "shared"}})
    context = BuildContext(real.folder, build)
    with staged(context, real.folder / ".deployer") as folder:
        command = engine.buildx_command(folder, context, "job:1", {"a": "b"})
        assert (folder / "context/content").read_text() == real.name
        assert (folder / "named/lib/lib").read_text() == "1"
    said = " ".join(command)
    for part in (
        "--target prod", "--build-arg V=1", f"--secret id=npm,src={real.folder}/npmrc", "--label a=b",
        "--secret id=token,env=TOKEN", "--ssh default", "--build-context base=docker-image://alpine:3",
        f"--build-context lib={folder}/named/lib", f"--file {folder}/Dockerfile --tag job:1",
    ):  # fmt: skip
        assert part in said
    assert command[-1] == f"{folder}/context"
    assert not folder.exists()


def test_a_credential_helper_that_is_missing_is_no_obstacle(
    real: RealRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `docker build`: what no helper can say is not needed for a public base or our own token."""
    config = {"auths": {}, "credsStore": "nowhere", "credHelpers": {"registry.example": "gone"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert real.push() == real.digest("1")


def test_a_base_that_refuses_names_its_registry_and_the_login(real: RealRig) -> None:
    """A private base image: class registry-auth, and the command that logs in to its registry."""
    (real.folder / "Dockerfile").write_text(f"FROM {real.registry}/base:1\nCOPY content /\n")
    with pytest.raises(Failure, match="cannot be pulled") as caught:
        real.build()
    assert caught.value.failure_class == "registry-auth"
    assert f"docker login {real.registry}" in caught.value.hint


def test_a_private_base_is_pulled_with_the_release_login(real: RealRig) -> None:
    """The login that the push will get serves the build as well, where the base is in that registry."""
    real.push()
    base = f"{real.remote}:1"
    with APIClient(version="auto") as client:
        client.remove_image(base)
    (real.folder / "Dockerfile").write_text(f"FROM {base}\nLABEL a=b\n")
    engine = DockerEngine(
        real.folder, Build(), os.environ, lambda: Login(real.registry, USER, PASSWORD), real.registry
    )
    result = engine.build(real.image, {}, real.lines.append, real.report)
    assert result.error == ""
    assert engine.bases([base]) == {base: real.digest("1")}
