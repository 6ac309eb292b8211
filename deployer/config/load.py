"""deploy.toml: the one file that says what is released, where to, and what proves that it worked.

`load` lays `[env.NAME]` over it, puts the environment's values into `${VAR}`, and validates.
Every mistake is reported at once: file, key path, what was expected, the nearest valid key.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from deployer.config.messages import keys, nearest, sentence, suggestion
from deployer.config.model import Config
from deployer.errors import UsageError

FILE: Final = "deploy.toml"


def read(path: Path) -> dict[str, Any]:
    """The file as a table. UsageError: not there, or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(
            f"{path.name}: no such file in {path.parent}", "run in the project's folder, or `deployer init`"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: not valid TOML: {error}", "mend the syntax at that place") from error


def environment_name(table: Mapping[str, Any], wanted: str | None) -> str:
    """`wanted`, else `default-env`. UsageError: there is no such environment."""
    known = list(table.get("env", {}))
    name = wanted or table.get("default-env")
    if name in known:
        return str(name)
    near = nearest(str(name), known)
    raise UsageError(
        f"{FILE}: no environment {name!r}",
        f"did you mean {near!r}?" if near else f"choose one of: {', '.join(known) or '(none is defined)'}",
    )


def load(
    table: Mapping[str, Any],
    env: str,
    variables: Mapping[str, str],
    root: Path,
    needed: Collection[str] | None = None,
) -> Config:
    """The settings of `env`. UsageError lists every mistake of the file at once.

    `needed`: the tables that must have all their variables (None: all); elsewhere an unset `${VAR}` stays
    as it stands, so that reading logs does not ask for the database's address. `${RUN_ID}` and `${NOW}`
    always stay: they are only known when a release asks. `root` is the folder that paths are relative to.
    """
    mistakes = [*_secrets(table), *_unknown_overlay_keys(table), *_unknown_environments(table)]

    def missing(path: str, name: str) -> str:
        if name not in _LATER and (needed is None or path.split(".")[0] in needed):
            mistakes.append(f"{path}: environment variable {name} is not set; export {name}=...")
        return f"${{{name}}}"

    merged = _merged(table, env)
    known = {name: value for name, value in variables.items() if name not in _LATER}
    filled = _with_template(_fill(merged, known, "", missing), root, mistakes.append)
    try:
        config = Config.model_validate({**filled, "env": env})
    except ValidationError as error:
        config = None
        mistakes += [sentence(item, Config) for item in error.errors()]
    if mistakes or config is None:
        lines = "\n".join(f"  {FILE}: {mistake}" for mistake in dict.fromkeys(mistakes))
        raise UsageError(
            f"{FILE} cannot be used for environment {env!r}:\n{lines}", "mend these and try again"
        )
    return config


def is_sandbox(table: Mapping[str, Any], env: str) -> bool:
    """Whether this environment is the sandbox on this machine: `sandbox = true` in its table."""
    return table["env"][env].get("sandbox") is True


def _merged(table: Mapping[str, Any], env: str) -> dict[str, Any]:
    """The file's tables with the environment's laid over them; `[sandbox]` is of the sandbox alone."""
    base = {k: v for k, v in table.items() if k not in ("env", "default-env", "sandbox")}
    overlay = dict(table["env"][env])
    if is_sandbox(table, env):
        overlay["sandbox"] = table.get("sandbox")
    merged: dict[str, Any] = _overlay(base, overlay)
    return merged


def _overlay(base: Any, top: Any) -> Any:
    """Tables are merged key by key; anything else is replaced."""
    if isinstance(base, dict) and isinstance(top, dict):
        return base | {key: _overlay(base.get(key), value) for key, value in top.items()}
    return top


_LATER: Final = ("RUN_ID", "NOW")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def substitute(text: str, variables: Mapping[str, str], missing: Callable[[str], str]) -> str:
    """`${NAME}` and `${NAME:-default}` replaced; `missing` gives what stands for a name without a value."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name in variables:
            return variables[name]
        return missing(name) if default is None else str(default)

    return _VARIABLE.sub(value, text)


def _fill(value: Any, variables: Mapping[str, str], path: str, missing: Callable[[str, str], str]) -> Any:
    """The task definition's own placeholders are left to `[task] values`."""
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
    """`[task] definition` read from its file, where it names one."""
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
    return table | {"task": task | {"definition": definition}}


_SECRET: Final = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:(?!\$\{)[^/\s@]+@"), "an address with a password in it"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
)


def _secrets(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{path}[{number}]")
    elif isinstance(value, str):
        for pattern, what in _SECRET:
            if pattern.search(value):
                yield f'{path}: {what} does not belong in a file; write "${{NAME}}" and export NAME'


def _unknown_overlay_keys(table: Mapping[str, Any]) -> Iterator[str]:
    """Mistyped tables in overlays of other environments are found too, not only in the one in use."""
    for env, overlay in table.get("env", {}).items():
        for key in overlay:
            if key not in keys(Config) or key == "env":
                yield f"env.{env}.{key}: no such key{suggestion(key, keys(Config))}"


def _unknown_environments(table: Mapping[str, Any]) -> Iterator[str]:
    """A check for an environment that does not exist would never be asked."""
    known = [str(env) for env in table.get("env", {})]
    verify = table.get("verify")
    checks = verify.get("checks") if isinstance(verify, dict) else None
    for number, check in enumerate(checks if isinstance(checks, list) else ()):
        names = check.get("environments", ()) if isinstance(check, dict) else ()
        for name in (str(name) for name in names if name not in known):
            hint = suggestion(name, known)
            yield f"verify.checks[{number}].environments: no environment {name!r}{hint}"
