"""The commands that change something: release, plan, rollback, unlock."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deployer.cli.app import Env, Json, Output, app, project_of, put, render, reported, tell

if TYPE_CHECKING:
    from deployer.commands.session import ReleaseOptions


@app.command()
def release(
    context: typer.Context,
    release_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="With --resume: which one.")
    ] = None,
    env: Env = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a release that has not ended.")
    ] = False,
    from_phase: Annotated[
        Literal["dev", "build", "deploy"],
        typer.Option(
            "--from", help="Skip the phases before this one; 'deploy' needs the image in the registry."
        ),
    ] = "dev",
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan-file", help="Perform this saved plan; refuse if the world has moved."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="At a pause wait for a change of the files, then go on.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave once the task has started.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    output: Output = None,
) -> None:
    """Take the job through all phases: test, build, push, run, watch, verify."""
    with reported(context, output or "human"):
        from deployer.commands.session import ReleaseOptions
        from deployer.errors import UsageError

        if release_id and not resume:
            raise UsageError(
                f"{release_id!r}: an ID goes with --resume only", f"deployer release --resume {release_id}"
            )
        if plan_file and resume:
            raise UsageError(
                "--plan-file goes with a new release, not with --resume", "leave one of them out"
            )
        request = ReleaseOptions(
            env=env,
            resume=resume,
            release=release_id,
            from_phase=from_phase,
            plan=plan_file,
            detach=detach,
            watch=watch,
        )
        raise typer.Exit(_walk(context, request, output, yes=yes))


def _walk(
    context: typer.Context,
    request: "ReleaseOptions",
    output: Literal["live", "plain", "json"] | None,
    *,
    yes: bool,
) -> int:
    from deployer.commands.release import release
    from deployer.view.factory import open_view

    with open_view(output, stdout=sys.stdout, stderr=sys.stderr, env=os.environ) as view:
        ask = None if yes or output == "json" or not sys.stdin.isatty() else _ask_to_stop(view.settle)
        return release(project_of(context), request, view, ask)


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


@app.command()
def plan(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """What a release would do and skip, and why; performs nothing. Exit 0: nothing to do, 2: changes."""
    with reported(context, output):
        from deployer.commands.plan import plan

        found = plan(project_of(context), env)
        render("plan", found, output)
        raise typer.Exit(2 if found["changes"] else 0)


@app.command()
def rollback(
    context: typer.Context,
    release_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A verified release; the last before the newest.")
    ] = None,
    env: Env = None,
    run: Annotated[bool, typer.Option("--run", help="Then run it as one task, and verify.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    output: Output = None,
) -> None:
    """Put a verified release's image, task definition and schedule back; says first what changes."""
    with reported(context, output or "human"):
        from deployer.commands.rollback import record, rollback
        from deployer.commands.session import ReleaseOptions

        with rollback(project_of(context), release_id, env) as going_back:
            changes = going_back.changes(run=run)
            render("rollback", {"event": "rollback", **changes}, output or "human")
            if not yes and changes["changes"]:
                _confirm(f"Go back to release {going_back.target.id}?")
            back = going_back.put_back()
            if changes["changes"] and not run:
                record(project_of(context), back)
        if run:
            raise typer.Exit(_walk(context, ReleaseOptions(env=back.env, back_to=back), output, yes=yes))
        if output == "json":
            put(json.dumps({"event": "ended", "release": back.id, "end": "PUT_BACK", "exit_code": 0}))
        elif changes["changes"]:
            put(f"release {back.id} is back")


def _confirm(question: str) -> None:
    from deployer.errors import RefusedError, UsageError

    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here, and nothing was changed", "say so with --yes")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise RefusedError("nothing was changed")


@app.command()
def unlock(
    context: typer.Context,
    env: Env = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Break the lease of a release that is gone; one that still runs stops before its next effect."""
    with reported(context):
        from deployer.commands.unlock import unlock as break_lease

        broken = break_lease(project_of(context), env, None if yes else _ask_to_break)
        tell(f"broken: the lease of {broken}")


def _ask_to_break(what: str) -> bool:
    from deployer.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"this breaks the lease of {what}", "say so with --yes where nobody can be asked")
    return input(f"Break the lease of {what}? [y/N] ").strip().lower() in ("y", "yes")
