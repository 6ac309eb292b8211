"""Phase 2: from the source to an image in the registry, named by its content."""

import re

from deployer.config.values import values_of
from deployer.diagnosis.classify import diagnosed
from deployer.diagnosis.model import Evidence
from deployer.errors import Failure, TransientFailure
from deployer.flow.handlers import Context, StepResult
from deployer.model import Cause, Image, Release, Source
from deployer.ports import BuildInputs

CONTENT = "src-"
INPUTS = "inputs"
"""The evidence that says what made the image, file by file."""
_BUILDING = ("DOCKER_BUILD", "ECR_LOGIN", "DOCKER_TAG", "DOCKER_PUSH")


def tag_of(source: Source) -> str:
    """The immutable tag: the same build inputs always give the same one."""
    return f"{CONTENT}{source.content_hash[:16]}"


def image_tag(release: Release) -> str:
    if release.source is None:
        raise LookupError("CODE comes before every step that needs the source")
    return tag_of(release.source)


LABEL = "deployer."
"""How the labels of an image begin: what it was built from."""


def labels_of(release: Release, context: Context) -> dict[str, str]:
    """The labels that an image of this content must carry; nothing else is trusted to be one."""
    content = release.source.content_hash if release.source else ""
    return {f"{LABEL}project": context.config.project.name, f"{LABEL}content-hash": content}


def as_it_is(release: Release, context: Context) -> Release:
    """The release with the files as they are now: tests and seed commands may have changed some since."""
    inputs, evidence = context.ports.workspace.inputs(), context.ports.evidence
    before = BuildInputs.from_record(evidence.read(INPUTS))
    if before is None or before.content_hash != inputs.content_hash:
        evidence.write(INPUTS, inputs.as_record())
    if release.source is None or release.source.content_hash == inputs.content_hash:
        return release
    changed = ", ".join(inputs.changes_since(before)[:5]) if before else "what makes the image"
    context.note(f"changed since the release began: {changed}")
    return release.with_(source=context.ports.workspace.source())


def local_image(release: Release, context: Context) -> tuple[Release, str | None, str, tuple[str, ...]]:
    """The engine's image of the files as they are now, built unless it is there: the release with its source,
    the image's name or None, the error, the last lines.

    Failure `code`: files changed while the image was built; it is not kept."""
    release = as_it_is(release, context)
    name = f"{context.config.image.repository}:{image_tag(release)}"
    engine, workspace, trusted = context.ports.engine, context.ports.workspace, labels_of(release, context)
    if engine.image_id(name, trusted | _made_by(release)):
        context.note(f"{name} is built already")
        return release, name, "", ()
    before = workspace.inputs()
    commit = release.source.commit if release.source else None
    labels = {**trusted, f"{LABEL}commit": commit or "", f"{LABEL}release": release.id}
    with context.log("build") as on_line:
        result = engine.build(name, labels, on_line, context.progress())
    if changed := workspace.inputs().changes_since(before):
        engine.untag(name)
        raise Failure(
            "code",
            f"files changed while the image was built: {', '.join(changed[:5])}",
            "let the program that writes them end, or name them in .dockerignore; then resume",
        )
    return release, (name if result.image_id else None), result.error, result.lines


def _made_by(release: Release) -> dict[str, str]:
    """`--rebuild` takes no image but the one that this release built."""
    return {f"{LABEL}release": release.id} if release.rebuild else {}


_ECHO = re.compile(r"Step \d+/\d+ : |#\d+ \[")
"""How the classic builder and BuildKit begin a line that only repeats an instruction of the Dockerfile."""


def build_failure(error: str, lines: tuple[str, ...], node: str, context: Context) -> Cause:
    """The cause in the builder's output, without the lines that only repeat the Dockerfile."""
    text = "\n".join((*(line for line in lines if not _ECHO.match(line)), error))
    message, pieces = f"the image could not be built: {error}", [Evidence(text, "docker_build")]
    return diagnosed(message, pieces, node, values_of(context.config))


