"""`deployer runs`: every run of the job, whoever started it."""

from collections.abc import Mapping, Sequence
from typing import Any

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.local.machine import SystemClock
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.commands.baselines import Baseline, last_verified
from deployer.commands.bootstrap import redactor_of, session, shared_state
from deployer.commands.logs.request import of_project
from deployer.commands.project import Project
from deployer.commands.run_verdicts import Sources, merged
from deployer.config.model import Config
from deployer.config.values import values_of
from deployer.errors import DeployerError, Failure, RefusedError
from deployer.ports import Database
from deployer.records.runs import Run, RunFiles
from deployer.task.verdict import LogPlace


def runs(project: Project, env: str | None, last: int) -> dict[str, Any]:
    """The newest `last` runs, newest first. Those that were not known yet are kept."""
    return {"runs": [run.to_json() for run in observe(project, project.env(env), last)]}


def find(project: Project, env: str | None, task: str, last: int = 500) -> Run:
    """The run of this task (ARN or ID). RefusedError: there is none."""
    wanted = task.rsplit("/", 1)[-1]
    for run in observe(project, project.env(env), last):
        if run.id == wanted:
            return run
    raise RefusedError(f"no run of task {wanted} is known", "`deployer runs` lists them")


def files_of(project: Project, config: Config) -> RunFiles:
    """The kept runs of an environment."""
    state = shared_state(config)
    folder, tell = project.folder / "runs" / config.env, project.notify
    return RunFiles(folder, state.store if state else None, state.prefix if state else "", tell)


def observe(project: Project, env: str, last: int) -> list[Run]:
    """What can be seen now, merged with what was kept."""
    config = project.config(env, needed=("aws", "logs", "run", "task", "verify"))
    aws, request = session(config), of_project(config)
    files = files_of(project, config)
    kept = list(files.newest(last))
    place = LogPlace("awslogs", request.group, request.stream_prefix)
    sources = Sources(
        family=request.family,
        place=place,
        streams=request.streams,
        tasks=Ecs(config, aws),
        logs=CloudWatchLogs(config, aws),
        reports=_reports(project, config, last),
        releases=project.releases.states(env),
        redactor=redactor_of(config, aws, project.environ, project.notify, strict=project.strict),
        now=SystemClock().now(),
        **_counted(project, config, kept),
        empty=config.verify.deadline.empty,
        configured=values_of(config),
    )
    try:
        found = merged(sources, kept, last)
    except Failure as failure:
        project.notify(f"AWS is unavailable, showing kept runs only: {failure.message}")
        return kept
    for run in found:
        files.keep(run)
    return found


def _reports(project: Project, config: Config, last: int) -> Sequence[Mapping[str, Any]] | None:
    if config.verify.report is None:
        return None
    try:
        with MongoDatabase(config.verify.uri, config.verify.database) as database:
            return newest_reports(database, config.verify.report.collection, last)
    except DeployerError as error:
        project.notify(f"the runs' reports cannot be read: {error.message}")
        return None


def _counted(project: Project, config: Config, kept: Sequence[Run]) -> dict[str, Any]:
    """`counts` and `before` of the sources, where the job writes no report."""
    if config.verify.report is not None:
        return {}
    try:
        with MongoDatabase(config.verify.uri, config.verify.database) as database:
            counts = database.counts()
    except DeployerError as error:
        project.notify(f"the documents cannot be counted: {error.message}")
        return {}
    before = [Baseline(run.counted_at, run.counts) for run in kept if run.counted_at is not None]
    verified = last_verified(project.releases, config.env)
    return {"counts": counts, "before": [*before, *([verified[1]] if verified else [])]}


def newest_reports(database: Database, collection: str, most: int) -> Sequence[Mapping[str, Any]]:
    return list(database.aggregate(collection, [{"$sort": {"started_at": -1, "_id": -1}}, {"$limit": most}]))
