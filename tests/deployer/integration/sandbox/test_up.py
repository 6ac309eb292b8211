"""What `up` brings about."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docker.client import DockerClient
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deployer.sandbox import Sandbox, SandboxDown, SandboxError, SandboxFacts, network, processes
from deployer.sandbox.ministack import instance
from tests.deployer.integration.sandbox.conftest import Make, aws_of, files_in
from tests.images import base_images

UP = """
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from deployer.errors import DeployerError
from deployer.sandbox import Sandbox, SandboxSettings

root, data = map(Path, sys.argv[1:3])
settings = SandboxSettings(
    root, "sandbox-test", "forecast-etl", "greenandcoop-cluster", "/ecs/forecast-etl",
    "greenandcoop-raw-data", "forecast-etl/mongo-uri", mongo_image=sys.argv[3], data=data,
)
try:
    print(Sandbox(settings).up().registry)
except DeployerError as error:
    print(error.message, error.hint, sep="\\n")
    sys.exit(error.exit_code)
"""


def run_up(root: Path, data: Path, **environment: str) -> subprocess.Popen[str]:
    """`up` in a program of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", UP, str(root), str(data), base_images()["MONGO_IMAGE"]],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def pids(sandbox: Sandbox) -> list[int | None]:
    """Of every part."""
    return [part.pid for part in sandbox.status().parts]


def port(facts: SandboxFacts) -> int:
    """MiniStack's."""
    return int(facts.registry.partition(":")[2])


def test_the_facts_are_of_resources_that_exist(standing: Sandbox) -> None:
    """Every name and ARN among the facts is answered for by AWS calls against the endpoint."""
    facts = standing.up()
    aws = aws_of(facts)
    assert aws.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "forecast-etl"
    clusters = aws.client("ecs").describe_clusters(clusters=[facts.cluster])["clusters"]
    assert [cluster["status"] for cluster in clusters] == ["ACTIVE"]
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=facts.log_group)["logGroups"]
    assert [group["logGroupName"] for group in groups] == [facts.log_group]
    for role in (facts.execution_role, facts.task_role):
        found = aws.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]
        assert found["Arn"] == role
        trusted = found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        assert trusted == {"Service": "ecs-tasks.amazonaws.com"}
    ec2 = aws.client("ec2")
    assert ec2.describe_subnets(SubnetIds=[facts.subnet])["Subnets"]
    assert ec2.describe_security_groups(GroupIds=[facts.security_group])["SecurityGroups"]
    secret = aws.client("secretsmanager").get_secret_value(SecretId=facts.mongo_secret_arn)
    assert secret["SecretString"] == facts.mongo_uri
    objects = aws.client("s3").list_objects_v2(Bucket=facts.bucket)["Contents"]
    assert [item["Key"] for item in objects] == ["day/readings.json", "stations.json"]
    assert aws.client("s3").list_objects_v2(Bucket=facts.state_bucket)["KeyCount"] == 0
    assert aws.client("sts").get_caller_identity()["Account"] == facts.account


def test_mongodb_is_a_replica_set_that_asks_who_one_is(standing: Sandbox) -> None:
    """The URI writes in a transaction, reaches its own database only, and nothing works without it."""
    facts = standing.up()
    with MongoClient[dict[str, int]](facts.mongo_uri) as client, client.start_session() as session:
        assert client.get_default_database().name == "greenandcoop_weather"
        with session.start_transaction():
            client["greenandcoop_weather"]["measurements"].insert_one({"a": 1}, session=session)
        assert client["greenandcoop_weather"]["measurements"].count_documents({}) == 1
        assert client.topology_description.replica_set_name == "rs0"
        with pytest.raises(OperationFailure, match="not authorized"):
            client["other"]["things"].insert_one({"a": 1})
    stranger = facts.mongo_uri.split("@")[1].partition("/")[0]
    with (
        MongoClient[dict[str, int]](stranger, directConnection=True) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client["greenandcoop_weather"]["measurements"].find_one()


def test_it_listens_on_loopback_and_the_bridge_only(standing: Sandbox) -> None:
    """No port of it is open on any other address of the machine."""
    facts = standing.up()
    bridge = facts.mongo_uri.split("@")[1].partition(":")[0]
    expected = {
        f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}" for address in ("127.0.0.1", bridge)
    }
    ports = [part.port for part in standing.status().parts if part.port]
    assert len(ports) == 2
    for number in ports:
        assert set(network.listeners(number)) == expected


