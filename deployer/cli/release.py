"""The commands that change what runs: release, resume, plan, rollback, unlock."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deployer.cli.app import (
    RELEASE,
    Command,
    Env,
    Json,
    Output,
    Yes,
    app,
    notify,
    project_of,
    render,
    reported,
    write,
)

if TYPE_CHECKING:
    from deployer.commands.session import ReleaseOptions


class Skippable(StrEnum):
    """The local checks that can be left out."""

    TEST = "test"
    COMPOSE = "compose"


Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="FINDING", help="Go on despite this finding; recorded. Repeatable."),
]
Watch = Annotated[bool, typer.Option("--watch", help="At a pause wait until files change, then go on.")]
Detach = Annotated[bool, typer.Option("--detach", help="Leave once the task has started.")]


@app.command(cls=Command, rich_help_panel=RELEASE)
def release(
    context: typer.Context,
    env: Env = None,
    start_at: Annotated[
        Literal["test", "build", "deploy"],
        typer.Option("--start-at", help="Skip the phases before; deploy needs the image in the registry."),
    ] = "test",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build the image even if one of this content exists.")
    ] = False,
    skip: Annotated[
        list[Skippable] | None,
        typer.Option("--skip", metavar="test|compose", help="Leave out a local check; recorded. Repeatable."),
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option(
            "--plan-file", help="Perform this saved plan; abort if anything has changed since it was made."
        ),
    ] = None,
    watch: Watch = False,
    detach: Detach = False,
    yes: Yes = False,
    accept: Accept = None,
    output: Output = None,
) -> None:
    """Take the job through all phases: test, build, push, run, watch, verify."""
    with reported(context, output or "human"):
        from deployer.commands.session import ReleaseOptions

        options = ReleaseOptions(
            env=env,
            start_at=start_at,
            rebuild=rebuild,
            skip=tuple(check.value for check in skip or ()),
            accept=tuple(accept or ()),
            plan=plan_file,
            detach=detach,
            watch=watch,
        )
        raise typer.Exit(_run(context, options, output, yes=yes))


@app.command(cls=Command, rich_help_panel=RELEASE)
def resume(
    context: typer.Context,
    release_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The newest that has not ended, if left out.")
    ] = None,
    env: Env = None,
    watch: Watch = False,
    detach: Detach = False,
    yes: Yes = False,
    accept: Accept = None,
    output: Output = None,
) -> None:
    """Go on with a release that paused, was interrupted or was killed."""
    with reported(context, output or "human"):
        from deployer.commands.session import ReleaseOptions
        from deployer.errors import Unconfirmed

        options = ReleaseOptions(
            env=env,
            resume=True,
            release=release_id,
            accept=tuple(accept or ()),
            detach=detach,
            watch=watch,
            trusted=yes,
        )
        try:
            code = _run(context, options, output, yes=yes)
        except Unconfirmed as unconfirmed:
            _confirm("Go on with it?", unconfirmed.message)
            code = _run(context, replace(options, trusted=True), output, yes=yes)
        raise typer.Exit(code)


def _run(
    context: typer.Context,
    options: "ReleaseOptions",
    output: Literal["live", "plain", "json"] | None,
    *,
    yes: bool,
) -> int:
    from deployer.commands.release import release
    from deployer.view.factory import open_view
    from deployer.view.github import with_github
    from deployer.view.telemetry import with_traces

    with open_view(output, stdout=sys.stdout, stderr=sys.stderr, env=os.environ) as view:
        ask = None if yes or output == "json" or not sys.stdin.isatty() else _ask_to_stop(view.settle)
        project = project_of(context)
        emit = with_github(view, os.environ, sys.stderr)
        emit = with_traces(emit, os.environ, project.name, notify)
        return release(project, options, emit, ask)


def _ask_to_stop(settle: Callable[[], None]) -> Callable[[str], bool]:
    def ask(arn: str) -> bool:
        settle()
        task = arn.rsplit("/", 1)[-1]
        question = f"\nTask {task} is running. [L]eave it (it can be resumed) or [s]top it? "
        try:
            # input() would not see a Ctrl-C that comes between its question and its read.
            print(question, end="", flush=True)
            answer = sys.stdin.readline()
        except KeyboardInterrupt:
            answer = ""
        if not answer:
            print()
        return answer.strip().lower().startswith("s")

    return ask


@app.command(cls=Command, rich_help_panel=RELEASE)
def plan(
    context: typer.Context,
    env: Env = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 2 when a release would change something.")
    ] = False,
    output: Json = "human",
) -> None:
    """Show what a release would do and skip, and why, without doing it."""
    with reported(context, output):
        from deployer.commands.plan import plan

        found = plan(project_of(context), env)
        render("plan", found, output)
        raise typer.Exit(2 if detailed_exitcode and found["changes"] else 0)


@app.command(cls=Command, rich_help_panel=RELEASE)
def rollback(
    context: typer.Context,
    release_id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A verified release; the one before the newest if left out."),
    ] = None,
    env: Env = None,
    run: Annotated[bool, typer.Option("--run", help="Then run it as one task, and verify.")] = False,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Restore the image, task definition and schedule of a verified release; shows the changes first."""
    with reported(context, output or "human"):
        from deployer.commands.rollback import record, rollback
        from deployer.commands.session import ReleaseOptions

        with rollback(project_of(context), release_id, env) as going_back:
            changes = going_back.changes(run=run)
            render("rollback", {"event": "rollback", "time": time.time(), **changes}, output or "human")
            if not yes and changes["changes"]:
                by = f", begun by {going_back.begun_by}" if going_back.begun_by else ""
                _confirm(f"Go back to release {going_back.target.id}{by}?")
            back = going_back.put_back()
            if changes["changes"] and not run:
                record(project_of(context), back)
        if run:
            raise typer.Exit(_run(context, ReleaseOptions(env=back.env, back_to=back), output, yes=yes))
        if output == "json":
            ended = {"event": "ended", "time": time.time(), "release": back.id, "end": "PUT_BACK"}
            write(json.dumps({**ended, "exit_code": 0}))
        elif changes["changes"]:
            write(f"release {back.id} is restored")


