"""A small deploy.toml is enough: what it does not say is looked up, and the sandbox is built in."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deployer.commands.project import Project
from deployer.config import load as load_file
from deployer.config.defaults import is_sandbox, likely_jobs
from deployer.config.model import Config, ImageSettings
from deployer.errors import UsageError
from deployer.sandbox import SandboxFacts
from deployer.task.definition import for_image

SMALLEST = """
[project]
name = "orders"
[verify]
database = "shop"
[[verify.checks]]
name = "orders of this run"
kind = "count"
collection = "orders"
query = { run = "${RUN_ID}" }
at-least = 1
"""
PRODUCTION = """
[env.production.aws]
region = "eu-west-1"
[env.production.run]
cluster = "jobs"
subnets = ["subnet-1"]
"""
FACTS = SandboxFacts.stand_ins()


def load(text: str, env: str = "sandbox", root: Path = Path(), **variables: str) -> Config:
    return load_file.load(tomllib.loads(text), env, {**FACTS, **variables}, root)


def test_a_name_a_database_and_a_check_are_enough() -> None:
    """Everything that the sandbox knows is filled in, and the definition is made."""
    table = tomllib.loads(SMALLEST)
    assert load_file.environment_name(table, None) == "sandbox"
    assert is_sandbox(table, "sandbox")
    config = load(SMALLEST)
    assert config.sandbox
    assert (config.sandbox.bucket, config.image.repository, config.logs.group) == (
        "orders", "orders", "/ecs/orders",
    )  # fmt: skip
    assert (config.verify.uri, config.run.cluster) == ("mongo_uri", "cluster")
    assert config.run.assign_public_ip
    definition = for_image(config, "image@sha256:1")
    (container,) = definition["containerDefinitions"]
    assert definition["executionRoleArn"] == "execution_role"
    assert container["secrets"] == [{"name": "MONGO_URI", "valueFrom": "mongo_secret_arn"}]
    assert (container["name"], container["image"]) == ("orders", "image@sha256:1")


def test_an_environment_on_aws_says_where_it_is() -> None:
    """The address comes from the process environment, the secret and the size from the file."""
    task = '[task]\ncpu = "512"\nsecrets = { MONGO_URI = "orders/mongo" }\n'
    config = load(SMALLEST + task + PRODUCTION, "production", MONGO_URI="mongodb://h")
    assert config.sandbox is None
    assert config.verify.uri == "mongodb://h"
    definition = for_image(config, "i")
    assert (definition["cpu"], definition["executionRoleArn"]) == ("512", "ecsTaskExecutionRole")
    assert definition["containerDefinitions"][0]["secrets"][0]["valueFrom"] == "orders/mongo"


def test_no_address_of_another_environment_reaches_the_sandbox() -> None:
    """Tables that stand for all environments may name production; the sandbox keeps its own addresses."""
    everywhere = """
[aws]
region = "eu-west-1"
profile = "prod"
[run]
cluster = "jobs"
subnets = ["subnet-1"]
[state]
bucket = "prod-state"
[schedule]
name = "nightly"
"""
    config = load(SMALLEST.replace("[verify]", '[verify]\nuri = "mongodb://prod"') + everywhere)
    assert (config.verify.uri, config.run.cluster) == ("mongo_uri", "cluster")
    assert (config.state.bucket, config.schedule, config.aws.profile) == ("state_bucket", None, None)
    assert config.aws.region == "eu-west-1"


def definition(**job: Any) -> dict[str, Any]:
    router = {"name": "router", "essential": True, "firelensConfiguration": {"type": "fluentbit"}}
    sidecar = {"name": "agent", "essential": False}
    return {
        "family": "orders",
        "executionRoleArn": "arn:aws:iam::123456789012:role/r",
        "containerDefinitions": [router, sidecar, {"name": "job", **job}],
    }


def test_container_and_log_are_read_from_the_definition(tmp_path: Path) -> None:
    """The first essential container that routes no logs is the job; its log options say where it logs."""
    options = {"awslogs-group": "/jobs/orders", "awslogs-stream-prefix": "run"}
    logging = {"logDriver": "awslogs", "options": options}
    (tmp_path / "td.json").write_text(json.dumps(definition(logConfiguration=logging)), "utf-8-sig")
    config = load(SMALLEST + '[task]\ndefinition = "td.json"\n', root=tmp_path)
    assert (config.task.container, config.logs.group, config.logs.stream_prefix) == (
        "job", "/jobs/orders", "run",
    )  # fmt: skip


AGENT = {"name": "agent", "image": "public.ecr.aws/datadog/agent:7"}
PROXY = {"name": "proxy", "image": "proxies/own:1"}
LOAD = {"name": "load", "image": "123456789012.dkr.ecr.eu-west-3.amazonaws.com/shop/load:3"}


@pytest.mark.parametrize(
    ("containers", "job"),
    [
        ([PROXY, {"name": "b", "image": "${IMAGE}"}], "b"),
        ([{**PROXY, "image": "${IMAGE}", "essential": False}, {"name": "b", "image": "${IMAGE}"}], "b"),
        ([AGENT, LOAD], "load"),
        ([PROXY, LOAD, {"name": "shop/load", "image": "x"}], "load"),
        ([PROXY, {"name": "orders", "image": "y"}], "orders"),
        ([{**PROXY, "essential": None}, {"name": "b", "essential": False}], "proxy"),
        ([PROXY, {"name": "b", "dependsOn": [{"containerName": "proxy", "condition": "HEALTHY"}]}], "b"),
        ([{"name": "log_router", "firelensConfiguration": {"type": "fluentbit"}}, {"name": "b"}], "b"),
        ([{"name": "vector", "image": "timberio/vector:0.4"}, {"name": "b", "dependsOn": None}], "b"),
    ],
)
def test_the_job_is_told_from_its_sidecars(containers: list[dict[str, Any]], job: str) -> None:
    """By the placeholder, the repository, the project's name, who waits for whom, what is essential, and
    well-known images; never by the order alone."""
    for listed in (containers, containers[::-1]):
        assert [one["name"] for one in likely_jobs(listed, "orders", "shop/load")] == [job]


def test_a_job_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    """The image of the wrong container would be replaced, and the job's old one would run."""
    task = {"family": "f", "containerDefinitions": [PROXY, {"name": "b", "image": "z"}]}
    (tmp_path / "td.json").write_text(json.dumps(task))
    with pytest.raises(UsageError, match=r"task\.container: missing, and needed: the job is one of proxy, b"):
        load(SMALLEST + '[task]\ndefinition = "td.json"\n', root=tmp_path)
    config = load(SMALLEST + '[task]\ndefinition = "td.json"\ncontainer = "b"\n', root=tmp_path)
    assert [c["image"] for c in for_image(config, "new")["containerDefinitions"]] == ["proxies/own:1", "new"]


