"""Phase 3: the task definition, and one task for each intended run."""

from typing import Any

from deployer.diagnosis.causes import diagnosed
from deployer.diagnosis.model import Evidence
from deployer.errors import Failure
from deployer.flow.handlers import Context, StepResult
from deployer.flow.recorder import keep_manifest
from deployer.model import Cause, Launch, Release, TaskDefinition
from deployer.ports import Question, RunAnswer, TaskRequest, TaskStatus, Unreachable
from deployer.task.definition import differences, for_image, registrable

POLL_SECONDS = (0.2, 2.0)
"""Between two looks at a task that is to start: at first, and in the end."""
ENV_TAG = "deployer:env"
TOKEN_LIFETIME = 24 * 3600
"""How long ECS remembers a client token (ECS API reference, RunTask)."""


def wanted_definition(release: Release, context: Context) -> dict[str, Any]:
    """The definition of deploy.toml with this release's image in it, pinned by digest; a rollback's is the
    one that the release it goes back to had. Failure `aws-config`: ECS has that one no more."""
    if release.rollback:
        revision = context.ports.tasks.revision(release.rollback.task_definition)
        if revision is None:
            raise Failure(
                "aws-config",
                f"ECS has no {release.rollback.task_definition} any more",
                f"put it back again: `deployer rollback {release.rollback.release} --run`",
            )
        return registrable(revision.definition)
    if release.image is None or release.image.digest is None:
        raise LookupError("PUSH_OK comes before every step that needs the digest")
    return for_image(context.config, release.image.pinned)


def tags_of(release: Release) -> dict[str, str]:
    """What a revision and a task are marked with."""
    commit = release.source.commit if release.source else None
    return {"deployer:release": release.id, ENV_TAG: release.env} | (
        {"deployer:commit": commit} if commit else {}
    )


def compare_definition(release: Release, context: Context) -> StepResult:
    """Compare the task definition.

    Reads the newest active revision and notes in which fields ours differs. Counts the database's
    documents before anything of this release can have changed them; where only the job can reach it,
    RUN_TASK has them counted there. Twice is safe: it only reads; the baseline is kept once the job has
    been asked for.
    """
    definition = wanted_definition(release, context)
    context.ports.evidence.write("task-definition", definition)
    keep_manifest(release, context.ports)
    family = str(definition["family"])
    newest = context.ports.tasks.newest_revision(family)
    if newest is None:
        changes: tuple[str, ...] = ("no active revision yet",)
    else:
        changes = differences(definition, newest.definition)
    current = newest.arn if newest else None
    found = TaskDefinition(family, current, changes, arn=None if changes else current)
    baseline = release.baseline if release.launches else _counts(context)
    release = release.with_(task_definition=found, baseline=baseline)
    if changes:
        return StepResult(release.doing("REGISTER_TASK"), "; ".join(changes[:3]))
    return StepResult(release.skipping("REGISTER_TASK"), f"{_short(current)} is the same")


def _counts(context: Context) -> dict[str, int] | None:
    """None: MongoDB cannot be reached from here, and the job's image can be asked."""
    try:
        return context.ports.database.counts()
    except Unreachable as refused:
        if not context.config.job_commands.query:
            raise
        context.note(f"{refused.message}; what it holds is asked of a task in the job's own network")
        return None


def register_definition(release: Release, context: Context) -> StepResult:
    """Register the task definition.

    Makes a revision of ours, tagged with this release. Twice is safe: the newest revision is compared
    first, so one that was registered just before a crash is found and used.
    """
    wanted = release.task_definition
    if wanted is None:
        raise LookupError("DEPLOY_PHASE comes before REGISTER_TASK")
    definition = wanted_definition(release, context)
    tasks = context.ports.tasks
    newest = tasks.newest_revision(wanted.family)
    if newest and not differences(definition, newest.definition):
        arn = newest.arn
    else:
        arn = tasks.register(definition, tags_of(release))
    registered = TaskDefinition(wanted.family, wanted.current, wanted.differences, arn)
    return StepResult(release.with_(task_definition=registered), _short(arn))


def run_task(release: Release, context: Context) -> StepResult:
    """Run the task.

    Asks ECS for one task of the revision and waits until it runs or cannot. Twice is safe: the launch's
    token is on the disk before the call; after a crash a task that carries the launch's mark is looked
    for first, among running and stopped ones, and only if there is none ECS is asked again with the same
    token.
    """
    release = _launch(_counted(release, context), context)
    task = _known(release.launches[-1], context)
    if task is None:
        answer = _start(release, context)
        if answer.task is None:
            failures = answer.failures or ("ECS gave neither a task nor a reason",)
            return StepResult(_not_started(release.with_launch(failures=failures)), "; ".join(failures))
        task, release = answer.task, release.with_launch(requested_at=context.ports.clock.now())
    if task.arn != release.launches[-1].arn:
        release = release.with_launch(arn=task.arn, status=task.last_status)
        context.record(release)
    task = _await_start(task, context)
    release = release.with_launch(
        status=task.last_status, result=task.result, log_stream=_stream(release, context)
    )
    if release.launches[-1].never_ran:
        return StepResult(_not_started(release), task.result.stopped_reason if task.result else "")
    return StepResult(
        release.with_(cause=None), f"{task.last_status.lower()}: {release.launches[-1].task_id}"
    )


