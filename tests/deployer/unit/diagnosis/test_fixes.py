"""The fix of a message has the message's own values, so that it can be typed as it stands."""

import pytest

from deployer.diagnosis.classify import classify
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    CONTAINER_REASON,
    DOCKER_BUILD,
    DOCKER_PUSH,
    STOPPED_REASON,
    TASK_LOG,
)

DENIED = "User: arn:aws:sts::111122223333:assumed-role/loads/0a is not authorized to perform: "


@pytest.mark.parametrize(
    ("channel", "text", "values"),
    [
        (
            DOCKER_PUSH,
            "name unknown: The repository with name 'tides/etl' does not exist in the registry with id '1'",
            ["aws ecr create-repository --repository-name tides/etl --region eu-west-3"],
        ),
        (
            DOCKER_PUSH,
            "tag invalid: The image tag '7' already exists in the 'tides/etl' repository and cannot be "
            "overwritten because the repository is immutable.",
            ["--repository-name tides/etl --image-ids imageTag=7"],
        ),
        (
            TASK_LOG,
            f'AccessDenied: {DENIED}s3:PutObject on resource: "arn:aws:s3:::tides-out/a.csv"',
            ["--role-name loads", '"Action":"s3:PutObject","Resource":"arn:aws:s3:::tides-out/a.csv"'],
        ),
        (
            CLIENT_ERROR,
            "An error occurred (ResourceNotFoundException) when calling the GetLogEvents operation: "
            "Log group '/ecs/tides' does not exist",
            ["aws logs create-log-group --log-group-name /ecs/tides --region eu-west-3"],
        ),
        (
            STOPPED_REASON,
            "ResourceInitializationError: unable to retrieve from ssm: invalid parameters: /tides/uri",
            ["aws ssm get-parameters --names /tides/uri"],
        ),
        (
            CONTAINER_REASON,
            'OCI runtime create failed: exec: "tidal": executable file not found in $PATH',
            ["command -v tidal; ls -l tidal"],
        ),
        (TASK_LOG, "ModuleNotFoundError: No module named 'tidepool'", ["Add tidepool", "import tidepool"]),
        (TASK_LOG, "Error: Cannot find module 'tidal'\nRequire stack:\n- /app/a.js", ["npm install tidal"]),
        (
            TASK_LOG,
            "ImportError: /lib/libm.so.6: version `GLIBC_2.99' not found (required by /app/x.so)",
            ["GLIBC_2.99"],
        ),
        (
            TASK_LOG,
            "pymongo.errors.DuplicateKeyError: E11000 duplicate key collection: tides.hours index: at_1",
            ["db.tides.hours.getIndexes()", "index at_1"],
        ),
        (
            TASK_LOG,
            "Error: querySrv ENOTFOUND _mongodb._tcp.c9.ab1cd.mongodb.net",
            ["dig SRV _mongodb._tcp.c9.ab1cd.mongodb.net"],
        ),
        (COMPOSE, 'service "seed" didn\'t complete successfully: exit 1', ["docker compose logs seed"]),
        (
            COMPOSE,
            "Bind for 0.0.0.0:27099 failed: port is already allocated",
            ["docker ps --filter publish=27099"],
        ),
        (TASK_LOG, "/app/run.sh: exec: line 8: tidal: not found", ["command -v tidal; ls -l tidal"]),
        (TASK_LOG, "ERROR record 9: 'level' is a required property", ["reads (level)"]),
        (
            TASK_LOG,
            "ConnectTimeoutError: Connection to sqs.eu-west-3.amazonaws.com timed out. (connect timeout=60)",
            ["a way to sqs.eu-west-3.amazonaws.com"],
        ),
        (DOCKER_BUILD, "E: Unable to locate package libtidal-dev", ["apt-cache policy libtidal-dev"]),
    ],
)
def test_the_fix_names_what_the_message_says(channel: str, text: str, values: list[str]) -> None:
    """Repository, role, action, group, parameter, command, module, host, service, port, package."""
    remedy = classify(Evidence(text, channel), {"region": "eu-west-3"}).cause.remedy

    assert [value for value in values if value not in remedy] == [], remedy
