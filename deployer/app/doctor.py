"""`deployer doctor`: every look at what a release depends on, none stopping the others."""

from collections.abc import Callable, Iterator
from typing import Any

from deployer.app.project import Project
from deployer.app.wiring import real_ports
from deployer.config import Config
from deployer.errors import EXIT_CODES, DeployerError
from deployer.redaction import Redactor
from deployer.release.ports import Finding, Ports


def examine(project: Project, env: str | None) -> dict[str, Any]:
    """All findings, and the exit code: that of the first wrong one's class, 0 if none is wrong."""
    name = project.env(env)
    config = project.config(name)
    ports = real_ports(project.root, project.folder, config, project.environ, Redactor())
    exit_code = 0
    findings = []
    for code, finding in _findings(ports, config):
        findings.append(
            {"what": finding.what, "state": finding.state, "detail": finding.detail, "remedy": finding.remedy}
        )
        if finding.state == "wrong" and not exit_code:
            exit_code = code
    return {"env": name, "findings": findings, "exit_code": exit_code}


def _findings(ports: Ports, config: Config) -> Iterator[tuple[int, Finding]]:
    """(exit code if wrong, finding), cheapest first."""
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("source", lambda: ports.workspace.source().content_hash[:16]),
        ("container engine", lambda: ports.engine.image_id("none:none") or "answers"),
        ("AWS identity", ports.account.identity),
        ("registry", lambda: ports.registry.digest(config.image.repository, "latest") or "no image yet"),
    )
    for what, look in looks:
        try:
            yield 0, Finding(what, "ok", look())
        except DeployerError as error:
            yield error.exit_code, Finding(what, "wrong", error.message, error.hint)
    try:
        for finding in ports.account.findings():
            yield EXIT_CODES["aws-config"], finding
    except DeployerError as error:
        yield error.exit_code, Finding("AWS account", "unknown", error.message, error.hint)
    try:
        ports.database.ping()
        yield 0, Finding("MongoDB", "ok", "answers from here")
    except DeployerError as error:
        yield error.exit_code, Finding("MongoDB", "wrong", error.message, error.hint)
