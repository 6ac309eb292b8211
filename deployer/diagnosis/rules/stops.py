"""The task was stopped, and what is told does not say that anything is wrong with it."""

from deployer.diagnosis.model import FailureClass
from deployer.diagnosis.rule import ECS, HINT, TASK, Rule

_UNKNOWN = FailureClass.UNKNOWN
_LOOK = "`aws ecs describe-tasks --cluster <cluster> --tasks <task>` and the log of the run say more"

STOPS: tuple[Rule, ...] = (
    Rule(
        failure_class=_UNKNOWN,
        subcause="stopped-by-hand",
        matches="",
        stop_codes=("UserInitiated", "ServiceSchedulerInitiated"),
        confidence=0.9,
        channels=TASK,
        remedy="Someone or something asked ECS to stop the task; nothing else is wrong: `deployer release --resume` runs it again.",
        example="Task stopped by user",
    ),
    Rule(
        failure_class=_UNKNOWN,
        subcause="stopped-by-hand",
        matches=r"stopped by user|Task stopped by|Scaling activity initiated|stopped manually|UserInitiated|StopTask",
        confidence=0.8,
        channels=ECS,
        remedy="Someone or something asked ECS to stop the task; nothing else is wrong: `deployer release --resume` runs it again.",
        example="Task stopped by user",
    ),
    Rule(
        failure_class=_UNKNOWN,
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
        failure_class=_UNKNOWN,
        subcause="essential-container-exited",
        matches=r"Essential container in task exited",
        confidence=HINT - 0.1,
        channels=ECS,
        remedy="The container ended and ECS does not know why: its exit code and log do: `deployer logs --release <release>`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html",
        example="Essential container in task exited",
    ),
)
