"""`deployer plan`: what a release would do and skip, and why. It only reads."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from deployer.adapters.aws.api_model import violations
from deployer.commands.bootstrap import real_ports
from deployer.commands.project import Project
from deployer.commands.show import NEWEST, built_by
from deployer.config.model import Config
from deployer.errors import Failure, RefusedError, UsageError
from deployer.flow.steps.build import INPUTS, tag_of
from deployer.model import Image, Release
from deployer.ports import BuildInputs, Ports
from deployer.records.evidence import FOLDER as EVIDENCE
from deployer.records.releases import Releases
from deployer.redaction import Redactor
from deployer.task.definition import changes, for_image, launch_type
from deployer.task.triggers import FIX, told, triggers_of
from deployer.verification.proof import missing_proof_of

SKIP, DO = "skip", "do"


@dataclass(frozen=True)
class PlanFacts:
    """The facts of a plan; a saved plan is performed only while none of them has changed."""

    env: str
    content_hash: str
    tag: str
    digest: str | None
    revision: str | None
    differences: tuple[str, ...]
    verified: bool


def plan(project: Project, env: str | None) -> dict[str, Any]:
    """The steps in order with action and reason, the definition's differences, and what it all rests on.

    SandboxDown: the environment is a sandbox that is not up; starting it is not a plan's business.
    """
    name = project.env(env)
    config = project.config(name)
    ports = real_ports(project.root, project.folder, config, project.environ, Redactor())
    facts = observe(project.releases, config, ports)
    reasons = reasons_for(project.releases, facts, ports)
    return {
        "env": name,
        "changes": not facts.verified or facts.digest is None or bool(facts.differences),
        "steps": [
            {"node": node, "action": action, "reason": reason}
            for node, action, reason in steps(config, facts, reasons)
        ],
        "image_changes": list(reasons.changes),
        "differences": list(facts.differences),
        "warnings": [*warnings_of(config), *triggers(config, ports)],
        "facts": asdict(facts),
    }


def triggers(config: Config, ports: Ports) -> Iterator[str]:
    """What starts another revision than a proven one, or could not be read."""
    family = str(for_image(config, "image")["family"])
    try:
        found = triggers_of(family, ports.schedules, ports.tasks, ports.clock.now())
    except Failure as failure:
        yield f"what starts the job cannot be read: {failure.message}"
        return
    for trigger, problem in found:
        if problem:
            yield f"{told(trigger, problem)}; {FIX}"


def warnings_of(config: Config) -> Iterator[str]:
    """What a release would end or stop by, as far as the settings alone tell."""
    if lacking := missing_proof_of(config):
        yield lacking
    for refused in violations("ecs", "RegisterTaskDefinition", for_image(config, "image")):
        yield f"AWS refuses this task definition: {refused}"


def observe(releases: Releases, config: Config, ports: Ports) -> PlanFacts:
    """Reads workspace, registry, ECS and the releases kept here."""
    source = ports.workspace.source()
    tag, repository = tag_of(source), config.image.repository
    digest = ports.registry.digest(repository, tag)
    image = Image(repository, tag, ports.registry.address(), digest=digest)
    definition = for_image(config, image.pinned if digest else f"{image.name}@(a new digest)")
    newest = ports.tasks.newest_revision(str(definition["family"]))
    changed = changes(definition, newest) if newest else ("there is no active revision yet",)
    return PlanFacts(
        env=config.env,
        content_hash=source.content_hash,
        tag=tag,
        digest=digest,
        revision=newest.arn if newest else None,
        differences=changed,
        verified=digest is not None and _is_verified(releases, config.env, digest),
    )


def read_plan(path: Path) -> PlanFacts:
    """The facts that a saved plan rests on. UsageError: no such file, or not a plan."""
    try:
        held = json.loads(path.read_text(encoding="utf-8-sig"))["facts"]
        return PlanFacts(**{**held, "differences": tuple(held["differences"])})
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", "save one: deployer plan --output json > FILE"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: not a saved plan", "save one: deployer plan --output json > FILE"
        ) from error


def refuse_if_changed(planned: PlanFacts, now: PlanFacts) -> None:
    """RefusedError names everything that is not as it was when the plan was made."""
    changed = [
        f"  {name}: {was!r} then, {asdict(now)[name]!r} now"
        for name, was in asdict(planned).items()
        if asdict(now)[name] != was
    ]
    if changed:
        raise RefusedError(
            "this has changed since the plan was made:\n" + "\n".join(changed), "make a new plan"
        )


def _is_verified(releases: Releases, env: str, digest: str) -> bool:
    ended = (state.image for state, _ in islice(releases.states(env, "END_SUCCESS"), NEWEST))
    return any(image is not None and image.digest == digest for image in ended)


@dataclass(frozen=True)
class Reasons:
    """Why an image is built, or is not. `changes`: file by file against the last release; `built`: the
    release and the commit that the image in the registry is from; `compose`: the compose files."""

    changes: tuple[str, ...] = ()
    built: str = ""
    compose: tuple[str, ...] = ()


def reasons_for(releases: Releases, facts: PlanFacts, ports: Ports) -> Reasons:
    """Reads the newest release that has recorded what made another image, or the one that built this one."""
    if facts.digest:
        return Reasons((), built_by(releases, facts.env, facts.digest), ports.compose.files())
    others = (
        state
        for state, _ in islice(releases.states(facts.env), NEWEST)
        if state.source and state.source.content_hash != facts.content_hash
    )
    recorded = (
        changes for state in others if (changes := _changes_since(releases, state, ports)) is not None
    )
    return Reasons(next(recorded, ()), "", ports.compose.files())


def _changes_since(releases: Releases, state: Release, ports: Ports) -> tuple[str, ...] | None:
    """None: that release has no record of it."""
    try:
        kept = releases.file(state.id, f"{EVIDENCE}/{INPUTS}.json").read_text(encoding="utf-8")
        before = BuildInputs.from_record(json.loads(kept))
    except (OSError, ValueError):
        return None
    return ports.workspace.inputs().changes_since(before) if before else None


def steps(config: Config, facts: PlanFacts, why: Reasons = Reasons()) -> Iterator[tuple[str, str, str]]:
    tests = " ".join(config.test.command)
    yield "RUN_TESTS", DO if tests else SKIP, tests or "there is no [test] command"
    compose = ", ".join(why.compose)
    yield "DOCKER_COMPOSE", DO if compose else SKIP, compose or "there is no compose file"
    there = f"{facts.tag} is in the registry already" if facts.digest else ""
    more = f" and {len(why.changes) - 5} more" if len(why.changes) > 5 else ""
    new = ", ".join(why.changes[:5]) + more or config.build.platform
    built = f"{there}, {why.built}" if there and why.built else there
    yield "DOCKER_BUILD", SKIP if there else DO, built or f"{facts.tag} is new: {new}"
    for node in ("ECR_LOGIN", "DOCKER_TAG", "DOCKER_PUSH"):
        yield node, SKIP if there else DO, there or f"to {config.image.repository}"
    if facts.differences:
        yield "REGISTER_TASK", DO, f"{len(facts.differences)} differences to {facts.revision or 'nothing'}"
    else:
        yield "REGISTER_TASK", SKIP, f"{facts.revision} is the same"
    yield "RUN_TASK", DO, f"one task on cluster {config.run.cluster} ({_launched(config)})"
    asked = [check.name for check in config.verify.checks if check.is_for(config.env)]
    yield "VERIFY_DATA", DO, "; ".join(asked)
    schedule = f" and {config.schedule.kind} {config.schedule.name}" if config.schedule else ""
    tag = config.image.promote_tag
    moved = f"{config.image.repository}:{tag}{schedule}" if tag else schedule.removeprefix(" and ")
    yield "PROMOTE", DO if moved else SKIP, f"{moved or 'nothing'}, once the data is proven"


def _launched(config: Config) -> str:
    providers = ", ".join(entry.name for entry in config.run.strategy)
    return providers or launch_type(config) or "the cluster's default capacity providers"
