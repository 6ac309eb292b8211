"""The flight recorder: at every stop it saves what will be gone tomorrow.

Each piece of evidence is collected by itself: what cannot be read is recorded as unknown and stops nothing.
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
    """Saves evidence of the stop beside what the steps have saved."""
    sources: dict[str, Callable[[], Any]] = {
        "source": lambda: source_of(ports),
        "task-definition": lambda: for_image(config, _image(release)),
        "probes": lambda: [vars(finding) for finding in ports.account.preflight()],
        _MANIFEST: lambda: _manifest(release, ports),
    }
    launch = release.launch
    if launch and launch.arn:
        arn = launch.arn
        sources[task_name(launch.attempt)] = lambda: _task(arn, ports)
    for name, read in sources.items():
        if not _known(ports.evidence.read(name)):
            _keep(name, read, ports)
    if launch and not (release.cause and release.cause.failure_class == "mongodb"):
        keep_report(release, config, ports)


def keep_manifest(release: Release, ports: Ports) -> None:
    """Saves the image's manifest, once the image has a digest."""
    _keep(_MANIFEST, lambda: _manifest(release, ports), ports)


def keep_report(release: Release, config: Config, ports: Ports) -> None:
    """Saves the run's own report, if the job writes one."""
    if config.verify.report:
        collection = config.verify.report.collection
        _keep("run-report", lambda: ports.database.find_one(collection, {"_id": release.id}), ports)


def source_of(ports: Ports) -> dict[str, Any]:
    """Commit and content of the project's folder, and the changed files, a line each."""
    return {**vars(ports.workspace.source()), "changes": ports.workspace.changes()}


def _known(held: Any) -> bool:
    return held is not None and not (isinstance(held, dict) and "unknown" in held)


def _keep(name: str, read: Callable[[], Any], ports: Ports) -> None:
    """Evidence is never replaced by an unknown. A full disk is left to the journal to report."""
    with suppress(OSError):
        try:
            seen = read()
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
        "unknown": f"{image.digest} is no longer in the registry"
    }


def _task(arn: str, ports: Ports) -> Any:
    status = ports.tasks.status(arn)
    return status.raw if status else {"unknown": f"ECS no longer knows {arn}"}