def test_up_again_leaves_everything_as_it_is(make: Make) -> None:
    """The second time nothing is said, no process is new and the facts are the same."""
    said: list[str] = []
    sandbox = Sandbox(make(), said.append)
    facts, before = sandbox.up(), pids(sandbox)
    said.clear()
    assert sandbox.up() == facts == sandbox.facts()
    assert (pids(sandbox), said) == (before, [])


def test_two_at_once_make_one_sandbox(make: Make, data: Path, docker: DockerClient) -> None:
    """Of two programs that start it, one waits for the other, and both have the same."""
    settings = make()
    both = [run_up(settings.root, data) for _ in range(2)]
    answers = [program.communicate()[0] for program in both]
    assert [program.returncode for program in both] == [0, 0]
    assert answers[0] == answers[1]
    assert len(processes.find(("--pid", str(settings.root / "ministack.pid")))) == 1
    mongods = docker.containers.list(filters={"label": f"deployer.sandbox={instance(settings.root)}"})
    assert [item.name for item in mongods] == [f"{instance(settings.root)}-mongodb"]


def test_it_outlives_the_command_that_started_it(make: Make, data: Path) -> None:
    """After the starting program has ended, both processes run in sessions that are not its own."""
    settings = make()
    program = run_up(settings.root, data)
    program.communicate()
    sandbox = Sandbox(settings)
    assert sandbox.status().up
    for pid in pids(sandbox)[1:]:
        assert pid is not None
        assert os.getsid(pid) not in (program.pid, os.getsid(0))


def test_without_an_image_that_can_be_had_mongodb_runs_from_this_machines_own(
    make: Make, docker: DockerClient
) -> None:
    """An image that cannot be pulled is replaced by one of the wheel's mongod, which is made once and has no
    shell; the job's URI works as ever."""
    said: list[str] = []
    settings = replace(make(), mongo_image="127.0.0.1:1/mongo:8.0")
    facts = Sandbox(settings, said.append).up()
    with MongoClient[dict[str, int]](facts.mongo_uri) as client:
        client.get_default_database().things.insert_one({"a": 1})
    (container,) = docker.containers.list(filters={"label": f"deployer.sandbox={instance(settings.root)}"})
    image = container.attrs["Config"]["Image"]
    assert image.startswith("deployer-mongod:")
    Sandbox(settings, said.append).up()
    assert sum("making deployer-mongod" in line for line in said) <= 1


def test_two_sandboxes_stand_side_by_side(make: Make) -> None:
    """A second folder gets its own ports, and taking it down leaves the first one up."""
    first, second = Sandbox(make("first")), Sandbox(make("second"))
    assert first.up().registry != second.up().registry
    second.down()
    assert first.status().up
    assert not second.status().up


