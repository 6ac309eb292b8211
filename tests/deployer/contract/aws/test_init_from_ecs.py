"""`deployer init` and `deployer secret set`, by the installed command against MiniStack, and over moto."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from deployer.commands.init.ecs import EcsOptions, init_from_ecs
from deployer.config.load import load, read
from deployer.errors import Failure, RefusedError, UsageError
from deployer.task.definition import differences, for_image
from tests.deployer.contract.aws.command import REGION, Command
from tests.deployer.contract.aws.worlds import AwsWorld, definition, session

PASSWORD = "correct-horse"
ADDRESS = f"mongodb://app:{PASSWORD}@db.example.net"


def live(world: AwsWorld, name: str, **environment: str) -> dict[str, Any]:
    """A registered definition of that family, whose image is in ECR."""
    ours = definition(name, **environment)
    ours["containerDefinitions"][0]["image"] = (
        f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{name}/etl:latest"
    )
    world.tasks.register(ours, {})
    return ours


@pytest.fixture
def moto(name: str, moto_session: Any) -> Any:
    with mock_aws():
        yield AwsWorld(name, moto_session)


def test_what_runs_already_is_written_down(moto: AwsWorld, name: str, tmp_path: Path) -> None:
    """Cluster, network of the last task, log group, container and repository are those that AWS knows."""
    ours = live(moto, name)
    subnet, group = _run(moto, name)
    said = init_from_ecs(tmp_path, EcsOptions("production", region=REGION), {})
    table = tomllib.loads((tmp_path / "deploy.toml").read_text())
    assert table["env"]["production"]["run"] == {
        "cluster": name,
        "launch-type": "FARGATE",
        "subnets": [subnet],
        "security-groups": [group],
        "assign-public-ip": False,
    }
    assert table["image"]["repository"] == f"{name}/etl"
    assert table["task"]["container"] == "forecast-etl"
    assert table["logs"] == {"group": "/ecs/forecast-etl", "stream-prefix": "ecs"}
    assert table["verify"]["database"] == "greenandcoop_weather"
    assert {line.split(":")[0] for line in said[1:-1]} == {
        "fill in deploy.toml, or export MONGO_URI",
        "fill in deploy.toml, or export COLLECTION",
    }
    _gives_back(tmp_path, ours, {"MONGO_URI": "mongodb://db.test", "COLLECTION": "measurements"})


def _run(world: AwsWorld, name: str) -> tuple[str, str]:
    group = world.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
    subnet = world.config.run.subnets[0]
    network = {"subnets": [subnet], "securityGroups": [group], "assignPublicIp": "DISABLED"}
    world.client("ecs").run_task(
        cluster=name,
        taskDefinition=name,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
    )
    return subnet, group


def _gives_back(folder: Path, ours: Mapping[str, Any], variables: Mapping[str, str]) -> None:
    """What was written loads, and fills in to the definition that was live."""
    loaded = load(read(folder / "deploy.toml"), "production", variables, folder)
    image = ours["containerDefinitions"][0]["image"]
    assert differences(for_image(loaded, image), ours) == ()


def test_secrets_stay_references_and_values_that_look_like_one_stay_out(
    moto: AwsWorld, name: str, tmp_path: Path
) -> None:
    """`secrets` are kept as ARNs; a password in `environment` goes to no file, and it is said what to do."""
    ours = live(moto, name, DB_ADDRESS=ADDRESS, API_TOKEN=PASSWORD)
    said = init_from_ecs(tmp_path, EcsOptions("production", region=REGION), {})
    written = (tmp_path / "deploy.toml").read_text() + (tmp_path / "task-definition.json").read_text()
    assert PASSWORD not in written + "".join(said)
    assert ours["containerDefinitions"][0]["secrets"][0]["valueFrom"] in written
    assert any(f"deployer secret set {name}/db-address" in line for line in said)
    variables = {"MONGO_URI": "mongodb://db.test", "COLLECTION": "c", "SUBNET": "s", "SECURITY_GROUP": "g"}
    with pytest.raises(UsageError, match="API_TOKEN is not set"):
        _gives_back(tmp_path, ours, variables)
    _gives_back(tmp_path, ours, {**variables, "DB_ADDRESS": ADDRESS, "API_TOKEN": PASSWORD})


def test_nothing_is_overwritten(moto: AwsWorld, name: str, tmp_path: Path) -> None:
    """One of the two files is there: refused, and the other is not written."""
    live(moto, name)
    (tmp_path / "task-definition.json").write_text("mine")
    with pytest.raises(RefusedError, match=r"task-definition\.json is there already"):
        init_from_ecs(tmp_path, EcsOptions("production", region=REGION), {})
    assert [path.name for path in tmp_path.iterdir()] == ["task-definition.json"]


def test_several_to_choose_from_are_named(moto: AwsWorld, name: str, tmp_path: Path) -> None:
    """Two families, or none, and no --family: what there is, and how to choose; an unknown one fails."""
    with pytest.raises(UsageError, match="no task definition"):
        init_from_ecs(tmp_path, EcsOptions("production", region=REGION), {})
    live(moto, name)
    live(moto, f"{name}-nightly")
    with pytest.raises(UsageError, match=f"2 task definitions here: {name}, {name}-nightly") as caught:
        init_from_ecs(tmp_path, EcsOptions("production", region=REGION), {})
    assert "--from-ecs" in caught.value.hint
    with pytest.raises(Failure, match="task definition nothing"):
        init_from_ecs(tmp_path, EcsOptions("production", family="nothing", region=REGION), {})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def deployer(ministack: str, name: str, tmp_path: Path) -> Command:
    """In a folder with what `deployer init` wrote of a job in MiniStack."""
    world = AwsWorld(name, session(ministack))
    world.create_repository(f"{name}/etl")
    live(world, name)
    command = Command(ministack, tmp_path)
    done = command("init", "--from-ecs", name, "--cluster", name)
    assert (done.returncode, done.stderr) == (0, b"")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return command


BLANKS = {
    "MONGO_URI": "mongodb://127.0.0.1:1",
    "COLLECTION": "measurements",
    "SUBNET": "subnet-1",
    "SECURITY_GROUP": "sg-1",
}


def test_a_plan_can_be_made_of_what_was_written(deployer: Command) -> None:
    """Through AWS_ENDPOINT_URL alone: plan first names every blank, and with those filled it plans."""
    refused = deployer("plan")
    assert refused.returncode == 2
    for blank in BLANKS:
        assert f"{blank} is not set".encode() in refused.stderr
    planned = deployer("plan", "--output", "json", **BLANKS)
    plan = json.loads(planned.stdout)
    assert (planned.returncode, plan["env"]) == (0, "production")
    assert [difference.split(":")[0] for difference in plan["differences"]] == [
        "containerDefinitions[forecast-etl].image"
    ]


def test_a_secret_is_made_and_replaced(ministack: str, deployer: Command, name: str) -> None:
    """From standard input, without its line's end: the ARN, the line for the definition, never the value."""
    client = AwsWorld(name, session(ministack)).client("secretsmanager")
    for value in (PASSWORD, f"{PASSWORD}-2"):
        done = deployer("secret", "set", f"{name}/mongo-uri", given=f"{value}\n".encode())
        assert done.returncode == 0
        arn, line = done.stdout.decode().splitlines()
        assert json.loads(line) == {"name": "MONGO_URI", "valueFrom": arn}
        assert client.get_secret_value(SecretId=arn)["SecretString"] == value
        assert PASSWORD.encode() not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [(b"", b"is empty"), (b" \n", b"is empty"), (b"\xff", b"not UTF-8"), (b"x" * 70000, b"longer")],
)
def test_a_value_that_is_none_is_refused(
    ministack: str, deployer: Command, name: str, given: bytes, said: bytes
) -> None:
    """Exit code 2 and a sentence, and no secret is made."""
    done = deployer("secret", "set", name, given=given)
    assert (done.returncode, said in done.stderr) == (2, True)
    client = AwsWorld(name, session(ministack)).client("secretsmanager")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_secret(SecretId=name)


def test_at_a_terminal_a_secret_is_asked_for_and_not_shown(
    ministack: str, deployer: Command, name: str
) -> None:
    """What is typed is not echoed."""
    question = f"Value of {name}: "
    code, said = deployer.typed("secret", "set", name, question=question, answer=PASSWORD)
    assert code == 0
    assert PASSWORD not in said
    client = AwsWorld(name, session(ministack)).client("secretsmanager")
    assert client.get_secret_value(SecretId=name)["SecretString"] == PASSWORD
