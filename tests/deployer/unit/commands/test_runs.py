"""Every run of the job: what each night left, and the verdict that it gets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployer.commands.baselines import Baseline
from deployer.commands.explain import explain_run
from deployer.commands.run_verdicts import Sources, merged
from deployer.model import ContainerResult, Launch, Release, TaskResult, Verification
from deployer.ports import LogEvent, TaskStatus
from deployer.records.runs import Run, RunFiles
from deployer.redaction import Redactor
from deployer.task.verdict import LogPlace
from deployer.view.explain import format_story
from tests.fakes.logs import FakeLogs
from tests.fakes.store import FakeStore

EVENING = datetime(2027, 3, 1, 20, tzinfo=UTC)
GROUP, STREAMS = "/ecs/parcels", "ecs/parcels/"
ARN = "arn:aws:ecs:eu-west-3:123456789012:task/batch/"


class Cluster:
    """The tasks that ECS still knows."""

    def __init__(self, *tasks: TaskStatus) -> None:
        self.tasks = tasks

    def of_family(self, family: str) -> tuple[TaskStatus, ...]:
        return self.tasks


def night(
    number: int, code: int | None = 0, *, reason: str = "", run: str = "", by: str = "nightly"
) -> TaskStatus:
    """A task of that night, an hour long; `code` None: it never ran."""
    begun = EVENING + timedelta(days=number)
    stop = "TaskFailedToStart" if code is None else "EssentialContainerExited"
    environment = [{"name": "RUN_ID", "value": run}] if run else []
    return TaskStatus(
        f"{ARN}{number:032x}",
        "STOPPED",
        by,
        TaskResult(stop, reason, (ContainerResult("parcels", code),), job="parcels"),
        raw={
            "createdAt": begun.isoformat(),
            "stoppedAt": (begun + timedelta(hours=1)).isoformat(),
            "overrides": {"containerOverrides": [{"name": "parcels", "environment": environment}]},
        },
    )


def sources(
    *tasks: TaskStatus,
    logs: FakeLogs | None = None,
    reports: Sequence[Mapping[str, Any]] | None = (),
    releases: Sequence[tuple[Release, str | None]] = (),
) -> Sources:
    return Sources(
        family="parcels",
        place=LogPlace("awslogs", GROUP, "ecs"),
        streams=STREAMS,
        tasks=Cluster(*tasks),  # type: ignore[arg-type]
        logs=logs or FakeLogs(),
        reports=reports,
        releases=releases,
        redactor=Redactor(("s3cret-value",)),
        now=(EVENING + timedelta(days=30)).timestamp(),
    )


def report(number: int, **fields: Any) -> dict[str, Any]:
    return {"_id": f"run-{number}", "started_at": EVENING + timedelta(days=number, minutes=1), **fields}


def test_a_good_night_is_ok() -> None:
    """Exit code 0 and a report that counts documents, found by the time in which the task ran."""
    (run,) = merged(sources(night(1), reports=[report(1, status="succeeded", inserted=42)]), (), 20)
    assert (run.verdict, run.documents, run.run_id, run.started_by) == ("ok", 42, "run-1", "nightly")
    assert run.stopped_at is not None
    assert run.started_at is not None
    assert run.stopped_at - run.started_at == 3600


@pytest.mark.parametrize(
    ("reports", "verdict", "subcause"),
    [
        ([], "unproven", "no-report"),
        ([report(9, status="succeeded", inserted=1)], "unproven", "no-report"),
        ([report(1, status="succeeded", inserted=0)], "failed", "nothing-loaded"),
        ([report(1, status="failed")], "failed", "report-failed"),
        ([report(1, status="running")], "unproven", "no-report"),
        (None, "unproven", None),
    ],
)
def test_exit_code_0_alone_is_not_ok(
    reports: list[dict[str, Any]] | None, verdict: str, subcause: str | None
) -> None:
    """Without a report, with another night's, with one that counts nothing: it is said."""
    (run,) = merged(sources(night(1), reports=reports), (), 20)
    assert (run.verdict, run.cause.subcause if run.cause else None) == (verdict, subcause)


