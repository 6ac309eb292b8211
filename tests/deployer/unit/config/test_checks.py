"""`[[verify.checks]]`: mistakes are told by the path that the file has, with the nearest key or kind."""

import copy
from pathlib import Path
from typing import Any

import pytest

from deployer.config import load
from deployer.config.model import Config
from deployer.errors import UsageError
from deployer.sandbox import SandboxFacts

ROOT = Path(__file__).parents[4]
COUNT: dict[str, Any] = {"name": "it", "kind": "count", "collection": "readings", "exactly": 1}


@pytest.fixture
def table() -> dict[str, Any]:
    return copy.deepcopy(load.read(ROOT / load.FILE))


def loaded(table: dict[str, Any], *checks: dict[str, Any]) -> Config:
    table["verify"]["checks"] = list(checks)
    return load.load(table, "sandbox", SandboxFacts.stand_ins(), ROOT)


@pytest.mark.parametrize(
    ("check", "mistake"),
    [
        ({**COUNT, "colection": "x"}, "verify.checks[0].colection: no such key; did you mean 'collection'?"),
        ({**COUNT, "kind": "cuont"}, "verify.checks[0].kind: no such kind; did you mean 'count'?"),
        ({"name": "it", "collection": "x"}, "verify.checks[0].kind: missing, and needed"),
        (
            {"name": "it", "kind": "unique", "fields": ["a"]},
            "verify.checks[0].collection: missing, and needed",
        ),
        ({**COUNT, "exactly": "1"}, "verify.checks[0].exactly: input should be a valid integer, not '1'"),
        ({**COUNT, "time-limit": "soon"}, "verify.checks[0].time-limit: a duration such as"),
        ({**COUNT, "environments": ["prod"]}, "verify.checks[0].environments: no environment 'prod'"),
        (
            {"name": "it", "kind": "indexes", "collection": "x", "indexes": [{"feilds": ["a"]}]},
            "verify.checks[0].indexes[0].feilds: no such key; did you mean 'fields'?",
        ),
        (
            {"name": "it", "kind": "types", "collection": "x", "required": {"a": "text"}},
            "verify.checks[0].required.a[0]: input should be 'double', 'string'",
        ),
    ],
)
def test_mistakes(table: dict[str, Any], check: dict[str, Any], mistake: str) -> None:
    """Each mistake stands where the file has it, without the words that pydantic adds."""
    with pytest.raises(UsageError) as caught:
        loaded(table, check)
    assert f"{load.FILE}: {mistake}" in caught.value.message


def test_placeholders_of_a_run_are_left_for_the_run(table: dict[str, Any]) -> None:
    """What only a run can know is no environment variable that is missing."""
    query = {"a": "${RUN_ID}", "b": "${NOW}", "c": "${NOW-3d}", "d": "${REPORT.stations}"}
    check = loaded(table, {**COUNT, "query": query}).verify.checks[0]
    assert dict(check)["query"] == query


@pytest.mark.parametrize("env", ["sandbox", "production"])
def test_the_shipped_contract_can_be_read(table: dict[str, Any], env: str) -> None:
    """The contract in deploy.toml is valid in both environments, and every check has its own name."""
    variables = {
        **SandboxFacts.stand_ins(),
        "MONGO_URI": "mongodb+srv://cluster.example.net",
        "MONGO_URI_SECRET_ARN": "arn",
    }
    names = [check.name for check in load.load(table, env, variables, ROOT).verify.checks]
    assert len(names) == len(set(names))
