"""`deployer runs`: every run of the job, merged from ECS, log streams, reports and our own records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from deployer.adapters.aws.ecs import Ecs
from deployer.adapters.aws.logs import CloudWatchLogs
from deployer.adapters.local.machine import SystemClock
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.commands.bootstrap import redactor_of, session, shared_state
from deployer.commands.logs.request import of_project
from deployer.commands.newest_run import created_at, run_id_of, seconds_of
from deployer.commands.project import Project
from deployer.config.model import Config
from deployer.config.values import values_of
from deployer.diagnosis.classify import diagnosed
from deployer.errors import DeployerError, Failure, RefusedError
from deployer.model import STOPPED_FROM_OUTSIDE, Cause, Launch, Release, TaskResult
from deployer.ports import Database, Logs, Tasks, TaskStatus
from deployer.records.runs import Run, RunFiles, Verdict
from deployer.redaction import Redactor
from deployer.task.verdict import LogPlace, ending, evidence_of, last_lines
from deployer.verification.reports import started_at

LOG_TAIL: Final = 400
_KEPT_LINES: Final = 60
_SLACK: Final = 120.0
"""Seconds by which a report's own times may lie outside of its task's."""
_NO_REPORT: Final = "check its log, `deployer logs --task ID`, and that the job writes its report"
_COUNTS: Final = ("documents", "inserted", "loaded", "written")
"""Fields of a report that say how many documents its run has written; the first that is there counts."""


@dataclass(frozen=True)
class Sources:
    """Where runs are seen. `reports` None: the job writes none, or MongoDB cannot be reached."""

    family: str
    place: LogPlace
    streams: str
    """How the names of the job's log streams begin; the task's ID follows."""
    tasks: Tasks
    logs: Logs
    reports: Sequence[Mapping[str, Any]] | None
    releases: Iterable[tuple[Release, str | None]]
    redactor: Redactor
    now: float
    empty: Literal["ok", "fail"] = "fail"
    configured: Mapping[str, str] = field(default_factory=dict)
    """Values for the fix of a failure that its log does not say."""


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


def observe(project: Project, env: str, last: int) -> list[Run]:
    """What can be seen now, merged with what was kept."""
    config = project.config(env, needed=("aws", "logs", "run", "task", "verify"))
    aws, request = session(config), of_project(config)
    state = shared_state(config)
    files = RunFiles(
        project.folder / "runs" / env,
        state.store if state else None,
        state.prefix if state else "",
        project.notify,
    )
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


def newest_reports(database: Database, collection: str, most: int) -> Sequence[Mapping[str, Any]]:
    return list(database.aggregate(collection, [{"$sort": {"started_at": -1, "_id": -1}}, {"$limit": most}]))


def merged(sources: Sources, kept: Sequence[Run], last: int) -> list[Run]:
    """The newest first. Failure: AWS refuses, or stays away."""
    known = {run.id: run for run in kept}
    for status in sources.tasks.of_family(sources.family):
        if not status.one_off:
            run = _of_task(status)
            before = known.get(run.id)
            settled = before is not None and before.verdict in ("ok", "failed") and run.verdict != "running"
            known[run.id] = before if settled and before else _judged(run, status.result, sources)
    for run in _of_releases(sources.releases, last):
        known[run.id] = _with_release(known.get(run.id), run)
    for name in sources.logs.streams(sources.place.group, sources.streams)[:last]:
        task = name.rsplit("/", 1)[-1]
        if task not in known:
            known[task] = _of_stream(task, name, sources)
    return sorted(known.values(), key=lambda run: run.started_at or 0.0, reverse=True)[:last]


def _of_task(status: TaskStatus) -> Run:
    result, raw = status.result, status.raw
    return Run(
        task=status.arn,
        started_by=status.started_by,
        run_id=run_id_of(status),
        revision=str(raw.get("taskDefinitionArn") or ""),
        started_at=created_at(status),
        stopped_at=seconds_of(raw.get("stoppedAt")),
        exit_code=result.exit_code if result else None,
        reason=result.stopped_reason if result else "",
        verdict="failed" if result else "running",
    )


def _judged(run: Run, result: TaskResult | None, sources: Sources) -> Run:
    """By the job's exit code, then by its report; a failure with its cause and the end of its log."""
    report = _report_of(run, sources)
    documents = _documents(report)
    run = run.with_(documents=documents, run_id=run.run_id or str((report or {}).get("_id") or ""))
    if result is None:
        return run
    if result.exit_code != 0 or result.stop_code in STOPPED_FROM_OUTSIDE:
        log = _log(run, sources)
        cause = diagnosed(
            f"the task ended {ending(result)}", evidence_of(result, log), "PIPELINE_OK", sources.configured
        )
        return _with_log(run.with_(verdict="failed", cause=sources.redactor.clean(cause)), log, sources)
    verdict, found = _by_report(report, documents, sources)
    return run.with_(verdict=verdict, cause=found)


