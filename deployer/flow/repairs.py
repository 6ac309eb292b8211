"""The repair nodes: each looks whether what it stands for is mended, and only then lets the release go on."""

from typing import Final

from deployer.errors import Failure, TransientFailure
from deployer.flow.decisions import TASK_FORGOTTEN, UNPROVEN
from deployer.flow.handlers import Context, Resolved, Unresolved
from deployer.flow.steps.build import image_tag
from deployer.flow.steps.deploy import wanted_definition
from deployer.model import Cause, Release, Source
from deployer.ports import Finding, FindingState, Unreachable
from deployer.task.definition import changes


def look_at_code(release: Release, context: Context) -> Resolved | Unresolved:
    """Code to release.

    Records commit and content, and before anything is built takes the first looks at the account: where the
    job could not run, the way leads to CHECK_CONFIG within seconds. After a failure it goes on only with a
    reason to: local checks are run again when a person resumes, since running them is the look; a failure of
    the task needs other code, but in a rollback, whose code is what it was, a person's word. Twice is safe:
    it only reads.
    """
    source = _source(release, context)
    changes = () if release.rollback else context.ports.workspace.changes()
    context.ports.evidence.write("source", {**vars(source), "changes": changes})
    fresh = release.with_(source=source)
    dirty = " with uncommitted changes" if source.dirty else ""
    summary = f"{source.commit[:10]}{dirty}" if source.commit else f"content {source.content_hash[:10]}"
    cause = release.cause
    if cause is None or cause.node == context.node or _code_is_mended(release, fresh, cause, context):
        standing = _in_the_way(fresh, context)
        if standing:
            return Resolved(fresh.with_(cause=standing), "aws-config", standing.message)
        return Resolved(fresh.with_(cause=None), summary=summary)
    return Unresolved(release, cause)


def _in_the_way(release: Release, context: Context) -> Cause | None:
    """What the job could not run with, seen before anything is tested or built. Where nothing has to be, the
    task's start shows it as soon; a rollback's definition is another one."""
    if release.image or release.rollback or _is_built(release, context):
        return None
    findings = list(context.ports.account.preflight())
    _keep_probes(findings, context)
    wrong = [finding for finding in findings if finding.state is FindingState.FAIL]
    message = "the job could not run, so nothing was built"
    cause = Cause("aws-config", "not-ready", message, node=context.node)
    return _with_findings(cause, wrong) if wrong else None


def _is_built(release: Release, context: Context) -> bool:
    """Whether the next thing to do is to run the task."""
    if release.start_at == "test":
        return False
    return context.ports.registry.digest(context.config.image.repository, image_tag(release)) is not None


def _keep_probes(findings: list[Finding], context: Context) -> None:
    context.ports.evidence.write("probes", [vars(finding) for finding in findings])


def _source(release: Release, context: Context) -> Source:
    """What would be released now; in a rollback always what was."""
    if release.rollback and release.source:
        return release.source
    return context.ports.workspace.source()


def _code_is_mended(before: Release, now: Release, cause: Cause, context: Context) -> bool:
    if before.source is None or now.source is None:
        return False
    if cause.node in ("TEST_LOCAL", "LOCAL_OK") or now.rollback:
        return context.resumed or before.source.tree_hash != now.source.tree_hash
    return before.source.content_hash != now.source.content_hash


def look_at_build(release: Release, context: Context) -> Resolved | Unresolved:
    """Fix Dockerfile or dependencies.

    A failed build goes on when its cause passes by itself, when the inputs have changed, or when a person
    resumes: building again is the look. Twice is safe: it only reads.
    """
    fresh = release.with_(source=context.ports.workspace.source())
    changed = fresh.source != release.source
    cause = release.cause
    if cause is None or cause.transient or context.resumed or changed:
        return Resolved(fresh.with_(cause=None), summary="building again")
    return Unresolved(release, cause)


def check_config(release: Release, context: Context) -> Resolved | Unresolved:
    """Check the AWS configuration.

    Looks at the account, read-only, and reports what is wrong or cannot be seen. Goes on when nothing
    is found wrong and a person resumes or the cause passes by itself; by way of CODE where nothing is built
    yet, the image is gone or the code has changed, by way of DEPLOY_PHASE where deploy.toml now gives another
    definition. Twice is safe: it only reads.
    """
    cause = release.cause
    if cause is None:
        return Resolved(release)
    found = _found_again(release, context) if cause.subcause == TASK_FORGOTTEN else None
    if found:
        return Resolved(found, summary="ECS knows the task again")
    build, account = _why_build(release, context), context.ports.account
    digest = release.image.digest if release.image else None
    findings = list(account.preflight() if build else account.diagnose(digest))
    _keep_probes(findings, context)
    wrong = [finding for finding in findings if finding.state is FindingState.FAIL]
    for finding in findings:
        if finding.state is not FindingState.PASS:
            context.note(f"{finding.state}: {finding.what}: {finding.detail}")
    if wrong or not (context.resumed or cause.transient):
        return Unresolved(release, _with_findings(cause, wrong))
    mended = release.with_(cause=None)
    if build:
        return Resolved(mended, "build", build)
    if _definition_changed(release, context):
        return Resolved(mended, "definition-changed", "the task definition is another one now")
    return Resolved(mended, summary="nothing is found wrong")