def prepare_image(release: Release, context: Context) -> StepResult:
    """Prepare the image.

    Checks whether the registry holds an image of this content already; then build, login, tag and push are
    skipped, unless the release rebuilds. A rollback has its image. Twice is safe: it only reads.
    """
    if release.rollback:
        return StepResult(release.skipping(*_BUILDING), f"the image of {release.rollback.release}")
    release = as_it_is(release, context)
    registry, repository = context.ports.registry, context.config.image.repository
    tag = image_tag(release)
    there = None if release.rebuild else registry.digest(repository, tag)
    image = Image(repository, tag, registry.address(), digest=there)
    if release.start_at == "deploy" and image.digest is None:
        raise Failure(
            "aws-config",
            f"--start-at deploy: the registry has no image {repository}:{tag} for this source",
            "release without --start-at, or with --start-at build",
        )
    if image.digest:
        return StepResult(
            release.with_(image=image).skipping(*_BUILDING),
            f"{tag} is in the registry already",
        )
    return StepResult(
        release.with_(image=image).doing(*_BUILDING),
        f"{tag} is new",
    )


def _image(release: Release) -> Image:
    if release.image is None:
        raise LookupError("BUILD_PHASE comes before every step that needs the image")
    return release.image


def build_image(release: Release, context: Context) -> StepResult:
    """Build the image.

    Builds for `[build] platform` under the content's tag. Twice is safe: an image that carries the content's
    hash is not built again.
    """
    image = _image(release)
    if image.digest:
        return StepResult(release, f"the registry has {image.tag}", skipped=True)
    release, name, error, lines = local_image(release, context)
    if name is None:
        failed = release.with_(image=Image(image.repository, image_tag(release), image.registry, error=error))
        return StepResult(failed.with_(cause=build_failure(error, lines, "BUILD_OK", context)), "failed")
    built = Image(
        image.repository, image_tag(release), image.registry, id=context.ports.engine.image_id(name)
    )
    return StepResult(release.with_(image=built, cause=None), name)


def log_in(release: Release, context: Context) -> StepResult:
    """Log in to the registry.

    Gets a token from ECR for the engine. Twice is safe: a new token replaces the old one.
    """
    image = _image(release)
    if image.digest:
        return StepResult(release, f"the registry has {image.tag}", skipped=True)
    _log_in(context)
    return StepResult(release, image.registry)


def _log_in(context: Context) -> None:
    login = context.ports.registry.login()
    address = context.ports.registry.address()
    context.ports.engine.login(address, login.username, login.password)


def tag_image(release: Release, context: Context) -> StepResult:
    """Tag the image.

    Gives the local image the registry's name, with the content's tag and the promoted one. Twice is safe: a
    tag points where it pointed.
    """
    image = _image(release)
    if image.digest:
        return StepResult(release, f"the registry has {image.tag}", skipped=True)
    for tag in filter(None, (image.tag, context.config.image.promote_tag)):
        context.ports.engine.tag(f"{image.repository}:{image.tag}", f"{image.name}:{tag}")
    return StepResult(release, f"{image.name}:{image.tag}")


def push_image(release: Release, context: Context) -> StepResult:
    """Push the image.

    Pushes under the content's tag; `latest` follows once the data is proven (PROMOTE). Twice is safe: an
    image that is there already is not pushed, nor is a layer. The step logs in itself, since a token lives in
    the memory of the process that got it, and for twelve hours at most.
    """
    image = _image(release)
    if image.digest:
        return StepResult(release, f"the registry has {image.tag}", skipped=True)
    registry = context.ports.registry
    digest = None if release.rebuild else registry.digest(image.repository, image.tag)
    if digest is None:
        try:
            _log_in(context)
            context.ports.engine.push(image.name, image.tag, context.progress())
        except Failure as failure:
            if failure.failure_class != "registry-auth" or isinstance(failure, TransientFailure):
                raise
            return StepResult(_push_failed(release, failure.message, failure.hint), "refused")
        digest = registry.digest(image.repository, image.tag)
    if digest is None:
        return StepResult(
            _push_failed(release, "the push ended, but the registry has no such tag"), "not there"
        )
    return StepResult(release.with_(image=Image(**vars(image) | {"digest": digest}), cause=None), digest)


def _push_failed(release: Release, message: str, remedy: str = "") -> Release:
    cause = Cause("registry-auth", "push-refused", message, (message,), remedy, node="PUSH_OK")
    return release.with_(cause=cause)
