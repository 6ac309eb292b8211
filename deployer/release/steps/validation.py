"""Phase 5: the proof that the data is there, and what may only follow from it."""

from deployer.release.behaviour import Context, Done
from deployer.release.state import Release
from deployer.release.steps.build import LATEST
from deployer.verification.run import VerifyContext, verify


def verify_data(release: Release, context: Context) -> Done:
    """Verify the documents.

    Runs every check of `[verify]` against the run's own report. Twice is safe: it only reads.
    """
    settings, database = context.config.verify, context.ports.database
    if settings.report:
        report = database.find_one(settings.report.collection, {"_id": release.id})
        context.ports.evidence.keep("run-report", report)
    verification = verify(
        settings.checks,
        database,
        VerifyContext(
            run_id=release.id,
            report_collection=settings.report.collection if settings.report else None,
            baseline=release.baseline,
            now=context.ports.clock.now(),
            env=release.env,
        ),
    )
    passed = sum(check.ok for check in verification.checks)
    summary = f"{passed} of {len(verification.checks)} checks passed"
    return Done(release.with_(verification=verification), verification.problem or summary)


def promote_image(release: Release, context: Context) -> Done:
    """Move 'latest' to this image.

    Only an image whose data is proven becomes `latest`, and only then the schedule of `[schedule]` starts its
    revision. Twice is safe: a tag points where it pointed, and so does the schedule.
    """
    image, schedule = release.image, context.config.schedule
    if image is None or image.digest is None:
        raise LookupError("PUSH_OK comes before PROMOTE")
    context.ports.registry.move_tag(image.repository, LATEST, image.digest)
    summary = f"{image.repository}:{LATEST} is {image.tag}"
    if schedule:
        revision = release.launches[-1].task_definition
        context.ports.schedules.move(schedule.name, schedule.group, revision)
        summary += f", schedule {schedule.name} starts {revision.rpartition('/')[2]}"
    return Done(release.with_(cause=None), summary)
