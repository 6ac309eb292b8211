"""`deployer init`: finds, asks, shows one plan, and writes deploy.toml."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deployer.adapters.local.machine import private_folder
from deployer.commands.init import folder as project
from deployer.config import schema
from deployer.config.defaults import containers_of, likely_jobs
from deployer.config.load import FILE
from deployer.errors import RefusedError, UsageError

Ask = Callable[[str, str], str]
"""Asks a person: the question and the default; returns the answer. RefusedError: at its end (Ctrl-D)."""


@dataclass(frozen=True)
class FolderOptions:
    """What the command line says; None is found in the folder or asked."""

    dockerfile: str | None = None
    database: str | None = None
    collection: str | None = None


@dataclass(frozen=True)
class Plan:
    """What goes into deploy.toml. Empty: left out, as it is the default or not known."""

    name: str
    dockerfile: str
    context: str
    compose: str | None
    definition: str
    containers: tuple[str, ...]
    """Those of the definition that may be the job."""
    container: str
    test: tuple[str, ...]
    database: str
    collection: str
    region: str
    language: str | None

    def lines(self) -> Iterator[str]:
        """What was found, for a person to agree to."""
        context = "" if self.context == "." else f" (context {self.context})"
        yield f"project          {self.name}" + (f" ({self.language})" if self.language else "")
        yield f"Dockerfile       {self.dockerfile}{context}"
        yield f"compose test     {self.compose or 'none: no compose file'}"
        yield f"local tests      {' '.join(self.test) or 'none found'}"
        yield f"task definition  {self.definition or 'made from the name, 0.25 vCPU and 512 MB'}"
        if self.containers:
            several = ": say which in [task] container" if len(self.containers) > 1 else ""
            yield f"the job          container {' or '.join(self.containers)}{several}"
        yield f"database         {self.database}"
        yield f"proof            {self.collection or 'not yet: no collection is named'}"
        yield f"AWS region       {self.region or 'none configured; the sandbox needs none'}"


def init_folder(
    root: Path, options: FolderOptions, region: str, ask: Ask | None, write: Callable[[str], None]
) -> None:
    """Writes deploy.toml for the folder. `ask` None: the defaults are taken.

    RefusedError: the file is there, or a person said no. UsageError: no Dockerfile, or several and no choice.
    """
    refuse_overwriting(root, FILE)
    plan = make_plan(root, options, region, ask)
    for line in plan.lines():
        write(line)
    if ask and ask(f"Write {FILE}?", "yes").lower() not in ("y", "yes"):
        raise RefusedError("nothing was written")
    write_with_schema(root, deploy_toml(plan))
    write(f"wrote {FILE}")
    write("next: deployer release   (to the sandbox on this machine)")


def write_with_schema(root: Path, text: str) -> None:
    """deploy.toml, and in the deployer's own folder the schema that its first line names for editors."""
    own = private_folder(root / _OWN)
    (own / _SCHEMA).write_text(schema.page(), encoding="utf-8")
    (root / FILE).write_text(f"#:schema {_OWN}/{_SCHEMA}\n{text}", encoding="utf-8")


_OWN, _SCHEMA = ".deployer", "deploy.schema.json"


def refuse_overwriting(root: Path, *names: str) -> None:
    for name in names:
        if (root / name).exists():
            raise RefusedError(f"{root / name} is there already", "move it away; nothing is overwritten")


def make_plan(root: Path, options: FolderOptions, region: str, ask: Ask | None) -> Plan:
    found = project.explore(root)
    dockerfile = _dockerfile(root, found, options.dockerfile, ask)
    context = project.context_of(root, dockerfile)
    database = options.database or found.database or found.name.replace("-", "_")
    collection = options.collection or ""
    if ask:
        database = options.database or ask("MongoDB database that the job writes?", database)
        question = "Collection whose documents carry RUN_ID in a field `run_id` (empty: decide later)?"
        collection = options.collection or ask(question, "")
    definition = _definition(found, ask)
    containers, container = _containers(root, definition, found.name), ""
    if len(containers) > 1 and ask:
        container = ask(f"Which container is the job ({', '.join(containers)})?", containers[0])
    return Plan(
        name=found.name,
        dockerfile=dockerfile,
        context=context,
        compose=found.compose,
        definition=definition,
        containers=(container,) if container else containers,
        container=container,
        test=project.test_command(root, context),
        database=database,
        collection=collection,
        region=region,
        language=project.language_of(root / context) or project.language_of(root),
    )


