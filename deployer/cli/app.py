"""The program, the options that commands share, and the one place where errors are printed."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from deployer.errors import INTERRUPTED, DeployerError, disk_failure

if TYPE_CHECKING:
    from deployer.commands.project import Project

RELEASE: Final = "Release"
LOOK: Final = "Look"
DATA: Final = "Data"
SET_UP: Final = "Set up"
"""The groups of `--help`."""


class Command(TyperCommand):
    """A command whose help shows no value for its flags: Typer writes `<bool>` there."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_flag_values(super().get_params(ctx))


class Group(TyperGroup):
    """The same for the options before a command."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_flag_values(super().get_params(ctx))


def _without_flag_values(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


app = typer.Typer(
    cls=Group,
    help="Release a batch job to AWS ECS Fargate; a release succeeds once its data is proven in MongoDB.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Env = Annotated[
    str | None, typer.Option("--env", help="Environment of deploy.toml; its default-env if left out.")
]
Task = Annotated[
    str | None, typer.Option("--task", metavar="ARN", help="A run of the job instead: its task's ARN or ID.")
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write the checks as a JUnit file, too.")
]
ReleaseId = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="ID of a release; the newest if left out.")
]
Output = Annotated[
    Literal["live", "plain", "json"] | None,
    typer.Option("--output", help="Default: live on a terminal, else plain."),
]
Via = Annotated[
    Literal["local", "task"],
    typer.Option("--via", help="From this machine, or from a one-off task in the job's network."),
]
Json = Annotated[Literal["human", "json"], typer.Option("--output", help="Text, or one JSON object a line.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


class _Settings:
    """The options before the command: the project's folder, whether to show tracebacks, what to refuse."""

    def __init__(self, folder: Path, *, debug: bool, strict: bool) -> None:
        self.folder, self.debug, self.strict = folder, debug, strict


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"deployer {version('deployer')}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    project: Annotated[Path, typer.Option("--project", "-C", help="The folder with deploy.toml.")] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse where a secret of the job cannot be read, so as to hide it."),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Options of every command."""
    context.obj = _Settings(project.resolve(), debug=debug, strict=strict)


def project_of(context: typer.Context) -> "Project":
    from deployer.commands.project import Project

    return Project(context.obj.folder, os.environ, notify, strict=context.obj.strict)


@contextmanager
def reported(context: typer.Context, output: str = "human") -> Iterator[None]:
    """The one place where errors become a message and an exit code."""
    try:
        yield
    except DeployerError as error:
        if context.obj.debug:
            raise
        _print_error(error, output)
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
        bug = "This is a bug in deployer. Re-run with `deployer --debug ...` for a traceback."
        failure = disk_failure(error) or DeployerError(f"{type(error).__name__}: {error}", bug)
        _print_error(failure, output)
        raise typer.Exit(failure.exit_code) from None


def _print_error(error: DeployerError, output: str) -> None:
    from deployer.redaction import Redactor

    message, hint = map(Redactor().text, (error.message, error.hint))
    if output == "json":
        event = {"event": "ended", "time": time.time(), "release": None, "end": None}
        problem = {"exit_code": error.exit_code, "error": message, "hint": hint}
        with suppress(OSError):
            print(json.dumps(event | problem), flush=True)
    notify(f"deployer: {message}")
    if hint:
        notify(f"  -> {hint}")


def render(kind: str, data: Mapping[str, Any], output: str) -> None:
    from deployer.redaction import Redactor
    from deployer.view import tables

    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    tables.render(kind, Redactor().clean(data), output=output, stream=sys.stdout, color=color)


def write(text: str) -> None:
    """Lines of the answer, on stdout."""
    from deployer.view.text import harmless_lines

    print(harmless_lines(text), flush=True)


def notify(text: str) -> None:
    """Lines beside the answer, on stderr."""
    from deployer.view.text import harmless_lines

    print(harmless_lines(text), file=sys.stderr)