def _with_log(run: Run, log: Sequence[str], sources: Sources) -> Run:
    return run.with_(log=tuple(map(sources.redactor.text, log[-_KEPT_LINES:])))


def _by_report(
    report: Mapping[str, Any] | None, documents: int | None, sources: Sources
) -> tuple[Verdict, Cause | None]:
    if sources.reports is None:
        return "unproven", None
    if report is None:
        message = "the job ended with exit code 0 and left no report"
        return "unproven", Cause("data", "no-report", message, remedy=_NO_REPORT)
    if str(report.get("status", "succeeded")) == "failed":
        return "failed", Cause("data", "report-failed", "the run's own report says that it failed")
    if documents == 0 and sources.empty == "fail":
        message = "the run's own report counts 0 documents"
        return "failed", Cause("data", "nothing-loaded", message, remedy="check the job's source data")
    return "ok", None


def _report_of(run: Run, sources: Sources) -> Mapping[str, Any] | None:
    """By RUN_ID; else the one that was begun while the task ran."""
    reports = sources.reports or ()
    if run.run_id:
        return next((report for report in reports if str(report.get("_id")) == run.run_id), None)
    if run.started_at is None:
        return None
    until = (run.stopped_at or sources.now) + _SLACK
    for report in reports:
        begun = started_at(report)
        if begun is not None and run.started_at - _SLACK <= begun <= until:
            return report
    return None


def _documents(report: Mapping[str, Any] | None) -> int | None:
    counts = ((report or {}).get(name) for name in _COUNTS)
    return next((count for count in counts if isinstance(count, int) and not isinstance(count, bool)), None)


def _log(run: Run, sources: Sources) -> list[str]:
    """Nothing where it cannot be read: the task's own end is judged without."""
    try:
        return last_lines(sources.logs, sources.place, sources.streams + run.id, LOG_TAIL)
    except Failure:
        return []


def _of_stream(task: str, stream: str, sources: Sources) -> Run:
    """A task that ECS has forgotten before anybody looked: its log alone is left."""
    first = sources.logs.read(sources.place.group, stream, None)
    log = list(first.texts)[-LOG_TAIL:]
    begun = first.times[0] if len(first.times) else None
    run = Run(task=task, started_at=begun, verdict="unknown")
    report = _report_of(run.with_(stopped_at=first.times[-1] if len(first.times) else None), sources)
    if report is not None:
        verdict, cause = _by_report(report, _documents(report), sources)
        seen = run.with_(documents=_documents(report), run_id=str(report["_id"]))
        return seen.with_(verdict=verdict, cause=cause)
    found = diagnosed(
        "how the task ended is no longer known",
        evidence_of(TaskResult(), log),
        "PIPELINE_OK",
        sources.configured,
    )
    cause = None if found.failure_class == "unknown" else sources.redactor.clean(found)
    return _with_log(run.with_(cause=cause), log, sources)


def _of_releases(releases: Iterable[tuple[Release, str | None]], last: int) -> Iterator[Run]:
    for number, (release, end) in enumerate(releases):
        if number == last:
            return
        for launch in release.launches:
            if launch.arn:
                yield _of_launch(release, launch, end)


def _of_launch(release: Release, launch: Launch, end: str | None) -> Run:
    newest, result = launch is release.launch, launch.result
    proven = newest and end == "END_SUCCESS"
    counts = release.verification.counts if proven and release.verification else {}
    failed = result is not None and (result.exit_code != 0 or (newest and release.cause is not None))
    verdict: Verdict = "ok" if proven else "failed" if failed else "unproven" if result else "running"
    return Run(
        task=str(launch.arn),
        started_by=launch.started_by,
        release=release.id,
        run_id=release.id,
        revision=launch.task_definition,
        started_at=launch.requested_at,
        exit_code=result.exit_code if result else None,
        reason=result.stopped_reason if result else "",
        verdict=verdict,
        documents=max(counts.values(), default=None),
        cause=release.cause if newest and failed else None,
    )


def _with_release(seen: Run | None, recorded: Run) -> Run:
    """What a release recorded of its run counts before what was seen of the task."""
    if seen is None:
        return recorded
    better = recorded.verdict if recorded.verdict != "running" else seen.verdict
    return seen.with_(
        release=recorded.release,
        run_id=recorded.run_id,
        verdict=better,
        cause=(recorded.cause or seen.cause) if better != "ok" else None,
        documents=seen.documents if seen.documents is not None else recorded.documents,
    )
