"""`deployer show`, `history`, `status` and `flow`: each returns data for a renderer."""

from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Final

from deployer.adapters.local.machine import write_private
from deployer.commands.project import Project
from deployer.errors import UsageError
from deployer.flow.release import FLOW
from deployer.lock import Holder, holder_of
from deployer.records.evidence import EvidenceFolder
from deployer.records.releases import Releases, state_of, summary
from deployer.redaction import Redactor

LOG_LINES: Final = 200


def show(project: Project, release: str | None, env: str | None = None) -> dict[str, Any]:
    """One release, the newest if none is named, and what its image was built from. RefusedError: there is no
    such release."""
    data = summary(project.releases.records(release or project.releases.newest(env)))
    digest = (data["image"] or {}).get("digest")
    return {**data, "built": built_by(project.releases, data["env"], digest) if digest else ""}


def built_by(releases: Releases, env: str, digest: str) -> str:
    """The release that built this image, and its commit; empty: none that is known here."""
    for state, _ in islice(releases.states(env), NEWEST):
        if state.image and state.image.id and state.image.digest == digest:
            commit = state.source.commit if state.source else None
            dirty = " with changes" if state.source and state.source.dirty else ""
            return f"built by release {state.id}" + (f" from commit {commit[:10]}{dirty}" if commit else "")
    return ""


def write_page(project: Project, release: str | None, env: str | None, path: Path) -> None:
    """One release as an HTML page. UsageError: the file cannot be written."""
    text = release_html(project, release or project.releases.newest(env))
    try:
        write_private(path, text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name a file that can be written") from error


def release_html(project: Project, release: str, *, home: str = "") -> str:
    """Its page; `home` is the address of the report that it belongs to."""
    from deployer.view.html.release import release_page

    records = project.releases.records(release)
    launch = state_of(records).launch
    evidence = EvidenceFolder(project.releases.path(release), Redactor())
    log = evidence.log(launch.attempt, LOG_LINES) if launch else []
    return release_page(summary(records), FLOW, log, home=home)


NEWEST: Final = 20
"""Releases that are listed unless all are wanted, and looked through for what was built and verified: each
may have to be fetched."""


def history(project: Project, env: str | None, *, all_of_them: bool = True) -> list[dict[str, Any]]:
    return project.releases.summaries(env, None if all_of_them else NEWEST)


def status(project: Project, env: str | None) -> dict[str, Any]:
    """Who holds the lock of the environment, and the state of its newest release."""
    name = project.env(env)
    lines = project.releases.summaries(name, NEWEST)
    latest = next((records for _, records in project.releases.readable(name)), None)
    holder = _holder(project, name)
    return {
        "env": name,
        "lock": asdict(holder) if holder else None,
        "latest": summary(latest) if latest else None,
        "running": [line["id"] for line in lines if line["end"] is None],
    }


def _holder(project: Project, env: str) -> Holder | None:
    """The one that machines share, where it is; else this folder's own."""
    from deployer.commands.bootstrap import shared_state
    from deployer.sandbox.errors import SandboxDown

    here = holder_of(project.folder / "locks", env)
    try:
        state = shared_state(project.config(env, needed=("aws", "state")))
        hold = state.lock().current() if state else None
    except SandboxDown:
        return here
    return hold.holder if hold else here


def walked(project: Project, release: str | None) -> list[str]:
    """The nodes that a release has passed, for the diagram; none if no release is named."""
    return list(summary(project.releases.records(release))["path"]) if release else []
