"""The last resort: what the place where something was seen, or the stack under it, lets one suppose."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    PYMONGO,
    TASK_LOG,
    Signature,
)

_SEEN = (TASK_LOG, PYMONGO, CLIENT_ERROR, COMPOSE)
_RUN = (TASK_LOG, COMPOSE)
_BUILD = (DOCKER_BUILD,)
_CODES = "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
_REASONS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"
_ATLAS = "https://www.mongodb.com/docs/atlas/troubleshoot-connection/"
_ERRORS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html"
_DOCKERFILE = "https://docs.docker.com/reference/dockerfile/"
_PYTHON = "https://docs.python.org/3/library/exceptions.html"
_ENDPOINTS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html"
_PANDAS = "https://pandas.pydata.org/docs/reference/testing.html#exceptions-and-warnings"
_PROXY = "https://docs.docker.com/engine/daemon/proxy/"
_LOGIN = (
    "`aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}`"
)

LAST_RESORTS = (
    Signature(
        failure_class="aws-config",
        subcause="call-failed",
        pattern=r"\S",
        without=r"docker|mongo|No module named",
        channels=(CLIENT_ERROR,),
        weight=0.31,
        meaning="A call from this machine failed in words that no signature has.",
        fix=("`aws sts get-caller-identity` and `deployer doctor` show as whom and with what it was made."),
        source=_CODES,
        example="the call was not made",
        counter="INFO the call was made",
    ),
    Signature(
        failure_class="aws-config",
        subcause="task-not-started",
        pattern=r"\S",
        without=(
            r"Essential container in task exited|stopped by|scaling activity|^ ?Exit|STOPPED$"
            r"|UserInitiated"
        ),
        channels=ECS,
        weight=0.31,
        meaning="ECS did not get the task to run and says why in words that no signature has.",
        fix=(
            "`deployer doctor` checks what a task needs to start; `aws ecs describe-tasks "
            "--cluster {cluster} --tasks <task> --region {region}` shows all that ECS says."
        ),
        source=_REASONS,
        example="the sidecar proxy could not be set up",
        counter="Essential container in task exited",
    ),
    Signature(
        failure_class="mongodb",
        subcause="mongodb-failed",
        pattern=r"\S",
        channels=(PYMONGO,),
        weight=0.32,
        meaning="The driver failed in words that no signature has.",
        fix="`deployer doctor` checks the connection from the name to the first read.",
        source=_ATLAS,
        example="the driver gave up",
        counter="",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="push-not-told",
        pattern=(
            r"\b(?:error|failed|denied|refused|unauthorized|forbidden|cannot|unable"
            r"|exit code [1-9])\b"
        ),
        channels=(DOCKER_PUSH,),
        weight=0.36,
        meaning="The push failed without a reason that a signature has.",
        fix=(
            "Log in again ("
            + _LOGIN
            + ") and push once by hand: `docker push {image}`; `journalctl -u docker` has the "
            + "engine's reason."
        ),
        source=_ERRORS,
        example="the push failed",
        counter="The push refers to repository [acme/loader]",
    ),
    Signature(
        failure_class="docker",
        subcause="compose-failed",
        pattern=(
            r"^\W{0,3}ERROR: |^docker: |exit status [1-9]"
            r"|Cannot (?:create|start) (?:container|service)"
        ),
        texts=(
            "Error response from daemon | error while creating | error while removing"
            " | error while mounting | failed to solve | failed to start | failed to create"
            " | OCI runtime"
        ),
        channels=(COMPOSE,),
        weight=0.5,
        meaning="Docker could not start a service on this machine.",
        fix=(
            "Read the service's own log (`docker compose logs {service}`) and start it alone: "
            "`docker compose up {service}`."
        ),
        source=_ERRORS,
        example="Error response from daemon: something odd",
        counter=" Container shop-etl-1  Started",
    ),
    Signature(
        failure_class="docker",
        subcause="build-step-failed",
        pattern=(
            r"exit(?:ed with)? (?:code|status):? [1-9]\d{0,2}"
            r"|\b(?:error|failed|failure|cannot|could not|unable|fatal|not found|denied|invalid)\b"
        ),
        texts="non-zero code | did not complete successfully | failed to build | build failed",
        channels=_BUILD,
        weight=0.4,
        meaning="A step of the build failed, in words that no signature has.",
        fix=(
            "Read the lines above it; `docker build --progress=plain --no-cache .` shows all of "
            "that step ({stage})."
        ),
        source=_DOCKERFILE + "#run",
        example="The command '/bin/sh -c ./configure' returned a non-zero code: 2",
        counter="#5 DONE 3.2s",
    ),
    Signature(
        failure_class="code",
        subcause="program-failed",
        pattern=(
            r"\b(?:error|fatal|fail(?:ed|ure|s)?|cannot|can't|could not|unable|invalid"
            r"|abort(?:ed)?|unexpected|crash\w{0,6}|denied|not found)\b"
        ),
        without=r"\b(?:0|no) (?:errors?|fail\w{0,6})",
        channels=_RUN,
        weight=0.33,
        exit_codes=(1, 2, 3, 4, 5, 101, 255),
        meaning="The program says that it failed, in words that no signature has.",
        fix=(
            "Read the lines before it: `deployer logs`; the same run on this machine: `docker "
            "compose run --rm {service}`."
        ),
        source=_PYTHON,
        example="loader: could not go on",
        counter="INFO done, 0 errors",
    ),
    Signature(
        failure_class="code",
        subcause="some-exception",
        pattern=(
            r"^(?:Caused by: )?(?-i:(?:[a-z_]\w{0,40}\.){1,8}[A-Z]\w{2,60}(?::|\s{0,4}$))"
            r"|^\*\* \(\w{2,40}\)"
            r"|^\W{0,4}(?:[\w$]{1,40}(?:\.|::)){0,8}\w{1,60}(?-i:Error|Exception)\b"
        ),
        texts=(
            "Traceback (most recent call last) | npm ERR! | npm error | Caused by:  | Exception in thread"
        ),
        without=r"amazonaws|boto|pymongo|mongodb",
        channels=(*_RUN, CLIENT_ERROR),
        weight=0.4,
        meaning="The program ended with an exception that no signature has.",
        fix=(
            "Read the exception and its last frame in the log (`deployer logs`); the same run on "
            "this machine: `docker compose run --rm {service}`."
        ),
        source=_PYTHON,
        example="acme.errors.Odd: it went wrong",
        counter="INFO acme.loader: done",
    ),
    Signature(
        failure_class="mongodb",
        subcause="mongodb-call-cut-off",
        pattern=r"[/\\](?:pymongo|motor|mongoengine|gridfs)[/\\]",
        texts="node_modules/mongodb | node_modules/mongoose | com.mongodb. | go.mongodb.org",
        channels=_SEEN,
        weight=0.45,
        frames=True,
        meaning="A call to MongoDB failed and its message is cut off.",
        fix=(
            "Read the log to its end (`deployer logs`); `deployer doctor` checks the connection to MongoDB."
        ),
        source=_ATLAS,
        example=(
            "Traceback (most recent call last):\n  File "
            '"/usr/lib/python3/site-packages/pymongo/pool.py", line 5, in command'
        ),
        counter="INFO pymongo imported",
    ),
    Signature(
        failure_class="aws-config",
        subcause="aws-call-cut-off",
        pattern=r"[/\\\\](?:botocore|boto3|aiobotocore|s3transfer|awscli)[/\\\\]",
        texts="software.amazon.awssdk | node_modules/@aws-sdk | node_modules/aws-sdk",
        channels=(TASK_LOG, CLIENT_ERROR),
        weight=0.45,
        frames=True,
        meaning="A call to AWS failed and its message is cut off.",
        fix=(
            "Read the log to its end (`deployer logs`): a missing task role, a refused action or "
            "an endpoint without a route are the usual reasons; `deployer doctor` checks each."
        ),
        source=_ENDPOINTS,
        example=(
            "Traceback (most recent call last):\n  File "
            '"/usr/lib/python3/site-packages/botocore/client.py", line 5, in _api_call'
        ),
        counter="INFO botocore loaded",
    ),
    Signature(
        failure_class="data",
        subcause="reader-cut-off",
        pattern=r"pandas[/\\\\]io[/\\\\]|xarray[/\\\\]backends",
        texts=(
            "pyarrow/ | polars/io | openpyxl/reader | xlrd/ | netCDF4 | h5py | rasterio | fiona"
            " | csv.py | parsers.py | json/decoder.py | python_calamine | java.util.zip."
            " | commons.csv | opencsv | jackson.core | jackson.dataformat"
        ),
        channels=_RUN,
        weight=0.45,
        frames=True,
        meaning="Reading the data failed and the message is cut off.",
        fix=(
            "Read the log to its end (`deployer logs`), then look at the file that was read: `aws "
            "s3 cp s3://{bucket}/{key} - | head -c 400`."
        ),
        source=_PANDAS,
        example=(
            "Traceback (most recent call last):\n  File "
            '"/usr/lib/python3/site-packages/pandas/io/parsers.py", line 44, in _read'
        ),
        counter="INFO pandas loaded",
    ),
    Signature(
        failure_class="network",
        subcause="download-cut-off",
        pattern=r"urllib3/(?:response|connection|connectionpool|util/ssl_)\.py|[/\\\\]ssl\.py",
        texts="pip/_internal/network | http/client.py",
        without=r"botocore|pymongo",
        channels=(DOCKER_BUILD, CLIENT_ERROR),
        weight=0.58,
        frames=True,
        meaning="A download broke off and its message is cut off.",
        fix=(
            "Build again with `docker build --progress=plain --no-cache .` and read to the end; "
            "check connection and proxy to {host}."
        ),
        source=_PROXY,
        example=(
            "Traceback (most recent call last):\n  File "
            '"/usr/lib/python3/site-packages/pip/_vendor/urllib3/response.py", line 560, in read'
        ),
        counter="#5 2.0 Collecting urllib3",
    ),
)