def _found_again(release: Release, context: Context) -> Release | None:
    """The release with its launch open again, where ECS describes the task after all."""
    launch = release.launch
    status = context.ports.tasks.status(launch.arn) if launch and launch.arn else None
    return release.with_launch(result=None, status=status.last_status).with_(cause=None) if status else None


def _why_build(release: Release, context: Context) -> str:
    """Why the way on leads through CODE: there is no image, or not the one that is to run. Empty: nothing.
    What has become of the image is a person's doing, and looked for when a person resumes."""
    image, source = release.image, release.source
    if image is None:
        return "nothing was built yet"
    if not context.resumed:
        return ""
    if source and _source(release, context).content_hash != source.content_hash:
        return "the image's inputs are others now"
    if not release.rollback and context.ports.registry.digest(image.repository, image.tag) is None:
        return "the image is in the registry no more"
    return ""


def _again(release: Release, context: Context, summary: str) -> Resolved:
    """The job runs again; by way of CODE, where its image is to be built first."""
    mended, build = release.with_(cause=None), _why_build(release, context)
    return Resolved(mended, "build", build) if build else Resolved(mended, summary=summary)


def _definition_changed(release: Release, context: Context) -> bool:
    definition = wanted_definition(release, context)
    newest = context.ports.tasks.newest_revision(str(definition["family"]))
    return newest is None or bool(changes(definition, newest))


def _with_findings(cause: Cause, wrong: list[Finding]) -> Cause:
    if not wrong:
        return cause
    lines = tuple(f"{finding.what}: {finding.detail}" for finding in wrong)
    remedy = next((finding.remedy for finding in wrong if finding.remedy), cause.remedy)
    kept = tuple(line for line in cause.evidence if line not in lines)
    return cause.with_(evidence=(*kept, *lines), remedy=remedy)


def check_mongodb(release: Release, context: Context) -> Resolved | Unresolved:
    """Check MongoDB.

    Walks from here to MongoDB, and names the first step that is refused. A passing cause goes on once that
    works; a standing one needs a person, and then that walk. Because here is not where the job runs, where
    the image has a command for it a short task walks as well: for a standing cause, and instead of this
    machine where that reaches nothing. Twice is safe: it only connects.
    """
    cause = release.cause
    if cause is None:
        return Resolved(release)
    has_command = bool(context.config.job_commands.connectivity)
    if not (context.resumed or cause.transient):
        refused = _refused_anywhere(release, context)
        seen = _with_sight(cause, f"{refused.what}: {refused.detail}") if refused else cause
        return Unresolved(release, seen)
    _refused_here(context)
    reached = "MongoDB answers from here"
    try:
        context.ports.database.ping()
    except Failure as failure:
        if not (has_command and isinstance(failure, Unreachable)):
            return Unresolved(release, _with_sight(cause, f"from this machine: {failure.message}"))
        context.note(f"from this machine: {failure.message}")
        reached = ""
    if has_command and not (reached and cause.transient):
        refused = _refused_there(release, context)
        if refused and (refused.state is FindingState.FAIL or not reached):
            return Unresolved(
                release, _with_sight(cause, f"{refused.what}: {refused.detail}", refused.remedy)
            )
    return _again(release, context, reached or "MongoDB answers from the job's own network")


_UNSEEN: Final = "from the task"


def _refused_anywhere(release: Release, context: Context) -> Finding | None:
    """What is refused to this machine, or else to the job's own network, where that can be asked."""
    refused = _refused_here(context)
    if refused or not context.config.job_commands.connectivity:
        return refused
    try:
        return _refused_there(release, context)
    except TransientFailure as failure:
        context.note(f"what the task sees is not known: {failure.message}")
        return None


def _refused_here(context: Context) -> Finding | None:
    """The step of the way to MongoDB that is refused to this machine, if any is."""
    findings = tuple(context.ports.server.check())
    context.ports.evidence.write("mongodb", [vars(finding) for finding in findings])
    return next((finding for finding in findings if finding.state is FindingState.FAIL), None)


def _refused_there(release: Release, context: Context) -> Finding | None:
    """The step of the way to MongoDB that is refused to a task of the job's own network, if any is; unknown
    where the task cannot tell."""
    context.note("walking the way to MongoDB from a task in the job's own network")
    launch = release.launch
    try:
        findings = context.ports.job_network.check(launch.task_definition if launch else None)
    except TransientFailure:
        raise
    except Failure as failure:
        findings = (Finding(_UNSEEN, FindingState.UNKNOWN, failure.message, failure.hint),)
        context.note(f"what the task sees is not known: {failure.message}")
    context.ports.evidence.write("connectivity", [vars(finding) for finding in findings])
    return next((f for f in findings if f.state is FindingState.FAIL or f.what == _UNSEEN), None)


def _with_sight(cause: Cause, seen: str, remedy: str = "") -> Cause:
    """The cause with what was seen as its last evidence, and with the mend of that where it has one."""
    kept = tuple(line for line in cause.evidence if line != seen)
    return cause.with_(evidence=(*kept, seen), remedy=remedy or cause.remedy)


def check_data(release: Release, context: Context) -> Resolved | Unresolved:
    """Check the source data.

    Missing or rejected data needs a person; after that the job runs again. If only the proof was missing, the
    data is verified again. Twice is safe: it only reads.
    """
    if release.cause and release.cause.subcause == UNPROVEN and context.resumed:
        return Resolved(release.with_(cause=None), "verify", "verifying the data again")
    if release.cause is None or context.resumed:
        return _again(release, context, "running the job again")
    return Unresolved(release, release.cause)
