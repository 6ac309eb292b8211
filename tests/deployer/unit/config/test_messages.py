"""deploy.toml: mistakes are found all at once, where they are, with what was meant."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deployer.config import durations
from deployer.config import load as load_file
from deployer.config.model import Config
from deployer.errors import UsageError
from deployer.sandbox import SandboxFacts

ROOT = Path(__file__).parents[4]
PRODUCTION = {
    "MONGO_URI": "mongodb+srv://cluster.example.net",
    "MONGO_URI_SECRET_ARN": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:mongo-uri-AbCdEf",
}


@pytest.fixture
def table() -> dict[str, Any]:
    return copy.deepcopy(load_file.read(ROOT / load_file.FILE))


def load(table: dict[str, Any], env: str = "production", **variables: str) -> Config:
    return load_file.load(table, env, {**PRODUCTION, **variables}, ROOT)


def mistakes(table: dict[str, Any], env: str = "production") -> str:
    with pytest.raises(UsageError) as caught:
        load(table, env)
    assert caught.value.exit_code == 2
    return caught.value.message


def test_production_has_the_values_of_the_guide(table: dict[str, Any]) -> None:
    """The shipped file releases to the cluster, subnet and security group of the flowchart document."""
    loaded = load(table)
    assert loaded.aws.region == "eu-west-3"
    assert loaded.run.cluster == "greenandcoop-cluster"
    assert loaded.run.subnets == ("subnet-0610fc62ccc083094",)
    assert loaded.run.security_groups == ("sg-07977d25910df81a9",)
    assert loaded.run.assign_public_ip
    assert loaded.logs.group == "/ecs/forecast-etl"
    assert loaded.build.platform == "linux/amd64"


def test_the_sandbox_fills_its_own_variables(table: dict[str, Any]) -> None:
    """Everything that the sandbox's overlay asks for is something that a sandbox tells."""
    loaded = load_file.load(table, "sandbox", SandboxFacts.stand_ins(), ROOT)
    assert loaded.sandbox
    assert loaded.aws.endpoint_url == "endpoint"


def test_the_default_environment_costs_nothing(table: dict[str, Any]) -> None:
    """Without --env a release goes to the sandbox."""
    assert load_file.environment_name(table, None) == "sandbox"


def test_all_mistakes_are_told_at_once(table: dict[str, Any]) -> None:
    """Wrong keys, wrong types and missing keys are listed together, each with its path."""
    table["run"] = {"clutser": "x"}
    table["buidl"] = {}
    table["retries"]["max-loops"] = 0
    table["compose"]["timeout"] = "ten minutes"
    del table["project"]["name"]
    told = mistakes(table)
    assert "run.clutser: no such key; did you mean 'cluster'?" in told
    assert "buidl: no such key; did you mean 'build'?" in told
    assert "retries.max-loops: input should be greater than or equal to 1, not 0" in told
    assert "compose.timeout: a duration such as" in told
    assert "project.name: missing, and needed" in told


def test_a_mistake_in_another_environment_is_found_too(table: dict[str, Any]) -> None:
    """A mistyped table of an overlay that is not in use does not wait for the day it is."""
    table["env"]["sandbox"]["lgos"] = {}
    assert "env.sandbox.lgos: no such key; did you mean 'logs'?" in mistakes(table)


def test_a_renamed_key_is_told_its_new_name(table: dict[str, Any]) -> None:
    """A file from before the renaming is refused, with the name to write instead."""

    table["logs"]["drain"] = "1s"
    table["env"]["sandbox"]["embedded"] = True
    told = mistakes(table)
    assert "logs.drain: no such key; it is called 'drain-timeout' now" in told
    assert "embedded: no such key; it is called 'sandbox' now" in told


@pytest.mark.parametrize(
    "secret",
    ["mongodb+srv://etl:hunter22@cluster.example.net/", "mongodb://a:b@h", "AKIA" + "A" * 16],
    ids=["srv", "short", "aws-key"],
)
def test_a_secret_in_the_file_is_refused(table: dict[str, Any], secret: str) -> None:
    """An address with a password, or an AWS key, is refused wherever it stands, and not repeated."""
    table["env"]["production"]["verify"]["uri"] = secret
    told = mistakes(table)
    assert "env.production.verify.uri: an " in told
    assert secret not in told


def test_a_password_from_the_environment_is_fine(table: dict[str, Any]) -> None:
    """The same address with the password as a variable is what the file is meant to hold."""
    table["env"]["production"]["verify"]["uri"] = "mongodb://etl:${MONGO_PASSWORD}@h/"
    assert load(table, MONGO_PASSWORD="p").verify.uri == "mongodb://etl:p@h/"


def test_an_unset_variable_is_named_with_its_place(table: dict[str, Any]) -> None:
    """A `${VAR}` without a value says which key wants it and what to type."""
    with pytest.raises(UsageError, match=r"verify.uri: environment variable MONGO_URI is not set; export"):
        load_file.load(table, "production", {}, ROOT)


def test_only_needed_tables_must_be_filled(table: dict[str, Any]) -> None:
    """Reading logs does not ask for the database's address."""
    loaded = load_file.load(table, "production", {}, ROOT, needed=("aws", "logs", "run"))
    assert loaded.verify.uri == "${MONGO_URI}"


def test_the_runs_id_is_left_for_the_release(table: dict[str, Any]) -> None:
    """`${RUN_ID}` in a check is not the shell's, even if the shell has one."""
    loaded = load(table, RUN_ID="somebody-elses")
    assert "somebody-elses" not in loaded.model_dump_json()


def test_an_unknown_environment_names_the_nearest(table: dict[str, Any]) -> None:
    """A mistyped --env is answered with what was probably meant."""
    with pytest.raises(UsageError) as caught:
        load_file.environment_name(table, "prodution")
    assert "did you mean 'production'" in caught.value.hint


@pytest.mark.parametrize("content", ["[run\n", "a = 1\na = 2\n", "\xff"])
def test_a_file_that_is_not_toml_is_one_message(tmp_path: Path, content: str) -> None:
    """Broken syntax is reported with the parser's place, as a usage error."""
    path = tmp_path / load_file.FILE
    path.write_text(content, encoding="latin-1")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_file.read(path)


def test_no_file_says_where_to_go(tmp_path: Path) -> None:
    """Outside of a project the message says what is looked for."""
    with pytest.raises(UsageError, match="no such file"):
        load_file.read(tmp_path / load_file.FILE)


def test_a_definition_that_is_not_json_is_told_with_the_rest(table: dict[str, Any], tmp_path: Path) -> None:
    """The task definition's file is read along with deploy.toml, and its mistakes listed there."""
    (tmp_path / "task-definition.json").write_text("{")
    table["run"] = {"clutser": "x"}
    with pytest.raises(UsageError) as caught:
        load_file.load(table, "production", PRODUCTION, tmp_path)
    assert "task.definition: task-definition.json: not valid JSON" in caught.value.message
    assert "clutser" in caught.value.message


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("2d", 172800), (7, 7)]
)
def test_durations(text: object, value: float) -> None:
    """Seconds, minutes, hours and days, or plain seconds."""
    assert durations.seconds(text) == value


def test_the_shipped_file_is_plain_toml() -> None:
    """It parses, and names both environments."""
    assert set(tomllib.loads((ROOT / load_file.FILE).read_text())["env"]) == {"production", "sandbox"}
