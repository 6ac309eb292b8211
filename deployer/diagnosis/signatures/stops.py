"""Stopped from outside, or for no reason that is given."""

from deployer.diagnosis.signature import ECS, TASK, Signature

_REASONS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"

STOPS = (
    Signature(
        failure_class="unknown",
        subcause="stopped-by-hand",
        pattern=r"(?:task )?stopped by (?:user|[\w ]{1,30})",
        texts="scaling activity initiated | stopped manually | UserInitiated",
        names="StopTask",
        channels=ECS,
        weight=0.9,
        stop_codes=("UserInitiated", "ServiceSchedulerInitiated"),
        meaning="Someone or something asked ECS to stop the task; nothing else is wrong.",
        fix=(
            "`deployer resume` runs it again; CloudTrail says who stopped it: `aws cloudtrail "
            "lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=StopTask "
            "--region {region}`."
        ),
        source=_REASONS,
        example="Task stopped by user",
        counter="Your Spot Task was interrupted.",
    ),
    Signature(
        failure_class="unknown",
        subcause="terminated",
        channels=TASK,
        weight=0.45,
        exit_codes=(143, 130),
        meaning=(
            "The program was asked to stop (128 + SIGTERM or SIGINT), by ECS, a person or a deployment."
        ),
        fix=(
            "See what asked it: `aws ecs describe-tasks --cluster {cluster} --tasks <task> --query "
            "'tasks[].[stopCode,stoppedReason]' --region {region}`; `deployer resume` runs it "
            "again."
        ),
        source="https://docs.docker.com/engine/containers/run/#exit-status",
        example="Essential container in task exited",
        counter="INFO exited",
    ),
)
