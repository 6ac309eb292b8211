"""The commands that only read: logs, data, releases, and what a release depends on."""

import json
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer

from deployer.cli.app import (
    DATA,
    LOOK,
    Command,
    Env,
    Json,
    Junit,
    ReleaseId,
    Task,
    Via,
    app,
    notify,
    project_of,
    render,
    reported,
    write,
)


@app.command(cls=Command, rich_help_panel=LOOK)
def logs(
    context: typer.Context,
    env: Env = None,
    release: Annotated[str | None, typer.Option("--release", help="The task of this release.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="This task: its ARN or ID.")] = None,
    container: Annotated[
        str | None, typer.Option("--container", help="Another container of the task than the job's.")
    ] = None,
    all_tasks: Annotated[
        bool, typer.Option("--all-tasks", help="Every task of the job, merged by time.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the task has ended.")] = False,
    since: Annotated[
        str,
        typer.Option("--since", help="Only lines of the last 10m, 2h ...; with --all-tasks 24h if left out."),
    ] = "",
    grep: Annotated[str, typer.Option("--grep", help="Only lines that match this regular expression.")] = "",
    timestamps: Annotated[bool, typer.Option("--timestamps", help="With times (UTC).")] = False,
    exit_code_from_task: Annotated[
        bool, typer.Option("--exit-code-from-task", help="End with the task's exit code.")
    ] = False,
    output: Json = "human",
) -> None:
    """Show the job's log: of the newest task, of a release, or of all tasks."""
    with reported(context, output):
        from deployer.commands.logs.command import LogsOptions, show_logs
        from deployer.commands.logs.output import Screen

        wanted = LogsOptions(
            env=env,
            release=release,
            task=task,
            container=container,
            all_tasks=all_tasks,
            since=since,
            follow=follow,
            grep=grep,
            timestamps=timestamps,
            color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
            exit_code_from_task=exit_code_from_task,
            output="json" if output == "json" else "plain",
        )
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        screen = Screen(print, notify, sys.stdout.flush)
        raise typer.Exit(show_logs(project_of(context), wanted, screen))


@app.command(cls=Command, rich_help_panel=DATA)
def verify(
    context: typer.Context,
    env: Env = None,
    release: Annotated[
        str | None, typer.Option("--release", help="Its run; the last verified release if left out.")
    ] = None,
    via: Via = "local",
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Compare later counts with those found now.")
    ] = False,
    max_age: Annotated[
        str | None, typer.Option("--max-age", help="Fail if no run has started for so long, such as 26h.")
    ] = None,
    accept_drift: Annotated[
        bool,
        typer.Option("--accept-drift", help="What differs from the last good runs is right."),
    ] = False,
    junit: Junit = None,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Propose checks for the data that the newest run left.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="With --suggest: append them to deploy.toml.")
    ] = False,
    output: Json = "human",
) -> None:
    """Check the data in MongoDB; exit 17 when a check fails, 16 when MongoDB cannot be reached."""
    with reported(context, output):
        if suggest:
            from deployer.commands.suggest import suggest_checks

            proposed = suggest_checks(project_of(context), env, write=write)
            print(json.dumps(proposed) if output == "json" else proposed["toml"], end="")
            raise typer.Exit(0)
        from deployer.commands.verify import VerifyOptions, verify, write_junit
        from deployer.config.durations import of_option

        options = VerifyOptions(
            env, release, via, update_baseline, of_option("--max-age", max_age), accept_drift
        )
        result = verify(project_of(context), options)
        if junit is not None:
            write_junit(junit, result)
        render("verify", result, output)
        raise typer.Exit(result["exit_code"])


