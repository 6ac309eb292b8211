"""`deployer doctor`: every check of what a release depends on; none stops the others."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from deployer.adapters.aws.account import AwsAccount
from deployer.adapters.aws.policy import policies
from deployer.adapters.mongodb import atlas
from deployer.commands.bootstrap import job_network, real_ports, session
from deployer.commands.project import Project
from deployer.commands.schedule import last_proven
from deployer.config.model import Config
from deployer.errors import EXIT_CODES, DeployerError
from deployer.model import Via
from deployer.ports import Finding, FindingState, JobNetwork, Ports
from deployer.redaction import Redactor
from deployer.task.definition import for_image
from deployer.task.triggers import FIX, triggers_of
from deployer.verification.proof import missing_proof_of


def examine(project: Project, env: str | None, via: Via = "local") -> dict[str, Any]:
    """All findings, and the exit code: that of the first failed finding's class, 0 if none failed. `via`
    the task, MongoDB connectivity is checked from there as well."""
    name = project.env(env)
    config = project.config(name)
    ports = real_ports(project.root, project.folder, config, project.environ, Redactor())
    aws = session(config)
    network = job_network(config, aws, project.environ, project.notify)
    exit_code = 0
    findings = []
    access = ((EXIT_CODES["mongodb"], finding) for finding in atlas.check(config, aws, project.environ))
    contract = ((EXIT_CODES["data"], finding) for finding in _contract(config))
    seen = _from_task(network) if via == "task" else ()
    proven = last_proven(project.releases, name)
    found = starting(ports, config, proven.made[1] if proven else None)
    starts = ((EXIT_CODES["aws-config"], finding) for finding in found)
    checks = chain(_findings(ports, config), starts, access, contract, seen)
    for code, finding in checks:
        findings.append(
            {"what": finding.what, "state": finding.state, "detail": finding.detail, "remedy": finding.remedy}
        )
        if finding.state is FindingState.FAIL and not exit_code:
            exit_code = code
    return {"env": name, "findings": findings, "exit_code": exit_code}


def policy(project: Project, env: str | None) -> dict[str, Any]:
    """The least-privilege policies of this environment, as IAM takes them."""
    config = project.config(project.env(env), needed=("aws", "run", "task", "logs", "image", "state"))
    aws = session(config)
    return dict(policies(config, aws, AwsAccount(config, aws).identity()))


def _contract(config: Config) -> Iterator[Finding]:
    """Whether a release can be proven with the checks of deploy.toml."""
    lacking = missing_proof_of(config)
    state = FindingState.UNKNOWN if lacking else FindingState.PASS
    yield Finding("checks", state, lacking or "one is bound to the run")


def _findings(ports: Ports, config: Config) -> Iterator[tuple[int, Finding]]:
    """(exit code if wrong, finding), cheapest first."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("source", lambda: ports.workspace.source().content_hash[:16]),
        ("container engine", lambda: ports.engine.image_id("none:none") or "answers"),
        ("AWS identity", ports.account.identity),
        ("registry", lambda: ports.registry.digest(config.image.repository, "latest") or "no image yet"),
    )
    for what, check in checks:
        try:
            yield 0, Finding(what, FindingState.PASS, check())
        except DeployerError as error:
            yield error.exit_code, Finding(what, FindingState.FAIL, error.message, error.hint)
    try:
        for finding in ports.account.diagnose(running_digest(ports, config)):
            yield EXIT_CODES["aws-config"], finding
    except DeployerError as error:
        yield error.exit_code, Finding("AWS account", FindingState.UNKNOWN, error.message, error.hint)
    for finding in ports.server.check():
        yield EXIT_CODES["mongodb"], finding


def running_digest(ports: Ports, config: Config) -> str | None:
    """Of the job's image in the newest active revision; None: there is none, or it is named by a tag."""
    newest = ports.tasks.newest_revision(str(for_image(config, "image")["family"]))
    containers = newest.definition["containerDefinitions"] if newest else ()
    images = (str(one["image"]) for one in containers if one["name"] == config.task.container)
    return next(images, "").partition("@")[2] or None


def starting(ports: Ports, config: Config, proven: str | None) -> Iterator[Finding]:
    """What starts the job on its own. A schedule that starts nothing, or unproven code, stops no release."""
    what, family = "schedules and rules", str(for_image(config, "image")["family"])
    try:
        found = triggers_of(family, ports.schedules, ports.tasks, ports.clock.now())
        newest = ports.tasks.newest_revision(family)
    except DeployerError as error:
        yield Finding(what, FindingState.UNKNOWN, error.message, error.hint)
        return
    for trigger, problem in found:
        if problem and newest and newest.arn != proven and ":" not in trigger.starts:
            problem += f": now {newest.arn.rpartition('/')[2]}, which no release known here has proven"
        about = f"{trigger.kind} {trigger.name}"
        if problem:
            yield Finding(about, FindingState.UNKNOWN, problem, FIX)
        else:
            yield Finding(about, FindingState.PASS, f"starts {trigger.starts}")
    if not found:
        yield Finding(what, FindingState.PASS, f"none starts {family}")


def _from_task(network: JobNetwork) -> Iterator[tuple[int, Finding]]:
    """Unknown where the one-off task itself failed: that says nothing of MongoDB."""
    try:
        for finding in network.check():
            yield EXIT_CODES["mongodb"], finding
    except DeployerError as error:
        yield error.exit_code, Finding("from the task", FindingState.UNKNOWN, error.message, error.hint)
