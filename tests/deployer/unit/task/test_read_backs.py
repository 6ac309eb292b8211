"""Thirty definitions as people keep them, and what ECS reads back of each: nothing looks changed that is not.

What ECS fills in, drops and reorders:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from deployer.task.definition import differences

Definition = dict[str, Any]
ACCOUNT = "eu-west-3:210987654321"
ROLE = "arn:aws:iam::210987654321:role"
SECRET = f"arn:aws:secretsmanager:{ACCOUNT}:secret"


def job(**fields: Any) -> Definition:
    return {"name": "loader", "image": "210987654321.dkr.ecr.eu-west-3.amazonaws.com/loader:7", **fields}


def fargate(*others: Definition, main: Definition | None = None, **fields: Any) -> Definition:
    base = {"family": "loader", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}
    sizes = {"cpu": "512", "memory": "1024", "executionRoleArn": f"{ROLE}/pulls"}
    return {**base, **sizes, "containerDefinitions": [main or job(), *others], **fields}


def ec2(mode: str, **fields: Any) -> Definition:
    container = job(memory=300, memoryReservation=200, **fields)
    return {"family": "loader", "networkMode": mode, "containerDefinitions": [container]}


AWSLOGS = {"awslogs-group": "/jobs/loader", "awslogs-region": "eu-west-3", "awslogs-stream-prefix": "run"}
HEALTH = {"command": ["CMD-SHELL", "test -e /tmp/alive"], "interval": 15, "startPeriod": 20}
EFS = {"fileSystemId": "fs-0a1b2c3d", "transitEncryption": "ENABLED", "rootDirectory": "/loads"}
ACCESS = {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"}
AGENT = {
    "name": "datadog-agent",
    "image": "public.ecr.aws/datadog/agent:7",
    "essential": False,
    "environment": [{"name": "ECS_FARGATE", "value": "true"}, {"name": "DD_SITE", "value": "datadoghq.eu"}],
    "secrets": [{"name": "DD_API_KEY", "valueFrom": f"{SECRET}:dd-9xYzAb"}],
    "portMappings": [{"containerPort": 8125, "protocol": "udp"}, {"containerPort": 8126, "protocol": "tcp"}],
}
ROUTER = {
    "name": "router",
    "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
    "essential": True,
    "user": "0",
    "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
}
BUCKET_LOG = {"Name": "s3", "region": "eu-west-3", "bucket": "job-logs", "total_file_size": "1M"}
SPLUNK = {
    "logDriver": "splunk",
    "options": {"splunk-url": "https://in.splunk.test:8088", "splunk-format": "raw"},
    "secretOptions": [{"name": "splunk-token", "valueFrom": f"{SECRET}:splunk-1aB2cD"}],
}
PORTS = [{"containerPort": 8080}, {"containerPort": 9000, "protocol": "udp"}, {"containerPort": 9000}]
SHAPES: dict[str, Definition] = {
    "the smallest": fargate(),
    "sizes in words": fargate(cpu=".5 vCPU", memory="1 GB"),
    "a role by name": fargate(executionRoleArn="pulls", taskRoleArn="reads"),
    "awslogs": fargate(main=job(logConfiguration={"logDriver": "awslogs", "options": AWSLOGS})),
    "nulls of the console": fargate(main=job(command=None, user=None, secrets=None, cpu=0), ipcMode=None),
    "empty lists": fargate(main=job(environment=[], mountPoints=[], ulimits=[], dockerLabels={}), volumes=[]),
    "variables in no order": fargate(
        main=job(environment=[{"name": n, "value": f"{n} value"} for n in ("ZONE", "BATCH", "MODE")])
    ),
    "secrets by name and ARN": fargate(
        main=job(
            secrets=[
                {"name": "URI", "valueFrom": f"{SECRET}:loader/uri-AbCdEf:uri::"},
                {"name": "TOKEN", "valueFrom": "/loader/token"},
                {"name": "KEY", "valueFrom": f"arn:aws:ssm:{ACCOUNT}:parameter/loader/key"},
            ]
        )
    ),
    "variables from S3": fargate(
        main=job(environmentFiles=[{"value": "arn:aws:s3:::settings/loader.env", "type": "s3"}])
    ),
    "datadog beside it": fargate(AGENT),
    "firelens to S3": fargate(
        ROUTER, main=job(logConfiguration={"logDriver": "awsfirelens", "options": BUCKET_LOG})
    ),
    "splunk": fargate(main=job(logConfiguration=SPLUNK)),
    "TCP and UDP on one port": fargate(main=job(portMappings=PORTS)),
    "a named port": fargate(
        main=job(portMappings=[{"name": "http", "containerPort": 8080, "appProtocol": "http2"}])
    ),
    "a range of ports": ec2("bridge", portMappings=[{"containerPortRange": "7000-7010", "protocol": "tcp"}]),
    "a health check": fargate(main=job(healthCheck=HEALTH)),
    "limits": fargate(main=job(ulimits=[{"name": "nofile", "softLimit": 8192, "hardLimit": 65536}])),
    "EFS": fargate(
        main=job(mountPoints=[{"sourceVolume": "loads", "containerPath": "/loads", "readOnly": True}]),
        volumes=[{"name": "loads", "efsVolumeConfiguration": EFS}],
    ),
    "EFS by access point": fargate(
        volumes=[
            {"name": "loads", "efsVolumeConfiguration": {**EFS, "authorizationConfig": ACCESS}},
            {"name": "scratch"},
        ]
    ),
    "EBS at launch": fargate(
        main=job(mountPoints=[{"sourceVolume": "work", "containerPath": "/work"}]),
        volumes=[{"name": "work", "configuredAtLaunch": True}],
    ),
    "a larger disk": fargate(ephemeralStorage={"sizeInGiB": 80}),
    "ARM64": fargate(runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
    "X86_64, said": fargate(runtimePlatform={"cpuArchitecture": "X86_64"}),
    "an init container": fargate(
        {"name": "migrate", "image": "migrate:3", "essential": False, "command": ["up", "--all"]},
        main=job(dependsOn=[{"containerName": "migrate", "condition": "SUCCESS"}]),
    ),
    "volumes of another container": fargate(
        {"name": "data", "image": "data:1", "essential": False},
        main=job(volumesFrom=[{"sourceContainer": "data", "readOnly": True}]),
    ),
    "kernel parameters": fargate(
        main=job(systemControls=[{"namespace": "net.ipv4.tcp_keepalive_time", "value": "200"}])
    ),
    "linux parameters": fargate(
        main=job(linuxParameters={"initProcessEnabled": True, "capabilities": {"add": ["SYS_PTRACE"]}})
    ),
    "EC2, bridge": ec2("bridge", portMappings=[{"containerPort": 8080, "hostPort": 0}], privileged=False),
    "EC2, host, a folder": {
        **ec2("host", mountPoints=[{"sourceVolume": "in", "containerPath": "/in"}], extraHosts=[]),
        "volumes": [{"name": "in", "host": {"sourcePath": "/srv/in"}}],
        "placementConstraints": [{"type": "memberOf", "expression": "attribute:disk == ssd"}],
    },
    "EC2, a GPU and a Docker volume": {
        **ec2(
            "none", resourceRequirements=[{"type": "GPU", "value": "1"}], dockerSecurityOptions=["label:x"]
        ),
        "volumes": [
            {"name": "v", "dockerVolumeConfiguration": {"scope": "shared", "driverOpts": {"type": "nfs"}}}
        ],
    },
    "much of a container": fargate(
        main=job(
            entryPoint=["/bin/sh", "-c"],
            command=["run --all", "-v"],
            workingDirectory="/work",
            user="1000:1000",
            readonlyRootFilesystem=True,
            stopTimeout=90,
            startTimeout=120,
            dockerLabels={"team": "data"},
            repositoryCredentials={"credentialsParameter": f"{SECRET}:hub-3cD4eF"},
            restartPolicy={"enabled": True, "ignoredExitCodes": [0]},
        )
    ),
}
FILLED = ("environment", "mountPoints", "volumesFrom", "portMappings", "systemControls")


def read_back(definition: Definition) -> Definition:
    """As DescribeTaskDefinition answers."""
    given = _without_nulls(copy.deepcopy(definition))
    lots = random.Random(given["family"])
    words = {".5 vCPU": "512", "1 GB": "1024"}
    for key in ("cpu", "memory"):
        if key in given:
            given[key] = words.get(given[key], given[key])
    for key in ("executionRoleArn", "taskRoleArn"):
        if key in given and ":" not in given[key]:
            given[key] = f"{ROLE}/{given[key]}"
    for container in given["containerDefinitions"]:
        _fill_container(container, given["networkMode"])
        for key in ("environment", "secrets", "portMappings"):
            lots.shuffle(container.get(key, []))
    for volume in given.get("volumes", []):
        _fill_volume(volume)
    lots.shuffle(given["containerDefinitions"])
    own = {"taskDefinitionArn": f"arn:aws:ecs:{ACCOUNT}:task-definition/loader:3", "revision": 3}
    more = {"status": "ACTIVE", "compatibilities": ["EC2", "FARGATE"], "registeredBy": f"{ROLE}/ci"}
    return {"volumes": [], "placementConstraints": [], "requiresAttributes": [], **given, **own, **more}


def _fill_container(container: Definition, mode: str) -> None:
    for key in FILLED:
        container.setdefault(key, [])
    container.setdefault("cpu", 0)
    container.setdefault("essential", True)
    for mapping in container["portMappings"]:
        mapping.setdefault("protocol", "tcp")
        if mode != "bridge":
            mapping.setdefault("hostPort", mapping["containerPort"])
        elif "containerPort" in mapping:
            mapping.setdefault("hostPort", 0)
    if "healthCheck" in container:
        container["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **container["healthCheck"]}
    if "logConfiguration" in container:
        container["logConfiguration"].setdefault("secretOptions", [])
    if "linuxParameters" in container:
        container["linuxParameters"] |= {"devices": [], "tmpfs": []}
        container["linuxParameters"].setdefault("capabilities", {}).setdefault("drop", [])
    for mount in container["mountPoints"]:
        mount.setdefault("readOnly", False)


def _fill_volume(volume: Definition) -> None:
    if not volume.keys() - {"name"}:
        volume["host"] = {}
    if efs := volume.get("efsVolumeConfiguration"):
        efs.setdefault("rootDirectory", "/")
    if docker := volume.get("dockerVolumeConfiguration"):
        docker |= {"driver": "local", "autoprovision": False, "labels": {}}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """Every definition that differs in one value, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for path, changed in mutations(inner):
                yield f"{key}.{path}", {**value, key: changed}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield f"[{number}] left out", value[:number] + value[number + 1 :]
            for path, changed in mutations(inner):
                yield f"[{number}].{path}", [*value[:number], changed, *value[number + 1 :]]
    elif isinstance(value, bool):
        yield "", not value
    elif isinstance(value, int):
        yield "", value + 1
    elif isinstance(value, str):
        yield "", value + "7"


@pytest.mark.parametrize("name", SHAPES)
def test_what_ecs_reads_back_does_not_look_changed(name: str) -> None:
    """Defaults filled in, nulls and order gone, roles and sizes spelled differently: no difference."""
    assert differences(SHAPES[name], read_back(SHAPES[name])) == ()


@pytest.mark.parametrize("name", SHAPES)
def test_every_value_that_is_changed_is_seen(name: str) -> None:
    """One value at a time, or one entry of a list less: each is a difference."""
    registered = read_back(SHAPES[name])
    changed = list(mutations(_without_nulls(SHAPES[name])))
    missed = [path for path, ours in changed if not differences(ours, registered)]
    assert changed
    assert missed == []
