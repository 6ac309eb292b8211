"""deploy.toml: what is released, where to, and what proves that it worked.

`load` merges `[env.NAME]` into it, replaces `${VAR}` by the process environment, and validates.
All mistakes are reported at once: file, key path, what was expected, the nearest valid key.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from deployer.config.defaults import SANDBOX, completed, environments, merged, overlay_of
from deployer.config.messages import keys, nearest, sentence, suggestion
from deployer.config.model import Config
from deployer.errors import UsageError

FILE: Final = "deploy.toml"


def read(path: Path) -> dict[str, Any]:
    """The file as a table. UsageError: not there, or not TOML."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        _depth(table)
        return table
    except RecursionError:
        raise UsageError(f"{path.name}: tables are nested too deeply", "it is no deploy.toml") from None
    except FileNotFoundError:
        raise UsageError(
            f"{path.name}: no such file in {path.parent}", "run in the project's folder, or `deployer init`"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: not valid TOML: {error}", "fix the syntax at that place") from error


_DEEPEST: Final = 100


def _depth(value: Any, left: int = _DEEPEST) -> None:
    """RecursionError: deeper than anything that has a meaning."""
    if not left:
        raise RecursionError
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _depth(inner, left - 1)


def environment_name(table: Mapping[str, Any], wanted: str | None) -> str:
    """`wanted`, else `default-env`, else the sandbox. UsageError: no such environment."""
    known = environments(table)
    name = wanted or table.get("default-env") or SANDBOX
    if name in known:
        return str(name)
    near = nearest(str(name), known)
    raise UsageError(
        f"{FILE}: no environment {name!r}",
        f"did you mean {near!r}?" if near else f"choose one of: {', '.join(known)}",
    )


def load(
    table: Mapping[str, Any],
    env: str,
    variables: Mapping[str, str],
    root: Path,
    needed: Collection[str] | None = None,
) -> Config:
    """The settings of `env`. UsageError lists all mistakes of the file.

    `needed`: the tables in which every variable must be set (None: all); elsewhere an unset `${VAR}` stays,
    so that reading logs does not require the database's address. `${RUN_ID}` and `${NOW}` always stay: they
    are only known when a check runs. `root`: the folder that paths are relative to.
    """
    mistakes = [*_secrets(table), *_unknown_overlay_keys(table), *_unknown_environments(table)]

    def missing(path: str, name: str) -> str:
        if name not in _LATER and (needed is None or path.split(".")[0] in needed):
            mistakes.append(f"{path}: environment variable {name} is not set; export {name}=...")
        return f"${{{name}}}"

    known = {name: value for name, value in variables.items() if name not in _LATER}
    if variables.get("AWS_DEFAULT_REGION"):
        known.setdefault("AWS_REGION", variables["AWS_DEFAULT_REGION"])
    filled = _fill(merged(table, env), known, "", missing)
    filled = completed(_with_template(filled, root, mistakes.append), mistakes.append)
    try:
        config = Config.model_validate({**filled, "env": env})
    except ValidationError as error:
        config = None
        mistakes += [sentence(item, Config) for item in error.errors()]
    if mistakes or config is None:
        lines = "\n".join(f"  {FILE}: {mistake}" for mistake in dict.fromkeys(mistakes))
        raise UsageError(
            f"{FILE} cannot be used for environment {env!r}:\n{lines}", "fix these and try again"
        )
    return config


_LATER: Final = ("RUN_ID", "NOW")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def substitute(text: str, variables: Mapping[str, str], missing: Callable[[str], str]) -> str:
    """Replaces `${NAME}` and `${NAME:-default}`; `missing` returns the text for a name without a value."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name in variables:
            return variables[name]
        return missing(name) if default is None else str(default)

    return _VARIABLE.sub(value, text)


def _fill(value: Any, variables: Mapping[str, str], path: str, missing: Callable[[str, str], str]) -> Any:
    """The placeholders of the task definition are left to `[task] values`."""
    if path == "task.definition":
        return value
    if isinstance(value, dict):
        return {k: _fill(v, variables, f"{path}.{k}".lstrip("."), missing) for k, v in value.items()}
    if isinstance(value, list):
        return [_fill(item, variables, f"{path}[{n}]", missing) for n, item in enumerate(value)]
    if isinstance(value, str):
        return substitute(value, variables, lambda name: missing(path, name))
    return value


def _with_template(table: dict[str, Any], root: Path, mistake: Callable[[str], None]) -> dict[str, Any]:
    """`[task] definition` read from its file, if it names one."""
    task = table.get("task")
    if not isinstance(task, dict) or not isinstance(task.get("definition"), str):
        return table
    path = root / task["definition"]
    try:
        definition = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        mistake(f"task.definition: {task['definition']}: {error.strerror}")
        definition = {}
    except ValueError as error:
        mistake(f"task.definition: {task['definition']}: not valid JSON: {error}")
        definition = {}
    if not isinstance(definition, dict):
        mistake(f"task.definition: {task['definition']}: must be an object with containerDefinitions")
        definition = {}
    return table | {"task": task | {"definition": definition}}


_SECRET: Final = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:(?!\$\{)[^/\s@]+@"), "an address with a password in it"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
)


_SECRET_KEY: Final = re.compile(
    r"(?:password|passwd|pwd|passphrase|token|(?:secret|access|api|private|account)_?key|credentials?)$",
    re.IGNORECASE,
)
_NO_SECRETS: Final = re.compile(r"(?:^|\.)(?:verify\.checks\b|(?:task|build)\.secrets\b)")
"""Tables whose keys are names of the user's: fields of documents, and secrets by where they are stored."""


def _secrets(value: Any, path: str = "") -> Iterator[str]:
    """Passwords and keys in the file, by what they are called or by what they look like."""
    if isinstance(value, dict):
        if _names_a_secret(value.get("name")) and _is_literal(value.get("value")):
            yield _refused(f"{path}.value".lstrip("."), "the value of a password or key", str(value["name"]))
        for key, inner in value.items():
            place = f"{path}.{key}".lstrip(".")
            if _names_a_secret(key) and _is_literal(inner) and not _NO_SECRETS.search(place):
                yield _refused(place, "a password or key")
            yield from _secrets(inner, place)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{path}[{number}]")
    elif isinstance(value, str):
        for pattern, what in _SECRET:
            if pattern.search(value):
                yield _refused(path, what)


def _names_a_secret(key: object) -> bool:
    return isinstance(key, str) and bool(_SECRET_KEY.search(key.replace("-", "_")))


def _is_literal(value: object) -> bool:
    return isinstance(value, str) and value != "" and "${" not in value


def _refused(path: str, what: str, name: str = "NAME") -> str:
    return f'{path}: {what} does not belong in a file; write "${{{name}}}" and export {name}'


def _unknown_overlay_keys(table: Mapping[str, Any]) -> Iterator[str]:
    """Unknown tables of all environments, not only of the one in use."""
    for env in environments(table):
        for key in overlay_of(table, env):
            if key not in keys(Config) or key == "env":
                yield f"env.{env}.{key}: no such key{suggestion(key, keys(Config))}"


def _unknown_environments(table: Mapping[str, Any]) -> Iterator[str]:
    """A check for an environment that does not exist would never run."""
    known = environments(table)
    verify = table.get("verify")
    checks = verify.get("checks") if isinstance(verify, dict) else None
    for number, check in enumerate(checks if isinstance(checks, list) else ()):
        names = check.get("environments") if isinstance(check, dict) else ()
        names = names if isinstance(names, list) else ()
        for name in (str(name) for name in names if name not in known):
            hint = suggestion(name, known)
            yield f"verify.checks[{number}].environments: no environment {name!r}{hint}"