def test_a_failed_night_has_its_cause_and_its_log() -> None:
    """Diagnosed as a release's run is, from the end of its log; secrets are not kept."""
    logs = FakeLogs()
    lines = ("token s3cret-value", "Traceback (most recent call last):", "KeyError: 'weight'")
    logs.put(GROUP, f"{STREAMS}{1:032x}", *(LogEvent(float(n), text) for n, text in enumerate(lines)))
    (run,) = merged(sources(night(1, 1, reason="Essential container in task exited"), logs=logs), (), 20)
    assert (run.verdict, run.exit_code) == ("failed", 1)
    assert run.cause is not None
    assert run.cause.failure_class == "code"
    assert "s3cret-value" not in repr(run)
    story = explain_run(run, "production")
    assert (story["class"], story["end"]) == ("code", "failed")
    text = "\n".join(format_story(story, markdown=False))
    assert "KeyError: 'weight'" in text
    assert "It failed." in text


def test_a_task_that_never_ran_is_failed() -> None:
    """A secret that is missing: ECS's reason is the evidence."""
    reason = "ResourceInitializationError: unable to pull secrets or registry auth"
    (run,) = merged(sources(night(1, None, reason=reason)), (), 20)
    assert run.verdict == "failed"
    assert run.cause is not None
    assert reason in run.cause.evidence[0]


def test_a_task_that_was_stopped_is_failed_whatever_its_exit_code() -> None:
    """A job that ends with 0 because somebody stopped it has not done its work."""
    task = night(1)
    assert task.result is not None
    stopped = replace(task, result=replace(task.result, stop_code="UserInitiated"))
    (run,) = merged(sources(stopped, reports=[report(1, status="succeeded", inserted=1)]), (), 20)
    assert run.verdict == "failed"


def test_what_is_not_a_run_is_left_out() -> None:
    """One-off tasks of deployer itself are no runs; one that still runs is running."""
    running = replace(night(2), last_status="RUNNING", result=None)
    found = merged(sources(replace(night(1), started_by="deployer-look"), running), (), 20)
    assert [run.verdict for run in found] == ["running"]


def test_what_ecs_forgot_is_known_if_somebody_looked(tmp_path: Path) -> None:
    """Kept here and in the shared state: a second machine knows it too; a damaged file is left out."""
    store, said = FakeStore(), list[str]()
    here, there = (RunFiles(tmp_path / name, store, "p/e/", said.append) for name in ("here", "there"))
    for run in merged(sources(night(1, 1), night(2)), (), 20):
        here.keep(run)
    (tmp_path / "here" / "20270301T200000-x.json").write_text("{")
    again = merged(sources(), list(there.newest(20)), 20)
    assert [run.verdict for run in again] == ["unproven", "failed"]
    assert [run.id for run in here.newest(1)] == [f"{2:032x}"]
    assert said == []


def test_a_run_of_which_only_the_log_is_left_is_unknown() -> None:
    """Its stream names it and tells when it began; how it ended is not guessed."""
    logs = FakeLogs()
    logs.put(GROUP, f"{STREAMS}abc123", LogEvent(EVENING.timestamp(), "KeyError: 'weight'"))
    (run,) = merged(sources(logs=logs), (), 20)
    assert (run.task, run.verdict, run.started_at) == ("abc123", "unknown", EVENING.timestamp())


def test_a_run_of_which_only_a_log_is_left_has_no_report_either() -> None:
    """Where the job writes reports, that is said; a one-off task that ECS forgot is no run."""
    logs = FakeLogs()
    lines = {
        "run": "loading parcels",
        "asked": '{"question": 0, "seconds": 0.01, "answer": {"n": 1}}',
        "walked": '{"ok": true, "failed": null, "stages": [{"name": "dns", "ok": true}]}',
    }
    for name, line in lines.items():
        logs.put(GROUP, STREAMS + name, LogEvent(EVENING.timestamp(), line))
    (run,) = merged(sources(logs=logs), (), 20)
    assert (run.id, run.verdict) == ("run", "unknown")
    assert run.cause is not None
    assert (run.cause.subcause, "no longer known" in run.cause.message) == ("no-report", True)
    assert "`deployer logs --task run`" in run.cause.remedy
    (run,) = merged(sources(logs=logs, reports=None), (), 20)
    assert run.cause is None


