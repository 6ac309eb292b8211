"""Phase 1: the tests on this machine, before anything leaves it."""

from deployer.config.values import values_of
from deployer.diagnosis.classify import diagnosed
from deployer.diagnosis.model import Evidence
from deployer.flow.handlers import Context, StepResult
from deployer.flow.steps.build import build_failure, local_image
from deployer.model import Cause, CommandRun, ComposeRun, Release


def run_tests(release: Release, context: Context) -> StepResult:
    """Run the local tests.

    Runs `[test] command` in the project's folder. Twice is safe: tests change nothing outside.
    """
    command = context.config.test.command
    why = _left_out(release, "test") or ("" if command else "there is no [test] command")
    if why:
        passed = CommandRun(0, 0.0, "")
        return StepResult(release.with_(tests=passed).skipping(context.node), why, skipped=True)
    begun = context.ports.clock.now()
    log = context.log("tests")
    with log as on_line:
        code = context.ports.shell.run(command, on_line)
    run = CommandRun(code, context.ports.clock.now() - begun, log.name, log.tail)
    cause = None
    if code:
        cause = Cause(
            "code",
            "tests-failed",
            f"`{' '.join(command)}` ended with exit code {code}",
            run.tail[-12:],
            f"fix what the tests report; their whole output: .deployer/releases/{release.id}/{log.name}",
            node="TEST_LOCAL",
        )
    last = next((line for line in reversed(run.tail) if line.strip()), "")
    return StepResult(release.with_(tests=run, cause=cause), last.strip("= "))


def test_with_compose(release: Release, context: Context) -> StepResult:
    """Compose test.

    Runs the project's compose file, where there is one, with the image of this code, and counts the documents
    that it loads. Twice is safe: the set has a project name of its own, is taken down first and, whatever
    happens, afterwards.
    """
    why = _left_out(release, "compose")
    if why or not context.ports.compose.files():
        done = release.with_(compose=ComposeRun(0, 0.0, "")).skipping(context.node)
        return StepResult(done, why or "there is no compose file", skipped=True)
    begun = context.ports.clock.now()
    if code := _make_data(context):
        run = ComposeRun(code, context.ports.clock.now() - begun, "evidence/seed.log")
        return StepResult(release.with_(compose=run, cause=_seed_cause(context, code)), "no data to load")
    release, image, error, lines = local_image(release, context)
    if image is None:
        cause = build_failure(error, lines, "LOCAL_OK", context)
        run = ComposeRun(1, context.ports.clock.now() - begun, "evidence/build.log", problem=error)
        return StepResult(release.with_(compose=run, cause=cause), "the image could not be built")
    run = _compose(release, context, image, begun)
    return StepResult(
        release.with_(compose=run, cause=None if run.ok else _compose_cause(context, run)),
        run.problem or ", ".join(f"{count} {name}" for name, count in sorted(run.documents.items())),
    )


def _left_out(release: Release, check: str) -> str:
    """The option that leaves out this local check; empty: none does."""
    if release.start_at != "test":
        return f"--start-at {release.start_at}"
    return f"--skip {check}" if check in release.skip else ""


def _compose(release: Release, context: Context, image: str, begun: float) -> ComposeRun:
    compose, settings = context.ports.compose, context.config.compose
    project = f"{context.config.project.name}-{release.id}"
    documents: dict[str, int] = {}
    log = context.log("compose")
    with log as on_line:
        try:
            compose.down(project, on_line)
            code = compose.up(project, image, release.id, on_line)
            if code == 0:
                documents = compose.count_documents(project)
        finally:
            compose.down(project, on_line)
    empty = [name for name in settings.expect_documents if not documents.get(name)]
    problem = f"no documents in: {', '.join(empty)}" if code == 0 and empty else ""
    seconds = context.ports.clock.now() - begun
    return ComposeRun(code, seconds, log.name, documents, log.tail, problem)


def _make_data(context: Context) -> int:
    """Creates the folder that the job loads, before the image is built, if it is missing; the exit code."""
    settings = context.config.compose
    if not settings.seed_command or context.ports.workspace.has(settings.data):
        return 0
    with context.log("seed") as on_line:
        return context.ports.shell.run(settings.seed_command, on_line)


def _seed_cause(context: Context, code: int) -> Cause:
    command = " ".join(context.config.compose.seed_command)
    message = f"`{command}` ([compose] seed-command) ended with exit code {code}"
    return Cause("code", "seed-failed", message, remedy="fix the command, then resume", node="LOCAL_OK")


def _compose_cause(context: Context, run: ComposeRun) -> Cause:
    if run.exit_code == 0:
        return Cause(
            "data", "nothing-loaded", f"the compose test ended well, but loaded nothing: {run.problem}",
            run.tail[-12:], f"look at the job's output in {run.log}, then resume", node="LOCAL_OK",
        )  # fmt: skip
    return diagnosed(
        f"the compose test's job ended with exit code {run.exit_code} (whole output: {run.log})",
        [Evidence("\n".join(run.tail), "compose", run.exit_code)],
        "LOCAL_OK",
        values_of(context.config),
    )
