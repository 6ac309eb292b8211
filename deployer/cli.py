"""The command line: parses, calls `app`, prints, exits. Everything heavy is imported where it is used."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deployer.errors import EXIT_CODES, INTERRUPTED, DeployerError, disk_failure
from deployer.signals import end_on_terminate

if TYPE_CHECKING:
    from deployer.app.project import Project
    from deployer.app.session import Request

app = typer.Typer(
    help="Release a batch job to AWS ECS Fargate, and say so only when its data is proven to be in MongoDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sandbox = typer.Typer(help="The embedded AWS and MongoDB of this machine.", no_args_is_help=True)
app.add_typer(sandbox, name="sandbox")
secret = typer.Typer(help="Values that no file may hold.", no_args_is_help=True)
app.add_typer(secret, name="secret")

Env = Annotated[
    str | None, typer.Option("--env", help="Environment of deploy.toml; its default-env if left out.")
]
ReleaseId = Annotated[str | None, typer.Argument(metavar="[ID]", help="A release; the newest if left out.")]
Output = Annotated[
    Literal["live", "plain", "json"] | None, typer.Option("--output", help="Live on a terminal, else plain.")
]
From = Annotated[
    Literal["here", "task"],
    typer.Option("--from", help="Ask MongoDB from this machine, or from a task in the job's own network."),
]
Json = Annotated[Literal["human", "json"], typer.Option("--output", help="For people, or one JSON object.")]


class _Settings:
    """What stands before the command: the project's folder, and whether tracebacks are wanted."""

    def __init__(self, folder: Path, *, debug: bool) -> None:
        self.folder, self.debug = folder, debug


