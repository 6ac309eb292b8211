"""docs/reference/cli.md: every command with its arguments and options, from the Typer application."""

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any, Final

from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from deployer.cli.app import app, settings
from scripts.docs.hints import spelled
from scripts.docs.markdown import code, head, prose, table

Command = Callable[..., Any]

_INTRODUCTION: Final = f"""\
{app.info.help}

Results go to stdout; hints and errors go to stderr. Nothing is colored or animated where stdout is no
terminal or `NO_COLOR` is set. Every exit code: [exit codes](exit-codes.md).

Before the command:
"""


def page() -> str:
    sections = (_section(name, command) for name, command in commands(app))
    return "\n".join([head("Commands", "deployer/cli/"), _INTRODUCTION, _parameters(settings), *sections])


def commands(application: Typer, before: str = "deployer") -> Iterator[tuple[str, Command]]:
    """Every command as it is typed, with the function behind it; groups are walked through."""
    for info in application.registered_commands:
        if info.callback:
            yield f"{before} {info.name or info.callback.__name__.replace('_', '-')}", info.callback
    for group in application.registered_groups:
        if group.typer_instance:
            yield from commands(group.typer_instance, f"{before} {group.name}")


def options(command: Command) -> Iterator[tuple[str, ArgumentInfo | OptionInfo, Any]]:
    """Parameter name, what Typer knows of it, and its type."""
    hints = typing.get_type_hints(command, include_extras=True)
    for name in inspect.signature(command).parameters:
        for extra in typing.get_args(hints[name])[1:]:
            if isinstance(extra, ArgumentInfo | OptionInfo):
                yield name, extra, typing.get_args(hints[name])[0]


def spellings(info: ArgumentInfo | OptionInfo) -> list[str]:
    """`--follow`, `-f`. Typer keeps the first one where a default would stand; an argument has none."""
    texts = (str(text) for text in (info.default, *(info.param_decls or ())))
    return [text for text in texts if text.startswith("-")]


def _section(name: str, command: Command) -> str:
    return f"## {name}\n\n{prose(command.__doc__)}\n\n{_parameters(command)}"


def _parameters(command: Command) -> str:
    rows = list(_rows(command))
    return table(("option", "value", "default", "meaning"), rows) if rows else "No options.\n"


def _rows(command: Command) -> Iterator[tuple[str, str, str, str]]:
    parameters = inspect.signature(command).parameters
    for name, info, kind in options(command):
        written = ", ".join(code(text) for text in spellings(info)) or code(info.metavar or name.upper())
        value = "" if kind is bool else spelled(kind)
        yield written, value, _default(parameters[name].default), info.help or ""


def _default(value: Any) -> str:
    return "" if value in (None, False, "", inspect.Parameter.empty) else code(value)