def _dockerfile(root: Path, found: project.Folder, wanted: str | None, ask: Ask | None) -> str:
    if wanted:
        if not (root / wanted).is_file():
            raise UsageError(f"{wanted}: no such file in {root}", "name a Dockerfile below this folder")
        return wanted
    listed = ", ".join(found.dockerfiles)
    if not found.dockerfiles:
        raise UsageError(f"no Dockerfile or Containerfile in {root}", "add one, or name it with --dockerfile")
    if len(found.dockerfiles) > 1 and ask:
        default = found.default_dockerfile or found.dockerfiles[0]
        answer = ask(f"Which Dockerfile ({listed})?", default)
        return _dockerfile(root, found, answer, None)
    if found.default_dockerfile is None:
        raise UsageError(f"there are several Dockerfiles: {listed}", "choose one with --dockerfile PATH")
    return found.default_dockerfile


def _definition(found: project.Folder, ask: Ask | None) -> str:
    first = found.definitions[0] if found.definitions else ""
    if len(found.definitions) > 1 and ask:
        return ask(f"Which task definition ({', '.join(found.definitions)})?", first)
    return first


def _containers(root: Path, definition: str, name: str) -> tuple[str, ...]:
    listed = containers_of(project.definition(root, root / definition)) if definition else []
    return tuple(str(one.get("name")) for one in likely_jobs(listed, name))


def deploy_toml(plan: Plan) -> str:
    """At most 25 lines; a comment for each question that is open."""
    tables: list[tuple[str, Mapping[str, Any]]] = [("project", {"name": plan.name})]
    if plan.test:
        tables.append(("test", {"command": list(plan.test)}))
    build = {"context": plan.context} if plan.context != "." else {}
    if plan.dockerfile != "Dockerfile":
        build["dockerfile"] = plan.dockerfile
    if build:
        tables.append(("build", build))
    if plan.definition:
        chosen = {"container": plan.container} if plan.container else {}
        tables.append(("task", {"definition": plan.definition, **chosen}))
    tables.append(("verify", {"database": plan.database}))
    parts = [
        _HEAD,
        *(f"[{name}]\n{pairs(values)}" for name, values in tables),
        _check(plan),
        _production(plan),
    ]
    return "\n".join(parts)


def pairs(values: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {toml(value)}\n" for key, value in values.items())


def toml(value: Any) -> str:
    """A text, a truth value or a list of texts: what JSON writes of these is TOML."""
    return json.dumps(value, ensure_ascii=False)


_HEAD: Final = "# What is released, and what proves that it worked. Written by `deployer init`."
_CHECK: Final = """\
[[verify.checks]]
name = "documents of this run"
kind = "count"
collection = {collection}
query = {{ run_id = "${{RUN_ID}}" }}
at-least = 1
"""
_OPEN_CHECK: Final = (
    "# Open: which documents prove a run? The task gets RUN_ID; without a check it ends unproven.\n"
    '# checks = [{ name = "new", kind = "count", collection = "NAME", query = { run_id = "${RUN_ID}" }, '
    "at-least = 1 }]\n"
)


def _check(plan: Plan) -> str:
    if plan.collection:
        return _CHECK.format(collection=toml(plan.collection))
    return _OPEN_CHECK


def _production(plan: Plan) -> str:
    region = plan.region or "REGION"
    return (
        "# Open: where does it run on AWS? The sandbox needs nothing of this.\n"
        f'# [env.production]\n# aws.region = "{region}"\n'
        '# run = { cluster = "NAME", subnets = ["subnet-..."], security-groups = ["sg-..."] }\n'
    )
