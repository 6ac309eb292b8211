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
    Yes,
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
    dockerfile: Annotated[
        str | None, typer.Option("--dockerfile", help="The Dockerfile, where there are several.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", help="The MongoDB database that the job writes.")
    ] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", help="Its documents carry RUN_ID in a field run_id.")
    ] = None,
    from_ecs: Annotated[
        str | None,
        typer.Option("--from-ecs", metavar="FAMILY", help="Start from this live task definition instead."),
    ] = None,
    from_copilot: Annotated[
        str | None,
        typer.Option("--from-copilot", metavar="JOB", help="Start from this scheduled job of AWS Copilot."),
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="With --from-ecs: its cluster.")] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="AWS region; that of the AWS profile if left out.")
    ] = None,
    env: Annotated[
        str, typer.Option("--env", help="With --from-ecs: name of the environment.")
    ] = "production",
    yes: Yes = False,
) -> None:
    """Write deploy.toml from this folder's files, a live task definition, or a manifest of AWS Copilot."""
    with reported(context):
        if from_ecs is not None:
            from deployer.commands.init.ecs import EcsOptions, init_from_ecs

            wanted = EcsOptions(env=env, family=from_ecs, cluster=cluster, region=region)
            for line in init_from_ecs(context.obj.folder, wanted, os.environ):
                write(line)
            return
        if from_copilot is not None:
            from deployer.commands.init.copilot import init_from_copilot

            init_from_copilot(context.obj.folder, from_copilot, database, write)
            return
        from deployer.adapters.aws.discovery import default_region
        from deployer.commands.init.command import FolderOptions, init_folder

        used = region or os.environ.get("AWS_REGION") or default_region() or ""
        options = FolderOptions(dockerfile, database, collection)
        init_folder(context.obj.folder, options, used, None if yes else _ask, write)


def _ask(question: str, default: str) -> str:
    """The answer, or the default for an empty line."""
    from deployer.errors import RefusedError, UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"{question} stdin is no terminal; nothing was written", "pass --yes")
    try:
        return input(f"{question} [{default}] " if default else f"{question} ").strip() or default
    except EOFError:
        print()
        raise RefusedError("nothing was written") from None


@app.command(cls=Command, rich_help_panel=SET_UP)
def schedule(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION|off|show", help="When to start the job, such as 'cron(0 3 * * ? *)'."
        ),
    ] = "show",
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Of the expression, such as Europe/Paris.")
    ] = "UTC",
    role: Annotated[
        str,
        typer.Option(
            "--role", metavar="ARN", help="In which it starts the job; that of deploy.toml if left out."
        ),
    ] = "",
    env: Env = None,
    output: Json = "human",
) -> None:
    """Show what starts the job; make or change the schedule of its last proven revision, or turn it off."""
    with reported(context, output):
        from deployer.commands import schedule as command

        options = command.ScheduleOptions(env, what, time_zone, role)
        render("schedule", command.schedule(project_of(context), options), output)


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
