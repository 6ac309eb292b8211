"""The questions of the flow. Each reads recorded state only: the same state gives the same answer."""

from typing import Final

from deployer.model import Release


def _yes(answer: object) -> str:
    return "yes" if answer else "no"


def tests_passed(release: Release) -> str:
    return _yes(release.tests and release.tests.exit_code == 0)


def local_pipeline_works(release: Release) -> str:
    return _yes(release.compose and release.compose.ok)


def image_built(release: Release) -> str:
    return _yes(release.image and bool(release.image.digest or release.image.id))


def image_pushed(release: Release) -> str:
    return _yes(release.image and bool(release.image.digest))


def task_definition_changed(release: Release) -> str:
    return _yes(release.task_definition and release.task_definition.arn is None)


def task_started(release: Release) -> str:
    launch = release.launch
    if launch and launch.arn and not launch.never_ran:
        return "yes"
    return "transient" if release.cause and release.cause.transient else "no"


def pipeline_ended_well(release: Release) -> str:
    """Only an exit code of 0 of every essential container will do, and only where the task ended by itself: a
    job that is stopped may end with 0 as well, half done. No code at all is no."""
    result = release.launch.result if release.launch else None
    return _yes(result and result.exit_code == 0 and result.stop_code in ("", "EssentialContainerExited"))


def data_proven(release: Release) -> str:
    return _yes(release.verification and release.verification.ok)


STOPPED_BY_HAND: Final = "stopped-by-hand"
"""The subcause that the diagnosis gives it."""

_BRANCHES: Final = {
    "code": "code",
    "docker": "code",
    "aws-config": "aws-config",
    "registry-auth": "aws-config",
    "resources": "aws-config",
    "mongodb": "mongodb",
    "data": "data",
    "capacity": "transient",
    "network": "transient",
    "unknown": "unknown",
}


def error_type(release: Release) -> str:
    """The branch of the cause's class; MongoDB's own passing troubles go by way of CHECK_ATLAS.

    Where somebody stopped the task there is nothing to mend, and a person to decide that it shall run again.
    """
    if release.cause and release.cause.subcause == STOPPED_BY_HAND:
        return "aws-config"
    return _BRANCHES[release.cause.failure_class] if release.cause else "unknown"
