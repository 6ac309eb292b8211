"""`deployer explain`: the story of a release from its records and evidence; no call is made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.diagnosis.classify import classify_all
from deployer.diagnosis.model import Diagnosis
from deployer.flow.release import FLOW
from deployer.flow.steps.monitor import LOG_TAIL
from deployer.model import Launch, Release
from deployer.records.evidence import EvidenceFolder
from deployer.records.journal import Record
from deployer.records.releases import Releases, state_of, summary
from deployer.records.runs import Run
from deployer.redaction import Redactor
from deployer.task.verdict import evidence_of

LAST_LINES: Final = 15
_OF_A_CAUSE: Final = ("class", "subcause", "confidence", "evidence", "remedy", "container")


def explain(releases: Releases, release: str | None, env: str | None = None) -> dict[str, Any]:
    """What was tried and seen, the ranked causes with their lines and fix, and what was ruled out.

    RefusedError: there is no such release.
    """
    wanted = release or releases.newest(env)
    records = releases.records(wanted)
    state = state_of(records)
    evidence = EvidenceFolder(releases.path(wanted), Redactor())
    recorded = summary(records)
    return {
        **{
            key: recorded[key]
            for key in ("id", "env", "end", "exit_code", "at", "source", "tasks", "diagnosis")
        },
        "tried": list(_tried(records)),
        "causes": list(_causes(state, evidence)),
        "ruled_out": list(_ruled_out(state, evidence)),
        "last_lines": evidence.log(state.launch.attempt, LAST_LINES) if state.launch else [],
    }


def explain_run(run: Run, env: str) -> dict[str, Any]:
    """The same of one run of the job, whoever started it."""
    cause = {**run.cause.to_json(), "message": run.cause.message} if run.cause else {}
    steps = [(run.started_at, "started", run.started_by), (run.stopped_at, "stopped", run.reason)]
    return {
        **run.to_json(),
        **{key: cause.get(key) for key in _OF_A_CAUSE},
        "id": run.task,
        "env": env,
        "end": run.verdict,
        "tried": [
            {"time": time, "node": what, "what": detail, "skipped": False}
            for time, what, detail in steps
            if time is not None
        ],
        "causes": [cause] if cause else [],
        "ruled_out": [],
        "last_lines": list(run.log[-LAST_LINES:]),
    }


def _tried(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Each step, answer and pause, in order; `time` in seconds since the epoch."""
    for record in records:
        if record["kind"] == "finished" and record["node"] != FLOW.start:
            what = record["summary"] or record["answer"]
            yield {"time": record["time"], "node": record["node"], "what": what, "skipped": record["skipped"]}
        elif record["kind"] == "paused":
            cause = record["cause"]
            what = f"paused: {cause['failure_class']}: {cause['message']}"
            yield {"time": record["time"], "node": record["node"], "what": what, "skipped": False}
        elif record["kind"] == "ended":
            yield {"time": record["time"], "node": record["end"], "what": "ended", "skipped": False}


def _causes(state: Release, evidence: EvidenceFolder) -> Iterator[Mapping[str, Any]]:
    """The recorded cause first, then what else the last task's evidence may mean, best first."""
    recorded = state.cause
    if recorded is None:
        return
    yield {**recorded.to_json(), "message": recorded.message}
    launch = state.launch
    if launch is None or launch.result is None:
        return
    found = _diagnosis(launch, evidence)
    for other in (found.cause, *found.others):
        same = (other.failure_class, other.subcause) == (recorded.failure_class, recorded.subcause)
        if not same and other.failure_class != "unknown":
            yield {**other.to_json(), "message": ""}


def _diagnosis(launch: Launch, evidence: EvidenceFolder) -> Diagnosis:
    return classify_all(evidence_of(launch.result, evidence.log(launch.attempt, LOG_TAIL)))


def _ruled_out(state: Release, evidence: EvidenceFolder) -> Iterator[str]:
    """What was looked at and found right: it need not be looked at again."""
    if state.tests and state.tests.exit_code == 0 and state.tests.log:
        yield "the local tests passed"
    if state.compose and state.compose.ok and state.compose.log:
        yield "the same image loaded its documents in the compose test"
    if state.image and state.image.digest:
        yield f"the image is in the registry: {state.image.digest}"
    launch = state.launch
    if launch and launch.arn and not launch.never_ran:
        yield "the task started: image, secrets, roles and network let it"
    for check in state.verification.checks if state.verification else ():
        if check.ok:
            yield f"check passed: {check.name} ({check.found})"
    for name, where in _LOOKS.items():
        seen = evidence.read(name)
        for finding in seen if isinstance(seen, list) else ():
            if finding["state"] == "pass":
                yield f"checked {where}: {finding['what']}"


_LOOKS: Final = {
    "probes": "in the account",
    "mongodb": "from the machine that released",
    "connectivity": "in the job's own network",
}
"""The looks that are kept, by the name of their evidence."""
