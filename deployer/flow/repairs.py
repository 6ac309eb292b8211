"""The repair nodes: each checks whether its cause is fixed, and only then lets the release go on."""

from typing import Final

from deployer.errors import Failure, TransientFailure
from deployer.flow.decisions import TASK_FORGOTTEN, UNPROVEN
from deployer.flow.handlers import Context, Resolved, Unresolved
from deployer.flow.revision import restore, wanted_definition
from deployer.flow.steps.build import image_tag
from deployer.model import Cause, Release, Source
from deployer.ports import Finding, FindingState, Unreachable
from deployer.task.definition import changes


def look_at_code(release: Release, context: Context) -> Resolved | Unresolved:
    """Code to release.

    Records commit and content, and before anything is built runs the quick checks of the account: a job that
    could not run leads to CHECK_CONFIG within seconds. After a failure it goes on only with a reason: local
    checks run again when a person resumes; a failed task needs changed code, or in a rollback, whose code
    never changes, a person who resumes. Twice is safe: it only reads.
    """
    source = _source(release, context)
    changes = () if release.rollback else context.ports.workspace.changes()
    context.ports.evidence.write("source", {**vars(source), "changes": changes})
    fresh = release.with_(source=source)
    dirty = " with uncommitted changes" if source.dirty else ""
    summary = f"{source.commit[:10]}{dirty}" if source.commit else f"content {source.content_hash[:10]}"
    cause = release.cause
    if cause is None or cause.node == context.node or _code_is_fixed(release, fresh, cause, context):
        standing = _not_ready(fresh, context)
        if standing:
            return Resolved(fresh.with_(cause=standing), "aws-config", standing.message)
        return Resolved(fresh.with_(cause=None), summary=summary)
    return Unresolved(release, cause)


def _not_ready(release: Release, context: Context) -> Cause | None:
    """Why the job could not run, before anything is tested or built. Where nothing has to be built, the
    task's start shows it as soon; a rollback has another definition."""
    if release.image or release.rollback or _is_built(release, context):
        return None
    findings = list(context.ports.account.preflight())
    _keep_probes(findings, context)
    failed = _failed(findings, release)
    message = "the job could not run, so nothing was built"
    cause = Cause("aws-config", "not-ready", message, node=context.node)
    return _with_findings(cause, failed) if failed else None


def _failed(findings: list[Finding], release: Release) -> list[Finding]:
    """The failed checks that no person has accepted. A task that ran proves more than a check: then what
    stopped it is not in the account's configuration."""
    if any(launch.arn and not launch.never_ran for launch in release.launches):
        return []
    return [
        finding
        for finding in findings
        if finding.state is FindingState.FAIL and finding.what not in release.accepted
    ]


def _is_built(release: Release, context: Context) -> bool:
    """Whether the next step is to run the task."""
    if release.start_at == "test":
        return False
    return context.ports.registry.digest(context.config.image.repository, image_tag(release)) is not None


def _keep_probes(findings: list[Finding], context: Context) -> None:
    context.ports.evidence.write("probes", [vars(finding) for finding in findings])


def _source(release: Release, context: Context) -> Source:
    """The source that would be released now; in a rollback always the old one."""
    if release.rollback and release.source:
        return release.source
    return context.ports.workspace.source()


def _code_is_fixed(before: Release, now: Release, cause: Cause, context: Context) -> bool:
    if before.source is None or now.source is None:
        return False
    if cause.node in ("TEST_LOCAL", "LOCAL_OK") or now.rollback:
        return context.resumed or before.source.tree_hash != now.source.tree_hash
    return before.source.content_hash != now.source.content_hash


def look_at_build(release: Release, context: Context) -> Resolved | Unresolved:
    """Fix Dockerfile or dependencies.

    A failed build is repeated when its cause is transient, when the inputs have changed, or when a person
    resumes. Twice is safe: it only reads.
    """
    fresh = release.with_(source=context.ports.workspace.source())
    changed = fresh.source != release.source
    cause = release.cause
    if cause is None or cause.transient or context.resumed or changed:
        return Resolved(fresh.with_(cause=None), summary="building again")
    return Unresolved(release, cause)


