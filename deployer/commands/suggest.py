"""`deployer verify --suggest`: a contract for the data that is there, as TOML that runs as it stands."""

import tomllib
from collections.abc import Mapping
from typing import Any

from deployer.adapters.local.machine import SystemClock
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.commands.project import Project
from deployer.config.load import FILE
from deployer.errors import RefusedError, UsageError
from deployer.model import Release
from deployer.verification.contract import toml_of
from deployer.verification.run import VerifyContext, newest_run
from deployer.verification.suggest import suggest


def suggest_checks(project: Project, env: str | None, *, write: bool = False) -> dict[str, Any]:
    """The proposed checks with their evidence; with `write` they are appended to deploy.toml.

    RefusedError: nothing can be proposed. Failure `mongodb`: the database cannot be reached.
    """
    name = project.env(env)
    config = project.config(name, needed=("verify",))
    last = next((release for release, _ in project.releases.states(name) if release.launches), None)
    report = config.verify.report
    with MongoDatabase(config.verify.uri, config.verify.database) as database:
        context = VerifyContext(
            run_id=None,
            report_collection=report.collection if report else None,
            baseline={},
            now=SystemClock().now(),
            env=name,
            newest_release=last.id if last else None,
        )
        run = newest_run(database, context)
        proposal = suggest(database, run, _baseline(last, run.run_id))
    if not proposal.checks:
        raise RefusedError(
            f"{config.verify.database}: no check can be proposed from its documents",
            "run a release first, or write one by hand: docs/reference/checks.md",
        )
    text = toml_of(proposal)
    if write:
        append(project, text)
    return {
        "env": name,
        "run": run.run_id,
        "checks": [{**one.check, "evidence": one.evidence} for one in proposal.checks],
        "left_out": proposal.left_out,
        "toml": text,
        "written": write,
    }


def _baseline(last: Release | None, run_id: str | None) -> Mapping[str, int] | None:
    """The counts before the run, if the newest release is that run."""
    return last.baseline if last and run_id in (None, last.id) else None


def append(project: Project, text: str) -> None:
    """Everything that is in the file stays as it is, comments included. UsageError: it would break."""
    path = project.root / FILE
    before = path.read_text(encoding="utf-8-sig")
    after = f"{before.rstrip()}\n\n# Proposed by `deployer verify --suggest`.\n{text}"
    try:
        tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{FILE}: checks cannot be appended: {error}",
            "write `verify` as a table [verify] and its checks as [[verify.checks]], then try again",
        ) from error
    new = path.with_suffix(".new")
    new.write_text(after, encoding="utf-8")
    new.replace(path)
