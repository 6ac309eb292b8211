"""The JSON schema of deploy.toml, for editors, from the models that check it."""

import json
from typing import Any, Final

from deployer.config.model import Config

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_DURATION: Final = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhd]\s*$"},
    ],
    "description": 'a duration such as "90s", "10m", "6h" or "2d", or a number of seconds',
}


def page() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """The file: every table may be left out, and `${NAME}` may stand for any value."""
    whole = Config.model_json_schema(by_alias=True)
    definitions = {name: _relaxed(table) for name, table in whole["$defs"].items()}
    tables = {key: _value(value) for key, value in whole["properties"].items() if key != "env"}
    tables["task"] = {"$ref": "#/$defs/Task"}
    overlay = {
        "type": "object",
        "additionalProperties": False,
        "properties": {**tables, "sandbox": {"anyOf": [{"type": "boolean"}, tables["sandbox"]]}},
    }
    definitions["Environment"] = overlay
    return {
        "$schema": _DRAFT,
        "title": "deploy.toml",
        "description": "What is released, where to, and what proves that it worked.",
        "type": "object",
        "additionalProperties": False,
        "required": ["project"],
        "properties": {
            "default-env": {"type": "string", "default": "sandbox"},
            "env": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Environment"}},
            **tables,
        },
        "$defs": definitions,
    }


def _relaxed(table: dict[str, Any]) -> dict[str, Any]:
    """A table of the file. Checks keep what they require; elsewhere defaults may give it."""
    is_check = "kind" in table.get("properties", {})
    kept = {key: value for key, value in table.items() if key != "required" or is_check}
    if "properties" in kept:
        kept["properties"] = {key: _value(value) for key, value in kept["properties"].items()}
    if table.get("title") == "Task":
        kept["properties"]["definition"] = {"anyOf": [{"type": "string"}, {"type": "object"}]}
    return kept


def _value(value: Any) -> Any:
    """Durations are texts as well, and so is whatever a `${NAME}` stands for."""
    if not isinstance(value, dict):
        return value
    if value.get("type") == "number" and "gt" in value:  # as pydantic has it behind a validator of texts
        return {**_DURATION, **({"default": value["default"]} if "default" in value else {})}
    if value.get("type") in ("integer", "boolean"):
        rest = {key: inner for key, inner in value.items() if key in ("default", "description", "title")}
        return {**rest, "anyOf": [value, {"type": "string", "pattern": r"\$\{"}]}
    return {key: _inner(inner) for key, inner in value.items()}


def _inner(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(one) for one in value]
    return _value(value) if isinstance(value, dict) else value
