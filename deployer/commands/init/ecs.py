"""`deployer init --from-ecs FAMILY`: deploy.toml and the definition's template, from what an account runs."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deployer.adapters.aws.discovery import Discovery, Network, default_region
from deployer.adapters.aws.session import AwsSession
from deployer.commands.init.command import refuse_overwriting, toml, write_with_schema
from deployer.commands.init.folder import project_name
from deployer.config.defaults import likely_jobs, repository_of
from deployer.config.load import FILE
from deployer.config.model import Aws
from deployer.errors import UsageError
from deployer.redaction import Redactor
from deployer.task.definition import registrable

TEMPLATE: Final = "task-definition.json"


@dataclass(frozen=True)
class EcsOptions:
    """What the command line says; None is looked up in the account."""

    env: str
    family: str | None = None
    cluster: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Found:
    """Everything that goes into the two files. `hidden`: values that had to stay out, by their names."""

    env: str
    region: str
    cluster: str
    family: str
    container: str
    repository: str
    log_options: Mapping[str, str]
    environment: Mapping[str, str]
    network: Network
    launch_type: str
    template: Mapping[str, Any]
    hidden: tuple[str, ...]
    doubtful: tuple[str, ...] = ()
    """The containers of which the first was taken for the job, where nothing tells which one it is."""


def init_from_ecs(root: Path, options: EcsOptions, environ: Mapping[str, str]) -> list[str]:
    """Writes both files and returns what to do next, a line each.

    RefusedError: one of them is there. UsageError: AWS has several to choose from, or none.
    """
    refuse_overwriting(root, FILE, TEMPLATE)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", options.env):
        raise UsageError(f"--env {options.env!r}: letters, digits, - and _ only", "such as production")
    region = options.region or environ.get("AWS_REGION") or default_region()
    if region is None:
        raise UsageError("no AWS region is set", "name one with --region, such as eu-west-3")
    found = discover(Discovery(AwsSession(Aws(region=region))), options, region)
    text = deploy_toml(found)
    (root / TEMPLATE).write_text(json.dumps(found.template, indent=2) + "\n", encoding="utf-8")
    write_with_schema(root, text)
    return list(_next_steps(found, text))


def discover(account: Discovery, options: EcsOptions, region: str) -> Found:
    """Looks up the task definition, the cluster and the last task of the family."""
    family = options.family or _only("--from-ecs", "task definition", account.families)
    cluster = options.cluster or _only("--cluster", "cluster", account.clusters)
    definition = registrable(account.definition(family))
    containers = definition["containerDefinitions"]
    jobs = likely_jobs(containers, family)
    job = jobs[0]
    hidden: list[str] = []
    template = {
        **definition,
        "containerDefinitions": [
            _without_secrets(one, hidden) | ({"image": "${IMAGE}"} if one is job else {})
            for one in containers
        ],
    }
    return Found(
        env=options.env,
        region=region,
        cluster=cluster,
        family=family,
        container=job["name"],
        repository=repository_of(job["image"]),
        log_options=job.get("logConfiguration", {}).get("options", {}),
        environment={e["name"]: e["value"] for e in job.get("environment", ()) if e["name"] not in hidden},
        network=account.last_network(cluster, family),
        launch_type="EC2" if definition.get("requiresCompatibilities") == ["EC2"] else "FARGATE",
        template=template,
        hidden=tuple(hidden),
        doubtful=tuple(str(one["name"]) for one in jobs) if len(jobs) > 1 else (),
    )


def _only(option: str, what: str, ask: Callable[[], tuple[str, ...]]) -> str:
    found = ask()
    if len(found) == 1:
        return found[0]
    known = ", ".join(found)
    raise UsageError(
        f"there are {len(found)} {what}s here: {known}" if found else f"there is no {what} here",
        f"choose: `deployer init {option} NAME`" if found else "is this the right region and account?",
    )


def _without_secrets(container: Mapping[str, Any], hidden: list[str]) -> dict[str, Any]:
    """Values that look like a secret become placeholders; empty values are left out."""
    environment = []
    for entry in container.get("environment", ()):
        if _secret(entry["name"], entry["value"]):
            hidden.append(entry["name"])
            environment.append({"name": entry["name"], "value": f"${{{entry['name']}}}"})
        else:
            environment.append(entry)
    filled = {**container, "environment": environment}
    return {key: value for key, value in filled.items() if value not in ("", [], {}, None)}


_SECRET_NAME: Final = re.compile(
    r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)$", re.IGNORECASE
)


def _secret(name: str, value: str) -> bool:
    return bool(value) and (bool(_SECRET_NAME.search(name)) or Redactor().text(value) != value)


def deploy_toml(found: Found) -> str:
    """The file; what AWS does not know is a `${NAME}`, to be filled in or exported."""
    database = next((found.environment[n] for n in _DATABASES if found.environment.get(n)), "${DATABASE}")
    network, hidden = found.network, {name: f"${{{name}}}" for name in found.hidden}
    run = {
        "cluster": found.cluster,
        "launch-type": found.launch_type,
        "subnets": list(network.subnets) or ["${SUBNET}"],
        "security-groups": list(network.security_groups) or ["${SECURITY_GROUP}"],
        "assign-public-ip": bool(network.public_ip),
    }
    overlays: dict[str, Mapping[str, Any]] = {"aws": {"region": found.region}, "run": run}
    if hidden:
        overlays["task.values"] = hidden
    return _TEXT.format(
        family=found.family,
        cluster=found.cluster,
        env=toml(found.env),
        project=toml(project_name(found.family)),
        container=toml(found.container),
        repository=toml(found.repository),
        logs=_logs(found.log_options),
        database=toml(database),
        overlays="\n".join(_table(f"env.{found.env}.{name}", values) for name, values in overlays.items()),
    )


_DATABASES: Final = ("MONGO_DB_NAME", "MONGO_DATABASE", "MONGODB_DATABASE", "MONGO_DB", "DB_NAME")


def _logs(options: Mapping[str, str]) -> str:
    """The log of a container with another log driver cannot be named here."""
    if "awslogs-group" not in options:
        return ""
    prefix = options.get("awslogs-stream-prefix", "ecs")
    return f"\n[logs]\ngroup = {toml(options['awslogs-group'])}\nstream-prefix = {toml(prefix)}\n"


def _table(name: str, values: Mapping[str, Any]) -> str:
    return "\n".join((f"[{name}]", *(f"{key} = {toml(value)}" for key, value in values.items()), ""))


def _next_steps(found: Found, text: str) -> Iterator[str]:
    yield f"wrote {FILE} and {TEMPLATE}, from task definition {found.family} on {found.cluster}"
    for name in found.hidden:
        yield (
            f"{name} looks like a secret and was left out of {TEMPLATE}; export it until it is stored: "
            f"`deployer secret set {found.family}/{name.lower().replace('_', '-')}`"
        )
    if found.doubtful:
        yield (
            f"{found.container} was taken for the job, one of {', '.join(found.doubtful)}: if it is "
            f"another, correct [task] container, [image] repository, and the images in {TEMPLATE}"
        )
    if found.network.public_ip is None:
        yield f"whether its tasks have a public address is unknown: [env.{found.env}.run] assign-public-ip"
    for name in dict.fromkeys(re.findall(r"\$\{(\w+)\}", text)):
        if name not in ("RUN_ID", *found.hidden):
            yield f"fill in {FILE}, or export {name}: {_BLANKS.get(name, 'a value of the definition')}"
    yield "next: deployer plan"


_BLANKS: Final = {
    "SUBNET": "the task's subnets; ECS no longer knows its last task",
    "SECURITY_GROUP": "its security groups; its last task has stopped, or ECS no longer knows it",
    "DATABASE": "the MongoDB database that the job loads",
    "COLLECTION": "a collection whose documents carry RUN_ID in a field `run_id`",
    "MONGO_URI": "the address of MongoDB, as seen from this machine",
}

_TEXT: Final = """\
# What is released, where to, and what proves that it worked. Written by `deployer init` from the task
# definition {family} and the cluster {cluster}. The environment "sandbox", on this machine, is built in.
default-env = {env}

[project]
name = {project}

[image]
repository = {repository}

[task]
definition = "task-definition.json"
container = {container}
{logs}
[verify]
uri = "${{MONGO_URI}}"
database = {database}

[[verify.checks]]
name = "documents of this run"
kind = "count"
collection = "${{COLLECTION}}"
query = {{ run_id = "${{RUN_ID}}" }}
at-least = 1

{overlays}"""