@app.command(cls=Command, rich_help_panel=RELEASE)
def prune(context: typer.Context, env: Env = None, yes: Yes = False, output: Json = "human") -> None:
    """Remove old images and revisions: shows them first, never what is proven, scheduled or in use."""
    with reported(context, output):
        from deployer.commands.prune import pruning

        with pruning(project_of(context), env) as found:
            render("prune", found.as_data(), output)
            if not found.anything:
                return
            if not yes:
                _confirm("Remove these?")
            done = found.remove()
        if output == "human":
            write(done)


def _confirm(question: str, what: str = "") -> None:
    from deployer.errors import RefusedError, UsageError

    if not sys.stdin.isatty():
        needed = "confirmation is needed, but stdin is no terminal; nothing was changed"
        raise UsageError(f"{what}; {needed}" if what else needed, "pass --yes")
    if what:
        notify(what)
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise RefusedError("nothing was changed")


@app.command(cls=Command, rich_help_panel=RELEASE)
def unlock(context: typer.Context, env: Env = None, yes: Yes = False, output: Json = "human") -> None:
    """Break the lock of a release that is gone; one that still runs stops before its next effect."""
    with reported(context, output):
        from deployer.commands.unlock import unlock as break_lock

        broken = break_lock(project_of(context), env, None if yes else _ask_to_break)
        if output == "json":
            write(json.dumps({"unlocked": broken}))
        else:
            notify(f"broken: the lock of {broken}")


def _ask_to_break(holder: str) -> bool:
    from deployer.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            f"this breaks the lock of {holder}; confirmation is needed, but stdin is no terminal",
            "pass --yes",
        )
    return input(f"Break the lock of {holder}? [y/N] ").strip().lower() in ("y", "yes")
