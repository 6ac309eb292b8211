"""The commands that prepare: a deploy.toml, a secret, the sandbox."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deployer.cli.app import Env, Json, app, project_of, put, render, reported, tell

sandbox = typer.Typer(help="The embedded AWS and MongoDB of this machine.", no_args_is_help=True)
app.add_typer(sandbox, name="sandbox")
secret = typer.Typer(help="Values that no file may hold.", no_args_is_help=True)
app.add_typer(secret, name="secret")


@app.command()
def init(
    context: typer.Context,
    family: Annotated[str | None, typer.Option("--family", help="The task definition to start from.")] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="The cluster that it runs on.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS's own setting if left out.")] = None,
    env: Annotated[str, typer.Option("--env", help="What the environment is to be called.")] = "production",
) -> None:
    """Write deploy.toml from a live task definition, its cluster and its last task."""
    with reported(context):
        from deployer.commands.init import InitOptions, init

        wanted = InitOptions(env=env, family=family, cluster=cluster, region=region)
        for line in init(context.obj.folder, wanted, os.environ):
            put(line)


@secret.command("set")
def secret_set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The secret's name, such as job/mongo-uri.")],
    env: Env = None,
) -> None:
    """Put a value from standard input into Secrets Manager, and say how the task gets it."""
    with reported(context):
        from deployer.commands.secret import set_secret

        made = set_secret(project_of(context), env, name, _secret_value(name))
        put(made.pop("arn"))
        put(json.dumps(made))
        tell('that line goes to "secrets" of the container in the task definition')


def _secret_value(name: str) -> str:
    """What is piped in, less the end of its line; at a terminal it is asked for, and not shown."""
    from deployer.errors import UsageError

    if sys.stdin.isatty():
        import getpass

        try:
            return getpass.getpass(f"Value of {name}: ")
        except EOFError:
            return ""
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"secret {name}: the value is not UTF-8 text", "encode it, as base64 does"
        ) from error
    return text.removesuffix("\n").removesuffix("\r")


@sandbox.command()
def up(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option("--data", help="Seed the bucket from this folder.")] = None,
) -> None:
    """Start what is not up; mend what is half there."""
    with reported(context):
        project = project_of(context)
        facts = project.sandbox(project.sandbox_env(), data, tell).up()
        tell(f"up: AWS at {facts.endpoint}, bucket {facts.bucket}")


@sandbox.command()
def down(
    context: typer.Context,
    purge: Annotated[bool, typer.Option("--purge", help="Remove its files too.")] = False,
) -> None:
    """Stop all of it; data and pushed images are kept unless purged."""
    with reported(context):
        project = project_of(context)
        project.sandbox(project.sandbox_env(), report=tell).down(purge=purge)


@sandbox.command("status")
def sandbox_status(context: typer.Context, output: Json = "human") -> None:
    """How each part of it is."""
    with reported(context, output):
        from dataclasses import asdict

        project = project_of(context)
        found = project.sandbox(project.sandbox_env()).status()
        render("sandbox", {"up": found.up, **asdict(found)}, output)


@sandbox.command("env")
def sandbox_env(context: typer.Context) -> None:
    """The sandbox's addresses and keys for a shell: eval "$(deployer sandbox env)"."""
    import shlex

    with reported(context):
        project = project_of(context)
        facts = project.sandbox(project.sandbox_env()).facts()
        for name, value in {**facts.as_environment(), "AWS_ENDPOINT_URL": facts.endpoint}.items():
            print(f"export {name}={shlex.quote(value)}")
