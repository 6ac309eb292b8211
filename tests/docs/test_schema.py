"""The schema for editors knows what deploy.toml knows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployer.config.load import read
from deployer.config.schema import schema

ROOT = Path(__file__).parents[2]
SCHEMA = schema()
FILES = (ROOT / "deploy.toml", ROOT / "tests" / "e2e" / "job" / "deploy.toml")


def resolved(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a node, without references."""
    if "$ref" in node:
        return resolved(SCHEMA["$defs"][node["$ref"].rsplit("/", 1)[1]])
    alternatives = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    return [found for one in alternatives for found in resolved(one)] or [node]


def unknown(value: Any, node: dict[str, Any], path: str) -> Iterator[str]:
    """The keys of a value that no alternative of the schema allows."""
    options = resolved(node)
    if isinstance(value, list):
        items = next((one["items"] for one in options if isinstance(one.get("items"), dict)), {})
        for inner in value:
            yield from unknown(inner, items, f"{path}[]")
    if not isinstance(value, dict):
        return
    if "kind" in value:
        options = [one for one in options if constant(one) == value["kind"]]
    for key, inner in value.items():
        known = [one["properties"][key] for one in options if key in one.get("properties", {})]
        others = [one.get("additionalProperties", "properties" not in one) for one in options]
        known += [other for other in others if isinstance(other, dict)]
        if known:
            yield from unknown(inner, known[0], f"{path}.{key}")
        elif not any(others):
            yield f"{path}.{key}"


def constant(option: dict[str, Any]) -> Any:
    """The kind of check that an alternative is for."""
    return option.get("properties", {}).get("kind", {}).get("const")


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.parent.name)
def test_every_key_of_a_real_file_is_known(file: Path) -> None:
    """An editor marks nothing of them as wrong."""
    assert list(unknown(read(file), SCHEMA, "")) == []


def test_a_slip_is_marked() -> None:
    """A mistyped table, key or key of a check is not in the schema."""
    slips = {"buidl": {}, "run": {"clutser": "c"}, "env": {"x": {"run": {"subnet": []}}}}
    assert list(unknown(slips, SCHEMA, "")) == [".buidl", ".run.clutser", ".env.x.run.subnet"]
    check = {"name": "n", "kind": "count", "collection": "c", "atleast": 1}
    assert list(unknown({"verify": {"checks": [check]}}, SCHEMA, "")) == [".verify.checks[].atleast"]


def test_durations_are_texts_as_well() -> None:
    """`"10m"` is what people write."""
    text = json.dumps(SCHEMA["$defs"]["Run"]["properties"]["max-runtime"])
    assert "string" in text
    assert "21600" in text