def test_a_taken_port_is_named_with_who_holds_it(make: Make) -> None:
    """A configured port that another program listens on is refused, and this very process is named."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(
            SandboxError, match=rf"port {taken}, .*held by .*\(pid {os.getpid()}\)"
        ) as refusal:
            Sandbox(make(mongo_port=taken)).up()
    assert refusal.value.exit_code == 18
    assert "configure another port" in refusal.value.hint


def test_without_an_engine_it_says_so(make: Make, data: Path) -> None:
    """With no Docker engine to be reached, one clear message and the exit code of class docker."""
    program = run_up(make().root, data, DOCKER_HOST="unix:///nonexistent/docker.sock")
    answer = program.communicate()[0]
    assert program.returncode == 11
    assert answer.startswith("the Docker engine does not answer")
    assert "Traceback" not in answer


def test_a_missing_data_folder_is_named(make: Make, data: Path) -> None:
    """The folder to seed from must be there."""
    settings = make()
    for file in (data / "day" / "readings.json", data / "stations.json"):
        file.unlink()
    (data / "day").rmdir()
    data.rmdir()
    with pytest.raises(SandboxError, match=f"{data} does not exist") as refusal:
        Sandbox(settings).up()
    assert refusal.value.exit_code == 17


def test_a_name_that_aws_does_not_allow_is_said_to_be_so(make: Make) -> None:
    """What AWS answers to an impossible bucket name reaches the person, in class aws-config."""
    with pytest.raises(SandboxError, match="InvalidBucketName") as refusal:
        Sandbox(replace(make(), bucket="No-Bucket")).up()
    assert refusal.value.exit_code == 13


def test_facts_of_a_sandbox_that_is_not_up_are_refused(make: Make) -> None:
    """Before `up` and after `down` there are no facts, and the hint says how to get some."""
    sandbox = Sandbox(make())
    with pytest.raises(SandboxDown) as refusal:
        sandbox.facts()
    assert "deployer sandbox up" in refusal.value.hint
    sandbox.up()
    sandbox.down()
    with pytest.raises(SandboxDown, match="MiniStack does not run"):
        sandbox.facts()


def test_without_a_folder_the_bucket_gets_todays_sample(make: Make) -> None:
    """The seed command's files are made, once a day, and yesterday's are gone; without one there are none."""
    program = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.mkdir(); (p / 'orders.csv').touch()"
    settings = replace(make(), data=None, seed_command=(sys.executable, "-c", program))
    empty = Sandbox(replace(settings, seed_command=())).up()
    assert aws_of(empty).client("s3").list_objects_v2(Bucket=empty.bucket)["KeyCount"] == 0
    Sandbox(settings, today=lambda: date(2026, 3, 1)).up()
    said: list[str] = []
    facts = Sandbox(settings, said.append, today=lambda: date(2026, 3, 2)).up()
    assert said[0].startswith("making the bucket's data: ")
    assert [folder.name for folder in (settings.root / "sample").iterdir()] == ["2026-03-02"]
    keys = [
        item["Key"] for item in aws_of(facts).client("s3").list_objects_v2(Bucket=facts.bucket)["Contents"]
    ]
    assert keys == ["orders.csv"]


def test_data_of_another_origin_starts_with_an_empty_database(make: Make, data: Path, tmp_path: Path) -> None:
    """A changed file keeps what was loaded; another folder does not mix with it."""
    settings = make()
    facts = Sandbox(settings).up()
    with MongoClient[Any](facts.mongo_uri) as client:
        measurements = client[settings.database].measurements
        measurements.insert_one({"_id": "of the first folder"})
        (data / "new.json").write_text("new")
        Sandbox(settings).up()
        assert measurements.count_documents({}) == 1
        Sandbox(replace(settings, data=files_in(tmp_path / "other"))).up()
        assert measurements.count_documents({}) == 0


def test_the_bucket_follows_the_folder(make: Make, data: Path) -> None:
    """After files changed, came and went, `up` makes the bucket hold what the folder holds."""
    sandbox = Sandbox(make())
    facts = sandbox.up()
    (data / "stations.json").write_text("other stations")
    (data / "day" / "readings.json").unlink()
    (data / "new.json").write_text("new")
    sandbox.up()
    s3 = aws_of(facts).client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=facts.bucket)["Contents"]]
    held = {key: s3.get_object(Bucket=facts.bucket, Key=key)["Body"].read() for key in keys}
    assert held == {"stations.json": b"other stations", "new.json": b"new"}
