"""What `up` mends, and what `down` leaves."""

import io
import os
import shutil
import signal
import tarfile

import pytest
from docker.client import DockerClient
from pymongo import MongoClient

from deployer.sandbox import Sandbox, SandboxError, SandboxFacts, SandboxSettings, network, processes
from deployer.sandbox.ministack import instance
from tests.deployer.integration.sandbox.conftest import Make, aws_of

DATABASE = "greenandcoop_weather"


def insert(facts: SandboxFacts) -> None:
    """One document."""
    with MongoClient[dict[str, int]](facts.mongo_uri) as client:
        client[DATABASE]["measurements"].insert_one({"_id": 1})


def count(facts: SandboxFacts) -> int:
    """Documents that are there."""
    with MongoClient[dict[str, int]](facts.mongo_uri) as client:
        return client[DATABASE]["measurements"].count_documents({})


def signal_all(sandbox: Sandbox, sign: signal.Signals) -> None:
    """The same signal to each of its processes."""
    for part in sandbox.status().parts:
        if part.pid:
            os.kill(part.pid, sign)


def test_a_crash_of_everything_is_healed(make: Make) -> None:
    """After kill -9 of both processes `up` finds the same ports, the documents and the objects."""
    sandbox = Sandbox(make())
    facts = sandbox.up()
    insert(facts)
    signal_all(sandbox, signal.SIGKILL)
    again = sandbox.up()
    assert (again.registry, again.mongo_uri) == (facts.registry, facts.mongo_uri)
    assert count(again) == 1
    aws = aws_of(again)
    assert aws.client("s3").list_objects_v2(Bucket=again.bucket)["KeyCount"] == 2
    secret = aws.client("secretsmanager").get_secret_value(SecretId=again.mongo_secret_arn)
    assert secret["SecretString"] == again.mongo_uri


def test_a_hung_part_is_seen_and_restarted(make: Make) -> None:
    """Processes that live but do not answer are unhealthy in the status; `up` replaces such a one."""
    sandbox = Sandbox(make())
    facts = sandbox.up()
    insert(facts)
    signal_all(sandbox, signal.SIGSTOP)
    hung = sandbox.status().parts[1:]
    assert [(part.state, "up restarts it" in part.hint) for part in hung] == [("unhealthy", True)] * 2
    ministack, mongod = (part.pid for part in hung)
    assert mongod is not None
    os.kill(mongod, signal.SIGCONT)
    assert count(sandbox.up()) == 1
    assert sandbox.status().parts[1].pid != ministack
    assert sandbox.status().parts[2].pid == mongod


def test_a_clean_restart_keeps_what_a_release_made(make: Make) -> None:
    """After down and up the documents, the task definition and the log group's streams are there."""
    sandbox = Sandbox(make())
    facts = sandbox.up()
    insert(facts)
    aws = aws_of(facts)
    aws.client("ecs").register_task_definition(
        family="job", containerDefinitions=[{"name": "job", "image": "none", "memory": 64}]
    )
    aws.client("logs").create_log_stream(logGroupName=facts.log_group, logStreamName="ecs/job/1")
    sandbox.down()
    assert sandbox.up() == facts
    assert count(facts) == 1
    assert aws.client("ecs").list_task_definitions(familyPrefix="job")["taskDefinitionArns"]
    assert aws.client("logs").describe_log_streams(logGroupName=facts.log_group)["logStreams"]


def test_down_leaves_nothing_running_and_purge_nothing_at_all(make: Make, docker: DockerClient) -> None:
    """After down no process and no listening port; down again is fine; a purge takes the files and the
    volume."""
    settings = make()
    sandbox = Sandbox(settings)
    sandbox.up()
    before = sandbox.status().parts[1:]
    sandbox.down()
    assert [part.state for part in sandbox.status().parts[1:]] == ["stopped", "stopped"]
    for part in before:
        assert part.pid is not None
        assert part.port is not None
        assert processes.read(part.pid) is None
        assert network.listeners(part.port) == {}
    sandbox.down()
    assert settings.root.exists()
    sandbox.down(purge=True)
    assert not settings.root.exists()
    assert docker.volumes.list(filters={"name": instance(settings.root)}) == []


