"""Nothing is said of the cause: what the stop itself, or the place where it was seen, lets one suppose."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    CONTAINER_REASON,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    HINT,
    PYMONGO,
    RUN_TASK_FAILURE,
    STOPPED_REASON,
    TASK,
    TASK_LOG,
    Rule,
)

_ANYTHING = r"\S"
PLACE = 0.15  # nothing but the place where it was seen speaks for it
_LOOK = "`aws ecs describe-tasks --cluster <cluster> --tasks <task>` and the log of the run say more"

STOPS: tuple[Rule, ...] = (
    Rule(
        failure_class="unknown",
        subcause="stopped-by-hand",
        matches="",
        stop_codes=("UserInitiated", "ServiceSchedulerInitiated"),
        confidence=0.9,
        channels=TASK,
        remedy="Someone or something asked ECS to stop the task; nothing else is wrong: `deployer resume` runs it again.",
        example="Task stopped by user",
    ),
    Rule(
        failure_class="unknown",
        subcause="stopped-by-hand",
        matches=r"stopped by user|Task stopped by|Scaling activity initiated|stopped manually|UserInitiated|StopTask",
        confidence=0.8,
        channels=ECS,
        remedy="Someone or something asked ECS to stop the task; nothing else is wrong: `deployer resume` runs it again.",
        example="Task stopped by user",
    ),
    Rule(
        failure_class="unknown",
        subcause="terminated",
        matches="",
        exit_codes=(143, 130),
        confidence=0.45,
        channels=TASK,
        remedy="143 is 128 + SIGTERM: the program was asked to stop, by ECS, by a person or by a deployment; "
        + _LOOK
        + ".",
        example="Essential container in task exited",
    ),
    Rule(
        failure_class="unknown",
        subcause="essential-container-exited",
        matches=r"Essential container in task exited",
        confidence=HINT - 0.1,
        channels=ECS,
        remedy="The container ended and ECS does not know why: its exit code and log do: `deployer logs --release <release>`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html",
        example="Essential container in task exited",
    ),
    Rule(
        failure_class="aws-config",
        subcause="task-not-started",
        matches=_ANYTHING,
        confidence=PLACE,
        channels=(STOPPED_REASON, CONTAINER_REASON),
        remedy="ECS did not get the task to run and no rule knows why: `deployer doctor` looks at what a task needs to start.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html",
        example="the sidecar proxy could not be set up",
    ),
    Rule(
        failure_class="code",
        subcause="program-failed",
        matches=r"\b(?:error|fatal|fail(?:ed|ure|s)?|cannot|can't|could not|unable|invalid|abort(?:ed)?|unexpected|crash\w*)\b",
        confidence=PLACE,
        channels=(TASK_LOG,),
        remedy="The program says that it failed, and nothing outside of it that a rule knows: read the lines before: "
        "`deployer logs --release <release>`.",
        example="loader: could not go on",
    ),
    Rule(
        failure_class="docker",
        subcause="build-failed",
        matches=_ANYTHING,
        confidence=PLACE,
        channels=(DOCKER_BUILD,),
        remedy="The build failed and no rule knows why: `docker build --progress=plain --no-cache .` shows every line of it.",
        link="https://docs.docker.com/build/building/best-practices/",
        example="the builder gave up",
    ),
    Rule(
        failure_class="mongodb",
        subcause="mongodb-failed",
        matches=_ANYTHING,
        confidence=PLACE,
        channels=(PYMONGO,),
        remedy="The driver failed and no rule knows why: `python -m pipeline.connectivity` walks from the name to the write.",
        link="https://www.mongodb.com/docs/atlas/troubleshoot-connection/",
        example="the driver gave up",
    ),
    Rule(
        failure_class="aws-config",
        subcause="run-task-refused",
        matches=_ANYTHING,
        confidence=PLACE,
        channels=(RUN_TASK_FAILURE,),
        remedy="ECS did not start the task and no rule knows why: `deployer doctor` looks at what RunTask needs.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html",
        example="the task was not placed",
    ),
    Rule(
        failure_class="aws-config",
        subcause="call-failed",
        matches=_ANYTHING,
        confidence=PLACE,
        channels=(CLIENT_ERROR,),
        remedy="A call from this machine failed and no rule knows why: `aws sts get-caller-identity` and `deployer doctor` show "
        "as whom and with what it was made.",
        example="the call was not made",
    ),
    Rule(
        failure_class="network",
        subcause="push-broken-off",
        matches=r"Retrying in \d+ sec|unexpected end of JSON|retries",
        confidence=PLACE + 0.05,
        channels=(DOCKER_PUSH,),
        remedy="The push was tried again and again and no reason was printed: push once by hand; the daemon's log (`journalctl -u docker`) "
        "has the reason. A repository that is not there looks the same to some clients.",
        example="0a1b2c3d4e5f: Retrying in 9 seconds",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="push-failed",
        matches=_ANYTHING,
        confidence=PLACE,
        channels=(DOCKER_PUSH,),
        remedy="The push failed and no rule knows why: log in anew (`aws ecr get-login-password --region <region> | docker login "
        "--username AWS --password-stdin <registry>`) and push once by hand.",
        example="the push gave up",
    ),
)
