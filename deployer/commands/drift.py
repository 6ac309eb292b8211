"""What of a run is unusual beside the last good ones; its measures are kept with it."""

from collections.abc import Sequence

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.commands.project import Project
from deployer.commands.runs import files_of
from deployer.model import CheckResult
from deployer.records.runs import Run
from deployer.verification.drift import Unusual, measure, unusual
from deployer.view.text import sparkline


def drift_of(
    project: Project, env: str, run: Run, runs: Sequence[Run], *, accept: bool = False
) -> tuple[CheckResult, ...]:
    """A failed check for each measure that is unusual and that no person has accepted; none without
    `[verify.drift]`. `accept`: what is unusual now is right. `runs`: newest first, this one among them.
    Failure `mongodb`: it cannot be reached."""
    config = project.config(env, needed=("aws", "verify", "state", "run", "task", "logs"))
    settings = config.verify.drift
    if settings is None or not run.run_id:
        return ()
    with MongoDatabase(config.verify.uri, config.verify.database) as database:
        measures = measure(database, settings, run.run_id)
    older = runs[runs.index(run) + 1 :]
    before = [(one.measures, one.accepted) for one in older if one.verdict == "ok" and one.measures]
    odd = list(unusual(measures, before[: settings.runs][::-1], settings.tolerance))
    accepted = tuple(one.name for one in odd) if accept else run.accepted
    files_of(project, config).keep(run.with_(measures=measures, accepted=accepted))
    return tuple(_check(one) for one in odd if one.name not in accepted)


def _check(one: Unusual) -> CheckResult:
    picture = sparkline([*one.earlier, one.value])
    expected = f"{one.low:,.6g} to {one.high:,.6g}, as in the last {len(one.earlier)} good runs"
    return CheckResult(f"drift: {one.name}", ok=False, expected=expected, found=f"{one.value:,.6g} {picture}")
