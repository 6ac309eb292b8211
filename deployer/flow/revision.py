"""The revision of a release: a release that stops unproven takes it back until it is resumed.

A schedule that names the family without a revision starts the newest ACTIVE one; that must be proven code.
"""

from dataclasses import replace
from typing import Any, Final

from deployer.errors import DeployerError, Failure
from deployer.flow.decisions import data_proven
from deployer.flow.handlers import Context
from deployer.model import Release
from deployer.task.definition import changes, for_image, registrable

ENV_TAG: Final = "deployer:env"


def wanted_definition(release: Release, context: Context) -> dict[str, Any]:
    """The definition of deploy.toml with this release's image, pinned by digest; a rollback takes the
    definition of the release it restores. Failure `aws-config`: ECS no longer has that revision."""
    if release.rollback:
        revision = context.ports.tasks.revision(release.rollback.task_definition)
        if revision is None:
            raise Failure(
                "aws-config",
                f"task definition {release.rollback.task_definition} no longer exists in ECS",
                f"register it again: `deployer rollback {release.rollback.release} --run`",
            )
        return registrable(revision.definition)
    if release.image is None or release.image.digest is None:
        raise LookupError("PUSH_OK precedes every step that needs the digest")
    return for_image(context.config, release.image.pinned)


def tags_of(release: Release) -> dict[str, str]:
    """The tags of a revision and of a task."""
    commit = release.source.commit if release.source else None
    return {"deployer:release": release.id, ENV_TAG: release.env} | (
        {"deployer:commit": commit} if commit else {}
    )


def withdraw(release: Release, context: Context) -> Release:
    """The release with its own revision deregistered, unless its data is proven, its task may yet run, or
    it goes back to a proven definition.

    Twice is safe. A refusal stops nothing: it is said, with the command that does it by hand.
    """
    made, launch, cause = release.task_definition, release.launch, release.cause
    if made is None or made.arn is None or made.status != "registered" or release.rollback:
        return release
    if data_proven(release) == "yes":
        return release
    if launch and not launch.over and (launch.arn or (cause and cause.transient)):
        return release
    name = made.arn.rpartition("/")[2]
    try:
        context.ports.tasks.deregister(made.arn)
    except DeployerError as error:
        context.note(
            f"{name} is unproven and stays the newest active revision: {error.message}; do it by hand: "
            f"aws ecs deregister-task-definition --task-definition {made.arn}"
        )
        return release
    context.note(f"{name} is deregistered until its data is proven: no schedule starts unproven code")
    return release.with_(task_definition=replace(made, status="withdrawn"))


def restore(release: Release, context: Context) -> Release:
    """The release with a revision that ECS starts: one that a stop has withdrawn is registered again.

    Twice is safe: ECS is asked first, and a revision that was registered just before a crash is found.
    """
    made, tasks = release.task_definition, context.ports.tasks
    if made is None or made.arn is None:
        raise LookupError("UPDATE_TASK comes before what needs a revision")
    if made.status == "found":
        return release
    held = tasks.revision(made.arn)
    if held and held.active:
        return release
    definition, newest = wanted_definition(release, context), tasks.newest_revision(made.family)
    again = newest.arn if newest and not changes(definition, newest) else ""
    arn = again or tasks.register(definition, tags_of(release))
    context.note(f"{made.arn.rpartition('/')[2]} is registered again as {arn.rpartition('/')[2]}")
    restored = release.with_(task_definition=replace(made, arn=arn, status="registered"))
    context.record(restored)
    return restored
