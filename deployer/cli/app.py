"""What every command stands in: the program, its common options, and the one place where errors are said."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deployer.errors import INTERRUPTED, DeployerError, disk_failure

if TYPE_CHECKING:
    from deployer.commands.project import Project

app = typer.Typer(
    help="Release a batch job to AWS ECS Fargate, and say so only when its data is proven to be in MongoDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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


def project_of(context: typer.Context) -> "Project":
    from deployer.commands.project import Project

    return Project(context.obj.folder, os.environ, tell)


@contextmanager
def reported(context: typer.Context, output: str = "human") -> Iterator[None]:
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
        with suppress(OSError):
            print(json.dumps(said | {"error": error.message, "hint": error.hint}), flush=True)
    print(f"deployer: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  -> {error.hint}", file=sys.stderr)


def render(kind: str, data: Mapping[str, Any], output: str) -> None:
    from deployer.view import tables

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    tables.render(kind, data, output=output, stream=sys.stdout, colour=colour)


def put(text: str) -> None:
    print(text, flush=True)


def tell(text: str) -> None:
    print(text, file=sys.stderr)