@app.command(cls=Command, rich_help_panel=LOOK)
def show(
    context: typer.Context,
    release: ReleaseId = None,
    task: Task = None,
    env: Env = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as one HTML page that needs no network.")
    ] = None,
    output: Json = "human",
) -> None:
    """Show one release: steps taken and skipped, checks, cause of failure; with --task one run of the job."""
    with reported(context, output):
        from deployer.commands import show

        if task:
            from deployer.commands.runs import find

            run = find(project_of(context), env, task)
            render("runs", {"runs": [run.to_json()]}, output)
        elif html is None:
            render("show", show.show(project_of(context), release, env), output)
        else:
            show.write_page(project_of(context), release, env, html)
            notify(f"written: {html}")


@app.command(cls=Command, rich_help_panel=LOOK)
def explain(
    context: typer.Context,
    release: ReleaseId = None,
    task: Task = None,
    env: Env = None,
    output: Annotated[
        Literal["human", "json", "markdown"], typer.Option("--output", help="Markdown for a ticket.")
    ] = "human",
) -> None:
    """Explain a release, or with --task a run: what was tried, why it failed, how to fix it."""
    with reported(context, output):
        from deployer.commands.explain import explain, explain_run

        project = project_of(context)
        if task:
            from deployer.commands.runs import find

            name = project.env(env)
            story = explain_run(find(project, name, task), name)
        else:
            story = explain(project.releases, release, env)
        if output == "json":
            render("explain", story, output)
        else:
            from deployer.view.explain import format_story

            write("\n".join(format_story(story, markdown=output == "markdown")))


@app.command(cls=Command, rich_help_panel=LOOK)
def history(
    context: typer.Context,
    env: Env = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All of them, not only the newest 20.")] = False,
    output: Json = "human",
) -> None:
    """List the newest releases, oldest first."""
    with reported(context, output):
        from deployer.commands import show

        render(
            "history", {"releases": show.history(project_of(context), env, all_of_them=all_of_them)}, output
        )


@app.command(cls=Command, rich_help_panel=LOOK)
def status(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """Show who is releasing to an environment, and the state of its newest release."""
    with reported(context, output):
        from deployer.commands import show

        render("status", show.status(project_of(context), env), output)


@app.command(cls=Command, rich_help_panel=LOOK)
def flow(
    context: typer.Context,
    release: Annotated[str | None, typer.Option("--release", help="Highlight its path.")] = None,
    output: Json = "human",
) -> None:
    """Print the flowchart of a release, as a Mermaid diagram."""
    with reported(context, output):
        from deployer.flow.release import FLOW

        path: list[str] = []
        if release:
            from deployer.commands import show

            path = show.walked(project_of(context), release)
        if output == "json":
            print(json.dumps(FLOW.to_json() | ({"path": path} if release else {})))
        else:
            print(FLOW.to_mermaid(path), end="")


@app.command(cls=Command, rich_help_panel=LOOK)
def diagnose(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="JSON lines of evidence, or any log; - for standard input.")],
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            help="Read the file as a log that was seen there: task_log, docker_build, compose ...",
        ),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option("--env", help="Fill the fix with this environment's values of deploy.toml."),
    ] = None,
    output: Json = "human",
) -> None:
    """Classify an error: class, supporting lines, suggested fix."""
    with reported(context, output):
        from deployer.commands.diagnose import diagnoses
        from deployer.config.values import values_of

        configured = values_of(project_of(context).config(env, needed=())) if env else {}
        for found in diagnoses(file, sys.stdin.buffer, channel, configured):
            render("diagnosis", found, output)


@app.command(cls=Command, rich_help_panel=LOOK)
def doctor(
    context: typer.Context,
    env: Env = None,
    via: Via = "local",
    policy: Annotated[
        bool, typer.Option("--policy", help="Print the least-privilege IAM policies instead, as JSON.")
    ] = False,
    output: Json = "human",
) -> None:
    """Check everything that a release depends on; every check is reported, none stops the others."""
    with reported(context, output):
        from deployer.commands import doctor as command
        from deployer.commands.doctor import examine

        if policy:
            write(json.dumps(command.policy(project_of(context), env), indent=2))
            return
        result = examine(project_of(context), env, via)
        render("doctor", result, output)
        raise typer.Exit(int(result["exit_code"]))
