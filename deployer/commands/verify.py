"""`deployer verify`: the checks on any day, from here or from where the job runs."""

from dataclasses import asdict, dataclass
from typing import Any

from deployer.adapters.local.machine import SystemClock
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.commands.baselines import Baseline, Baselines
from deployer.commands.bootstrap import job_network, session, shared_state
from deployer.commands.project import Project
from deployer.config.model import Config
from deployer.errors import DeployerError
from deployer.model import AskedFrom, Verification
from deployer.records.releases import state_of
from deployer.sandbox.errors import SandboxDown
from deployer.verification.remote import RemoteDatabase, prefetch, verify_by_asking
from deployer.verification.run import VerifyContext
from deployer.verification.run import verify as run_checks


@dataclass(frozen=True)
class VerifyOptions:
    """`release`: whose run is meant; None: the one that ended last, whoever started it."""

    env: str | None = None
    release: str | None = None
    asked_from: AskedFrom = "here"
    update_baseline: bool = False


def verify(project: Project, wanted: VerifyOptions) -> dict[str, Any]:
    """The checks of `[verify]` now. Counts are compared with the newest baseline: of the last verified
    release, or one that was taken since; with `update_baseline` what is found becomes one.

    RefusedError: there is no such release. Failure `mongodb`: the database cannot be asked. UsageError: from
    the task, and the image has no command for it.
    """
    env = wanted.env
    if wanted.release:
        env = env or str(project.releases.records(wanted.release)[0]["env"])
    name = project.env(env)
    here = wanted.asked_from == "here"
    config = project.config(name, needed=("verify",) if here else ("aws", "logs", "run", "task"))
    verified = _last_verified(project, name)
    baselines = _baselines(project, name)
    now = SystemClock().now()
    context = VerifyContext(
        run_id=wanted.release,
        report_collection=config.verify.report.collection if config.verify.report else None,
        baseline=_newest(verified[1] if verified else None, baselines.taken()),
        now=now,
        env=name,
        occasion="later",
    )
    found = _from_here(config, context) if here else _from_task(project, config, context)
    if wanted.update_baseline:
        baselines.take(Baseline(now, found.counts))
        project.tell(f"later counts are compared with these: {found.counts}")
    release = wanted.release or (verified[0] if verified else None)
    return {"env": name, "release": release, **asdict(found)}


def _from_here(config: Config, context: VerifyContext) -> Verification:
    with MongoDatabase(config.verify.uri, config.verify.database) as database:
        return run_checks(config.verify.checks, database, context)


def _from_task(project: Project, config: Config, context: VerifyContext) -> Verification:
    network = job_network(config, session(config), project.environ, project.tell)
    database = RemoteDatabase(network.ask, prefetch(config.verify.checks))
    return verify_by_asking(config.verify.checks, database, context)


def _newest(*baselines: Baseline | None) -> dict[str, int]:
    known = [baseline for baseline in baselines if baseline]
    return dict(max(known, key=lambda baseline: baseline.at).counts) if known else {}


def _last_verified(project: Project, env: str) -> tuple[str, Baseline] | None:
    """Its ID, and what it found."""
    ends = [line for line in project.releases.summaries(env) if line["end"] == "END_SUCCESS"]
    if not ends:
        return None
    last = ends[-1]
    verification = state_of(project.releases.records(last["id"])).verification
    counts = verification.counts if verification else {}
    return str(last["id"]), Baseline(last["started_at"] + last["seconds"], counts)


def _baselines(project: Project, env: str) -> Baselines:
    try:
        shared = shared_state(project.config(env, needed=("aws", "state")))
    except SandboxDown:
        shared = None
    except DeployerError as error:
        shared = None
        project.tell(f"{env}: only what is known here is compared with: {error.message}")
    return Baselines(project.folder / "baselines", env, shared, project.tell)