def test_a_release_s_run_has_its_release() -> None:
    """What a release has proven is ok; its run and the task are one line."""
    task = night(1, run="20270302-200000-aaaa", by="20270302-200000-aaaa-1")
    launch = Launch(1, "token", task.started_by, EVENING.timestamp(), "td:1", task.arn, result=task.result)
    proven = Release("20270302-200000-aaaa", "production", 0.0, launches=(launch,))
    proven = proven.with_(verification=Verification(ok=True, counts={"parcels": 7}))
    (run,) = merged(sources(task, releases=[(proven, "END_SUCCESS")]), (), 20)
    assert (run.release, run.verdict, run.documents) == (proven.id, "ok", 7)


class CountingStore(FakeStore):
    """Counts the keys that it lists."""

    listed = 0

    def sizes(self, prefix: str, after: str = "") -> Mapping[str, int]:
        found = super().sizes(prefix, after)
        self.listed += len(found)
        return found


def test_of_many_kept_runs_the_newest_are_read(tmp_path: Path) -> None:
    """Of ten thousand here, and as many in the shared state, only those that are wanted, and none listed that
    is older."""
    store = CountingStore()
    files = RunFiles(tmp_path, store, "p/e/", lambda text: None)
    old = Run(f"{ARN}{0:032x}", started_at=1.8e9, verdict="ok")
    files.keep(old)
    ((first,), (content, *_)) = tmp_path.iterdir(), next(iter(store.objects.values()))
    for number in range(1, 10_000):
        name = f"{datetime.fromtimestamp(1.8e9 + 3600 * number, UTC):%Y%m%dT%H%M%S}-{number:032x}.json"
        (tmp_path / name).symlink_to(first)
        store.objects[f"p/e/runs/{name}"] = (content, "1", 0.0)
    assert [run.id for run in files.newest(2)] == [old.id] * 2
    assert store.listed == 1


@pytest.mark.parametrize(
    ("before", "now", "verdict", "subcause"),
    [
        ({"parcels": 10}, {"parcels": 14, "depots": 3}, "ok", None),
        ({"parcels": 10, "depots": 3}, {"parcels": 10, "depots": 2}, "unproven", "nothing-loaded"),
        (None, {"parcels": 14}, "unproven", None),
        ({"parcels": 10}, None, "unproven", None),
    ],
)
def test_without_a_report_a_run_is_judged_by_what_it_left(
    before: dict[str, int] | None, now: dict[str, int] | None, verdict: str, subcause: str | None
) -> None:
    """By the growth of the collections since they were last counted, if that is known."""
    begun = (EVENING + timedelta(days=1)).timestamp()
    baselines = [Baseline(begun + 60, {"parcels": 0}), *([Baseline(begun - 60, before)] if before else [])]
    seen = replace(sources(night(1), reports=None), counts=now, before=baselines)
    (run,) = merged(seen, (), 20)
    assert (run.verdict, run.cause.subcause if run.cause else None) == (verdict, subcause)
    assert run.documents == (7 if verdict == "ok" else None)
    assert (run.counts, run.counted_at) == ((now, seen.now) if now else ({}, None))
    assert merged(replace(seen, empty="ok"), (), 20)[0].verdict == ("ok" if before and now else "unproven")


def test_growth_of_two_runs_is_of_none_of_them() -> None:
    """Counted only after both: it is not known which of them has loaded."""
    begun = (EVENING + timedelta(days=1)).timestamp()
    seen = replace(sources(night(1), night(2), reports=None), counts={"parcels": 5})
    found = merged(replace(seen, before=[Baseline(begun - 60, {})]), (), 20)
    assert [(run.verdict, run.cause) for run in found] == [("unproven", None)] * 2


def test_a_run_that_was_seen_without_its_report_is_judged_when_it_is_there() -> None:
    """MongoDB was away when somebody looked; later ECS has forgotten the task, and the report counts."""
    (kept,) = merged(sources(night(1), reports=None), (), 20)
    assert kept.verdict == "unproven"
    (run,) = merged(sources(reports=[report(1, status="succeeded", inserted=42)]), [kept], 20)
    assert (run.verdict, run.documents) == ("ok", 42)
