"""`deployer verify`: the checks on any day, from here or from where the job runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from deployer.adapters.local.machine import SystemClock
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.commands.baselines import Baseline, Baselines, last_verified
from deployer.commands.bootstrap import job_network, session, shared_state
from deployer.commands.drift import drift_of
from deployer.commands.newest_run import is_judged, judge_newest, overdue
from deployer.commands.project import Project
from deployer.commands.runs import observe
from deployer.commands.schedule import reason_late
from deployer.config.model import Config
from deployer.errors import EXIT_CODES, DeployerError, UsageError
from deployer.model import Verification, Via
from deployer.records.runs import Run
from deployer.sandbox.errors import SandboxDown
from deployer.verification.remote import RemoteDatabase, prefetch, verify_by_asking
from deployer.verification.run import VerifyContext
from deployer.verification.run import verify as run_checks
from deployer.view.junit import junit

_DATA: Final = EXIT_CODES["data"]
_LOOKS_BACK: Final = 20


@dataclass(frozen=True)
class VerifyOptions:
    """`release`: whose run is checked; None: the one that ended last."""

    env: str | None = None
    release: str | None = None
    via: Via = "local"
    update_baseline: bool = False
    max_age: float | None = None
    accept_drift: bool = False


def verify(project: Project, wanted: VerifyOptions) -> dict[str, Any]:
    """The checks of `[verify]` now. Counts are compared with the newest baseline: of the last verified
    release, or one that was taken since; with `update_baseline` what is found becomes one.

    RefusedError: there is no such release. Failure `mongodb`: MongoDB cannot be reached. UsageError: from
    the task, and the image has no command for it.
    """
    env = wanted.env
    if wanted.release:
        env = env or str(project.releases.records(wanted.release)[0]["env"])
    name = project.env(env)
    here = wanted.via == "local"
    config = project.config(name, needed=("verify",) if here else ("aws", "logs", "run", "task"))
    verified = last_verified(project.releases, name)
    baselines = _baselines(project, name)
    now = SystemClock().now()
    context = VerifyContext(
        run_id=wanted.release,
        report_collection=config.verify.report.collection if config.verify.report else None,
        baseline=_newest(verified[1] if verified else None, baselines.taken()),
        now=now,
        env=name,
        occasion="later",
        newest_release=verified[0] if verified else None,
        empty_is_ok=config.verify.deadline.empty == "ok",
    )
    found = _from_here(config, context) if here else _from_task(project, config, context)
    cause = None
    if not wanted.release:
        runs = _runs(project, name)
        found, cause = judge_newest(found, runs, reports=config.verify.report is not None)
        deadline = config.verify.deadline
        if wanted.max_age:
            deadline = deadline.model_copy(update={"max_age": wanted.max_age})
        late = overdue(found.run_at, now, deadline)
        if late and not found.problem:
            found = replace(found, ok=False, problem=f"{late}; {reason_late(project, name, runs, now)}")
        if here and found.ok and config.verify.drift:
            found = _drift(project, name, found, runs, accept=wanted.accept_drift)
    if wanted.update_baseline:
        baselines.take(Baseline(now, found.counts))
        project.notify(f"this is the new baseline: {found.counts}")
    release = found.run if found.run in project.releases.ids(name) else None
    exit_code = 0 if found.ok else cause.exit_code if cause and cause.failure_class != "unknown" else _DATA
    shown = {**cause.to_json(), "message": cause.message} if cause else None
    return {"env": name, "release": release, **asdict(found), "cause": shown, "exit_code": exit_code}


def write_junit(path: Path, result: Mapping[str, Any]) -> None:
    """The checks as a JUnit file. UsageError: it cannot be written."""
    try:
        path.write_text(junit(result), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name a file that can be written") from error


def _drift(
    project: Project, env: str, found: Verification, runs: Sequence[Run], *, accept: bool
) -> Verification:
    run = next((run for run in runs if is_judged(run, found)), None)
    checks = drift_of(project, env, run, runs, accept=accept) if run else ()
    if not checks:
        return found
    told = "differs from the last good runs; if it is right: `deployer verify --accept-drift`"
    return replace(found, ok=False, checks=(*found.checks, *checks), problem=told)


def _runs(project: Project, env: str) -> list[Run]:
    """The newest ones, first; none where they cannot be looked up, which is said."""
    try:
        return observe(project, env, _LOOKS_BACK)
    except DeployerError as error:
        project.notify(f"other runs are unknown, judging by the reports only: {error.message}")
        return []


def _from_here(config: Config, context: VerifyContext) -> Verification:
    with MongoDatabase(config.verify.uri, config.verify.database) as database:
        return run_checks(config.verify.checks, database, context)


def _from_task(project: Project, config: Config, context: VerifyContext) -> Verification:
    network = job_network(config, session(config), project.environ, project.notify)
    database = RemoteDatabase(network.ask, prefetch(config.verify.checks))
    return verify_by_asking(config.verify.checks, database, context)


def _newest(*baselines: Baseline | None) -> dict[str, int]:
    known = [baseline for baseline in baselines if baseline]
    return dict(max(known, key=lambda baseline: baseline.at).counts) if known else {}


def _baselines(project: Project, env: str) -> Baselines:
    try:
        shared = shared_state(project.config(env, needed=("aws", "state")))
    except SandboxDown:
        shared = None
    except DeployerError as error:
        shared = None
        project.notify(f"{env}: shared state unavailable; comparing with local counts only: {error.message}")
    return Baselines(project.folder / "baselines", env, shared, project.notify)
