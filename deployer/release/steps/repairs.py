"""The repair nodes: each looks whether what it stands for is mended, and only then lets the release go on."""

from deployer.errors import Failure
from deployer.release.behaviour import Context, Mended, Unmended
from deployer.release.definition import differences
from deployer.release.ports import Finding
from deployer.release.state import Cause, Release, Source
from deployer.release.steps.deploy import wanted_definition


def look_at_code(release: Release, context: Context) -> Mended | Unmended:
    """Code to release.

    Records commit and content. After a failure it goes on only with a reason to: local checks are run
    again when a person resumes, since running them is the look; a failure of the task needs other code, but
    in a rollback, whose code is what it was, a person's word. Twice is safe: it only reads.
    """
    source = _source(release, context)
    changes = () if release.rollback else context.ports.workspace.changes()
    context.ports.evidence.keep("source", {**vars(source), "changes": changes})
    fresh = release.with_(source=source)
    dirty = " with uncommitted changes" if source.dirty else ""
    summary = f"{source.commit[:10]}{dirty}" if source.commit else f"content {source.content_hash[:10]}"
    cause = release.cause
    if cause is None or cause.node == context.node or _code_is_mended(release, fresh, cause, context):
        return Mended(fresh.with_(cause=None), summary=summary)
    return Unmended(release, cause)


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


def look_at_build(release: Release, context: Context) -> Mended | Unmended:
    """Mend Dockerfile or dependencies.

    A failed build goes on when its cause passes by itself, when the inputs have changed, or when a person
    resumes: building again is the look. Twice is safe: it only reads.
    """
    fresh = release.with_(source=context.ports.workspace.source())
    changed = fresh.source != release.source
    cause = release.cause
    if cause is None or cause.transient or context.resumed or changed:
        return Mended(fresh.with_(cause=None), summary="building again")
    return Unmended(release, cause)


def check_config(release: Release, context: Context) -> Mended | Unmended:
    """Check the AWS configuration.

    Looks at the account, read-only, and reports what is wrong or cannot be seen. Goes on when nothing
    is found wrong and a person resumes or the cause passes by itself; changed code goes by way of CODE, a
    definition that deploy.toml now gives differently by way of DEPLOY_PHASE. Twice is safe: it only reads.
    """
    cause = release.cause
    if cause is None:
        return Mended(release)
    findings = list(context.ports.account.findings())
    context.ports.evidence.keep("probes", [vars(finding) for finding in findings])
    wrong = [finding for finding in findings if finding.state == "wrong"]
    for finding in findings:
        if finding.state != "ok":
            context.note(f"{finding.state}: {finding.what}: {finding.detail}")
    if wrong or not (context.resumed or cause.transient):
        return Unmended(release, _with_findings(cause, wrong))
    again = _again(release, context, "nothing is found wrong")
    if not again.answer and _definition_changed(release, context):
        return Mended(again.release, "definition-changed", "the task definition is another one now")
    return again


def _again(release: Release, context: Context, summary: str) -> Mended:
    """The job runs again; by way of CODE, where a person has mended what its image is made of."""
    mended, source = release.with_(cause=None), release.source
    if context.resumed and source and _source(release, context).content_hash != source.content_hash:
        return Mended(mended, "code-changed", "the image's inputs are others now")
    return Mended(mended, summary=summary)


def _definition_changed(release: Release, context: Context) -> bool:
    definition = wanted_definition(release, context)
    newest = context.ports.tasks.newest_revision(str(definition["family"]))
    return newest is None or bool(differences(definition, newest.definition))


def _with_findings(cause: Cause, wrong: list[Finding]) -> Cause:
    if not wrong:
        return cause
    lines = tuple(f"{finding.what}: {finding.detail}" for finding in wrong)
    remedy = next((finding.remedy for finding in wrong if finding.remedy), cause.remedy)
    kept = tuple(line for line in cause.evidence if line not in lines)
    return Cause(**vars(cause) | {"evidence": (*kept, *lines), "remedy": remedy})


def check_mongodb(release: Release, context: Context) -> Mended | Unmended:
    """Check MongoDB.

    Walks from here to MongoDB. A passing cause goes on once that works; a standing one needs a person,
    and then that walk. Twice is safe: it only connects.
    """
    cause = release.cause
    if cause is None:
        return Mended(release)
    if not (context.resumed or cause.transient):
        return Unmended(release, cause)
    try:
        context.ports.database.ping()
    except Failure as failure:
        seen = f"from this machine: {failure.message}"
        kept = tuple(line for line in cause.evidence if line != seen)
        return Unmended(release, Cause(**vars(cause) | {"evidence": (*kept, seen)}))
    return _again(release, context, "MongoDB answers from here")


def check_data(release: Release, context: Context) -> Mended | Unmended:
    """Check the source data.

    Missing or rejected data needs a person; after that the job runs again. Twice is safe: it only reads.
    """
    if release.cause is None or context.resumed:
        return _again(release, context, "running the job again")
    return Unmended(release, release.cause)
