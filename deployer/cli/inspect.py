"""The commands that look: at logs, at the data, at releases, at what a release depends on."""

import json
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer

from deployer.cli.app import Env, From, Json, ReleaseId, app, project_of, render, reported, tell
from deployer.errors import EXIT_CODES


@app.command()
def logs(
    context: typer.Context,
    env: Env = None,
    release: Annotated[str | None, typer.Option("--release", help="The task of this release.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="This task: its ARN or ID.")] = None,
    all_tasks: Annotated[
        bool, typer.Option("--all-tasks", help="Every task of the job, merged by time.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the task has ended.")] = False,
    since: Annotated[
        str,
        typer.Option("--since", help="Only what is not older, such as 10m; of all tasks 24h if left out."),
    ] = "",
    grep: Annotated[str, typer.Option("--grep", help="Only lines that match this regular expression.")] = "",
    timestamps: Annotated[bool, typer.Option("--timestamps", help="Each line's time (UTC).")] = False,
    exit_code_from_task: Annotated[
        bool, typer.Option("--exit-code-from-task", help="End with the task's exit code.")
    ] = False,
    output: Annotated[
        Literal["plain", "json"], typer.Option("--output", help="Lines, or JSON objects.")
    ] = "plain",
) -> None:
    """The job's log: of the newest task, of a release's, or of all of them."""
    with reported(context, output):
        from deployer.commands.logs.command import LogsOptions, show_logs
        from deployer.commands.logs.output import Screen

        wanted = LogsOptions(
            env=env,
            release=release,
            task=task,
            all_tasks=all_tasks,
            since=since,
            follow=follow,
            grep=grep,
            timestamps=timestamps,
            colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
            exit_code_from_task=exit_code_from_task,
            output=output,
        )
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        screen = Screen(print, tell, sys.stdout.flush)
        raise typer.Exit(show_logs(project_of(context), wanted, screen))


@app.command()
def verify(
    context: typer.Context,
    env: Env = None,
    release: Annotated[
        str | None, typer.Option("--release", help="Whose run; the last verified if left out.")
    ] = None,
    asked_from: From = "here",
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Compare later counts with what is found now.")
    ] = False,
    output: Json = "human",
) -> None:
    """Check that the data is there as promised; exit 17 when it is not, 16 when MongoDB cannot be asked."""
    with reported(context, output):
        from deployer.commands.verify import VerifyOptions, verify

        result = verify(project_of(context), VerifyOptions(env, release, asked_from, update_baseline))
        render("verify", result, output)
        raise typer.Exit(0 if result["ok"] else EXIT_CODES["data"])


@app.command()
def show(
    context: typer.Context,
    release: ReleaseId = None,
    env: Env = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as one page that opens without a network.")
    ] = None,
    output: Json = "human",
) -> None:
    """One release: the way it took, what it did and skipped, its checks, its cause."""
    with reported(context, output):
        from deployer.commands import show

        if html is None:
            render("show", show.show(project_of(context), release, env), output)
        else:
            show.write_page(project_of(context), release, env, html)
            tell(f"written: {html}")


@app.command()
def explain(
    context: typer.Context,
    release: ReleaseId = None,
    env: Env = None,
    output: Annotated[
        Literal["human", "json", "markdown"], typer.Option("--output", help="Markdown is for a ticket.")
    ] = "human",
) -> None:
    """The story of a release, days later: what was tried and seen, why it failed, how to mend it."""
    with reported(context, output):
        from deployer.commands.explain import explain

        story = explain(project_of(context).releases, release, env)
        if output == "json":
            render("explain", story, output)
        else:
            from deployer.view.explain import told

            print("\n".join(told(story, markdown=output == "markdown")))


@app.command()
def history(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """All releases kept here, oldest first."""
    with reported(context, output):
        from deployer.commands import show

        render("history", {"releases": show.history(project_of(context), env)}, output)


@app.command()
def status(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """Who is releasing to an environment, and how its newest release stands."""
    with reported(context, output):
        from deployer.commands import show

        render("status", show.status(project_of(context), env), output)


@app.command()
def flow(
    context: typer.Context,
    form: Annotated[
        Literal["mermaid", "json"], typer.Option("--format", help="Diagram or data.")
    ] = "mermaid",
    release: Annotated[str | None, typer.Option("--release", help="Light up the way that it took.")] = None,
) -> None:
    """The flowchart of a release."""
    with reported(context, form):
        from deployer.flow.release import FLOW

        path: list[str] = []
        if release:
            from deployer.commands import show

            path = show.walked(project_of(context), release)
        if form == "json":
            print(json.dumps(FLOW.to_json() | ({"path": path} if release else {}), indent=2))
        else:
            print(FLOW.to_mermaid(path), end="")


@app.command()
def diagnose(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="JSON lines of evidence; - for standard input.")],
    output: Json = "human",
) -> None:
    """Classify failure evidence: its class, the lines that speak for it, the mend."""
    with reported(context, output):
        from deployer.commands.diagnose import diagnoses

        for found in diagnoses(file, sys.stdin):
            render("diagnosis", found, output)


@app.command()
def doctor(
    context: typer.Context, env: Env = None, asked_from: From = "here", output: Json = "human"
) -> None:
    """Look at everything a release depends on; every check is reported, none stops the others."""
    with reported(context, output):
        from deployer.commands.doctor import examine

        result = examine(project_of(context), env, asked_from)
        render("doctor", result, output)
        raise typer.Exit(int(result["exit_code"]))
