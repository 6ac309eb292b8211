"""The decisions. Each reads recorded state only: the same state gives the same answer."""

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
    """The job's own container decides, see `TaskResult.succeeded`. No exit code counts as no."""
    result = release.launch.result if release.launch else None
    return _yes(result and result.succeeded)


def data_proven(release: Release) -> str:
    return _yes(release.verification and release.verification.ok)


UNPROVEN: Final = "unproven"
"""The subcause of data that passed every check, none of which proves that it is of this run."""

STOPPED_BY_HAND: Final = "stopped-by-hand"
"""The subcause that the diagnosis gives it."""
TASK_FORGOTTEN: Final = "task-forgotten"
"""ECS does not describe the task: it may still run."""

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
    """The branch for the class of the cause; transient errors of MongoDB go through CHECK_ATLAS as well.

    If somebody stopped the task there is nothing to fix; a person decides whether it runs again. Another
    container than the job's is fixed in the task definition. A task that may still run is never given up.
    """
    cause = release.cause
    if cause and (cause.container or cause.subcause in (STOPPED_BY_HAND, TASK_FORGOTTEN)):
        return "aws-config"
    return _BRANCHES[release.cause.failure_class] if release.cause else "unknown"