def test_resources_that_vanished_are_made_again(make: Make) -> None:
    """With MiniStack's state gone while its process runs, `up` makes and seeds all again."""
    sandbox = Sandbox(make())
    facts = sandbox.up()
    s3 = aws_of(facts).client("s3")
    for item in s3.list_objects_v2(Bucket=facts.bucket)["Contents"]:
        s3.delete_object(Bucket=facts.bucket, Key=item["Key"])
    s3.delete_bucket(Bucket=facts.bucket)
    aws_of(facts).client("ecr").delete_repository(repositoryName="forecast-etl", force=True)
    sandbox.up()
    assert s3.list_objects_v2(Bucket=facts.bucket)["KeyCount"] == 2
    assert aws_of(facts).client("ecr").describe_repositories()["repositories"]


def test_a_damaged_state_file_is_made_anew(make: Make) -> None:
    """Half a state.json costs a restart on other ports and nothing else."""
    settings = make()
    sandbox = Sandbox(settings)
    insert(sandbox.up())
    (settings.root / "state.json").write_text('{"aws_port": 1')
    assert count(sandbox.up()) == 1
    assert sandbox.status().up


def test_a_mongod_that_moves_keeps_its_data(make: Make) -> None:
    """With another port configured the replica set's member is renamed, and the documents stay."""
    insert(Sandbox(make()).up())
    port = network.free_port(("127.0.0.1",))
    moved = Sandbox(make(mongo_port=port)).up()
    assert f":{port}/" in moved.mongo_uri
    assert count(moved) == 1


def test_a_lost_password_is_made_anew(make: Make) -> None:
    """The job's user gets another one, and the documents stay."""
    settings = make()
    facts = Sandbox(settings).up()
    insert(facts)
    (settings.root / "mongo.password").unlink()
    (settings.root / "state.json").unlink()
    again = Sandbox(settings).up()
    assert again.mongo_uri.partition("@")[0] != facts.mongo_uri.partition("@")[0]
    assert count(again) == 1


def test_data_of_a_folder_that_was_deleted_does_not_come_back(make: Make, docker: DockerClient) -> None:
    """Who removes `.deployer` by hand gets an empty database, though the container still ran."""
    settings = make()
    insert(Sandbox(settings).up())
    ministack = Sandbox(settings).status().parts[1].pid
    assert ministack is not None
    os.kill(ministack, signal.SIGKILL)
    shutil.rmtree(settings.root)
    assert count(Sandbox(settings).up()) == 0
    assert len(docker.volumes.list(filters={"name": instance(settings.root)})) == 1


def damage(docker: DockerClient, settings: SandboxSettings, name: str) -> None:
    """Replaces a file of mongod's data, which is in a volume."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    volume = {f"{instance(settings.root)}-mongodb": {"bind": "/data/db", "mode": "rw"}}
    container = docker.containers.create(settings.mongo_image, volumes=volume)
    container.put_archive("/data/db", archive.getvalue())
    container.remove()


def test_damaged_data_is_said_to_be_damaged(make: Make, docker: DockerClient) -> None:
    """When mongod gives up on its files, its own first error is the message, and the way out the hint."""
    settings = make()
    sandbox = Sandbox(settings)
    sandbox.up()
    sandbox.down()
    damage(docker, settings, "WiredTiger.turtle")
    with pytest.raises(SandboxError, match=r"mongod did not come up: .*WiredTiger") as refusal:
        sandbox.up()
    assert refusal.value.exit_code == 16
    assert "--purge" in refusal.value.hint


def test_a_folder_that_cannot_be_used_is_named(make: Make) -> None:
    """A file where a folder belongs ends in one message with its path."""
    settings = make()
    settings.root.mkdir()
    (settings.root / "aws").touch()
    with pytest.raises(SandboxError, match=str(settings.root / "aws")):
        Sandbox(settings).up()


def test_secrets_are_for_their_owner_only(make: Make) -> None:
    """Key file, password and state cannot be read by others, nor can the folder."""
    settings = make()
    Sandbox(settings).up()
    modes = {path.name: path.stat().st_mode & 0o777 for path in settings.root.iterdir()}
    assert [modes[name] for name in ("mongo.key", "mongo.password", "state.json")] == [0o600] * 3
    assert settings.root.stat().st_mode & 0o777 == 0o700
