"""Phase 5: verify the data, then promote the image."""

from contextlib import suppress

from deployer.errors import DeployerError
from deployer.flow.handlers import Context, StepResult
from deployer.flow.revision import restore
from deployer.model import Release, Verification
from deployer.ports import Database, Unreachable
from deployer.task.triggers import FIX, told, triggers_of
from deployer.verification.contract import toml_of
from deployer.verification.remote import RemoteDatabase, prefetch, verify_by_asking
from deployer.verification.run import VerifyContext, verify
from deployer.verification.suggest import suggest


def verify_data(release: Release, context: Context) -> StepResult:
    """Verify the documents.

    Runs every check of `[verify]` against the run's own report; if only the job can reach MongoDB, one-off
    tasks of the same revision read the documents. Twice is safe: it only reads.
    """
    settings = context.config.verify
    about = VerifyContext(
        run_id=release.id,
        report_collection=settings.report.collection if settings.report else None,
        baseline=release.baseline or {},
        now=context.ports.clock.now(),
        env=release.env,
        empty_is_ok=settings.deadline.empty == "ok",
    )
    try:
        _keep_report(release, context, context.ports.database)
        verification = verify(settings.checks, context.ports.database, about)
    except Unreachable as refused:
        if not context.config.job_commands.query:
            raise
        context.note(f"{refused.message}; running the checks from a one-off task in the job's network")
        release = restore(release, context)
        verification = _verify_there(release, context, about)
    if verification.unproven and verification.via == "local":
        _propose(context, about, release)
    passed = sum(check.ok for check in verification.checks)
    there = ", checked from the job's network" if verification.via == "task" else ""
    summary = f"{passed} of {len(verification.checks)} checks passed{there}"
    return StepResult(release.with_(verification=verification), verification.problem or summary)


def _verify_there(release: Release, context: Context, about: VerifyContext) -> Verification:
    job, checks = context.ports.job_network, context.config.verify.checks
    revision = _revision(release)
    database = RemoteDatabase(lambda questions: job.ask(questions, revision), prefetch(checks))
    verification = verify_by_asking(checks, database, about)
    _keep_report(release, context, database)
    return verification


def _propose(context: Context, about: VerifyContext, release: Release) -> None:
    """Shows checks that would prove this run; that none can be proposed stops nothing."""
    with suppress(DeployerError):
        proposal = suggest(context.ports.database, about, release.baseline)
        if proposal.checks:
            context.note("checks to add (`deployer verify --suggest --write` does it):")
            for line in filter(None, toml_of(proposal).splitlines()):
                context.note(line)


def _keep_report(release: Release, context: Context, database: Database) -> None:
    report = context.config.verify.report
    if report:
        context.ports.evidence.write("run-report", database.find_one(report.collection, {"_id": release.id}))


def _revision(release: Release) -> str:
    made = release.task_definition
    return made.arn if made and made.arn else release.launches[-1].task_definition


def _warn_of_triggers(release: Release, context: Context) -> None:
    """Other schedules and rules that do not start a proven revision; who may not read them is not told."""
    ports, family = context.ports, _revision(release).rpartition("/")[2].partition(":")[0]
    with suppress(DeployerError):
        for trigger, problem in triggers_of(family, ports.schedules, ports.tasks, ports.clock.now()):
            if problem:
                context.note(f"warning: {told(trigger, problem)}; {FIX}")


def promote_image(release: Release, context: Context) -> StepResult:
    """Move 'latest' to this image.

    Only after the data is proven the tag of `[image] promote-tag` moves to the image and the schedule or rule
    of `[schedule]` to the revision; others that may start an unproven one are told. Twice is safe: tag and
    schedule already point there.
    """
    image, schedule = release.image, context.config.schedule
    if image is None or image.digest is None:
        raise LookupError("PUSH_OK comes before PROMOTE")
    tag = context.config.image.promote_tag
    summary = f"{image.repository}:{tag} is {image.tag}" if tag else "no tag is promoted"
    if tag:
        context.ports.registry.move_tag(image.repository, tag, image.digest)
    release = restore(release, context)
    if schedule:
        revision = _revision(release)
        context.ports.schedules.move(schedule.name, schedule.group, revision)
        summary += f", {schedule.kind} {schedule.name} starts {revision.rpartition('/')[2]}"
    _warn_of_triggers(release, context)
    return StepResult(release.with_(cause=None), summary)