def _counted(release: Release, context: Context) -> Release:
    """With the baseline; where it has to be counted by a task, before the first launch of its revision."""
    if release.launches or release.baseline is not None or release.task_definition is None:
        return release
    (reply,) = context.ports.job_network.ask([Question("counts")], release.task_definition.arn)
    if reply.error:
        raise reply.error
    return release.with_(baseline=dict(reply.answer))


def _launch(release: Release, context: Context) -> Release:
    """The release with a launch that is still open, journaled before anything is asked of ECS."""
    if release.launch and not release.launch.over:
        return release
    definition = release.task_definition
    if definition is None or definition.arn is None:
        raise LookupError("UPDATE_TASK comes before RUN_TASK")
    attempt = len(release.launches) + 1
    launch = Launch(
        attempt=attempt,
        token=context.ports.ids.token(),
        started_by=f"{release.id}-{attempt}",
        requested_at=context.ports.clock.now(),
        task_definition=definition.arn,
    )
    release = release.with_(launches=(*release.launches, launch), verification=None)
    context.record(release)
    return release


def _known(launch: Launch, context: Context) -> TaskStatus | None:
    """The launch's task, if it has one as far as ECS can tell."""
    tasks = context.ports.tasks
    known = tasks.status(launch.arn) if launch.arn else None
    if known:
        return known
    found = tasks.started_by(launch.started_by)
    if found:
        context.note(f"found the task of this launch: {found[0].arn}")
        return found[0]
    return None


def _start(release: Release, context: Context) -> RunAnswer:
    launch = release.launches[-1]
    _refuse_stale_token(launch, context)
    return context.ports.tasks.run(
        TaskRequest(
            task_definition=launch.task_definition,
            token=launch.token,
            started_by=launch.started_by,
            container=context.config.task.container,
            environment={**context.config.run.environment, "RUN_ID": release.id},
            tags=tags_of(release),
        )
    )


def _refuse_stale_token(launch: Launch, context: Context) -> None:
    """Past its lifetime the token no longer protects, and ECS has long forgotten a task that ran."""
    if context.ports.clock.now() - launch.requested_at > TOKEN_LIFETIME:
        raise Failure(
            "unknown",
            f"launch {launch.attempt} was asked for more than 24 hours ago; "
            "whether its task ran can no longer be told from ECS",
            "look into the database for this release's run, then start a new release",
        )


def _await_start(task: TaskStatus, context: Context) -> TaskStatus:
    clock, begun = context.ports.clock, context.ports.clock.now()
    show, pause = context.progress(), POLL_SECONDS[0]
    while task.last_status in ("PROVISIONING", "PENDING", "ACTIVATING"):
        waited = clock.now() - begun
        if waited > context.config.run.start_timeout:
            raise Failure(
                "capacity",
                f"the task is still {task.last_status} after {waited:.0f} s: {task.arn}",
                "resume to go on waiting for it, or stop it: "
                f"aws ecs stop-task --cluster {context.config.run.cluster} --task {task.arn}",
            )
        show("start", f"task is {task.last_status.lower()}", waited, None, "s")
        clock.sleep(pause)
        pause = min(pause * 1.5, POLL_SECONDS[1])
        task = context.ports.tasks.status(task.arn) or task
    return task


def _stream(release: Release, context: Context) -> str:
    settings = context.config
    return f"{settings.logs.stream_prefix}/{settings.task.container}/{release.launches[-1].task_id}"


def _not_started(release: Release) -> Release:
    launch = release.launches[-1]
    pieces = [Evidence(text, "run_task_failure") for text in launch.failures]
    if launch.result:
        pieces.append(
            Evidence(launch.result.stopped_reason, "stopped_reason", stop_code=launch.result.stop_code)
        )
        pieces += [
            Evidence(c.reason, "container_reason", c.exit_code) for c in launch.result.containers if c.reason
        ]
    cause: Cause = diagnosed("the task did not start", pieces, "TASK_STARTED")
    return release.with_(cause=cause)


def _short(arn: str | None) -> str:
    return (arn or "none").rsplit("/", 1)[-1]
