"""The commands about every run of the job: listing, pages, watching; and what is in an image."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from deployer.cli.app import (
    DATA,
    LOOK,
    Command,
    Env,
    Json,
    ReleaseId,
    app,
    notify,
    project_of,
    render,
    reported,
)
from deployer.errors import UsageError


@app.command(cls=Command, rich_help_panel=LOOK)
def runs(
    context: typer.Context,
    env: Env = None,
    last: Annotated[int, typer.Option("--last", min=1, max=10000, help="How many.")] = 20,
    output: Json = "human",
) -> None:
    """List every run of the job, whoever started it, newest first: verdict, cause, documents."""
    with reported(context, output):
        from deployer.commands.runs import runs

        render("runs", runs(project_of(context), env, last), output)


@app.command(cls=Command, rich_help_panel=LOOK)
def report(
    context: typer.Context,
    env: Env = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the pages into this folder.")] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show them to this machine's browser, kept current.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of --serve; 0: a free one.")] = 0,
    output: Json = "human",
) -> None:
    """Make pages of all runs and releases: a calendar, trends, what is open, and each with its cause."""
    with reported(context, output):
        from deployer.commands import report

        if serve:
            report.serve(project_of(context), env, port, notify)
        elif html is None:
            raise UsageError("nothing to do", "name a folder, `--html DIR`, or look at it: `--serve`")
        else:
            written = report.write_report(project_of(context), env, html)
            print(json.dumps(written) if output == "json" else f"written: {written['written']}")


@app.command(cls=Command, rich_help_panel=LOOK)
def sbom(context: typer.Context, release: ReleaseId = None, env: Env = None) -> None:
    """Print what is in the image of a release: a bill of materials in CycloneDX JSON."""
    with reported(context):
        from deployer.commands.sbom import sbom

        print(sbom(project_of(context), release, env))


@app.command(cls=Command, rich_help_panel=DATA)
def watch(
    context: typer.Context,
    env: Env = None,
    every: Annotated[
        str, typer.Option("--every", help="Stay and do it again after 5m, 1h ...; once if left out.")
    ] = "",
    output: Json = "human",
) -> None:
    """Judge the new runs and notify people of what changed; for cron. Ends with an open failure's code."""
    with reported(context, output):
        from deployer.commands.watch import watch
        from deployer.config.durations import of_option

        pause = of_option("--every", every) if every else None
        while True:
            result = watch(project_of(context), env)
            render("watch", result, output)
            if pause is None:
                raise typer.Exit(int(result["exit_code"]))
            time.sleep(pause)