@app.callback()
def settings(
    context: typer.Context,
    project: Annotated[Path, typer.Option("--project", "-C", help="The folder with deploy.toml.")] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options that every command knows."""
    context.obj = _Settings(project.resolve(), debug=debug)


def _project(context: typer.Context) -> "Project":
    from deployer.app.project import Project

    return Project(context.obj.folder, os.environ, _tell)


@contextmanager
def _reported(context: typer.Context, output: str = "human") -> Iterator[None]:
    """The one place where errors become a message and an exit code."""
    try:
        yield
    except DeployerError as error:
        if context.obj.debug:
            raise
        _say_error(error, output)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except typer.Exit:
        raise
    except Exception as error:
        if context.obj.debug:
            raise
        where = "this is a mistake of deployer's own; `deployer --debug ...` shows where"
        told = disk_failure(error) or DeployerError(f"{type(error).__name__}: {error}", where)
        _say_error(told, output)
        raise typer.Exit(told.exit_code) from None


def _say_error(error: DeployerError, output: str) -> None:
    if output == "json":
        said = {"event": "ended", "release": None, "end": None, "exit_code": error.exit_code}
        print(json.dumps(said | {"error": error.message, "hint": error.hint}), flush=True)
    print(f"deployer: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  -> {error.hint}", file=sys.stderr)


def _render(kind: str, data: Mapping[str, Any], output: str) -> None:
    from deployer.view.tables import render

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    render(kind, data, output=output, stream=sys.stdout, colour=colour)


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
    with _reported(context, output or "human"):
        from deployer.app.session import Request
        from deployer.errors import UsageError

        if release_id and not resume:
            raise UsageError(
                f"{release_id!r}: an ID goes with --resume only", f"deployer release --resume {release_id}"
            )
        if plan_file and resume:
            raise UsageError(
                "--plan-file goes with a new release, not with --resume", "leave one of them out"
            )
        request = Request(
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
    context: typer.Context, request: "Request", output: Literal["live", "plain", "json"] | None, *, yes: bool
) -> int:
    from deployer.app.releasing import release
    from deployer.view.choose import open_view

    with open_view(output, stdout=sys.stdout, stderr=sys.stderr, env=os.environ) as view:
        ask = None if yes or output == "json" or not sys.stdin.isatty() else _ask_to_stop(view.settle)
        return release(_project(context), request, view, ask)


def _ask_to_stop(settle: Callable[[], None]) -> Callable[[str], bool]:
    def ask(arn: str) -> bool:
        settle()
        task = arn.rsplit("/", 1)[-1]
        try:
            answer = input(f"\nTask {task} is running. [L]eave it (it can be resumed) or [s]top it? ")
        except (EOFError, KeyboardInterrupt):
            print()
            return False
        return answer.strip().lower().startswith("s")

    return ask


@app.command()
def plan(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """What a release would do and skip, and why; performs nothing. Exit 0: nothing to do, 2: changes."""
    with _reported(context, output):
        from deployer.app.planning import plan

        found = plan(_project(context), env)
        _render("plan", found, output)
        raise typer.Exit(2 if found["changes"] else 0)


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
    since: Annotated[str, typer.Option("--since", help="Only what is not older, such as 10m or 2h.")] = "",
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
    with _reported(context, output):
        from deployer.app.tailing import Wanted, show_logs

        wanted = Wanted(
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
        raise typer.Exit(show_logs(_project(context), wanted, _print, _tell))


def _print(text: str) -> None:
    print(text, flush=True)


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
    with _reported(context, output):
        from deployer.app.verifying import Verifying, verify

        result = verify(_project(context), Verifying(env, release, asked_from, update_baseline))
        _render("verify", result, output)
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
    with _reported(context, output):
        from deployer.app import queries

        if html is None:
            _render("show", queries.show(_project(context), release, env), output)
        else:
            queries.write_page(_project(context), release, env, html)
            _tell(f"written: {html}")


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
    with _reported(context, output):
        from deployer.app.explaining import explain

        story = explain(_project(context).releases, release, env)
        if output == "json":
            _render("explain", story, output)
        else:
            from deployer.view.story import told

            print("\n".join(told(story, markdown=output == "markdown")))


@app.command()
def history(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """All releases kept here, oldest first."""
    with _reported(context, output):
        from deployer.app import queries

        _render("history", {"releases": queries.history(_project(context), env)}, output)


@app.command()
def status(context: typer.Context, env: Env = None, output: Json = "human") -> None:
    """Who is releasing to an environment, and how its newest release stands."""
    with _reported(context, output):
        from deployer.app import queries

        _render("status", queries.status(_project(context), env), output)


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
    with _reported(context, output or "human"):
        from deployer.app.rollback import record, rollback
        from deployer.app.session import Request

        with rollback(_project(context), release_id, env) as going_back:
            changes = going_back.changes(run=run)
            _render("rollback", {"event": "rollback", **changes}, output or "human")
            if not yes and changes["changes"]:
                _confirm(f"Go back to release {going_back.target.id}?")
            back = going_back.put_back()
            if changes["changes"] and not run:
                record(_project(context), back)
        if run:
            raise typer.Exit(_walk(context, Request(env=back.env, back_to=back), output, yes=yes))
        if output == "json":
            _print(json.dumps({"event": "ended", "release": back.id, "end": "PUT_BACK", "exit_code": 0}))
        elif changes["changes"]:
            _print(f"release {back.id} is back")


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
    with _reported(context):
        from deployer.app.unlocking import unlock as break_lease

        broken = break_lease(_project(context), env, None if yes else _ask_to_break)
        _tell(f"broken: the lease of {broken}")


def _ask_to_break(what: str) -> bool:
    from deployer.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"this breaks the lease of {what}", "say so with --yes where nobody can be asked")
    return input(f"Break the lease of {what}? [y/N] ").strip().lower() in ("y", "yes")


@app.command()
def flow(
    context: typer.Context,
    form: Annotated[
        Literal["mermaid", "json"], typer.Option("--format", help="Diagram or data.")
    ] = "mermaid",
    release: Annotated[str | None, typer.Option("--release", help="Light up the way that it took.")] = None,
) -> None:
    """The flowchart of a release."""
    with _reported(context, form):
        from deployer.release.flow import FLOW

        path: list[str] = []
        if release:
            from deployer.app import queries

            path = queries.walked(_project(context), release)
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
    with _reported(context, output):
        from deployer.app.diagnosing import diagnoses

        for found in diagnoses(file, sys.stdin):
            _render("diagnosis", found, output)


@app.command()
def doctor(
    context: typer.Context, env: Env = None, asked_from: From = "here", output: Json = "human"
) -> None:
    """Look at everything a release depends on; every check is reported, none stops the others."""
    with _reported(context, output):
        from deployer.app.doctor import examine

        result = examine(_project(context), env, asked_from)
        _render("doctor", result, output)
        raise typer.Exit(int(result["exit_code"]))


@app.command()
def init(
    context: typer.Context,
    family: Annotated[str | None, typer.Option("--family", help="The task definition to start from.")] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="The cluster that it runs on.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS's own setting if left out.")] = None,
    env: Annotated[str, typer.Option("--env", help="What the environment is to be called.")] = "production",
) -> None:
    """Write deploy.toml from a live task definition, its cluster and its last task."""
    with _reported(context):
        from deployer.app.init import Wanted, init

        wanted = Wanted(env=env, family=family, cluster=cluster, region=region)
        for line in init(context.obj.folder, wanted, os.environ):
            _print(line)


@secret.command("set")
def secret_set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The secret's name, such as job/mongo-uri.")],
    env: Env = None,
) -> None:
    """Put a value from standard input into Secrets Manager, and say how the task gets it."""
    with _reported(context):
        from deployer.app.secrets import set_secret

        made = set_secret(_project(context), env, name, _secret_value(name))
        _print(made.pop("arn"))
        _print(json.dumps(made))
        _tell('that line goes to "secrets" of the container in the task definition')


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
    with _reported(context):
        project = _project(context)
        facts = project.sandbox(project.sandbox_env(), data, _tell).up()
        _tell(f"up: AWS at {facts.endpoint}, bucket {facts.bucket}")


@sandbox.command()
def down(
    context: typer.Context,
    purge: Annotated[bool, typer.Option("--purge", help="Remove its files too.")] = False,
) -> None:
    """Stop all of it; data and pushed images are kept unless purged."""
    with _reported(context):
        project = _project(context)
        project.sandbox(project.sandbox_env(), report=_tell).down(purge=purge)


@sandbox.command("status")
def sandbox_status(context: typer.Context, output: Json = "human") -> None:
    """How each part of it is."""
    with _reported(context, output):
        from dataclasses import asdict

        project = _project(context)
        found = project.sandbox(project.sandbox_env()).status()
        _render("sandbox", {"up": found.up, **asdict(found)}, output)


@sandbox.command("env")
def sandbox_env(context: typer.Context) -> None:
    """The sandbox's addresses and keys for a shell: eval "$(deployer sandbox env)"."""
    import shlex

    with _reported(context):
        project = _project(context)
        facts = project.sandbox(project.sandbox_env()).facts()
        for name, value in {**facts.as_environment(), "AWS_ENDPOINT_URL": facts.endpoint}.items():
            print(f"export {name}={shlex.quote(value)}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    """Entry point of the console script."""
    end_on_terminate()
    app()


if __name__ == "__main__":
    main()
