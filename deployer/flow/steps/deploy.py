"""Phase 3: register the task definition, and run one task for each intended run."""

from dataclasses import replace

from deployer.config.values import values_of
from deployer.diagnosis.classify import diagnosed
from deployer.errors import Failure
from deployer.flow.handlers import Context, StepResult
from deployer.flow.recorder import keep_manifest
from deployer.flow.revision import restore, tags_of, wanted_definition
from deployer.model import Cause, Launch, Release, TaskDefinition
from deployer.ports import Question, RunAnswer, TaskRequest, TaskStatus, Unreachable
from deployer.retry import RetryPolicy
from deployer.task.definition import changes
from deployer.task.verdict import evidence_of, job_log
from deployer.task.watch import Pace, TaskWatch

TOKEN_LIFETIME = 24 * 3600
"""How long ECS remembers a client token (ECS API reference, RunTask)."""


def compare_definition(release: Release, context: Context) -> StepResult:
    """Compare the task definition.

    Reads the newest active revision and records the fields in which ours differs. Counts the documents
    before this release can have changed them; where only the job reaches MongoDB, RUN_TASK counts them from
    a one-off task. Twice is safe: it only reads, and keeps the baseline once the job has been launched.
    """
    definition = wanted_definition(release, context)
    context.ports.evidence.write("task-definition", definition)
    keep_manifest(release, context.ports)
    family = str(definition["family"])
    newest = context.ports.tasks.newest_revision(family)
    if newest is None:
        changed: tuple[str, ...] = ("no active revision yet",)
    else:
        changed = changes(definition, newest)
    current = newest.arn if newest else None
    before = release.task_definition
    own = before is not None and before.status == "registered" and before.arn == current
    found = TaskDefinition(
        family, current, changed, None if changed else current, "registered" if own else "found"
    )
    baseline = release.baseline if release.launches else _counts(context)
    release = release.with_(task_definition=found, baseline=baseline)
    if changed:
        return StepResult(release.doing("REGISTER_TASK"), "; ".join(changed[:3]))
    return StepResult(release.skipping("REGISTER_TASK"), f"{_short(current)} is unchanged")


def _counts(context: Context) -> dict[str, int] | None:
    """None: this machine cannot reach MongoDB, but a one-off task of the job can count."""
    try:
        return context.ports.database.counts()
    except Unreachable as refused:
        if not context.config.job_commands.query:
            raise
        context.note(
            f"{refused.message}; counting documents from a one-off task in the job's network instead"
        )
        return None


def register_definition(release: Release, context: Context) -> StepResult:
    """Register the task definition.

    Registers a revision tagged with this release. Twice is safe: the newest revision is compared first, so
    one that was registered just before a crash is found and used.
    """
    wanted = release.task_definition
    if wanted is None:
        raise LookupError("DEPLOY_PHASE precedes REGISTER_TASK")
    definition = wanted_definition(release, context)
    tasks = context.ports.tasks
    newest = tasks.newest_revision(wanted.family)
    if newest and not changes(definition, newest):
        arn = newest.arn
    else:
        arn = tasks.register(definition, tags_of(release))
    registered = replace(wanted, arn=arn, status="registered")
    return StepResult(release.with_(task_definition=registered), _short(arn))


def run_task(release: Release, context: Context) -> StepResult:
    """Run the task.

    Launches one task of the revision and waits until it runs or fails to start. Twice is safe: the launch's
    token is on disk before the call. After a crash, running and stopped tasks are searched for this launch's
    `startedBy` first; only if there is none, RunTask is called again with the same token.
    """
    release = _launch(_counted(restore(release, context), context), context)
    task = _known(release.launches[-1], context)
    if task is None:
        answer = _start(release, context)
        if answer.task is None:
            failures = answer.failures or ("RunTask returned neither a task nor a reason",)
            return StepResult(
                _not_started(release.with_launch(failures=failures), context), "; ".join(failures)
            )
        task, release = answer.task, release.with_launch(requested_at=context.ports.clock.now())
    if task.arn != release.launches[-1].arn:
        release = release.with_launch(arn=task.arn, status=task.last_status)
        context.record(release)
    task = _await_start(task, release, context)
    release = release.with_launch(
        status=task.last_status, result=task.result, log_stream=_stream(release, context)
    )
    if release.launches[-1].never_ran:
        return StepResult(_not_started(release, context), task.result.stopped_reason if task.result else "")
    return StepResult(
        release.with_(cause=None, waiting_since=None),
        f"{task.last_status.lower()}: {release.launches[-1].task_id}",
    )


def _counted(release: Release, context: Context) -> Release:
    """The release with its baseline, counted by a one-off task before the first launch where necessary."""
    if release.launches or release.baseline is not None or release.task_definition is None:
        return release
    (reply,) = context.ports.job_network.ask([Question("counts")], release.task_definition.arn)
    if reply.error:
        raise reply.error
    return release.with_(baseline=dict(reply.answer))


def _launch(release: Release, context: Context) -> Release:
    """The release with an open launch, journaled before ECS is called."""
    definition = release.task_definition
    if definition is None or definition.arn is None:
        raise LookupError("UPDATE_TASK precedes RUN_TASK")
    if release.launch and not release.launch.over:
        return release if release.launch.arn else release.with_launch(task_definition=definition.arn)
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
    """The launch's task, as far as ECS knows one."""
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
    """Past its lifetime the token no longer prevents a second task, and ECS has forgotten one that ran."""
    if context.ports.clock.now() - launch.requested_at > TOKEN_LIFETIME:
        raise Failure(
            "unknown",
            f"launch {launch.attempt} is more than 24 hours old; ECS no longer knows whether its task ran",
            "check the database for this release's run, then start a new release",
        )


def _await_start(task: TaskStatus, release: Release, context: Context) -> TaskStatus:
    """The task once it has started. Failure `capacity`: that takes longer than `[run] start-timeout`."""
    ports, limit = context.ports, context.config.run.start_timeout
    begun, show = ports.clock.now(), context.progress()
    watch = TaskWatch(
        ports.tasks,
        task.arn,
        RetryPolicy(clock=ports.clock),
        since=release.launches[-1].requested_at,
        status=task,
        start_timeout=limit,
        job=context.config.task.container,
        pace=Pace(shortest=0.2, longest=2.0),
    )
    while watch.starting or watch.forgotten:
        waited = ports.clock.now() - begun
        if waited > limit or watch.forgotten:
            raise Failure(
                "capacity",
                f"the task is still {watch.last_status} after {waited:.0f} s: {task.arn}",
                "resume to keep waiting for it, or stop it first: "
                f"aws ecs stop-task --cluster {context.config.run.cluster} --task {task.arn}",
            )
        show("start", f"task is {watch.last_status.lower()}", waited, None, "s")
        watch.wait()
        watch.ask()
    return watch.status or task


def _stream(release: Release, context: Context) -> str:
    """Empty where the job's log cannot be followed."""
    place, launch = job_log(context.config), release.launches[-1]
    return place.stream(context.config.task.container, launch.task_id) if place.group else ""


def _not_started(release: Release, context: Context) -> Release:
    launch = release.launches[-1]
    pieces = evidence_of(launch.result, failures=launch.failures)
    cause: Cause = diagnosed("the task did not start", pieces, "TASK_STARTED", values_of(context.config))
    culprit = launch.result.culprit if launch.result else None
    return release.with_(cause=cause.with_(container=culprit.name if culprit else ""))


def _short(arn: str | None) -> str:
    return (arn or "none").rsplit("/", 1)[-1]