def check_config(release: Release, context: Context) -> Resolved | Unresolved:
    """Check the AWS configuration.

    Checks the account, read-only, and reports what fails or cannot be read. Goes on when no check fails, or
    a person has accepted those that do, and a person resumes or the cause is transient: through CODE if
    nothing is built yet, the image is gone or the code has changed; through DEPLOY_PHASE if deploy.toml now
    gives another definition. Twice is safe: it only reads.
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
    failed = _failed(findings, release)
    for finding in findings:
        if finding.state is not FindingState.PASS:
            state = "accepted" if finding.what in release.accepted else finding.state
            context.note(f"{state}: {finding.what}: {finding.detail}")
    if failed:
        options = " ".join(f'--accept "{finding.what}"' for finding in failed)
        context.note(f"to go on in spite of this: deployer resume {release.id} {options}")
    if failed or not (context.resumed or cause.transient):
        return Unresolved(release, _with_findings(cause, failed))
    fixed = release.with_(cause=None)
    if build:
        return Resolved(fixed, "build", build)
    if _definition_changed(release, context):
        made = release.task_definition
        why = "is registered again" if made and made.status == "withdrawn" else "has changed"
        return Resolved(fixed, "definition-changed", f"the task definition {why}")
    return Resolved(fixed, summary="no check fails")


def _found_again(release: Release, context: Context) -> Release | None:
    """The release with its launch open again, where ECS describes the task after all."""
    launch = release.launch
    status = context.ports.tasks.status(launch.arn) if launch and launch.arn else None
    return release.with_launch(result=None, status=status.last_status).with_(cause=None) if status else None


def _why_build(release: Release, context: Context) -> str:
    """Why the release goes on through CODE: there is no image, or another one is to run. Empty: it need not.
    The image is checked when a person resumes."""
    image, source = release.image, release.source
    if image is None:
        return "nothing was built yet"
    if not context.resumed:
        return ""
    if source and _source(release, context).content_hash != source.content_hash:
        return "the image's inputs have changed"
    if not release.rollback and context.ports.registry.digest(image.repository, image.tag) is None:
        return "the image is no longer in the registry"
    return ""


def _again(release: Release, context: Context, summary: str) -> Resolved:
    """The job runs again, through CODE if its image must be built first."""
    fixed, build = release.with_(cause=None), _why_build(release, context)
    return Resolved(fixed, "build", build) if build else Resolved(fixed, summary=summary)


def _definition_changed(release: Release, context: Context) -> bool:
    definition = wanted_definition(release, context)
    newest = context.ports.tasks.newest_revision(str(definition["family"]))
    return newest is None or bool(changes(definition, newest))


def _with_findings(cause: Cause, failed: list[Finding]) -> Cause:
    if not failed:
        return cause
    lines = tuple(f"{finding.what}: {finding.detail}" for finding in failed)
    remedy = next((finding.remedy for finding in failed if finding.remedy), cause.remedy)
    kept = tuple(line for line in cause.evidence if line not in lines)
    return cause.with_(evidence=(*kept, *lines), remedy=remedy)


def check_mongodb(release: Release, context: Context) -> Resolved | Unresolved:
    """Check MongoDB.

    Checks the connectivity from this machine to MongoDB, and names the first step that fails. A transient
    cause goes on once that works; any other needs a person as well. If the image has a command for it, a
    one-off task checks the connectivity from the job's network too: for causes that are not transient, and
    instead of this machine where that reaches nothing. Twice is safe: it only connects.
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
        release = restore(release, context)
        refused = _refused_there(release, context)
        if refused and (refused.state is FindingState.FAIL or not reached):
            return Unresolved(
                release, _with_sight(cause, f"{refused.what}: {refused.detail}", refused.remedy)
            )
    return _again(release, context, reached or "MongoDB answers from the job's network")


_UNSEEN: Final = "from the task"


def _refused_anywhere(release: Release, context: Context) -> Finding | None:
    """The failed step from this machine, or else from the job's network, where that can be checked."""
    refused = _refused_here(context)
    if refused or not context.config.job_commands.connectivity:
        return refused
    try:
        return _refused_there(release, context)
    except TransientFailure as failure:
        context.note(f"connectivity from the task is unknown: {failure.message}")
        return None


def _refused_here(context: Context) -> Finding | None:
    """The failed step of the connectivity check from this machine, if any."""
    findings = tuple(context.ports.server.check())
    context.ports.evidence.write("mongodb", [vars(finding) for finding in findings])
    return next((finding for finding in findings if finding.state is FindingState.FAIL), None)


def _refused_there(release: Release, context: Context) -> Finding | None:
    """The failed step of the connectivity check from the job's network, if any; unknown where the task
    cannot tell."""
    context.note("checking MongoDB connectivity from a one-off task in the job's network")
    made = release.task_definition
    try:
        findings = context.ports.job_network.check(made.arn if made else None)
    except TransientFailure:
        raise
    except Failure as failure:
        findings = (Finding(_UNSEEN, FindingState.UNKNOWN, failure.message, failure.hint),)
        context.note(f"connectivity from the task is unknown: {failure.message}")
    context.ports.evidence.write("connectivity", [vars(finding) for finding in findings])
    return next((f for f in findings if f.state is FindingState.FAIL or f.what == _UNSEEN), None)


def _with_sight(cause: Cause, seen: str, remedy: str = "") -> Cause:
    """The cause with this as its last evidence, and with its remedy where it has one."""
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