@pytest.mark.parametrize("spelling", ["{}", "https://{}", "http://{}/", "{}//"])
def test_a_registry_is_its_host_however_it_is_spelled(spelling: str) -> None:
    """An address of ECR names the account and the region that are asked."""
    host = "444455556666.dkr.ecr.eu-south-1.amazonaws.com"
    assert ImageSettings(repository="a/b", registry=spelling.format(host)).registry == host


@pytest.mark.parametrize(
    "repository", ["orders:1", "a@sha256:2", "444455556666.dkr.ecr.eu-west-3.amazonaws.com/a"]
)
def test_a_repository_is_a_name_alone(repository: str) -> None:
    """Registry and tag have keys of their own."""
    with pytest.raises(ValueError, match="without a registry"):
        ImageSettings(repository=repository)


def test_a_definition_for_aws_runs_in_the_sandbox(tmp_path: Path) -> None:
    """Literal roles and the address's secret are the sandbox's there, and stay as they are elsewhere."""
    secret = {"name": "MONGO_URI", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:m"}
    (tmp_path / "td.json").write_text(json.dumps(definition(secrets=[secret])))
    text = SMALLEST + '[task]\ndefinition = "td.json"\n' + PRODUCTION
    here = for_image(load(text, root=tmp_path), "i")
    assert here["executionRoleArn"] == "execution_role"
    assert here["containerDefinitions"][2]["secrets"][0]["valueFrom"] == "mongo_secret_arn"
    there = for_image(load(text, "production", tmp_path, MONGO_URI="mongodb://h"), "i")
    assert there["containerDefinitions"][2]["secrets"] == [secret]


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    path = tmp_path / "deploy.toml"
    path.write_text(SMALLEST, encoding="utf-8-sig")
    assert load_file.read(path)["project"]["name"] == "orders"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[run]\nenvironment = { DB_PASSWORD = "swordfish" }', "run.environment.DB_PASSWORD"),
        ('[build.args]\nnpm_token = "swordfish"', "build.args.npm_token"),
        ('[task]\nvalues = { API_KEY = "swordfish" }', "task.values.API_KEY"),
        (
            '[task.definition]\nfamily = "f"\n[[task.definition.containerDefinitions]]\nname = "j"\n'
            'environment = [{ name = "SECRET_KEY", value = "swordfish" }]',
            "task.definition.containerDefinitions[0].environment[0].value",
        ),
    ],
)
def test_what_is_called_a_password_is_refused(text: str, place: str) -> None:
    """A literal under such a name does not belong in the file; it is named and not repeated."""
    with pytest.raises(UsageError) as caught:
        load(f"{SMALLEST}{text}\n")
    assert f"{place}: " in caught.value.message
    assert "swordfish" not in caught.value.message


def test_names_of_fields_and_of_stored_secrets_are_no_passwords() -> None:
    """A check of a field called token, and a secret by the name it is stored under, are fine."""
    check = """
[[verify.checks]]
name = "tokens"
kind = "types"
collection = "orders"
required = { token = "string" }
[task]
secrets = { API_TOKEN = "orders/token" }
"""
    assert load(SMALLEST + check).task.secrets == {"API_TOKEN": "orders/token"}


def test_the_file_is_validated_once_for_a_release(tmp_path: Path) -> None:
    """Whoever asks for the settings of an environment on AWS gets the same object."""
    (tmp_path / "deploy.toml").write_text(SMALLEST + PRODUCTION)
    project = Project(tmp_path, {"MONGO_URI": "mongodb://h"})
    settings = project.checked("production")
    assert project.config("production") is settings
    assert project.config("production", needed=("aws", "state")) is settings
