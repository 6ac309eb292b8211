"""docs/reference/config.md: every key of deploy.toml, from the models that check it."""

import ast
import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from textwrap import dedent
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from deployer.config.checks import Check
from deployer.config.durations import spelled as length
from deployer.config.model import Config
from scripts.docs.hints import DURATION, spelled
from scripts.docs.markdown import code, head, prose, table
from scripts.docs.meanings import MEANINGS

_INTRODUCTION: Final = """\
`deploy.toml` says what is released, where to, and what proves that it worked. Every mistake in it is reported
at once, with its place and the nearest key that exists.

- `#:schema PATH` as the first line lets an editor check the file while you type; the schema is
  [deploy.schema.json](deploy.schema.json), generated from the same models. `deployer init` writes
  both; `.deployer/deploy.schema.json` stays out of git, and only an editor misses it in another clone.
- `default-env` at the top names the environment that is meant where no `--env` is given.
- `[env.NAME]` overlays the rest for one environment: tables are merged key by key, anything else is replaced.
  `sandbox = true` in it says that this environment is the sandbox on this machine.
- `${NAME}` in a text is an environment variable; `${NAME:-default}` has a default. A password or an AWS key
  in the file is refused.
- A duration is a text such as `"90s"`, `"10m"`, `"6h"` or `"2d"`, or a number of seconds.
- A key whose default is `-` must be given. Where the default is empty, nothing stands in for the key.
"""
_CHECKS: Final = """\
## [[verify.checks]]

Each check is a table with a `kind`. What each kind is for, with examples: [checks](checks.md). All of them
have:
"""
_COLUMNS: Final = ("key", "type", "default", "meaning")
_KINDS: Final[tuple[type[BaseModel], ...]] = typing.get_args(typing.get_args(Check)[0])
_COMMON: Final[type[BaseModel]] = next(base for base in _KINDS[0].__bases__ if issubclass(base, BaseModel))


def page() -> str:
    return "\n".join(
        [head("deploy.toml", "deployer/config/model.py"), _INTRODUCTION, *_sections(), *_checks()]
    )


def keys() -> Iterator[tuple[str, str]]:
    """Every key by its whole path, and what is said of it."""
    for path, model in [*_tables(), ("verify.checks", _COMMON), *_kinds()]:
        for key, _, _, meaning in _rows(model, path):
            yield f"{path}.{key.strip('`')}", meaning


def _tables() -> list[tuple[str, type[BaseModel]]]:
    """Every table by the name that it has in the file, with its model; the sandbox's last."""
    return sorted(_below(Config, ""), key=lambda named: named[0] == "sandbox")


def _below(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        inner = _model(field.annotation)
        if inner is not None:
            inside = f"{path}.{field.alias or name}".lstrip(".")
            yield inside, inner
            yield from _below(inner, inside)


def _model(hint: Any) -> type[BaseModel] | None:
    """The model of a table, also where the table may be left out."""
    options = [hint, *typing.get_args(hint)]
    return next((one for one in options if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _kinds() -> Iterator[tuple[str, type[BaseModel]]]:
    for model in _KINDS:
        yield f"verify.checks.{_kind(model)}", model


def _kind(model: type[BaseModel]) -> str:
    return str(typing.get_args(model.model_fields["kind"].annotation)[0])


def _sections() -> Iterator[str]:
    for path, model in _tables():
        yield f"## [{path}]\n\n{_about(model)}{table(_COLUMNS, _rows(model, path))}"


def _checks() -> Iterator[str]:
    yield f"{_CHECKS}\n{_about(_COMMON)}{table(_COLUMNS, _rows(_COMMON, 'verify.checks'))}"
    for path, model in _kinds():
        yield f'### kind = "{_kind(model)}"\n\n{_about(model)}{table(_COLUMNS, _rows(model, path))}'


def _about(model: type[BaseModel]) -> str:
    text = _as_in_the_file(prose(vars(model).get("__doc__")), model)
    return f"{text}\n\n" if text else ""


def _as_in_the_file(text: str, model: type[BaseModel]) -> str:
    """Names of fields in backticks as deploy.toml spells them."""

    def kebab(match: re.Match[str]) -> str:
        known = match[1] in model.model_fields
        return f"`{match[1].replace('_', '-') if known else match[1]}`"

    return re.sub(r"`([a-z_]+)`", kebab, text)


def _rows(model: type[BaseModel], path: str) -> Iterator[tuple[str, str, str, str]]:
    """The keys of a table that are no tables themselves; of a check those that not every check has."""
    hints = typing.get_type_hints(model, include_extras=True)
    said = _below_fields(model)
    for name, field in model.model_fields.items():
        shared = model is not _COMMON and issubclass(model, _COMMON) and name in _COMMON.model_fields
        if shared or name in ("checks", "kind") or _model(field.annotation):
            continue
        key, kind = field.alias or name, spelled(hints[name])
        meaning = said.get(name) or MEANINGS.get(f"{path}.{key}") or MEANINGS.get(f"*.{key}", "")
        yield code(key), kind, _default(field, kind), meaning


def _default(field: FieldInfo, kind: str) -> str:
    value = field.default
    if field.is_required():
        return "-"
    if value is None or value in ("", (), {}, []):
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(length(value) if kind == DURATION else value)


def _below_fields(model: type[BaseModel]) -> Mapping[str, str]:
    """The sentence that stands below a field in the code, by field."""
    body = ast.parse(dedent(inspect.getsource(model))).body[0]
    said = {}
    for field, after in zip(getattr(body, "body", []), getattr(body, "body", [])[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                said[name] = prose(text)
    return said
