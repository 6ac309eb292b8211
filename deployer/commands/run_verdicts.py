"""What became of each run of the job: merged from ECS, log streams, reports and our own records."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from deployer.commands.baselines import Baseline
from deployer.commands.newest_run import created_at, moment, run_id_of, seconds_of
from deployer.diagnosis.classify import diagnosed
from deployer.errors import Failure
from deployer.model import Cause, ContainerResult, Launch, Release, TaskResult
from deployer.ports import Logs, Tasks, TaskStatus
from deployer.records.runs import Run, Verdict
from deployer.redaction import Redactor
from deployer.task.verdict import LogPlace, ending, evidence_of, last_lines
from deployer.verification.reports import started_at
from deployer.verification.run import SUCCEEDED

LOG_TAIL: Final = 400
_KEPT_LINES: Final = 60
_SLACK: Final = 120.0
"""Seconds by which a report's own times may lie outside of its task's."""
_ANSWER: Final = re.compile(
    r'\{"question": ?\d+, ?"(?:answer|error|part|seconds)"|\{.{0,200}"stages": ?\[\{"name"'
)
"""How a line begins that answers a one-off task: docs/how-to/verify-where-the-job-runs.md."""
_GROWTH: Final = (
    'check the source data; if a run may leave nothing new, set [verify.deadline] empty = "ok"; a report '
    "of each run says more: [verify.report]"
)
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
    counts: Mapping[str, int] | None = None
    """Documents per collection now, where the job writes no report; None: unknown."""
    before: Sequence[Baseline] = ()
    """What was counted earlier."""
    configured: Mapping[str, str] = field(default_factory=dict)
    """Values for the fix of a failure that its log does not say."""


def merged(sources: Sources, kept: Sequence[Run], last: int) -> list[Run]:
    """The newest first. Failure: AWS refuses, or stays away."""
    known = {run.id: run for run in kept}
    tasks = sources.tasks.of_family(sources.family)
    short = {status.arn.rsplit("/", 1)[-1] for status in tasks if status.one_off}
    begun = [created_at(status) for status in tasks if not status.one_off]
    for status in tasks:
        if not status.one_off:
            run = _of_task(status)
            before = known.get(run.id)
            settled = before is not None and before.verdict in ("ok", "failed") and run.verdict != "running"
            known[run.id] = before if settled and before else _judged(run, status.result, sources, begun)
    for run in kept:
        if run.verdict == "unproven" and run.exit_code == 0 and known[run.id] is run and sources.reports:
            known[run.id] = _judged(run, TaskResult(containers=(ContainerResult("job", 0),)), sources, begun)
    for run in _of_releases(sources.releases, last):
        known[run.id] = _with_release(known.get(run.id), run)
    for name in sources.logs.streams(sources.place.group, sources.streams, most=last):
        task = name.rsplit("/", 1)[-1]
        seen = None if task in known or task in short else _of_stream(task, name, sources)
        if seen:
            known[task] = seen
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


def _judged(run: Run, result: TaskResult | None, sources: Sources, begun: Sequence[float | None]) -> Run:
    """By the job's exit code, then by its report; a failure with its cause and the end of its log."""
    report = _report_of(run, sources)
    documents = _documents(report)
    run = run.with_(documents=documents, run_id=run.run_id or str((report or {}).get("_id") or ""))
    if result is None:
        return run
    if not result.succeeded:
        log = _log(run, sources)
        cause = diagnosed(
            f"the task ended {ending(result)}", evidence_of(result, log), "PIPELINE_OK", sources.configured
        )
        return _with_log(run.with_(verdict="failed", cause=sources.redactor.clean(cause)), log, sources)
    if sources.reports is None:
        return _by_growth(run, sources, begun)
    verdict, found = _by_report(run, report, sources)
    return run.with_(verdict=verdict, cause=found)


def _by_growth(run: Run, sources: Sources, begun: Sequence[float | None]) -> Run:
    """Without a report: by what the collections have grown since they were last counted, if no other run
    has begun since."""
    counts, start = sources.counts, run.started_at
    if counts is None or start is None:
        return run.with_(verdict="unproven")
    run = run.with_(verdict="unproven", counts=counts, counted_at=sources.now)
    earlier = [baseline for baseline in sources.before if baseline.at <= start]
    before = max(earlier, key=lambda baseline: baseline.at, default=None)
    if before is None or any(time and before.at < time != start for time in begun):
        return run
    grown = sum(max(0, number - before.counts.get(name, 0)) for name, number in counts.items())
    if grown or sources.empty == "ok":
        return run.with_(verdict="ok", documents=grown)
    message = f"the job ended with exit code 0, and no collection has grown since {moment(before.at)}"
    return run.with_(cause=Cause("data", "nothing-loaded", message, remedy=_GROWTH))


def _with_log(run: Run, log: Sequence[str], sources: Sources) -> Run:
    return run.with_(log=tuple(map(sources.redactor.text, log[-_KEPT_LINES:])))


def _by_report(run: Run, report: Mapping[str, Any] | None, sources: Sources) -> tuple[Verdict, Cause | None]:
    if report is None:
        return "unproven", _no_report(run, "the job ended with exit code 0 and left no report")
    status = str(report.get("status", SUCCEEDED))
    if status == "running":
        return "unproven", _no_report(run, "the job ended with exit code 0 and never finished its report")
    if status != SUCCEEDED:
        message = f"the run's own report says {status!r}"
        return "failed", Cause("data", "report-failed", message, remedy=_look(run))
    if _documents(report) == 0 and sources.empty == "fail":
        message = "the run's own report counts 0 documents"
        return "failed", Cause("data", "nothing-loaded", message, remedy="check the job's source data")
    return "ok", None


def _no_report(run: Run, message: str) -> Cause:
    remedy = f"{_look(run)}, and that the job writes its report"
    return Cause("data", "no-report", message, remedy=remedy)


def _look(run: Run) -> str:
    return f"check its log: `deployer logs --task {run.id}`"


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


def _of_stream(task: str, stream: str, sources: Sources) -> Run | None:
    """A task that ECS has forgotten before anybody looked: its log alone is left. None: a one-off task."""
    first = sources.logs.read(sources.place.group, stream, None)
    log = _log(Run(task), sources)
    if any(map(_ANSWER.match, log)):
        return None
    begun = first.times[0] if len(first.times) else None
    run = Run(task=task, started_at=begun, verdict="unknown")
    report = _report_of(run.with_(stopped_at=first.times[-1] if len(first.times) else None), sources)
    if report is not None:
        verdict, cause = _by_report(run, report, sources)
        seen = run.with_(documents=_documents(report), run_id=str(report["_id"]))
        return seen.with_(verdict=verdict, cause=cause)
    found = diagnosed(
        "how the task ended is no longer known",
        evidence_of(TaskResult(), log),
        "PIPELINE_OK",
        sources.configured,
    )
    lost = _no_report(run, f"{found.message}, and it left no report") if sources.reports is not None else None
    cause = lost if found.failure_class == "unknown" else sources.redactor.clean(found)
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
