"""The commands that set up: deploy.toml, a secret, the sandbox."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deployer.cli.app import (
    SET_UP,
    Command,
    Env,
    Group,
    Json,
    app,
    notify,
    project_of,
    render,
    reported,
    write,
)

sandbox = typer.Typer(help="Manage AWS and MongoDB on this machine.", no_args_is_help=True, cls=Group)
app.add_typer(sandbox, name="sandbox", rich_help_panel=SET_UP)
secret = typer.Typer(help="Manage secrets.", no_args_is_help=True, cls=Group)
app.add_typer(secret, name="secret", rich_help_panel=SET_UP)


@app.command(cls=Command, rich_help_panel=SET_UP)
def init(
    context: typer.Context,
    family: Annotated[str | None, typer.Option("--family", help="The task definition to start from.")] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="The cluster that it runs on.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS's own setting if left out.")] = None,
    env: Annotated[str, typer.Option("--env", help="Name of the environment.")] = "production",
) -> None:
    """Write deploy.toml from a live task definition, its cluster and its last task."""
    with reported(context):
        from deployer.commands.init import InitOptions, init

        wanted = InitOptions(env=env, family=family, cluster=cluster, region=region)
        for line in init(context.obj.folder, wanted, os.environ):
            write(line)


@secret.command("set", cls=Command)
def secret_set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The secret's name, such as job/mongo-uri.")],
    env: Env = None,
) -> None:
    """Store a value from standard input in Secrets Manager; print the line for the task definition."""
    with reported(context):
        from deployer.commands.secret import set_secret

        made = set_secret(project_of(context), env, name, _secret_value(name))
        write(made.pop("arn"))
        write(json.dumps(made))
        notify('that line goes to "secrets" of the container in the task definition')


def _secret_value(name: str) -> str:
    """Standard input without its last line end; at a terminal a prompt that does not echo."""
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


@sandbox.command(cls=Command)
def up(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option("--data", help="Seed the bucket from this folder.")] = None,
) -> None:
    """Start the sandbox, repairing anything half-configured."""
    with reported(context):
        project = project_of(context)
        facts = project.sandbox(project.sandbox_env(), data, notify).up()
        notify(f"up: AWS at {facts.endpoint}, bucket {facts.bucket}")


@sandbox.command(cls=Command)
def down(
    context: typer.Context,
    purge: Annotated[bool, typer.Option("--purge", help="Remove its files, too.")] = False,
) -> None:
    """Stop the sandbox; data and pushed images are kept unless purged."""
    with reported(context):
        project = project_of(context)
        project.sandbox(project.sandbox_env(), report=notify).down(purge=purge)


@sandbox.command("status", cls=Command)
def sandbox_status(context: typer.Context, output: Json = "human") -> None:
    """Show the state of each part of the sandbox."""
    with reported(context, output):
        from dataclasses import asdict

        project = project_of(context)
        found = project.sandbox(project.sandbox_env()).status()
        render("sandbox", {"up": found.up, **asdict(found)}, output)


@sandbox.command("env", cls=Command)
def sandbox_env(context: typer.Context) -> None:
    """Print the sandbox's addresses and keys for a shell: eval "$(deployer sandbox env)"."""
    import shlex

    with reported(context):
        project = project_of(context)
        facts = project.sandbox(project.sandbox_env()).facts()
        for name, value in {**facts.as_environment(), "AWS_ENDPOINT_URL": facts.endpoint}.items():
            print(f"export {name}={shlex.quote(value)}")
