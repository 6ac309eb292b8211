"""The flight recorder's last look: at every stop, what would be gone tomorrow and is not kept yet.

Each look is for itself: what cannot be had is recorded as unknown, and stops nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from deployer.config.model import Config
from deployer.errors import DeployerError
from deployer.model import Release
from deployer.ports import Ports, task_name
from deployer.task.definition import for_image

_MANIFEST: Final = "image-manifest"
_UNDECIDED: Final = "(no image yet)"


def record_stop(release: Release, config: Config, ports: Ports) -> None:
    """Writes what a stop leaves behind into the release's evidence, beside what its steps have kept."""
    looks: dict[str, Callable[[], Any]] = {
        "source": lambda: source_of(ports),
        "task-definition": lambda: for_image(config, _image(release)),
        "probes": lambda: [vars(finding) for finding in ports.account.preflight()],
        _MANIFEST: lambda: _manifest(release, ports),
    }
    launch = release.launch
    if launch and launch.arn:
        arn = launch.arn
        looks[task_name(launch.attempt)] = lambda: _task(arn, ports)
    for name, look in looks.items():
        if not _known(ports.evidence.read(name)):
            _keep(name, look, ports)
    if launch and not (release.cause and release.cause.failure_class == "mongodb"):
        keep_report(release, config, ports)


def keep_manifest(release: Release, ports: Ports) -> None:
    """The image's manifest, once it has a digest by which it can be asked for."""
    _keep(_MANIFEST, lambda: _manifest(release, ports), ports)


def keep_report(release: Release, config: Config, ports: Ports) -> None:
    """The run's own report, where there is one."""
    if config.verify.report:
        collection = config.verify.report.collection
        _keep("run-report", lambda: ports.database.find_one(collection, {"_id": release.id}), ports)


def source_of(ports: Ports) -> dict[str, Any]:
    """Commit and content of the project's folder, and what differs from the commit, a line a file."""
    return {**vars(ports.workspace.source()), "changes": ports.workspace.changes()}


def _known(held: Any) -> bool:
    return held is not None and not (isinstance(held, dict) and "unknown" in held)


def _keep(name: str, look: Callable[[], Any], ports: Ports) -> None:
    """What is kept already is not replaced by an unknown. What cannot be written is left out: the journal
    will say of the disk what there is to say."""
    with suppress(OSError):
        try:
            seen = look()
        except DeployerError as error:
            seen = None if _known(ports.evidence.read(name)) else {"unknown": error.message}
        if seen is not None:
            ports.evidence.write(name, seen)


def _image(release: Release) -> str:
    image = release.image
    if image is None:
        return _UNDECIDED
    return image.pinned if image.digest else f"{image.name}:{image.tag}"


def _manifest(release: Release, ports: Ports) -> Any:
    image = release.image
    if image is None or image.digest is None:
        return None
    return ports.registry.manifest(image.repository, image.digest) or {
        "unknown": f"the registry holds no {image.digest} any more"
    }


def _task(arn: str, ports: Ports) -> Any:
    status = ports.tasks.status(arn)
    return status.raw if status else {"unknown": f"ECS no longer knows {arn}"}
